//! Bodies of predict requests: what is accepted is JSON, and holds the numbers that serde_json finds in it.

use serde::de::IgnoredAny;
use serde_json::Value;

use formats::{
    signature::Signature,
    tensor::{Limits, Tensor, TensorError, parse_request},
};

use crate::Outcome;

const LIMITS: Limits = Limits { images_max: 3 };

/// The rules for 2 × 3 pixels are those for 28 × 28, and a fuzzer finds its way to their ends.
pub fn body(bytes: &[u8]) -> Outcome {
    let name = "predict".parse().expect("it is made of letters");
    let signature = Signature::classifier(name, 2, 3, 10);
    match parse_request(bytes, &signature, LIMITS) {
        Ok(request) => {
            let tensor = &request.inputs[0];
            check(tensor);
            serde_json::from_slice::<IgnoredAny>(bytes).expect("what is accepted is JSON");
            // serde_json refuses numbers beyond `f64` under other keys and nesting beyond its stack; both may be skipped.
            if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
                compare(&tensor.values, &value["imgs"]);
            }
            let again = parse_request(render(tensor).as_bytes(), &signature, LIMITS);
            assert_eq!(again.as_ref(), Ok(&request), "written plainly");
            Outcome::Accepted
        }
        Err(error) => {
            check_place(&error, bytes);
            Outcome::of(&error)
        }
    }
}

fn check(tensor: &Tensor) {
    let [n_images @ 1..=3, 2, 3] = tensor.shape[..] else {
        panic!("shape {:?}", tensor.shape);
    };
    assert_eq!(tensor.values.len(), 6 * n_images);
    assert!(tensor.values.iter().all(|value| value.is_finite()));
}

/// serde_json rounds to an `f64` first, so a value may be the neighbour of ours.
fn compare(ours: &[f32], imgs: &Value) {
    let mut theirs = Vec::new();
    flatten(imgs, &mut theirs);
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        let (low, high) = (ours.next_down(), ours.next_up());
        assert!((low..=high).contains(&theirs), "{ours}, expected {theirs}");
    }
}

fn flatten(value: &Value, numbers: &mut Vec<f32>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| flatten(value, numbers)),
        value => numbers.push(value.as_f64().expect("a number was read here") as f32),
    }
}

fn render(tensor: &Tensor) -> String {
    let images: Vec<Vec<&[f32]>> = tensor.values.chunks(6).map(|image| image.chunks(3).collect()).collect();
    serde_json::json!({ "imgs": images }).to_string()
}

/// The place that an error names exists.
fn check_place(error: &TensorError, bytes: &[u8]) {
    match error {
        TensorError::Syntax { line, column, .. } => {
            let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
            let length = line
                .checked_sub(1)
                .and_then(|index| lines.get(index))
                .map(|line| line.len());
            // The end of a line is a place, too.
            let exists = length.is_some_and(|length| (1..=length + 1).contains(column));
            assert!(exists, "{error} in {} lines", lines.len());
        }
        TensorError::Mismatch { path, .. } | TensorError::TooMany { path, .. } => {
            assert!(path == "body" || path.starts_with("imgs"), "{error}");
        }
    }
    let information = error.information();
    assert_eq!(information.message, error.to_string());
}
