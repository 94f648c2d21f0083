//! The Adam optimizer's constants and its step, which all engines share.

use crate::settings::TrainingSettings;

/// Decay of the mean of gradients.
pub(crate) const BETA_1: f32 = 0.9;
/// Decay of the mean of squared gradients.
pub(crate) const BETA_2: f32 = 0.999;

/// Adam with decoupled weight decay, step by step.
///
/// A weight moves by `rate · m / (√v + ε)`, where `m` and `v` are the decaying means of its gradients and squared
/// gradients from zero, and `rate` makes up for that start. This is the form that the original used (TensorFlow), in
/// which ε is not corrected; it is written in Kingma and Ba, 2015, at the end of section 2. Apart from that, a weight keeps
/// only a part of itself, which is what Loshchilov and Hutter (arXiv:1711.05101) call decoupled; a bias keeps all of itself.
#[derive(Debug, Clone)]
pub(crate) struct Adam {
    epsilon: f32,
    weight_decay: f64,
    steps: i32,
}

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdamStep {
    pub(crate) rate: f32,
    pub(crate) epsilon: f32,
    /// The part of itself that a weight keeps; 1 where nothing decays.
    pub(crate) kept: f32,
}

impl Adam {
    /// Before the first step.
    pub(crate) fn new(settings: &TrainingSettings) -> Self {
        Self {
            epsilon: settings.epsilon as f32,
            weight_decay: settings.weight_decay,
            steps: 0,
        }
    }

    /// Goes to where `n_steps` have been taken.
    pub(crate) fn restore(&mut self, n_steps: u32) {
        self.steps = i32::try_from(n_steps).unwrap_or(i32::MAX);
    }

    /// The next step.
    pub(crate) fn next_step(&mut self, learning_rate: f32) -> AdamStep {
        // Long before the counter ends, both powers are zero.
        self.steps = self.steps.saturating_add(1);
        let rest_1 = 1.0 - f64::from(BETA_1).powi(self.steps);
        let rest_2 = 1.0 - f64::from(BETA_2).powi(self.steps);
        let learning_rate = f64::from(learning_rate);
        AdamStep {
            rate: (learning_rate * rest_2.sqrt() / rest_1) as f32,
            epsilon: self.epsilon,
            kept: (1.0 - learning_rate * self.weight_decay) as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{device::DeviceKind, recipe::Recipe};

    #[test]
    fn the_rate_makes_up_for_moments_that_start_at_zero() {
        let mut adam = Adam::new(&Recipe::Tutorial.settings(1, DeviceKind::Ndarray));
        // After one step m is 0.1 g and √v is √0.001 |g|: the weight moves by the learning rate.
        let first = adam.next_step(0.01).rate * (1.0 - BETA_1) / (1.0 - BETA_2).sqrt();
        assert!((first - 0.01).abs() < 1e-6, "{first}");
        let late = (0..100_000).map(|_| adam.next_step(0.01)).last().unwrap();
        assert_eq!((late.rate, late.kept), (0.01, 1.0));
    }

    #[test]
    fn a_weight_decays_by_the_learning_rate_of_its_step() {
        let settings = TrainingSettings {
            weight_decay: 0.1,
            ..Recipe::Tutorial.settings(1, DeviceKind::Ndarray)
        };
        assert_eq!(Adam::new(&settings).next_step(0.5).kept, 0.95);
    }
}
