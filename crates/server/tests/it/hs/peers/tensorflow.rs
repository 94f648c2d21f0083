//! Models that the real TensorFlow exports, uploaded with the real `hs`. TensorFlow takes more than a gigabyte.

use std::time::Duration;

use expect_test::expect;
use serde_json::Value;
use test_support::{OnDemand, Python, Running};

use super::{Subject, beside, singular};
use crate::hs::theirs::compare;

/// Longest time in which TensorFlow trains a small network.
const TRAINING_MAX: Duration = Duration::from_secs(600);

/// Uploads what a script of TensorFlow's exports, and compares what we say of every image with what TensorFlow says.
#[track_caller]
fn check_tensorflow(script: &str, widths: &str, signature: &str) -> String {
    let subject = Subject::new();
    let images = subject.digits(200, 3);
    let python = Python::with(&beside("tensorflow.txt"));
    let mut command = subject.workspace.command(&python.program("python"));
    command.arg(beside(script));
    command.args(["images.f32", "labels.u8", "answers.json", "model", "28", widths]);
    let made = Running::start(&mut command).wait(TRAINING_MAX);
    assert_eq!(made.code, 0, "{}\n{}", made.stdout, made.stderr);
    subject.succeed("model", &["upload", "--name", "theirs"]);
    subject.applied(&singular("theirs", "theirs:1"));
    let answers: Value = serde_json::from_slice(&subject.workspace.read("answers.json")).unwrap();
    let input = subject.listed("/api/v1/model/version")[0]["id"].clone();
    let (_, flat) = subject.ask("GET", &format!("/api/v1/model/version/{input}/flatContract"), "");
    let input = flat["signatures"][0]["inputs"][0]["fieldName"].as_str().unwrap()[1..].to_owned();
    let body = serde_json::json!({ input: images.chunks(784).collect::<Vec<_>>() });
    let (head, ours) = subject.ask(
        "POST",
        &format!("/gateway/applications/theirs/{signature}"),
        &body.to_string(),
    );
    assert!(head.starts_with("HTTP/1.1 200"), "{head} {ours}");
    let mut n_compared = 0;
    for (name, theirs) in answers.as_object().unwrap() {
        n_compared += compare(name, theirs, &ours[name]);
    }
    assert!(n_compared >= 200 * 10, "{n_compared} numbers");
    flat.to_string()
}

#[test]
fn an_estimator_of_tensorflow_answers_here_as_it_does_there() {
    if OnDemand::Slow.is_asked_for() {
        let contract = check_tensorflow("make_estimator.py", "256,64", "predict");
        expect![[r#"{"signatures":[{"inputs":[{"dataType":"DT_FLOAT","fieldName":"/imgs","shape":[-1,28,28]}],"outputs":[{"dataType":"DT_INT64","fieldName":"/all_class_ids","shape":[-1,10]},{"dataType":"DT_STRING","fieldName":"/all_classes","shape":[-1,10]},{"dataType":"DT_INT64","fieldName":"/class_ids","shape":[-1,1]},{"dataType":"DT_STRING","fieldName":"/classes","shape":[-1,1]},{"dataType":"DT_FLOAT","fieldName":"/logits","shape":[-1,10]},{"dataType":"DT_FLOAT","fieldName":"/probabilities","shape":[-1,10]}],"signatureName":"predict"}]}"#]].assert_eq(&contract);
    }
}

#[test]
fn a_keras_network_answers_here_as_it_does_there() {
    if OnDemand::Slow.is_asked_for() {
        let contract = check_tensorflow("make_keras.py", "64", "serving_default");
        expect![[r#"{"signatures":[{"inputs":[{"dataType":"DT_FLOAT","fieldName":"/flatten_input","shape":[-1,28,28]}],"outputs":[{"dataType":"DT_FLOAT","fieldName":"/dense_1","shape":[-1,10]}],"signatureName":"serving_default"}]}"#]].assert_eq(&contract);
    }
}
