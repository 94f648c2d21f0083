//! The loop of a training run.

mod standing;
#[cfg(test)]
mod tests;
pub(crate) mod timetable;
pub(crate) mod watched;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use console::Progress;
use formats::{
    checkpoint::{BestSoFar, CHECKPOINT_FORMAT, CheckpointHeader},
    history::TrainingPoint,
};
use mnist_data::{Augmenter, Batches, Stretch};
use model::{Checkpoint, Layer, Network};
use thiserror::Error;

use self::{
    standing::{Best, Standing, milliseconds},
    timetable::Timetable,
    watched::Watched,
};
use crate::{
    checkpoints::CheckpointWriter, engine::Engine, history::History, limits::Limits, settings::TrainingSettings,
};

/// A loss that no network comes back from. Guessing among ten classes costs 2.3; step sizes that are too large but still
/// teach something reach a hundred in their first steps on MNIST; beyond a thousand all hidden units end up dead.
const LOSS_MAX: f32 = 1e3;

/// A training under way.
pub(crate) struct Training<'a> {
    parts: Parts<'a>,
    standing: Standing,
    /// When this process began with it.
    started: Instant,
    /// The limit of time was found reached after the last steps.
    is_out_of_time: bool,
    stretch: Stretch,
}

/// What a training is made of.
pub(crate) struct Parts<'a> {
    pub(crate) engine: Box<dyn Engine + 'a>,
    pub(crate) batches: Batches<'a>,
    pub(crate) augmenter: Augmenter<'a>,
    pub(crate) settings: &'a TrainingSettings,
    pub(crate) limits: &'a Limits,
    pub(crate) timetable: Timetable,
    pub(crate) watched: Watched<'a>,
}

/// Why a training takes no further step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    AllSteps,
    TimeLimit,
    NoImprovement,
    Interrupted,
}

/// What a training led to.
pub(crate) struct Trained {
    pub(crate) network: Network,
    /// Steps that led to these weights.
    pub(crate) steps: u32,
    pub(crate) final_loss: f64,
    /// Time of the steps alone.
    pub(crate) training_ms: u64,
}

/// The loss has left the range in which anything is learnt.
#[derive(Debug, Error)]
#[error("the loss of step {step} is {loss} with learning rate {learning_rate} ({settings}): the training has diverged")]
pub struct Diverged {
    /// Counted from 1.
    pub step: u32,
    /// NaN, infinite or very large.
    pub loss: f32,
    /// The largest step size of the run.
    pub learning_rate: f64,
    /// Whether the step size rose slowly at the beginning.
    pub has_warm_up: bool,
    /// Other settings that matter, in words.
    pub settings: String,
}

impl<'a> Training<'a> {
    /// A training that goes on from a checkpoint of the same settings, or begins.
    ///
    /// # Errors
    ///
    /// Where the engine's device fails.
    pub(crate) fn start(mut parts: Parts<'a>, checkpoint: Option<Checkpoint>) -> anyhow::Result<Self> {
        let mut standing = Standing::default();
        if let Some(checkpoint) = checkpoint {
            let step = checkpoint.header.step;
            parts.engine.restore(&checkpoint.state, step)?;
            parts.batches.seek(step.into());
            standing = Standing::of(checkpoint);
        }
        Ok(Self {
            parts,
            standing,
            started: Instant::now(),
            is_out_of_time: false,
            stretch: Stretch::default(),
        })
    }

    pub(crate) fn step(&self) -> u32 {
        self.standing.step
    }

    /// The course so far.
    pub(crate) fn points(&self) -> &[TrainingPoint] {
        &self.standing.points
    }

    /// Takes steps until it ends, writes its course into `history` and offers checkpoints.
    ///
    /// # Errors
    ///
    /// [`Diverged`], or where the engine's device fails.
    pub(crate) fn run(
        &mut self,
        history: &mut History,
        checkpoints: Option<&CheckpointWriter>,
        interrupted: &AtomicBool,
    ) -> anyhow::Result<Ending> {
        let timetable = self.parts.timetable;
        let mut progress = Progress::start_at("training", self.step().into(), timetable.steps.into(), "steps");
        let ending = loop {
            if let Some(ending) = self.ending(interrupted) {
                break ending;
            }
            if let Err(error) = self.take_stretch() {
                progress.finish(&format!("stopped after {} of {} steps", self.step(), timetable.steps));
                return Err(error);
            }
            let (step, loss) = (self.step(), self.standing.final_loss());
            if timetable.is_point(step) || self.is_out_of_time {
                self.add_point(timetable.is_look(step) || self.is_out_of_time, history)?;
            }
            if let Some(writer) = checkpoints
                && timetable.is_checkpoint(step)
            {
                writer.offer(self.checkpoint(writer.settings())?);
            }
            progress.note(&format!("loss {loss:.4}, rate {:.2e}", self.rate(step - 1)));
            progress.set(step.into());
        };
        progress.finish(&self.told(ending));
        Ok(ending)
    }

    /// The weights to keep, once the training has ended: the best ones where it had patience, else the last ones.
    ///
    /// # Errors
    ///
    /// Where the engine's device fails, or a weight is no finite number.
    pub(crate) fn finish(mut self) -> anyhow::Result<Trained> {
        let (network, steps) = match self.standing.best.take() {
            Some(best) => (Network::new(best.weights)?, best.so_far.step),
            None => (self.parts.engine.network()?, self.standing.step),
        };
        Ok(Trained {
            network,
            steps,
            final_loss: self.standing.final_loss(),
            training_ms: milliseconds(self.standing.in_steps),
        })
    }

    /// Where the training stands now.
    ///
    /// # Errors
    ///
    /// Where the engine's device fails.
    pub(crate) fn checkpoint(&mut self, settings: &BTreeMap<String, String>) -> anyhow::Result<Checkpoint> {
        let state = self.parts.engine.state()?;
        let widths = state.weights.first().map(Layer::n_inputs).into_iter();
        let widths = widths.chain(state.weights.iter().map(Layer::n_outputs));
        let standing = &self.standing;
        Ok(Checkpoint {
            header: CheckpointHeader {
                format: CHECKPOINT_FORMAT,
                settings: settings.clone(),
                layers: widths.map(u32::try_from).collect::<Result<_, _>>()?,
                step: standing.step,
                elapsed_ms: milliseconds(self.elapsed()),
                steps_ms: milliseconds(standing.in_steps),
                points: standing.points.clone(),
                best: standing.best.as_ref().map(|best| best.so_far),
            },
            losses: standing.losses(),
            best: standing.best.as_ref().map(|best| best.weights.clone()),
            state,
        })
    }

    /// Whether it is over.
    fn ending(&self, interrupted: &AtomicBool) -> Option<Ending> {
        let patience = self.parts.limits.patience;
        let looks = self.standing.best.as_ref().map_or(0, |best| best.so_far.n_looks_since);
        if self.step() >= self.parts.timetable.steps {
            Some(Ending::AllSteps)
        } else if interrupted.load(Ordering::Relaxed) {
            Some(Ending::Interrupted)
        } else if patience.is_some_and(|patience| looks >= patience.get()) {
            Some(Ending::NoImprovement)
        } else if self.is_out_of_time {
            Some(Ending::TimeLimit)
        } else {
            None
        }
    }

    fn take_stretch(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        let step = self.step();
        let n_steps = self.parts.timetable.stretch(step);
        let Parts {
            engine,
            batches,
            augmenter,
            settings,
            ..
        } = &mut self.parts;
        let batch_size = batches.batch_size();
        let mut rows = Vec::with_capacity(n_steps as usize * batch_size);
        (0..n_steps).for_each(|_| rows.extend_from_slice(batches.next_rows()));
        augmenter.fill(step.into(), batch_size, &rows, &mut self.stretch);
        let schedule = settings.rates();
        let rates: Vec<f32> = (step..step + n_steps).map(|step| schedule.at(step)).collect();
        let mut losses = vec![0.0; rates.len()];
        engine.train(&self.stretch, &rates, &mut losses)?;
        if let Some(index) = losses.iter().position(|loss| loss.is_nan() || *loss > LOSS_MAX) {
            return Err(self.diverged(step + index as u32 + 1, losses[index]).into());
        }
        self.standing.advance(&losses, started.elapsed());
        // Asked once, so that the point of these steps is the last one and has a look; a run takes some steps at least.
        self.is_out_of_time = self.parts.limits.time.is_some_and(|time| self.elapsed() >= time);
        Ok(())
    }

    fn diverged(&self, step: u32, loss: f32) -> Diverged {
        let settings = self.parts.settings;
        Diverged {
            step,
            loss,
            learning_rate: settings.learning_rate,
            has_warm_up: settings.warm_up_share > 0.0,
            settings: format!(
                "recipe {}, {} schedule, batch of {}, epsilon {:e}, seed {}, engine {}",
                settings.recipe.as_str(),
                settings.schedule.as_str(),
                settings.batch_size,
                settings.epsilon,
                settings.seed,
                settings.device.engine_name()
            ),
        }
    }

    /// Adds a point to the course, with a look at the watched images or without.
    fn add_point(&mut self, is_look: bool, history: &mut History) -> anyhow::Result<()> {
        let engine = self.parts.engine.as_mut();
        let mut scores = None;
        if is_look {
            let found = self.parts.watched.look(engine)?;
            if self.parts.limits.patience.is_some() {
                let (step, n_correct) = (self.standing.step, found.clean.correct);
                match &mut self.standing.best {
                    Some(best) if n_correct <= best.so_far.n_correct => best.so_far.n_looks_since += 1,
                    best => {
                        *best = Some(Best {
                            so_far: BestSoFar {
                                step,
                                n_correct,
                                n_looks_since: 0,
                            },
                            weights: engine.network()?.layers().to_vec(),
                        });
                    }
                }
            }
            scores = Some(found);
        }
        let last = self.step() - 1;
        let epoch = last / u32::try_from(self.parts.batches.n_per_epoch())? + 1;
        let (rate, elapsed) = (self.rate(last), self.elapsed());
        history.add(self.standing.add_point(epoch, rate, scores, elapsed));
        Ok(())
    }

    /// Time spent training, in this process and before.
    fn elapsed(&self) -> Duration {
        self.standing.before + self.started.elapsed()
    }

    fn rate(&self, step: u32) -> f32 {
        self.parts.settings.rates().at(step)
    }

    /// The last line of the progress.
    fn told(&self, ending: Ending) -> String {
        let (step, steps, loss) = (self.step(), self.parts.timetable.steps, self.standing.final_loss());
        match (ending, &self.standing.best) {
            (Ending::AllSteps, _) => format!("took {steps} steps, loss {loss:.4}"),
            (Ending::TimeLimit, _) => format!("took {step} of {steps} steps until the time was up, loss {loss:.4}"),
            (Ending::NoImprovement, Some(Best { so_far, .. })) => format!(
                "took {step} of {steps} steps; nothing got better since step {}, whose weights are kept",
                so_far.step
            ),
            _ => format!("stopped after {step} of {steps} steps"),
        }
    }
}
