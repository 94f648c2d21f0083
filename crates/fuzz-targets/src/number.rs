//! Decimal numbers: every one is read as the standard library reads it.

use formats::{
    signature::{Dimension, Signature},
    tensor::{Limits, parse_request},
};

use crate::Outcome;

/// Bytes become numbers with commas between them; what occurs in no number counts as a digit.
pub fn number(bytes: &[u8]) -> Outcome {
    let text: String = bytes.iter().map(|&byte| letter(byte)).collect();
    let body = format!("{{\"imgs\":[{text}]}}");
    let limits = Limits { images_max: usize::MAX };
    match (parse_request(body.as_bytes(), &numbers(), limits), expected(&text)) {
        (Ok(request), Some(expected)) => {
            let found = &request.inputs[0].values;
            assert_eq!(bits(found), bits(&expected), "{text}");
            Outcome::Accepted
        }
        (Err(error), None) => Outcome::of(&error),
        (found, expected) => panic!("{text}: found {found:?}, expected {expected:?}"),
    }
}

fn letter(byte: u8) -> char {
    match byte {
        b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E' | b',' => char::from(byte),
        other => char::from(b'0' + other % 10),
    }
}

/// A signature with one input, a list of numbers of any length.
fn numbers() -> Signature {
    let name = "predict".parse().expect("it is made of letters");
    let mut signature = Signature::classifier(name, 1, 1, 1);
    signature.inputs[0].shape = vec![Dimension::Any];
    signature
}

/// The grammar of JSON by serde_json, the values by the standard library; `None` where one of them is none.
fn expected(text: &str) -> Option<Vec<f32>> {
    let number = |text: &str| {
        serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
        text.parse().ok().filter(|value: &f32| value.is_finite())
    };
    text.split(',').map(number).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
