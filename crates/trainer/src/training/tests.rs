use std::num::{NonZeroU32, NonZeroUsize};

use mnist_data::Dataset;
use model::{Layer, TrainingState};
use ndarray::Array3;
use tempfile::TempDir;

use super::*;
use crate::{device::DeviceKind, models_dir::ModelsDir, recipe::Recipe};

/// An engine that learns nothing. It says these losses, one after the other, and then that of guessing; and these shares
/// of right answers, one after the other, and then none.
struct Rehearsal {
    losses: Vec<f32>,
    right: Vec<usize>,
    n_looks: usize,
    n_steps: usize,
}

impl Engine for Rehearsal {
    fn train(&mut self, _: &Stretch, _: &[f32], losses: &mut [f32]) -> anyhow::Result<()> {
        for loss in losses {
            *loss = self.losses.get(self.n_steps).copied().unwrap_or(2.3);
            self.n_steps += 1;
        }
        Ok(())
    }

    /// The first weight tells the steps that led to it.
    fn network(&mut self) -> anyhow::Result<Network> {
        Ok(Network::new(self.state()?.weights)?)
    }

    fn state(&mut self) -> anyhow::Result<TrainingState> {
        let layer = |value: usize| Layer {
            weights: vec![value as f32, 0.0],
            bias: vec![0.0, 0.0],
        };
        Ok(TrainingState {
            weights: vec![layer(self.n_steps)],
            moment_1: vec![layer(0)],
            moment_2: vec![layer(0)],
        })
    }

    fn restore(&mut self, _: &TrainingState, n_steps: u32) -> anyhow::Result<()> {
        self.n_steps = n_steps as usize;
        Ok(())
    }

    /// All images show a 0. Each look asks twice, for clean and for noisy images.
    fn classify(&mut self, _: &[f32], n_images: usize) -> anyhow::Result<Vec<usize>> {
        let n_right = self.right.get(self.n_looks / 2).copied().unwrap_or(0);
        self.n_looks += 1;
        Ok((0..n_images).map(|image| usize::from(image >= n_right)).collect())
    }
}

/// What a run of 200 steps is told.
#[derive(Default)]
struct Told {
    losses: Vec<f32>,
    right: Vec<usize>,
    limits: Limits,
    is_interrupted: bool,
}

/// The ending, the result, and the points.
fn train(told: Told) -> anyhow::Result<(Ending, Trained, Vec<TrainingPoint>)> {
    let dataset = Dataset::new(Array3::zeros((10, 1, 1)), vec![0; 10], 2).unwrap();
    let settings = TrainingSettings {
        steps: NonZeroU32::new(200).unwrap(),
        batch_size: NonZeroU32::MIN,
        learning_rate: 0.5,
        ..Recipe::Tutorial.settings(1, DeviceKind::Ndarray)
    };
    let parts = Parts {
        engine: Box::new(Rehearsal {
            losses: told.losses,
            right: told.right,
            n_looks: 0,
            n_steps: 0,
        }),
        batches: Batches::new(&dataset, NonZeroUsize::MIN, 1).unwrap(),
        augmenter: Augmenter::new(&dataset, settings.augmentation, 1, NonZeroUsize::MIN).unwrap(),
        settings: &settings,
        limits: &told.limits,
        timetable: Timetable::new(200, None, None),
        watched: Watched::held_out(&dataset, 1),
    };
    let mut training = Training::start(parts, None).unwrap();
    let (_temporary, mut history) = history();
    let ending = training.run(&mut history, None, &AtomicBool::new(told.is_interrupted))?;
    let points = training.points().to_vec();
    Ok((ending, training.finish().unwrap(), points))
}

fn history() -> (TempDir, History) {
    let temporary = tempfile::tempdir().unwrap();
    let models_dir = ModelsDir::open(temporary.path(), 0, &[]).unwrap();
    let history = History::start(&models_dir, ["a.jsonl", "a.csv"], None, &[]).unwrap();
    (temporary, history)
}

#[test]
fn a_run_takes_all_steps_and_has_a_hundred_points() {
    let (ending, trained, points) = train(Told::default()).unwrap();
    assert_eq!((ending, trained.steps), (Ending::AllSteps, 200));
    assert_eq!(points.len(), 100);
    let steps: Vec<u32> = points.iter().map(|point| point.step).collect();
    assert!(steps.iter().copied().eq((2..=200).step_by(2)), "{steps:?}");
    // Twenty looks, the last one at the end; ten images are an epoch of ten steps.
    assert_eq!(points.iter().filter(|point| point.clean.is_some()).count(), 20);
    assert!(points[99].noisy.is_some());
    assert_eq!((points[4].epoch, points[5].epoch), (1, 2));
}

#[test]
fn a_loss_that_is_no_number_or_huge_stops_at_its_step() {
    for wrong in [f32::NAN, f32::INFINITY, 2e3] {
        let losses = vec![2.3, 50.0, wrong];
        let told = Told {
            losses,
            ..Told::default()
        };
        let error = train(told).map(|_| ()).unwrap_err();
        let diverged: &Diverged = error.downcast_ref().unwrap();
        assert_eq!((diverged.step, diverged.learning_rate), (3, 0.5));
        assert_eq!(diverged.loss.to_bits(), wrong.to_bits());
    }
}

#[test]
fn an_interrupted_run_takes_no_further_step() {
    let told = Told {
        is_interrupted: true,
        ..Told::default()
    };
    let (ending, trained, points) = train(told).unwrap();
    assert_eq!((ending, trained.steps, points.len()), (Ending::Interrupted, 0, 0));
}

#[test]
fn a_run_out_of_time_has_taken_some_steps_and_tells_what_they_led_to() {
    let limits = Limits {
        time: Some(Duration::ZERO),
        ..Limits::default()
    };
    let told = Told {
        limits,
        ..Told::default()
    };
    let (ending, trained, points) = train(told).unwrap();
    assert_eq!((ending, trained.steps), (Ending::TimeLimit, 2));
    assert!(points[0].clean.is_some(), "{points:?}");
}

#[test]
fn patience_ends_a_run_that_gets_no_better_and_keeps_the_best_weights() {
    let limits = Limits {
        patience: NonZeroU32::new(3),
        ..Limits::default()
    };
    let right = vec![3, 7, 9, 9, 8, 2, 10];
    let told = Told {
        limits,
        right,
        ..Told::default()
    };
    let (ending, trained, points) = train(told).unwrap();
    // Looks at 10, 20, … steps; the third is the best, and as many right answers are no improvement.
    assert_eq!((ending, trained.steps), (Ending::NoImprovement, 30));
    assert_eq!(points.last().unwrap().step, 60);
    assert_eq!(trained.network.layers()[0].weights[0], 30.0);
}
