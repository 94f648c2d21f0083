use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{answer::Answer, element::InputType, outputs::Outline, request};
use crate::{
    signature::Signature,
    tensor::{Limits, Request, TensorError, outputs::Outputs},
};

const LIMITS: Limits = Limits { images_max: 3 };
const DATA: &str = r#""data":[1,2,3,4,5,6]"#;

/// An input `x` of shape [-1, 2, 3]: the rules are those of 28 × 28, the bodies fit on a line.
fn small() -> Signature {
    let mut signature = Signature::classifier("predict".parse().unwrap(), 2, 3, 2);
    signature.inputs[0].name = "x".to_owned();
    signature
}

fn read(json: &str, binary: &[u8]) -> Result<(request::Asked, Request), TensorError> {
    let mut request = Request::default();
    let asked = request::read(json.as_bytes(), binary, &small(), LIMITS, &mut request)?;
    Ok((asked, request))
}

/// A request with one input; `rest` begins behind its shape.
fn of(datatype: &str, shape: &str, rest: &str) -> String {
    format!(r#"{{"inputs":[{{"name":"x","datatype":"{datatype}","shape":{shape},{rest}}}]}}"#)
}

/// A request that is right, and behind its inputs `rest`.
fn with(rest: &str) -> String {
    let json = of("FP32", "[6]", DATA);
    format!("{},{rest}}}", json.strip_suffix('}').unwrap())
}

/// What is said of each JSON with binary tensors behind it, one a line.
fn check_errors(requests: &[(&str, &[u8])], expected: Expect) {
    let lines = requests.iter().map(|(json, binary)| match read(json, binary) {
        Ok((asked, request)) => panic!("{json} gave {asked:?} {request:?}"),
        Err(error) => format!("{error}\n"),
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn every_shape_and_type_gives_the_same_numbers() {
    let numbers = [1.0, 0.0, 2.0, 3.0, 4.0, 250.0];
    let flat = r#""data":[1,0,2,3,4,250]"#;
    let nested = r#""data":[[1,0,2],[3,4,250]]"#;
    let mut requests: Vec<(String, Vec<u8>)> = Vec::new();
    for element in InputType::ALL {
        let name = element.name();
        for shape in ["[1,2,3]", "[2,3]", "[6]", "[1,6]", "[1,2,3,1]", "[2,3,1]"] {
            requests.push((of(name, shape, flat), Vec::new()));
        }
        requests.push((of(name, "[2,3]", nested), Vec::new()));
        requests.push((of(name, "[1,2,3]", r#""data":[[[1,0,2],[3,4,250]]]"#), Vec::new()));
        requests.push((
            of(name, "[2,3,1]", r#""data":[[[1],[0],[2]],[[3],[4],[250]]]"#),
            Vec::new(),
        ));
        let binary: Vec<u8> = numbers
            .iter()
            .flat_map(|number: &f32| match element {
                InputType::Fp32 => number.to_le_bytes().to_vec(),
                InputType::Fp64 => f64::from(*number).to_le_bytes().to_vec(),
                InputType::Uint8 => vec![*number as u8],
                InputType::Int32 => (*number as i32).to_le_bytes().to_vec(),
                InputType::Int64 => (*number as i64).to_le_bytes().to_vec(),
            })
            .collect();
        let size = format!(r#""parameters":{{"binary_data_size":{}}}"#, binary.len());
        requests.push((of(name, "[1,6]", &size), binary));
    }
    let late =
        r#"{"inputs":[{"data":[1,0,2,3,4,250],"shape":[6],"parameters":{"x":1},"datatype":"FP32","name":"x"}],"a":{}}"#;
    requests.push((late.to_owned(), Vec::new()));
    for (json, binary) in requests {
        let (asked, request) = read(&json, &binary).unwrap_or_else(|error| panic!("{json}: {error}"));
        assert_eq!(request.inputs[0].values, numbers, "{json}");
        assert_eq!(request.inputs[0].shape, [1, 2, 3], "{json}");
        assert_eq!(asked.outputs, Outline::all(&small(), false), "{json}");
    }
}

#[test]
fn several_images_come_in_one_tensor() {
    let twelve = r#""data":[1,2,3,4,5,6,7,8,9,10,11,12]"#;
    for shape in ["[2,2,3]", "[2,6]", "[2,2,3,1]"] {
        let (_, request) = read(&of("FP32", shape, twelve), b"").unwrap();
        assert_eq!(request.inputs[0].shape, [2, 2, 3]);
        assert_eq!(request.inputs[0].values, (1..=12_u8).map(f32::from).collect::<Vec<_>>());
    }
}

#[test]
fn a_request_says_which_outputs_it_wants_and_in_which_form() {
    let outputs = |rest: &str| {
        let json = of("FP32", "[6]", r#""data":[1,0,2,3,4,5]"#);
        let json = format!("{},{rest}}}", json.strip_suffix('}').unwrap());
        let (asked, _) = read(&json, b"").unwrap();
        let wanted: Vec<_> = asked
            .outputs
            .0
            .iter()
            .map(|wanted| (wanted.output, wanted.is_binary))
            .collect();
        (asked.id, wanted)
    };
    let all = |is_binary| (0..4).map(|output| (output, is_binary)).collect::<Vec<_>>();
    assert_eq!(outputs(r#""id":"a\"b""#), (Some("a\"b".to_owned()), all(false)));
    assert_eq!(outputs(r#""outputs":[]"#), (None, all(false)));
    assert_eq!(
        outputs(r#""parameters":{"binary_data_output":true,"x":[1]}"#),
        (None, all(true))
    );
    let some = r#""outputs":[{"name":"logits"},{"name":"class_ids","parameters":{"binary_data":true}}]"#;
    assert_eq!(outputs(some), (None, vec![(2, false), (0, true)]));
    let text = r#""outputs":[{"name":"logits","parameters":{"binary_data":false}},{"name":"classes"}],"parameters":{"binary_data_output":true}"#;
    assert_eq!(outputs(text), (None, vec![(2, false), (1, true)]));
}

#[test]
fn an_optional_key_without_a_value_is_none() {
    let json = of("FP32", "[6]", r#""parameters":null,"data":[1,0,2,3,4,5]"#);
    let rest = r#""id":null,"parameters": null,"outputs" :null"#;
    let (asked, _) = read(&format!("{},{rest}}}", json.strip_suffix('}').unwrap()), b"").unwrap();
    assert_eq!((asked.id, asked.outputs.0.len()), (None, 4));
    let named = format!(
        r#"{},"outputs":[{{"name":"logits","parameters":null}}]}}"#,
        json.strip_suffix('}').unwrap()
    );
    assert_eq!(read(&named, b"").unwrap().0.outputs.0.len(), 1);
}

#[test]
fn what_is_wrong_around_the_tensors_is_named() {
    check_errors(
        &[
            ("[]", b""),
            ("{}", b""),
            (r#"{"inputs":[]}"#, b""),
            (r#"{"inputs":{}}"#, b""),
            (r#"{"inputs":[7]}"#, b""),
            (r#"{"inputs":[{}]}"#, b""),
            (r#"{"inputs":[{"name":7}]}"#, b""),
            (&with(r#""inputs":[]"#), b""),
            (&with(r#""id":7"#), b""),
            (&with(r#""parameters":7"#), b""),
            (&(of("FP32", "[6]", DATA) + "{"), b""),
            (&of("FP32", "[6]", DATA)[..40], b""),
        ],
        expect![[r#"
            body: expected an object, found an array
            inputs: expected an array of tensors, found no such key
            inputs: expected `x`, found no such input
            inputs: expected an array, found an object
            inputs[0]: expected an object, found `7`
            inputs[0].name: expected a value, found no such key
            inputs[0].name: expected a string, found `7`
            inputs: expected one value, found the key twice
            id: expected a string, found `7`
            parameters: expected an object, found `7`
            not JSON at line 1, column 77: expected the end of the body, found `{`
            not JSON at line 1, column 41: expected `,` or `}`, found the end of the body
        "#]],
    );
}

#[test]
fn a_type_or_shape_that_goes_with_no_input_is_named() {
    let named_y = r#"{"inputs":[{"name":"y","datatype":"FP32","shape":[6],"data":[]}]}"#;
    check_errors(
        &[
            (named_y, b""),
            (&of("FP16", "[6]", DATA), b""),
            (&of("BYTES", "[6]", DATA), b""),
            (&of("FP32", "[5]", DATA), b""),
            (&of("FP32", "[0,6]", DATA), b""),
            (&of("FP32", "[-1,6]", DATA), b""),
            (&of("FP32", "[1.5]", DATA), b""),
            (&of("FP32", "[4,6]", DATA), b""),
            (&of("FP32", "[99999999999999999999,6]", DATA), b""),
            (&of("FP32", "[9223372036854775807,6]", DATA), b""),
            (&of("FP32", "\"6\"", DATA), b""),
            (&of("FP32", "[6]", &format!("{DATA},\"name\":\"x\"")), b""),
        ],
        expect![[r#"
            inputs[0].name: expected `x`, found `y`
            inputs[0].datatype: expected `FP32`, `FP64`, `UINT8`, `INT32`, `INT64`, found `FP16`
            inputs[0].datatype: expected `FP32`, `FP64`, `UINT8`, `INT32`, `INT64`, found `BYTES`
            inputs[0].shape: expected [N, 2, 3] or [2, 3] or [6] or [N, 6] or [N, 2, 3, 1] or [2, 3, 1], found [5]
            inputs[0].shape: expected [N, 2, 3] or [2, 3] or [6] or [N, 6] or [N, 2, 3, 1] or [2, 3, 1], found [0, 6]
            inputs[0].shape[0]: expected a whole number from 0 up, found `-1`
            inputs[0].shape[0]: expected a whole number from 0 up, found `1.5`
            inputs[0].shape: expected at most 3 images, found more
            inputs[0].shape[0]: expected a whole number from 0 up, found `99999999999999999999`
            inputs[0].shape: expected at most 3 images, found more
            inputs[0].shape: expected an array, found a string
            inputs[0].name: expected one value, found the key twice
        "#]],
    );
}

#[test]
fn numbers_that_go_with_no_shape_are_named() {
    let data = |shape: &str, data: &str| of("FP32", shape, &format!("\"data\":{data}"));
    check_errors(
        &[
            (&data("[6]", "[1,2,3,4,5]"), b""),
            (&data("[6]", "[1,2,3,4,5,6,7]"), b""),
            (&data("[2,3]", "[[1,2,3],[4,5]]"), b""),
            (&data("[1,2,3]", "[[[1,2,3],[4,5,6]],[[1,2,3],[4,5,6]]]"), b""),
            (&data("[6]", "[[1,2,3,4,5,6]]"), b""),
            (&data("[6]", "[1,2,\"3\",4,5,6]"), b""),
            (&data("[6]", "[1,2,1e39,4,5,6]"), b""),
            (&data("[6]", "\"AAAA\""), b""),
            (&of("FP32", "[6]", &format!("{DATA},{DATA}")), b""),
            (&of("FP32", "[6]", "\"more\":1"), b""),
        ],
        expect![[r#"
            inputs[0].data: expected 6 numbers, found 5
            inputs[0].data: expected 6 numbers, found more
            inputs[0].data[1]: expected 3 numbers, found 2
            inputs[0].data: expected 1 arrays, found more
            inputs[0].data[0]: expected a number, found an array
            inputs[0].data[2]: expected a number, found a string
            inputs[0].data[2]: expected a number within ±3.4e38, found `1e39`
            inputs[0].data: expected an array, found a string
            inputs[0].data: expected one value, found the key twice
            inputs[0].data: expected an array of numbers, found no such key
        "#]],
    );
}

#[test]
fn a_number_that_its_type_does_not_have_is_named() {
    let third = |datatype: &str, number: &str| of(datatype, "[6]", &format!("\"data\":[1,2,{number},4,5,6]"));
    check_errors(
        &[
            (&third("UINT8", "256"), b""),
            (&third("UINT8", "-1"), b""),
            (&third("INT32", "2147483648"), b""),
            (&third("INT64", "9223372036854775808"), b""),
            (&third("INT64", "0.5"), b""),
        ],
        expect![[r#"
            inputs[0].data[2]: expected a whole number from 0 to 255, found `256`
            inputs[0].data[2]: expected a whole number from 0 to 255, found `-1`
            inputs[0].data[2]: expected a whole number from -2147483648 to 2147483647, found `2147483648`
            inputs[0].data[2]: expected a whole number from -9223372036854775808 to 9223372036854775807, found `9223372036854775808`
            inputs[0].data[2]: expected a whole number from -9223372036854775808 to 9223372036854775807, found `0.5`
        "#]],
    );
}

#[test]
fn bytes_that_are_not_what_is_said_of_them_are_named() {
    let size = |text: &str| of("FP32", "[6]", &format!(r#""parameters":{{"binary_data_size":{text}}}"#));
    let both = of(
        "FP32",
        "[6]",
        &format!(r#"{DATA},"parameters":{{"binary_data_size":24}}"#),
    );
    let shared = of("FP32", "[6]", r#""parameters":{"shared_memory_region":"a"}"#);
    check_errors(
        &[
            (&both, &[0; 24]),
            (&size("24"), &[0; 23]),
            (&size("23"), &[0; 23]),
            (&size("24"), &[0; 25]),
            (&size("24"), &[0xff; 24]),
            (&size("-24"), &[0; 24]),
            (&shared, b""),
        ],
        expect![[r#"
            body: expected the end behind the tensors that are announced, found 24 bytes more
            inputs[0].parameters.binary_data_size: expected at most the 23 bytes that are left, found 24 bytes
            inputs[0].parameters.binary_data_size: expected 24 bytes, found 23 bytes
            body: expected the end behind the tensors that are announced, found 1 bytes more
            inputs[0].data[0]: expected a number within ±3.4e38, found one that is not
            inputs[0].parameters.binary_data_size: expected a whole number from 0 up, found `-24`
            inputs[0].parameters.shared_memory_region: expected no such parameter, found one that is not offered here
        "#]],
    );
}

#[test]
fn an_output_that_cannot_be_had_is_named() {
    check_errors(
        &[
            (&with(r#""outputs":[{"name":"nope"}]"#), b""),
            (&with(r#""outputs":[{"name":"logits"},{"name":"logits"}]"#), b""),
            (&with(r#""outputs":[{}]"#), b""),
            (
                &with(r#""outputs":[{"name":"logits","parameters":{"classification":2}}]"#),
                b"",
            ),
            (
                &with(r#""outputs":[{"name":"logits","parameters":{"binary_data":1}}]"#),
                b"",
            ),
        ],
        expect![[r#"
            outputs[0].name: expected `class_ids`, `classes`, `logits`, `probabilities`, found `nope`
            outputs[1].name: expected each output once, found one twice
            outputs[0].name: expected a value, found no such key
            outputs[0].parameters.classification: expected no such parameter, found one that is not offered here
            outputs[0].parameters.binary_data: expected `true` or `false`, found `1`
        "#]],
    );
}

#[test]
fn an_input_may_not_come_twice() {
    let one = r#"{"name":"x","datatype":"FP32","shape":[6],"data":[1,2,3,4,5,6]}"#;
    let error = read(&format!(r#"{{"inputs":[{one},{one}]}}"#), b"").unwrap_err();
    assert_eq!(
        error.to_string(),
        "inputs[1].name: expected each input once, found one twice"
    );
}

#[test]
fn a_body_may_be_nothing_but_the_elements() {
    let bytes: Vec<u8> = (1..=12_u8).flat_map(|number| f32::from(number).to_le_bytes()).collect();
    let mut request = Request::default();
    let asked = request::read_raw(&bytes, &small(), LIMITS, &mut request).unwrap();
    assert_eq!(asked.outputs, Outline::all(&small(), true));
    assert_eq!(request.inputs[0].shape, [2, 2, 3]);
    for (wrong, message) in [
        (&bytes[1..], "body: expected 24 bytes, found 47 bytes"),
        (&[], "body: expected 24 bytes, found 0 bytes"),
        (&[0; 96], "body.shape: expected at most 3 images, found more"),
    ] {
        let error = request::read_raw(wrong, &small(), LIMITS, &mut request).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

/// An answer about two images, as its JSON and the length of it.
fn answer(outline: &Outline) -> (Vec<u8>, Option<usize>) {
    let mut body = Vec::new();
    let length = Answer {
        model: "app",
        version: Some("mnist:3"),
        id: Some("a\"b"),
        signature: &small(),
        outline,
        outputs: Outputs {
            class_ids: &[1, 10],
            logits: &[0.5, 1.0, -2.0, 1e-7],
            probabilities: &[0.25, 0.75, 0.5, 0.5],
        },
    }
    .write(&mut body);
    (body, length)
}

#[test]
fn an_answer_has_its_outputs_in_json() {
    let (body, length) = answer(&Outline::all(&small(), false));
    assert_eq!(length, None);
    expect![[r#"{"model_name":"app","model_version":"mnist:3","id":"a\"b","outputs":[{"name":"class_ids","datatype":"INT64","shape":[2,1],"data":[1,10]},{"name":"classes","datatype":"BYTES","shape":[2,1],"data":["1","10"]},{"name":"logits","datatype":"FP32","shape":[2,2],"data":[0.5,1.0,-2.0,1e-7]},{"name":"probabilities","datatype":"FP32","shape":[2,2],"data":[0.25,0.75,0.5,0.5]}]}"#]].assert_eq(&String::from_utf8(body).unwrap());
}

#[test]
fn an_answer_has_its_outputs_in_binary_form_behind_the_json() {
    let mut outline = Outline::all(&small(), true);
    outline.0[3].is_binary = false;
    let (body, length) = answer(&outline);
    let (json, binary) = body.split_at(length.unwrap());
    expect![[r#"{"model_name":"app","model_version":"mnist:3","id":"a\"b","outputs":[{"name":"class_ids","datatype":"INT64","shape":[2,1],"parameters":{"binary_data_size":16}},{"name":"classes","datatype":"BYTES","shape":[2,1],"parameters":{"binary_data_size":11}},{"name":"logits","datatype":"FP32","shape":[2,2],"parameters":{"binary_data_size":16}},{"name":"probabilities","datatype":"FP32","shape":[2,2],"data":[0.25,0.75,0.5,0.5]}]}"#]].assert_eq(std::str::from_utf8(json).unwrap());
    let expected = [
        [1_i64, 10].map(i64::to_le_bytes).concat(),
        b"\x01\0\0\x001\x02\0\0\x0010".to_vec(),
        [0.5_f32, 1.0, -2.0, 1e-7].map(f32::to_le_bytes).concat(),
    ];
    assert_eq!(binary, expected.concat());
}

proptest! {
    #[test]
    fn any_bytes_give_a_request_or_an_error(json in ".{0,100}", binary in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = read(&json, &binary);
    }

    #[test]
    fn any_shape_gives_a_request_or_an_error(shape in proptest::collection::vec(any::<i64>(), 0..6), size in any::<u64>()) {
        let size = format!(r#""parameters":{{"binary_data_size":{size}}}"#);
        let _ = read(&of("FP64", &format!("{shape:?}"), &size), &[0; 48]);
    }
}
