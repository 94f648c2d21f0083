//! How far a training has come, beside what its engine holds.

use std::{collections::VecDeque, time::Duration};

use formats::{
    checkpoint::BestSoFar,
    history::{HISTORY_FORMAT, TrainingPoint},
};
use model::{Checkpoint, Layer};

use crate::evaluation::Scores;

/// How many of the last steps the final loss is a mean of.
const FINAL_STEPS: usize = 100;

/// All that is known after some steps.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Steps taken.
    pub(super) step: u32,
    /// Losses of the last steps: those of the final loss, and all since the last point.
    losses: VecDeque<f32>,
    pub(super) points: Vec<TrainingPoint>,
    pub(super) best: Option<Best>,
    /// Time spent training before this process, in a run that went on.
    pub(super) before: Duration,
    /// Time spent in the steps alone.
    pub(super) in_steps: Duration,
    /// The same since the last point, with the steps that it was spent in.
    since_point: (Duration, u32),
}

/// The best weights so far.
#[derive(Debug)]
pub(super) struct Best {
    pub(super) so_far: BestSoFar,
    pub(super) weights: Vec<Layer>,
}

impl Standing {
    /// Where a checkpoint stood.
    pub(super) fn of(checkpoint: Checkpoint) -> Self {
        let Checkpoint {
            header, losses, best, ..
        } = checkpoint;
        let best = header.best.zip(best);
        Self {
            step: header.step,
            losses: losses.into(),
            points: header.points,
            best: best.map(|(so_far, weights)| Best { so_far, weights }),
            before: Duration::from_millis(header.elapsed_ms),
            in_steps: Duration::from_millis(header.steps_ms),
            since_point: (Duration::ZERO, 0),
        }
    }

    /// Takes note of steps that took some time.
    pub(super) fn advance(&mut self, losses: &[f32], time: Duration) {
        let n_steps = u32::try_from(losses.len()).expect("a stretch is short");
        self.step += n_steps;
        self.in_steps += time;
        self.since_point = (self.since_point.0 + time, self.since_point.1 + n_steps);
        self.losses.extend(losses);
        let n_needed = FINAL_STEPS.max(self.n_since_point());
        let n_surplus = self.losses.len().saturating_sub(n_needed);
        self.losses.drain(..n_surplus);
    }

    /// Mean loss of the last steps; 0 before the first one.
    pub(super) fn final_loss(&self) -> f64 {
        self.mean_of_last(FINAL_STEPS)
    }

    /// Adds a point of the course and returns it.
    pub(super) fn add_point(
        &mut self,
        epoch: u32,
        learning_rate: f32,
        scores: Option<Scores>,
        elapsed: Duration,
    ) -> &TrainingPoint {
        let (time, n_steps) = std::mem::take(&mut self.since_point);
        let point = TrainingPoint {
            format: HISTORY_FORMAT,
            step: self.step,
            epoch,
            loss: significant(self.mean_of_last(self.n_since_point())),
            learning_rate: significant(learning_rate.into()),
            steps_per_second: significant(f64::from(n_steps) / time.as_secs_f64().max(1e-6)),
            clean: scores.map(|scores| scores.clean),
            noisy: scores.map(|scores| scores.noisy),
            elapsed_ms: milliseconds(elapsed),
        };
        self.points.push(point);
        &self.points[self.points.len() - 1]
    }

    pub(super) fn losses(&self) -> Vec<f32> {
        self.losses.iter().copied().collect()
    }

    fn n_since_point(&self) -> usize {
        let last = self.points.last().map_or(0, |point| point.step);
        (self.step - last) as usize
    }

    fn mean_of_last(&self, n: usize) -> f64 {
        let n = n.min(self.losses.len());
        let sum: f64 = self.losses.iter().rev().take(n).map(|&loss| f64::from(loss)).sum();
        sum / n.max(1) as f64
    }
}

/// The number with six significant digits: no measurement has more, and JSON gives it back exactly.
fn significant(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advance(standing: &mut Standing, n_steps: usize, loss: f32) {
        standing.advance(&vec![loss; n_steps], Duration::from_millis(10));
    }

    #[test]
    fn the_final_loss_is_the_mean_of_the_last_steps() {
        let mut standing = Standing::default();
        advance(&mut standing, 1, 3.0);
        advance(&mut standing, 1, 4.0);
        assert_eq!(standing.final_loss(), 3.5);
        for loss in [9.0, 1.0, 2.0] {
            advance(&mut standing, 50, loss);
        }
        assert_eq!((standing.step, standing.final_loss()), (152, 1.5));
    }

    #[test]
    fn a_point_holds_the_mean_loss_since_the_point_before_and_the_speed() {
        let mut standing = Standing::default();
        advance(&mut standing, 50, 3.0);
        advance(&mut standing, 150, 1.0);
        let elapsed = Duration::from_millis(25);
        let point = standing.add_point(1, 0.1, None, elapsed);
        assert_eq!((point.step, point.loss, point.steps_per_second), (200, 1.5, 10_000.0));
        assert_eq!((point.learning_rate, point.elapsed_ms), (0.1, 25));
        advance(&mut standing, 20, 0.123_456_78);
        let point = standing.add_point(2, 0.1, None, elapsed);
        assert_eq!(
            (point.step, point.loss, point.steps_per_second),
            (220, 0.123_457, 2_000.0)
        );
    }
}
