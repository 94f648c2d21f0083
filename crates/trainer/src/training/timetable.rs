//! After which steps of a training something is to be done.

use std::num::NonZeroU32;

/// Steps that an engine takes in one go: enough for it to prepare a batch during the step before, few enough for
/// Ctrl-C to be heard at once.
pub(super) const STRETCH: u32 = 50;
/// Points of the course of a run, unless other intervals are asked for.
const POINTS: u32 = 100;
/// Looks at the watched images during a run: enough to see the course, and too few to cost time.
const LOOKS: u32 = 20;

/// When a training looks around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timetable {
    /// Steps of the whole run.
    pub(crate) steps: u32,
    /// Steps from one point of the course to the next.
    pub(crate) point_every: u32,
    /// Steps from one look at the watched images to the next; a multiple of the former.
    pub(crate) look_every: u32,
    /// Steps from one checkpoint to the next; `None` writes none.
    pub(crate) checkpoint_every: Option<NonZeroU32>,
}

impl Timetable {
    /// The intervals of a run of `steps`, with points and checkpoints as asked for.
    pub(crate) fn new(steps: u32, point_every: Option<NonZeroU32>, checkpoint_every: Option<NonZeroU32>) -> Self {
        let point_every = point_every.map_or((steps / POINTS).max(1), NonZeroU32::get);
        Self {
            steps,
            point_every,
            look_every: (steps / LOOKS / point_every).max(1).saturating_mul(point_every),
            checkpoint_every,
        }
    }

    /// How many steps may be taken after `step` before something is to be done.
    pub(super) fn stretch(&self, step: u32) -> u32 {
        let until = |every: u32| every - step % every;
        let checkpoint = self.checkpoint_every.map_or(STRETCH, |every| until(every.get()));
        STRETCH
            .min(self.steps - step)
            .min(until(self.point_every))
            .min(checkpoint)
    }

    pub(super) fn is_point(&self, step: u32) -> bool {
        step.is_multiple_of(self.point_every) || step == self.steps
    }

    pub(super) fn is_look(&self, step: u32) -> bool {
        step.is_multiple_of(self.look_every) || step == self.steps
    }

    /// The end needs no checkpoint: what follows takes a moment.
    pub(super) fn is_checkpoint(&self, step: u32) -> bool {
        let is_due = |every: NonZeroU32| step.is_multiple_of(every.get());
        self.checkpoint_every.is_some_and(is_due) && step < self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timetable(steps: u32, point_every: u32, checkpoint_every: u32) -> Timetable {
        Timetable::new(steps, NonZeroU32::new(point_every), NonZeroU32::new(checkpoint_every))
    }

    #[test]
    fn a_usual_run_has_a_hundred_points_and_twenty_looks() {
        let usual = timetable(10_000, 0, 1000);
        assert_eq!((usual.point_every, usual.look_every), (100, 500));
        let short = timetable(60, 0, 0);
        assert_eq!((short.point_every, short.look_every), (1, 3));
        let rare = timetable(10_000, 3000, 0);
        assert_eq!((rare.point_every, rare.look_every), (3000, 3000));
    }

    #[test]
    fn stretches_end_where_something_is_to_be_done_and_never_beyond_the_end() {
        for (steps, point_every, checkpoint_every) in [(10_000, 100, 1000), (95, 7, 30), (120, 100, 0), (1, 1, 1)] {
            let timetable = timetable(steps, point_every, checkpoint_every);
            let mut step = 0;
            let (mut points, mut checkpoints) = (0, 0);
            while step < steps {
                let stretch = timetable.stretch(step);
                assert!((1..=STRETCH).contains(&stretch), "{stretch} after {step}");
                step += stretch;
                points += u32::from(timetable.is_point(step));
                checkpoints += u32::from(timetable.is_checkpoint(step));
            }
            assert_eq!(step, steps);
            assert_eq!(points, steps.div_ceil(point_every));
            assert_eq!(checkpoints, (steps - 1).checked_div(checkpoint_every).unwrap_or(0));
        }
    }
}
