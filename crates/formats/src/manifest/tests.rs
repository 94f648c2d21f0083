use expect_test::{Expect, expect};

use super::*;

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&match Manifest::parse("application.yaml", text) {
        Ok(manifest) => {
            let pinned = manifest.pin(|name| format!("{name}:9").parse().ok()).unwrap();
            let notices: Vec<String> = manifest.notices.iter().map(|notice| format!("\n{notice}")).collect();
            serde_json::to_string(&pinned).unwrap() + &notices.concat()
        }
        Err(mistakes) => mistakes.to_string(),
    });
}

fn parse(text: &str) -> Manifest {
    Manifest::parse("application.yaml", text).unwrap()
}

#[test]
fn the_manifest_of_the_original_is_understood() {
    check(
        r"version: v2-alpha
kind: Application
name: mnist-concept-app
singular:
  model: mnist-concept:1
  runtime: hydrosphere/serving-runtime-tensorflow:1.7.0-latest
  signature: signature-to-be-ignored
",
        expect![[r#"
            {"name":"mnist-concept-app","stages":[{"variants":[{"model":"mnist-concept:1","weight":100}]}]}
            6:12: `singular.runtime` is understood but not carried out: models run inside the server"#]],
    );
}

#[test]
fn a_pipeline_with_a_split_is_understood() {
    check(
        r"kind: Application
name: claims-app
pipeline:
  - signature: claims
    model: preprocessing
    runtime: hydrosphere/serving-runtime-python:3.6-latest
    environment: cpu
  - signature: claims
    monitoring:
      - {name: ks, input: feature, type: Kolmogorov-Smirnov}
    modelservices:
      - {model: claims:2, weight: 80, environment: gpu}
      - model: claims
        weight: 20
streaming:
  - in-topic: claims-in
    out-topic: claims-out
",
        expect![[r#"
            {"name":"claims-app","stages":[{"signature":"claims","variants":[{"model":"preprocessing:9","weight":100}]},{"signature":"claims","variants":[{"model":"claims:2","weight":80},{"model":"claims:9","weight":20}]}]}
            6:14: `pipeline[0].runtime` is understood but not carried out: models run inside the server
            7:18: `pipeline[0].environment` is understood but not carried out: models run where the server runs
            10:7: `pipeline[1].monitoring` is understood but not carried out: nothing watches the traffic yet
            12:52: `pipeline[1].modelservices[0].environment` is understood but not carried out: models run where the server runs
            16:3: `streaming` is understood but not carried out: applications answer over HTTP only"#]],
    );
}

#[test]
fn clients_are_told_apart_by_a_header_or_a_cookie() {
    let with = |sticky: &str| format!("{{kind: Application, name: a, sticky: {sticky}, singular: {{model: m:1}}}}");
    check(
        &with("{header: X-User-Id}"),
        expect![[
            r#"{"name":"a","sticky":{"header":"X-User-Id"},"stages":[{"variants":[{"model":"m:1","weight":100}]}]}"#
        ]],
    );
    check(
        &with("{cookie: session}"),
        expect![[
            r#"{"name":"a","sticky":{"cookie":"session"},"stages":[{"variants":[{"model":"m:1","weight":100}]}]}"#
        ]],
    );
    for (sticky, expected) in [
        (
            "{}",
            expect!["application.yaml:1:38: `sticky`: missing key `header` or `cookie`"],
        ),
        (
            "{header: a, cookie: b}",
            expect!["application.yaml:1:38: `sticky`: expected one of `header` and `cookie`, found both"],
        ),
        (
            "{header: user id}",
            expect![
                "application.yaml:1:47: `sticky.header`: ` ` in the name `user id`, expected ASCII letters, digits, `-`, `_` and `.`"
            ],
        ),
        (
            "{headers: a}",
            expect![[r#"
                application.yaml:1:38: `sticky`: missing key `header` or `cookie`
                application.yaml:1:39: unknown key `sticky.headers`; did you mean `header`?"#]],
        ),
    ] {
        check(&with(sticky), expected);
    }
}

#[test]
fn every_mistake_is_told_with_its_line() {
    check(
        r"verison: v2-alpha
kind: Aplication
name: mnist app
singlar:
  model: mnist
streaming: yes
",
        expect![[r#"
            application.yaml:1:1: unknown key `verison`; did you mean `version`?
            application.yaml:1:1: missing key `singular` or `pipeline`
            application.yaml:2:7: `kind`: expected `Application`, found `Aplication`
            application.yaml:3:7: `name`: ` ` at position 6 of the name `mnist app`, expected an ASCII letter, digit, `-`, `_` or `.`
            application.yaml:4:1: unknown key `singlar`; did you mean `singular`?
            application.yaml:6:12: `streaming`: expected a list, found `yes`"#]],
    );
    check(
        r"version: 2
kind: Application
name: app
singular: {modle: mnist, runtime: [a]}
pipeline:
  - model: mnist:latest
    signature: predict
  - signature: predict
    modelservices:
      - {model: a, weight: 60}
      - {model: b:1, weight: 30}
  - signature: predict
    model: a
    modelservices: []
  - signature: predict
    modelservices:
      - {model: a, weight: 101}
      - {model: ../b, wieght: 1}
",
        expect![[r#"
            application.yaml:1:10: `version`: expected `v2-alpha`, found `2`
            application.yaml:4:11: missing key `model` in `singular`
            application.yaml:4:12: unknown key `singular.modle`; did you mean `model`?
            application.yaml:4:35: `singular.runtime`: expected a text, found a list
            application.yaml:6:12: `pipeline[0].model`: `latest` is not a version, expected a whole number from 1 such as `mnist:3`
            application.yaml:10:7: `pipeline[1].modelservices`: expected weights that add up to 100, found 90
            application.yaml:14:20: `pipeline[2].modelservices`: expected weights that add up to 100, found 0
            application.yaml:17:28: `pipeline[3].modelservices[0].weight`: expected a whole number from 0 to 100, found `101`
            application.yaml:18:9: missing key `weight` in `pipeline[3].modelservices[1]`
            application.yaml:18:17: `pipeline[3].modelservices[1].model`: wrong model name: `.` at position 1 of the name `../b`, expected an ASCII letter or digit
            application.yaml:18:23: unknown key `pipeline[3].modelservices[1].wieght`; did you mean `weight`?"#]],
    );
    check(
        "kind: Application\nname: a\npipeline: []\n",
        expect!["application.yaml:3:11: `pipeline`: expected at least one stage, found none"],
    );
    check(
        "kind: Application\nname: a\n",
        expect!["application.yaml:1:1: missing key `singular` or `pipeline`"],
    );
    check(
        "name: a\n",
        expect![[r#"
        application.yaml:1:1: missing key `kind`
        application.yaml:1:1: missing key `singular` or `pipeline`"#]],
    );
}

#[test]
fn another_kind_is_one_clear_mistake() {
    check(
        "kind: Model\nname: mnist\nmodel-type: tensorflow:1.9.0\npayload: [saved_model.pb]\n",
        expect!["application.yaml:1:7: `kind`: `Model` is not carried out here, only `Application` is"],
    );
}

#[test]
fn a_model_without_a_version_that_nobody_published_cannot_be_pinned() {
    let manifest = parse("{kind: Application, name: a, singular: {model: mnist}}");
    assert_eq!(
        manifest.pin(|_| None),
        Err(PinError::NoVersion("mnist".parse().unwrap()))
    );
    assert_eq!(manifest.models(), [&"mnist".parse().unwrap()]);
}

/// Defect of the original: its manifest says `mnist-concept:1`, so a second run trains, uploads and serves the old
/// version. Here a model without a version is the one that the run published, whatever its number.
#[test]
fn a_version_pinned_by_hand() {
    let manifest = parse("{kind: Application, name: mnist-app, singular: {model: mnist}}");
    for published in ["mnist:1", "mnist:2", "mnist:17"] {
        let application = manifest.pin(|_| published.parse().ok()).unwrap();
        assert_eq!(application.stages[0].variants[0].model.to_string(), published);
    }
}

/// Defect of the original: it uploads `mnist`, deploys `mnist-concept`, and asks `mnist-app`. Here the manifest is the
/// one place with the names: what is deployed has exactly its application and its model.
#[test]
fn three_different_names_for_one_model_or_application() {
    let manifest = parse("{kind: Application, name: mnist-app, singular: {model: mnist}}");
    let application = manifest.pin(|name| format!("{name}:1").parse().ok()).unwrap();
    assert_eq!(application.name, manifest.name);
    let deployed = &application.stages[0].variants[0].model.name;
    assert!(matches!(&manifest.form, Form::Singular(ModelSelector::Newest(asked)) if asked == deployed));
    // And a name is a type of its own: nothing that is not one gets this far.
    let mistakes = Manifest::parse(
        "application.yaml",
        "{kind: Application, name: a/b, singular: {model: m}}",
    );
    assert_eq!(mistakes.unwrap_err().list.len(), 1);
}
