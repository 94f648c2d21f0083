//! What a run leaves, and what it leaves alone.

use std::path::Path;

use formats::digest::Digest;
use model::Artifact;
use test_support::{Digits, Workspace, patience};

use crate::{RUN_MAX, report, start, trainer, workspace};

const ARTIFACT: &str = "models/mnist/mnist.safetensors";
const QUICK: [&str; 6] = ["--recipe", "tutorial", "--steps", "60", "--batch-size", "32"];

#[track_caller]
fn trained(workspace: &Workspace, arguments: &[&str]) -> Vec<u8> {
    let outcome = trainer(workspace, arguments);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    workspace.read(ARTIFACT)
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let (here, there) = (workspace(), workspace());
    let bytes = trained(&here, &QUICK);
    assert!(bytes == trained(&there, &QUICK), "the same seed gave another artifact");
    assert!(bytes != trained(&here, &[&QUICK[..], &["--seed", "2"]].concat()));
}

#[test]
fn a_run_leaves_an_artifact_that_classifies_and_a_report_that_fits_it() {
    let workspace = workspace();
    let bytes = trained(&workspace, &QUICK);
    let beside = [
        "mnist.card.md",
        "mnist.history.csv",
        "mnist.history.jsonl",
        "mnist.report.html",
        "mnist.report.json",
    ]
    .map(|name| format!("models/mnist/{name}"));
    assert_eq!(
        workspace.files("models"),
        [&beside[..], &[ARTIFACT.to_owned()]].concat()
    );

    let artifact = Artifact::read(&bytes).unwrap();
    assert_eq!(artifact.header().layers, [784, 256, 64, 10]);
    assert_eq!(artifact.header().profile.class_counts, [30; 10]);
    let report = report(&workspace);
    assert_eq!(report.artifact, Digest::of(&bytes));
    assert_eq!(report.training, artifact.header().training);
    assert_eq!(report.layers, artifact.header().layers);
    assert_eq!(report.evaluation.clean.accuracy, report.training.clean);
    assert_eq!(
        (report.images.train, report.images.test, report.images.rows),
        (300, 100, 28)
    );
    let page = String::from_utf8(workspace.read("models/mnist/mnist.report.html")).unwrap();
    assert!(page.contains(&report.artifact.short()) && page.ends_with("</html>"));
    assert_eq!((report.training.clean.total, report.training.noisy.total), (100, 100));

    // The same images that the trainer tested on, drawn again.
    let Digits { images, labels } = Digits::draw(100, 2);
    let pixels: Vec<f32> = images.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    let classified = artifact.network().classify(&pixels, 100).unwrap();
    let right = classified.class_ids.iter().zip(&labels);
    let n_correct = right
        .filter(|&(&class_id, &label)| class_id == usize::from(label))
        .count();
    assert_eq!(report.training.clean.correct, n_correct as u64);
    assert!(n_correct > 80, "{n_correct} of 100");
}

#[test]
fn accuracy_is_told_on_clean_and_on_noisy_images() {
    let workspace = workspace();
    let outcome = trainer(&workspace, &QUICK);
    let report = report(&workspace).training;
    for (words, accuracy) in [("clean accuracy", report.clean), ("noisy accuracy", report.noisy)] {
        let line = outcome.stderr.lines().find(|line| line.contains(words)).unwrap();
        assert!(
            line.contains(&format!("({} of 100 test images)", accuracy.correct)),
            "{line}"
        );
    }
    assert!(report.noisy.correct < report.clean.correct, "noise makes it harder");
}

#[test]
fn the_settings_are_told_at_the_start_and_kept_in_the_artifact() {
    let workspace = workspace();
    let arguments = [
        "--steps",
        "20",
        "--batch-size",
        "32",
        "--noise-share",
        "0.5",
        "--rotation",
        "5",
    ];
    let outcome = trainer(&workspace, &arguments);
    let told = "training with the recipe default, but for steps, batch_size, rotation, noise_share\n  steps 20, \
                batch_size 32, learning_rate 0.01, schedule cosine, warm_up_share 0.05\n";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("\n  noise_share 0.5, noise_amplitude 1\n"),
        "{}",
        outcome.stderr
    );

    let artifact = Artifact::read(&workspace.read(ARTIFACT)).unwrap();
    let recipe = artifact.header().training.recipe.as_ref().unwrap();
    assert_eq!(recipe.name, "default");
    assert_eq!(recipe.overridden, ["steps", "batch_size", "rotation", "noise_share"]);
    assert_eq!((recipe.epsilon, recipe.augmentation.noise_share), (0.003, 0.5));
}

/// Augmented rows are made anew in every step, and yet the seed decides all of them.
#[test]
fn every_recipe_gives_the_same_bytes_again_whatever_the_number_of_threads() {
    let workspace = workspace();
    let mut artifacts = Vec::new();
    for recipe in ["default", "tutorial", "best"] {
        let arguments = ["--recipe", recipe, "--steps", "70", "--batch-size", "64", "--threads"];
        let bytes = trained(&workspace, &[&arguments[..], &["1"]].concat());
        assert!(
            bytes == trained(&workspace, &[&arguments[..], &["3"]].concat()),
            "{recipe}"
        );
        artifacts.push(bytes);
    }
    artifacts.dedup();
    assert_eq!(artifacts.len(), 3);
}

#[test]
fn a_model_that_misses_a_gate_is_kept_aside_and_the_earlier_one_stays() {
    const REJECTED: [&str; 4] = [
        "models/mnist/mnist.rejected.card.md",
        "models/mnist/mnist.rejected.report.html",
        "models/mnist/mnist.rejected.report.json",
        "models/mnist/mnist.rejected.safetensors",
    ];
    let workspace = workspace();
    let few = ["--recipe", "tutorial", "--steps", "1", "--batch-size", "32"];
    let gates = ["--accuracy-min", "0.9", "--noisy-accuracy-min", "1"];
    let outcome = trainer(&workspace, &[&few[..], &gates].concat());
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    let kept = || {
        let files = workspace.files("models").into_iter();
        files.filter(|file| !file.contains("history")).collect::<Vec<_>>()
    };
    assert_eq!(kept(), REJECTED);
    for words in [
        "rejected and kept aside, where nothing reads it:\n  clean accuracy is 0.",
        "of 100 test images), expected at least 0.9 (`--accuracy-min`)\n  noisy accuracy is 0.",
        "of 100 test images), expected at least 1 (`--noisy-accuracy-min`)\n",
        "mnist.rejected.safetensors",
    ] {
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }

    // A good one takes its place, and the rejected one goes; then nothing that is rejected touches it.
    let good = trained(&workspace, &[&QUICK[..], &["--accuracy-min", "0.5"]].concat());
    assert_eq!(kept(), REJECTED.map(|name| name.replace(".rejected", "")));
    let outcome = trainer(&workspace, &[&few[..], &gates].concat());
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(workspace.read(ARTIFACT) == good, "the earlier artifact has changed");
    assert!(Artifact::read(&workspace.read(REJECTED[3])).is_ok());
}

#[test]
fn ctrl_c_ends_between_two_steps_and_leaves_the_earlier_artifact() {
    let workspace = workspace();
    let earlier = trained(&workspace, &QUICK);
    let running = start(&workspace, &["--steps", "10000000"], &[]);
    patience("the first step", RUN_MAX, || {
        running.stderr().contains("n_train_images").then_some(())
    });
    running.interrupt();
    let outcome = running.wait(RUN_MAX);
    assert_eq!(outcome.code, 130, "{}", outcome.stderr);
    for words in [
        "stopped before its end, after ",
        " of 10000000 steps; the same command goes on from there",
    ] {
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    assert!(workspace.read(ARTIFACT) == earlier, "the earlier artifact has changed");
    let names = workspace.files("models/mnist/checkpoints");
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_training_that_diverges_is_stopped_with_a_suggestion_and_leaves_the_earlier_artifact() {
    let workspace = workspace();
    let earlier = trained(&workspace, &QUICK);
    let outcome = trainer(&workspace, &[&QUICK[..], &["--learning-rate", "1"]].concat());
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    for words in [
        "error: the loss of step ",
        " with learning rate 1 (recipe tutorial, constant schedule, batch of 32, epsilon 1e-8, seed 1, engine native): the \
         training has diverged",
        "hint: try a smaller step size, such as `--learning-rate 0.1`, or let it rise slowly with `--warm-up-share 0.05`",
    ] {
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    assert!(workspace.read(ARTIFACT) == earlier, "the earlier artifact has changed");
}

#[test]
fn damaged_images_are_named_and_leave_the_earlier_artifact() {
    let workspace = workspace();
    let earlier = trained(&workspace, &QUICK);
    let labels = workspace.read("data/mnist/train-labels-idx1-ubyte");
    workspace.write("data/mnist/train-labels-idx1-ubyte", &labels[..200]);
    let outcome = trainer(&workspace, &QUICK);
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stderr.contains("data/mnist/train-labels-idx1-ubyte"),
        "{}",
        outcome.stderr
    );
    assert!(workspace.read(ARTIFACT) == earlier);
}

/// Only `--no-download` is left out here: nothing is fetched, because of the files that are there.
#[test]
fn files_of_another_data_set_are_not_replaced_by_a_download() {
    let workspace = workspace();
    std::fs::remove_file(workspace.join("data/mnist/t10k-labels-idx1-ubyte")).unwrap();
    let images = workspace.read("data/mnist/train-images-idx3-ubyte");
    let outcome = workspace.run(Path::new(env!("CARGO_BIN_EXE_trainer")), &QUICK);
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (
            1,
            "error: files are missing in `data/mnist`, and are not fetched because `train-images-idx3-ubyte` there is \
             not the one of MNIST\n"
        )
    );
    assert!(workspace.read("data/mnist/train-images-idx3-ubyte") == images);
}

#[test]
fn images_of_another_size_and_more_classes_are_trained_as_they_are() {
    let workspace = Workspace::new();
    for (set, n_images) in [("train", 24_u8), ("t10k", 12)] {
        let images: Vec<u8> = (0..u32::from(n_images) * 15)
            .map(|index| (index * 37 % 256) as u8)
            .collect();
        let labels: Vec<u8> = (0..n_images).map(|index| index % 12).collect();
        let header = [0, 0, 8, 3, 0, 0, 0, n_images, 0, 0, 0, 5, 0, 0, 0, 3];
        workspace.write(
            &format!("data/mnist/{set}-images-idx3-ubyte"),
            &[&header[..], &images].concat(),
        );
        let header = [0, 0, 8, 1, 0, 0, 0, n_images];
        workspace.write(
            &format!("data/mnist/{set}-labels-idx1-ubyte"),
            &[&header[..], &labels].concat(),
        );
    }
    let bytes = trained(&workspace, &["--steps", "3", "--batch-size", "8"]);
    assert_eq!(Artifact::read(&bytes).unwrap().header().layers, [15, 256, 64, 12]);
}

#[test]
fn a_models_folder_that_cannot_be_written_is_found_before_training() {
    let workspace = workspace();
    workspace.write("models", b"a file");
    let outcome = trainer(&workspace, &QUICK);
    assert_eq!(outcome.code, 1);
    assert!(
        outcome
            .stderr
            .starts_with("error: cannot write to the models folder `models/mnist`"),
        "{}",
        outcome.stderr
    );
}
