//! SavedModels that TensorFlow 2.15.1 wrote, small ones: they answer here as they did there.
//!
//! The scripts in `peers/` made them of random images with 4 × 4 pixels: `make_estimator.py … 4 6,5` and `make_keras.py … 4
//! 7,6`, packed by Python's `tarfile`, the one in the form of GNU, the other in that of PAX. Beside each lie four images and
//! what TensorFlow said of them.

use std::{fs, path::Path};

use expect_test::{Expect, expect};
use serde_json::Value;

use super::{create, described, runtime, succeed, upload};
use crate::support::{Fixture, get, post};

/// Uploads an archive, deploys it under the name that `hs` would ignore, and compares every number that TensorFlow gave.
async fn check(name: &str, input: &str, signature: &str, expected: Expect) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/hs/theirs");
    let payload = fs::read(folder.join(format!("{name}.tar.gz"))).unwrap();
    let told: Value = serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
    let fixture = Fixture::empty().await;
    let build = succeed(&fixture, upload(&[("model_name", b"theirs"), ("payload", &payload)])).await;
    assert_eq!(build["model"]["modelType"], "tensorflow:2.15.1");
    let runtime = runtime(&fixture).await;
    let service = (build["id"].as_u64().unwrap(), 100, "signature-to-be-ignored");
    succeed(&fixture, create(&described(runtime, "theirs", &[&[service]]))).await;
    let body = serde_json::json!({ input: told["images"] });
    let address = format!("/gateway/applications/theirs/{signature}");
    let ours = succeed(&fixture, post(&address, body.to_string())).await;
    for (name, theirs) in told["answers"].as_object().unwrap() {
        compare(name, theirs, &ours[name]);
    }
    let flat = format!("/api/v1/model/version/{}/flatContract", build["id"]);
    expected.assert_eq(&succeed(&fixture, get(&flat)).await["signatures"][0].to_string());
}

/// Compares two answers number by number.
#[track_caller]
pub(super) fn compare(place: &str, theirs: &Value, ours: &Value) -> usize {
    /// Largest difference between two numbers.
    const DIFFERENCE_MAX: f64 = 1e-4;
    if let (Value::Array(theirs), Value::Array(ours)) = (theirs, ours) {
        assert_eq!(theirs.len(), ours.len(), "{place}");
        let pairs = theirs.iter().zip(ours).enumerate();
        return pairs
            .map(|(index, (theirs, ours))| compare(&format!("{place}[{index}]"), theirs, ours))
            .sum();
    }
    let difference = theirs.as_f64().unwrap() - ours.as_f64().unwrap();
    assert!(difference.abs() <= DIFFERENCE_MAX, "{place}: {theirs} and {ours}");
    1
}

#[tokio::test]
async fn an_estimator_of_tensorflow_is_taken_in_from_an_archive_of_gnu() {
    check("estimator", "imgs", "predict", expect![[r#"{"inputs":[{"dataType":"DT_FLOAT","fieldName":"/imgs","shape":[-1,4,4]}],"outputs":[{"dataType":"DT_INT64","fieldName":"/all_class_ids","shape":[-1,10]},{"dataType":"DT_STRING","fieldName":"/all_classes","shape":[-1,10]},{"dataType":"DT_INT64","fieldName":"/class_ids","shape":[-1,1]},{"dataType":"DT_STRING","fieldName":"/classes","shape":[-1,1]},{"dataType":"DT_FLOAT","fieldName":"/logits","shape":[-1,10]},{"dataType":"DT_FLOAT","fieldName":"/probabilities","shape":[-1,10]}],"signatureName":"predict"}"#]]).await;
}

#[tokio::test]
async fn a_keras_network_is_taken_in_from_a_pax_archive() {
    check("keras", "flatten_input", "serving_default", expect![[r#"{"inputs":[{"dataType":"DT_FLOAT","fieldName":"/flatten_input","shape":[-1,4,4]}],"outputs":[{"dataType":"DT_FLOAT","fieldName":"/dense_2","shape":[-1,10]}],"signatureName":"serving_default"}"#]]).await;
}
