use std::fs;

use expect_test::{Expect, expect};

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
fn the_shipped_settings_are_those_of_the_tutorial() {
    let training = settings().training;
    assert_eq!((training.steps.get(), training.batch_size.get()), (10_000, 128));
    assert!((training.learning_rate - 0.01).abs() < 1e-12);
    assert_eq!(settings().signature(), "predict");
}

#[test]
fn every_mistake_in_both_files_is_told_at_once() {
    check(
        &[
            ("pipeline.yaml", "steps: 10000", "step: 10000"),
            ("pipeline.yaml", "learning_rate: 0.01", "learning_rate: \"0.01\""),
            ("pipeline.yaml", "batch_size: 128", "batch_size: 0"),
            ("pipeline.yaml", "listen: 127.0.0.1:8080", "listen: 8080"),
            ("pipeline.yaml", "accuracy_min: 0.96", "accuracy_min: 96"),
            ("pipeline.yaml", "device: native", "device: gpu"),
            ("pipeline.yaml", "attempts: 3", ""),
            ("application.yaml", "singular:", "singlar:"),
            ("application.yaml", "name: mnist-app", "name: mnist app"),
        ],
        expect![[r#"
            the settings have 11 mistakes:
            pipeline.yaml:21:3: missing key `steps` in `training`
            pipeline.yaml:23:3: unknown key `training.step`; did you mean `steps`?
            pipeline.yaml:25:18: `training.learning_rate`: expected a number above 0 to 1, found the text "0.01"
            pipeline.yaml:29:15: `training.batch_size`: expected a whole number from 1 to 65536, found `0`
            pipeline.yaml:33:11: `training.device`: expected `native` or `flex` or `ndarray`, found `gpu`
            pipeline.yaml:37:11: `server.listen`: expected an address with a port, such as `127.0.0.1:8080`
            pipeline.yaml:47:17: `test.accuracy_min`: expected a number from 0 to 1, found `96`
            pipeline.yaml:55:3: missing key `attempts` in `limits`
            application.yaml:7:1: missing key `singular` or `pipeline`
            application.yaml:9:7: `name`: ` ` at position 6 of the name `mnist app`, expected an ASCII letter, digit, `-`, `_` or `.`
            application.yaml:10:1: unknown key `singlar`; did you mean `singular`?"#]],
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
