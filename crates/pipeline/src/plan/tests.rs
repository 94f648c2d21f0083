use expect_test::{Expect, expect};
use formats::hyperparameters;

use super::*;
use crate::settings::{Bucket, Registry, Settings, tests::settings};

fn check(change: impl FnOnce(&mut Settings), step: StepName, expected: Expect) {
    let mut settings = settings();
    change(&mut settings);
    let plan = Plan::new(&settings);
    let step = plan.step(step).unwrap();
    let line = step.command_line(|value| Some(value.to_string()).filter(|text| !text.is_empty()));
    let list = |locations: &[Location]| locations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    expected.assert_eq(&format!(
        "{} {}\nreads {}\nwrites {}\n",
        step.program.as_str(),
        line.join(" "),
        list(&step.reads),
        list(&step.writes)
    ));
}

#[test]
fn a_registry_in_a_bucket_is_no_place_but_an_address() {
    check(
        |_| {},
        StepName::Serve,
        expect![[r#"
        server --listen <listen> --registry registry --drain-delay-ms <delay>
        reads registry
        writes registry
    "#]],
    );
    check(
        |settings| {
            settings.server.registry = Registry::Bucket(Bucket {
                url: "s3://models/team-a".parse().unwrap(),
                endpoint: Some("http://127.0.0.1:9000".parse().unwrap()),
                region: Some("eu-central-1".to_owned()),
            });
        },
        StepName::Serve,
        expect![[r#"
            server --listen <listen> --registry s3://models/team-a --bucket-endpoint http://127.0.0.1:9000 --bucket-region eu-central-1 --drain-delay-ms <delay>
            reads 
            writes 
        "#]],
    );
}

#[test]
fn the_steps_come_in_the_order_of_their_names() {
    let names: Vec<StepName> = Plan::new(&settings()).steps.iter().map(|step| step.name).collect();
    assert_eq!(names, StepName::ALL);
}

#[test]
fn every_step_reads_only_what_the_user_wrote_or_a_step_before_it_writes() {
    let mut written = Vec::new();
    for step in Plan::new(&settings()).steps {
        for location in &step.reads {
            let is_there =
                location.place == Place::Project || written.contains(location) || step.writes.contains(location);
            assert!(is_there, "{} reads {location}", step.name);
        }
        written.extend(step.writes);
    }
}

#[test]
fn the_download_takes_a_source_only_where_one_is_set() {
    check(
        |_| {},
        StepName::Download,
        expect![[r#"
            mnist-data download --data-dir data
            reads 
            writes data/train-images-idx3-ubyte, data/train-labels-idx1-ubyte, data/t10k-images-idx3-ubyte, data/t10k-labels-idx1-ubyte
        "#]],
    );
    check(
        |settings| {
            settings.data.source = Some("/mnt/digits".to_owned());
            settings.data.allow_unknown_digest = true;
        },
        StepName::Download,
        expect![[r#"
            mnist-data download --data-dir data --source /mnt/digits --allow-unknown-digest
            reads 
            writes data/train-images-idx3-ubyte, data/train-labels-idx1-ubyte, data/t10k-images-idx3-ubyte, data/t10k-labels-idx1-ubyte
        "#]],
    );
}

#[test]
fn the_training_is_told_every_hyperparameter() {
    check(
        |_| {},
        StepName::Train,
        expect![[r#"
            trainer --recipe default --seed 1 --device native --accuracy-min 0.985 --noisy-accuracy-min 0.97 --data-dir data --models-dir models --no-download
            reads data/train-images-idx3-ubyte, data/train-labels-idx1-ubyte, data/t10k-images-idx3-ubyte, data/t10k-labels-idx1-ubyte
            writes models/mnist.safetensors, models/mnist.report.json
        "#]],
    );
}

#[test]
fn what_overrides_the_recipe_is_on_the_command_line_and_a_gate_that_is_off_is_not() {
    check(
        |settings| {
            let training = &mut settings.training;
            training.overrides.push((&hyperparameters::STEPS, "500".to_owned()));
            training
                .overrides
                .push((&hyperparameters::NOISE_SHARE, "0.1".to_owned()));
            training.accuracy_min = None;
        },
        StepName::Train,
        expect![[r#"
            trainer --recipe default --steps 500 --noise-share 0.1 --seed 1 --device native --noisy-accuracy-min 0.97 --data-dir data --models-dir models --no-download
            reads data/train-images-idx3-ubyte, data/train-labels-idx1-ubyte, data/t10k-images-idx3-ubyte, data/t10k-labels-idx1-ubyte
            writes models/mnist.safetensors, models/mnist.report.json
        "#]],
    );
}

#[test]
fn what_the_upload_publishes_is_what_the_deploy_pins() {
    check(
        |_| {},
        StepName::Upload,
        expect![[r#"
            pipeline upload --server <server> --model mnist --artifact models/mnist.safetensors --run <run> --result results/published.json
            reads models/mnist.safetensors
            writes results/published.json
        "#]],
    );
    check(
        |_| {},
        StepName::Deploy,
        expect![[r#"
            pipeline deploy --server <server> --manifest project/application.yaml --published results/published.json --result results/deployed.json
            reads project/application.yaml, results/published.json
            writes results/deployed.json
        "#]],
    );
}

#[test]
fn a_threshold_that_is_off_is_not_on_the_command_line() {
    check(
        |settings| settings.test.noisy_accuracy_min = None,
        StepName::Test,
        expect![[r#"
            pipeline test --server <server> --application mnist-app --signature predict --data-dir data --images 1000 --seed 1 --accuracy-min 0.97 --deployed results/deployed.json --report results/test.json --example results/example.json
            reads data/t10k-images-idx3-ubyte, data/t10k-labels-idx1-ubyte, results/deployed.json
            writes results/test.json, results/example.json
        "#]],
    );
}

#[test]
fn what_opens_the_server_is_handed_to_each_step_that_needs_it() {
    let secrets = |settings: &mut Settings| {
        settings.server.management_token_file = Some("tokens".into());
        settings.server.api_keys_file = Some("keys".into());
    };
    let mut settings = settings();
    let without = Plan::new(&settings);
    secrets(&mut settings);
    let with = Plan::new(&settings);
    let added: Vec<String> = (without.steps.iter().zip(&with.steps))
        .map(|(without, with)| {
            let line = |step: &Step| step.command_line(|value| Some(value.to_string())).join(" ");
            let added = line(with).replacen(&line(without), "", 1);
            format!("{}:{added}", with.name)
        })
        .collect();
    expect![[r#"
        download:
        train:
        serve: --management-token-file <tokens> --api-keys-file <keys>
        upload: --token-file <tokens>
        deploy: --token-file <tokens>
        test: --api-keys-file <keys>"#]]
    .assert_eq(&added.join("\n"));
}

#[test]
fn a_folder_that_starts_with_a_dash_is_no_flag() {
    let step = &Plan::new(&settings()).steps[0];
    let line = step.command_line(|_| Some("-rf".to_owned()));
    assert_eq!(line, ["download", "--data-dir=-rf"]);
}
