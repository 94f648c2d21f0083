//! The Adam optimizer's constants and its step size, which all engines share.

/// Decay of the mean of gradients.
pub(crate) const BETA_1: f32 = 0.9;
/// Decay of the mean of squared gradients.
pub(crate) const BETA_2: f32 = 0.999;
/// Keeps the quotient finite where the gradients of a weight are zero.
pub(crate) const EPSILON: f32 = 1e-8;

/// The step size of Adam, step by step.
///
/// A weight moves by `rate · m / (√v + ε)`, where `m` and `v` are the decaying means of its gradients and squared
/// gradients from zero, and `rate` makes up for that start. This is the form that the original used (TensorFlow), in
/// which ε is not corrected; it is written in Kingma and Ba, 2015, at the end of section 2.
#[derive(Debug, Clone, Default)]
pub(crate) struct Adam {
    steps: i32,
}

impl Adam {
    /// The rate of the next step.
    pub(crate) fn next_rate(&mut self, learning_rate: f32) -> f32 {
        // Long before the counter ends, both powers are zero.
        self.steps = self.steps.saturating_add(1);
        let rest_1 = 1.0 - f64::from(BETA_1).powi(self.steps);
        let rest_2 = 1.0 - f64::from(BETA_2).powi(self.steps);
        (f64::from(learning_rate) * rest_2.sqrt() / rest_1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_makes_up_for_moments_that_start_at_zero() {
        let mut adam = Adam::default();
        // After one step m is 0.1 g and √v is √0.001 |g|: the weight moves by the learning rate.
        let first = adam.next_rate(0.01) * (1.0 - BETA_1) / (1.0 - BETA_2).sqrt();
        assert!((first - 0.01).abs() < 1e-6, "{first}");
        let late = (0..100_000).map(|_| adam.next_rate(0.01)).last().unwrap();
        assert_eq!(late, 0.01);
    }
}
