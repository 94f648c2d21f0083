//! Adam (Kingma and Ba, arXiv:1412.6980) with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101).

use crate::{lanes::Lanes, simd::Simd};

/// How gradients become steps. The learning rate is not among it: each step has its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// How much of the mean gradient is kept each step.
    pub beta1: f32,
    /// How much of the mean squared gradient is kept each step.
    pub beta2: f32,
    /// Added to the root of the mean squared gradient, which is not corrected for the zeros it started from: the form
    /// at the end of section 2 of the paper, which TensorFlow uses, and with it the original.
    pub epsilon: f32,
    /// What part of itself a weight loses each step, times the learning rate. Biases lose nothing.
    pub weight_decay: f32,
}

/// Numbers that are trained, each with its two moments.
#[derive(Clone, Debug)]
pub(crate) struct Trained<T> {
    pub(crate) value: Vec<T>,
    pub(crate) mean: Vec<T>,
    pub(crate) mean_square: Vec<T>,
}

/// The settings at one step of the training, in registers.
#[derive(Clone, Copy)]
pub(crate) struct Adam<S: Simd> {
    simd: S,
    beta1: S::Vector,
    beta1_rest: S::Vector,
    beta2: S::Vector,
    beta2_rest: S::Vector,
    rate: S::Vector,
    epsilon: S::Vector,
    /// What a weight keeps of itself: one, less the decay.
    kept: S::Vector,
    decays: bool,
}

/// One step's numbers, the same for all members of the team.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdamStep {
    settings: AdamSettings,
    rate: f32,
    kept: f32,
}

impl AdamSettings {
    /// # Panics
    /// If a value is out of its range.
    pub(crate) fn check(&self) {
        let is_share = |beta: f32| (0.0..1.0).contains(&beta);
        assert!(
            is_share(self.beta1),
            "beta1 is from 0 up to, not including, 1: {}",
            self.beta1
        );
        assert!(
            is_share(self.beta2),
            "beta2 is from 0 up to, not including, 1: {}",
            self.beta2
        );
        // With zero, a weight that never had a gradient would become 0 / 0.
        assert!(
            self.epsilon > 0.0 && self.epsilon.is_finite(),
            "epsilon is above 0: {}",
            self.epsilon
        );
        assert!(
            self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
            "decay is 0 or more: {}",
            self.weight_decay
        );
    }

    /// The numbers of step `n_steps` (the first is 1).
    ///
    /// The moments start from zero and are too small at first. What they lack is folded into the rate once a step
    /// instead of dividing twice for each weight.
    #[expect(clippy::cast_possible_truncation, reason = "computed in f64, used as f32")]
    pub(crate) fn at(self, n_steps: u64, learning_rate: f32) -> AdamStep {
        // Beyond 2^31 steps both powers are zero anyway.
        let n_steps = i32::try_from(n_steps).unwrap_or(i32::MAX);
        let lacking1 = 1.0 - f64::from(self.beta1).powi(n_steps);
        let lacking2 = (1.0 - f64::from(self.beta2).powi(n_steps)).sqrt();
        AdamStep {
            settings: self,
            rate: (f64::from(learning_rate) * lacking2 / lacking1) as f32,
            kept: (1.0 - f64::from(learning_rate) * f64::from(self.weight_decay)) as f32,
        }
    }
}

impl<T: Clone> Trained<T> {
    /// `n` times `zero`.
    pub(crate) fn zero(zero: T, n: usize) -> Self {
        Self {
            value: vec![zero.clone(); n],
            mean: vec![zero.clone(); n],
            mean_square: vec![zero; n],
        }
    }
}

impl<S: Simd> Adam<S> {
    #[inline(always)]
    pub(crate) fn new(simd: S, step: AdamStep) -> Self {
        let AdamSettings {
            beta1, beta2, epsilon, ..
        } = step.settings;
        Self {
            simd,
            beta1: simd.splat(beta1),
            beta1_rest: simd.splat(1.0 - beta1),
            beta2: simd.splat(beta2),
            beta2_rest: simd.splat(1.0 - beta2),
            rate: simd.splat(step.rate),
            epsilon: simd.splat(epsilon),
            kept: simd.splat(step.kept),
            decays: step.kept.to_bits() != 1.0_f32.to_bits(),
        }
    }

    /// The same for biases.
    #[inline(always)]
    pub(crate) fn without_decay(self) -> Self {
        Self {
            kept: self.simd.splat(1.0),
            decays: false,
            ..self
        }
    }

    /// One step of sixteen numbers at `index`.
    #[inline(always)]
    pub(crate) fn update(&self, trained: &mut Trained<Lanes>, index: usize, gradient: S::Vector) {
        let Trained {
            value,
            mean,
            mean_square,
        } = trained;
        self.update_lanes(&mut value[index], (&mut mean[index], &mut mean_square[index]), gradient);
    }

    /// One step of sixteen numbers and their two moments.
    #[inline(always)]
    pub(crate) fn update_lanes(&self, value: &mut Lanes, moments: (&mut Lanes, &mut Lanes), gradient: S::Vector) {
        let simd = self.simd;
        let (mean_place, square_place) = moments;
        let mean = simd.mul_add(self.beta1, simd.load(mean_place), simd.mul(self.beta1_rest, gradient));
        let square = simd.mul(simd.mul(self.beta2_rest, gradient), gradient);
        let mean_square = simd.mul_add(self.beta2, simd.load(square_place), square);
        let kept = simd.mul(self.kept, simd.load(value));
        let direction = simd.div(mean, simd.add(simd.sqrt(mean_square), self.epsilon));
        simd.store(mean, mean_place);
        simd.store(mean_square, square_place);
        simd.store(simd.neg_mul_add(self.rate, direction, kept), value);
    }

    /// What [`Adam::update_lanes`] does to numbers whose gradients and moments are all zero.
    #[inline(always)]
    pub(crate) fn decay(&self, values: &mut [Lanes]) {
        if self.decays {
            for value in values {
                self.simd.store(self.simd.mul(self.kept, self.simd.load(value)), value);
            }
        }
    }
}
