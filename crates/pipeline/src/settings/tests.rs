use std::fs;

use expect_test::{Expect, expect};
use formats::hyperparameters::OVERRIDES;

use super::*;

/// The settings that the repository ships, read from its root.
pub(crate) fn settings() -> Settings {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Settings {
        root: PathBuf::new(),
        ..Settings::load(&root.join("pipeline.yaml")).unwrap()
    }
}

/// What is said about the shipped files after each of `changes` (in which file, what, by what).
fn check(changes: &[(&str, &str, &str)], expected: Expect) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = tempfile::tempdir().unwrap();
    for name in ["pipeline.yaml", "application.yaml"] {
        let mut text = fs::read_to_string(root.join(name)).unwrap();
        for (_, old, new) in changes.iter().filter(|(file, ..)| *file == name) {
            assert!(text.contains(old), "`{old}` is not in {name}");
            text = text.replacen(old, new, 1);
        }
        fs::write(folder.path().join(name), text).unwrap();
    }
    let error = Settings::load(&folder.path().join("pipeline.yaml")).unwrap_err();
    let text = error.to_string().replace(&format!("{}/", folder.path().display()), "");
    expected.assert_eq(&text);
}

#[test]
fn the_shipped_settings_train_by_the_default_recipe_behind_gates() {
    let training = settings().training;
    assert_eq!(training.recipe, "default");
    assert!(training.overrides.is_empty());
    assert!(training.accuracy_min.is_some() && training.noisy_accuracy_min.is_some());
    assert_eq!(settings().signature(), "predict");
}

/// A key that is not there could only be found in the source.
#[test]
fn the_shipped_settings_show_every_hyperparameter() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipeline.yaml")).unwrap();
    for parameter in OVERRIDES {
        assert!(
            text.contains(&format!("\n  {}: null\n", parameter.key)),
            "{}",
            parameter.key
        );
    }
}

#[test]
fn every_mistake_in_both_files_is_told_at_once() {
    check(
        &[
            ("pipeline.yaml", "recipe: default", "recipe: fast"),
            ("pipeline.yaml", "steps: null", "step: 10000"),
            ("pipeline.yaml", "learning_rate: null", "learning_rate: \"0.01\""),
            ("pipeline.yaml", "batch_size: null", "batch_size: 0"),
            ("pipeline.yaml", "schedule: null", "schedule: linear"),
            ("pipeline.yaml", "noise_share: null", "noise_share: 20"),
            ("pipeline.yaml", "listen: 127.0.0.1:8080", "listen: 8080"),
            ("pipeline.yaml", "accuracy_min: 0.985", "accuracy_min: 98.5"),
            ("pipeline.yaml", "device: native", "device: gpu"),
            ("pipeline.yaml", "attempts: 3", ""),
            ("application.yaml", "singular:", "singlar:"),
            ("application.yaml", "name: mnist-app", "name: mnist app"),
        ],
        expect![[r#"
            the settings have 13 mistakes:
            pipeline.yaml:24:11: `training.recipe`: expected `default` or `tutorial` or `best`, found `fast`
            pipeline.yaml:26:3: unknown key `training.step`; did you mean `steps`?
            pipeline.yaml:27:15: `training.batch_size`: expected a whole number from 1 to 65536, found `0`
            pipeline.yaml:30:18: `training.learning_rate`: expected a number from 0.0000001 to 1, found the text "0.01"
            pipeline.yaml:31:13: `training.schedule`: expected `constant` or `cosine` or `one-cycle`, found `linear`
            pipeline.yaml:52:16: `training.noise_share`: expected a number from 0 to 1, found `20`
            pipeline.yaml:57:11: `training.device`: expected `native` or `flex` or `ndarray` or `wgpu`, found `gpu`
            pipeline.yaml:60:17: `training.accuracy_min`: expected a number from 0 to 1, found `98.5`
            pipeline.yaml:65:11: `server.listen`: expected an address with a port, such as `127.0.0.1:8080`
            pipeline.yaml:90:3: missing key `attempts` in `limits`
            application.yaml:7:1: missing key `singular` or `pipeline`
            application.yaml:9:7: `name`: ` ` at position 6 of the name `mnist app`, expected an ASCII letter, digit, `-`, `_` or `.`
            application.yaml:10:1: unknown key `singlar`; did you mean `singular`?"#]],
    );
}

#[test]
fn an_address_that_others_reach_takes_a_token() {
    check(
        &[("pipeline.yaml", "listen: 127.0.0.1:8080", "listen: 0.0.0.0:8080")],
        expect![[r#"
            the settings have a mistake:
            pipeline.yaml:65:3: `server`: others reach `0.0.0.0:8080`, where a server is managed only with a `management_token_file`, found none"#]],
    );
}

#[test]
fn a_registry_is_a_folder_or_a_bucket_that_says_no_secret() {
    check(
        &[(
            "pipeline.yaml",
            "registry: registry",
            "registry: s3://AKIA:hunter2@models",
        )],
        expect![[r#"
            the settings have a mistake:
            pipeline.yaml:68:13: `server.registry`: credentials do not belong into an address: they come from the environment of the server"#]],
    );
    check(
        &[
            ("pipeline.yaml", "registry: registry", "registry: s3://Models"),
            (
                "pipeline.yaml",
                "registry_endpoint: null",
                "registry_endpoint: minio:9000",
            ),
            ("pipeline.yaml", "registry_region: null", "registry_region: eu central"),
            (
                "pipeline.yaml",
                "registry_credentials: null",
                "registry_credentials: My_Secret",
            ),
            (
                "pipeline.yaml",
                "registry_certificates: null",
                "registry_certificates: our/authority",
            ),
        ],
        expect![[r#"
            the settings have 5 mistakes:
            pipeline.yaml:68:13: `server.registry`: expected a bucket of 3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends
            pipeline.yaml:70:22: `server.registry_endpoint`: expected an address such as `https://s3.example.com` or `http://127.0.0.1:9000`
            pipeline.yaml:71:20: `server.registry_region`: expected a region, such as `eu-central-1`
            pipeline.yaml:105:25: `kubernetes.registry_credentials`: expected the name of an object: lower-case letters, digits, `-` and `.`
            pipeline.yaml:107:26: `kubernetes.registry_certificates`: expected the name of an object: lower-case letters, digits, `-` and `.`"#]],
    );
}

#[test]
fn what_is_for_another_kind_of_registry_is_refused() {
    check(
        &[(
            "pipeline.yaml",
            "registry_region: null",
            "registry_region: eu-central-1",
        )],
        expect![[r#"
            the settings have a mistake:
            pipeline.yaml:65:3: `server`: `registry_endpoint` and `registry_region` belong to a `registry` at `s3://…`"#]],
    );
    check(
        &[(
            "pipeline.yaml",
            "registry_credentials: null",
            "registry_credentials: slipway-bucket",
        )],
        expect![[r#"
            the settings have a mistake:
            pipeline.yaml:99:3: `kubernetes`: `registry_credentials` and `registry_certificates` belong to a `server.registry` at `s3://…`"#]],
    );
    check(
        &[
            ("pipeline.yaml", "registry: registry", "registry: s3://models"),
            (
                "pipeline.yaml",
                "registry_endpoint: null",
                "registry_endpoint: http://minio:9000",
            ),
            (
                "pipeline.yaml",
                "registry_certificates: null",
                "registry_certificates: our-authority",
            ),
        ],
        expect![[r#"
            the settings have a mistake:
            pipeline.yaml:99:3: `kubernetes`: `registry_certificates` belongs to a `server.registry_endpoint` at `https://…`, found `http://minio:9000`"#]],
    );
}

#[test]
fn a_mistake_in_the_manifest_alone_is_told() {
    check(
        &[("application.yaml", "kind: Application", "kind: Aplication")],
        expect![[r#"
        the settings have a mistake:
        application.yaml:8:7: `kind`: expected `Application`, found `Aplication`"#]],
    );
}

#[test]
fn what_is_trained_must_be_what_is_deployed() {
    check(
        &[("application.yaml", "model: mnist", "model: mnist-concept")],
        expect![
            "`application.yaml` asks for model `mnist-concept`, but this run publishes `mnist` (key `model` of `pipeline.yaml`): one model has one name"
        ],
    );
    check(
        &[("application.yaml", "model: mnist", "model: mnist-concept:1")],
        expect![
            "`application.yaml` asks for model `mnist-concept:1`, but this run publishes `mnist` (key `model` of `pipeline.yaml`): one model has one name"
        ],
    );
}

#[test]
fn a_manifest_that_is_not_there_is_named() {
    check(
        &[(
            "pipeline.yaml",
            "application: application.yaml",
            "application: app.yaml",
        )],
        expect!["cannot read `app.yaml`"],
    );
}

#[test]
fn a_text_that_is_no_yaml_is_refused_at_its_place() {
    check(
        &[("pipeline.yaml", "model: mnist", "model: [mnist")],
        expect![[r#"
        the settings have a mistake:
        pipeline.yaml:9:1: not YAML: invalid indentation in flow construct"#]],
    );
}
