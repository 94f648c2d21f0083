//! What can be said on the command line and in the environment, and what is refused.

use expect_test::{Expect, expect};

use crate::{RUN_MAX, report, start, trainer, workspace};

/// Checks exit code and stderr, without the usage lines of clap.
#[track_caller]
fn check(arguments: &[&str], variables: &[(&str, &str)], expected: Expect) {
    let workspace = workspace();
    let outcome = start(&workspace, arguments, variables).wait(RUN_MAX);
    let message = outcome
        .stderr
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default();
    let message = message.replace(&workspace.path().display().to_string(), "WORKSPACE");
    expected.assert_eq(&format!("{}\n{}\n", outcome.code, message.trim_end()));
    assert!(
        workspace.files("models").is_empty(),
        "a refused run left {:?}",
        workspace.files("models")
    );
}

#[test]
fn counts_out_of_range_are_refused_with_the_range() {
    check(
        &["--steps", "0"],
        &[],
        expect![[r#"
        2
        error: invalid value '0' for '--steps <N>': `--steps` and LEARNING_STEPS take a whole number from 1 to 10000000
    "#]],
    );
    check(
        &["--steps", "1e4"],
        &[],
        expect![[r#"
        2
        error: invalid value '1e4' for '--steps <N>': `--steps` and LEARNING_STEPS take a whole number from 1 to 10000000
    "#]],
    );
    check(
        &["--batch-size", "70000"],
        &[],
        expect![[r#"
        2
        error: invalid value '70000' for '--batch-size <N>': `--batch-size` and BATCH_SIZE take a whole number from 1 to 65536
    "#]],
    );
    check(
        &["--seed", "-1"],
        &[],
        expect![[r#"
        2
        error: invalid value '-1' for '--seed <N>': `--seed` takes a whole number from 0 to 18446744073709551615
    "#]],
    );
}

#[test]
fn rates_out_of_range_are_refused_with_the_range() {
    check(
        &["--learning-rate", "0"],
        &[],
        expect![[r#"
        2
        error: invalid value '0' for '--learning-rate <X>': `--learning-rate` and LEARNING_RATE take a number from 1e-7 to 1
    "#]],
    );
    check(
        &["--learning-rate", "-0.01"],
        &[],
        expect![[r#"
        2
        error: invalid value '-0.01' for '--learning-rate <X>': `--learning-rate` and LEARNING_RATE take a number from 1e-7 to 1
    "#]],
    );
    check(
        &["--learning-rate", "NaN"],
        &[],
        expect![[r#"
        2
        error: invalid value 'NaN' for '--learning-rate <X>': `--learning-rate` and LEARNING_RATE take a number from 1e-7 to 1
    "#]],
    );
}

#[test]
fn values_of_a_recipe_out_of_range_are_refused_with_the_range() {
    check(
        &["--weight-decay", "-0.1"],
        &[],
        expect![[r#"
        2
        error: invalid value '-0.1' for '--weight-decay <X>': `--weight-decay` takes a number from 0 to 1
    "#]],
    );
    check(
        &["--epsilon", "0"],
        &[],
        expect![[r#"
        2
        error: invalid value '0' for '--epsilon <X>': `--epsilon` takes a number from 1e-12 to 1
    "#]],
    );
    check(
        &["--noise-share", "1.5"],
        &[],
        expect![[r#"
        2
        error: invalid value '1.5' for '--noise-share <X>': `--noise-share` takes a number from 0 to 1
    "#]],
    );
    check(
        &["--shift-pixels", "one"],
        &[],
        expect![[r#"
        2
        error: invalid value 'one' for '--shift-pixels <N>': `--shift-pixels` takes a whole number from 0 to 255
    "#]],
    );
    check(
        &["--recipe", "fast"],
        &[],
        expect![[r#"
        2
        error: invalid value 'fast' for '--recipe <RECIPE>'
          [possible values: default, tutorial, best]
    "#]],
    );
    check(
        &["--schedule", "linear"],
        &[],
        expect![[r#"
        2
        error: invalid value 'linear' for '--schedule <SCHEDULE>'
          [possible values: constant, cosine, one-cycle]
    "#]],
    );
}

#[test]
fn gates_that_are_no_shares_are_refused_with_the_range() {
    check(
        &["--accuracy-min", "98.5"],
        &[],
        expect![[r#"
        2
        error: invalid value '98.5' for '--accuracy-min <X>': `--accuracy-min` takes a share of right answers from 0 to 1, such as 0.985
    "#]],
    );
    check(
        &["--noisy-accuracy-min", "-1"],
        &[],
        expect![[r#"
        2
        error: invalid value '-1' for '--noisy-accuracy-min <X>': `--noisy-accuracy-min` takes a share of right answers from 0 to 1, such as 0.985
    "#]],
    );
}

#[test]
fn a_shift_out_of_the_image_is_refused_before_training() {
    check(
        &["--shift-pixels", "28"],
        &[],
        expect![[r#"
        1
        error: images of 28 × 28 pixels cannot be shifted by up to 28 pixels: expected less than a side

        hint: `--shift-pixels` takes 0 to 27 with these images, and `--shift-share 0` leaves them where they are
    "#]],
    );
}

#[test]
fn unknown_devices_and_flags_are_refused_with_the_known_ones() {
    check(
        &["--device", "cuda"],
        &[],
        expect![[r#"
        2
        error: invalid value 'cuda' for '--device <DEVICE>'
          [possible values: native, flex, ndarray, wgpu]
    "#]],
    );
    check(
        &["--step", "10"],
        &[],
        expect![[r#"
        2
        error: unexpected argument '--step' found

          tip: a similar argument exists: '--steps'

        Usage: trainer --no-download --steps <N>
    "#]],
    );
}

#[test]
#[cfg(not(feature = "wgpu"))]
fn a_graphics_card_needs_a_build_that_knows_it() {
    check(
        &["--device", "wgpu"],
        &[],
        expect![[r#"
            1
            error: this build of the trainer knows no graphics cards

            hint: `cargo build --release -p trainer --features wgpu` makes one that does
        "#]],
    );
}

#[test]
fn a_batch_larger_than_the_set_is_refused_before_training() {
    check(
        &["--batch-size", "301"],
        &[],
        expect![[r#"
            1
            error: a batch of 301 images cannot be made from 300 images

            hint: `--batch-size` takes 1 to 300 with these images
        "#]],
    );
}

#[test]
fn missing_images_are_named_with_what_fetches_them() {
    check(
        &["--data-dir", "nowhere"],
        &[],
        expect![[r#"
        1
        error: cannot load the images
          because: cannot open `nowhere/train-images-idx3-ubyte`
          because: No such file or directory (os error 2)

        hint: `mnist-data download` fetches the files, and so does `trainer` without `--no-download`
    "#]],
    );
}

/// The original read `LEARNING_RATE` as text and handed it on as such, and read `BATCH_SIZE` without using it.
#[test]
fn numbers_from_the_environment_kept_as_text_and_a_batch_size_that_is_read_and_ignored() {
    check(
        &[],
        &[("LEARNING_RATE", "fast")],
        expect![[r#"
        2
        error: invalid value 'fast' for '--learning-rate <X>': `--learning-rate` and LEARNING_RATE take a number from 1e-7 to 1
    "#]],
    );
    check(
        &[],
        &[("LEARNING_STEPS", "many")],
        expect![[r#"
        2
        error: invalid value 'many' for '--steps <N>': `--steps` and LEARNING_STEPS take a whole number from 1 to 10000000
    "#]],
    );
    check(
        &[],
        &[("BATCH_SIZE", "")],
        expect![[r#"
        2
        error: invalid value '' for '--batch-size <N>': `--batch-size` and BATCH_SIZE take a whole number from 1 to 65536
    "#]],
    );

    let workspace = workspace();
    let artifact = |batch_size| {
        let variables = [
            ("LEARNING_RATE", "0.005"),
            ("LEARNING_STEPS", "12"),
            ("BATCH_SIZE", batch_size),
        ];
        let outcome = start(&workspace, &[], &variables).wait(RUN_MAX);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let training = report(&workspace).training;
        assert_eq!((training.learning_rate, training.steps), (0.005, 12));
        assert_eq!(training.batch_size.to_string(), batch_size);
        report(&workspace).artifact
    };
    assert_ne!(
        artifact("16"),
        artifact("17"),
        "the batch size must change what is learnt"
    );
}

/// In the original some parameters of the workflow reached no program, and others had several defaults.
#[test]
fn undeclared_or_inconsistent_parameters() {
    check(
        &["--momentum", "0.9"],
        &[],
        expect![[r#"
        2
        error: unexpected argument '--momentum' found

        Usage: trainer --no-download
    "#]],
    );

    let workspace = workspace();
    let variables = [
        ("LEARNING_STEPS", "99"),
        ("BATCH_SIZE", "99"),
        ("MNIST_MODELS_DIR", "elsewhere"),
    ];
    let arguments = [
        "--steps",
        "5",
        "--batch-size",
        "20",
        "--models-dir",
        "models/mnist",
        "--seed",
        "8",
    ];
    let outcome = start(&workspace, &arguments, &variables).wait(RUN_MAX);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let training = report(&workspace).training;
    assert_eq!(
        (training.steps, training.batch_size, training.seed),
        (5, 20, 8),
        "a flag wins over a variable"
    );
    let header = model::Artifact::read(&workspace.read("models/mnist/mnist.safetensors")).unwrap();
    assert_eq!(header.header().training, training, "artifact and report say the same");
    assert!(workspace.files("elsewhere").is_empty());
}

#[test]
fn every_value_is_explained_with_its_default_and_variable() {
    let help = trainer(&workspace(), &["--help"]).stdout;
    for words in [
        "--data-dir",
        "MNIST_DATA_DIR",
        "data/mnist",
        "--models-dir",
        "MNIST_MODELS_DIR",
        "models/mnist",
        "--steps",
        "LEARNING_STEPS",
        "--recipe",
        "tutorial",
        "--learning-rate",
        "LEARNING_RATE",
        "--batch-size",
        "BATCH_SIZE",
        "one-cycle",
        "--warm-up-share",
        "--weight-decay",
        "--epsilon",
        "--label-smoothing",
        "--shift-share",
        "--rotation",
        "--elastic-smoothness",
        "--noise-amplitude",
        "--seed",
        "--device",
        "ndarray",
        "--no-download",
    ] {
        assert!(help.contains(words), "no {words} in\n{help}");
    }
}
