use std::fmt::Write;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::signature::{Dimension, ElementType, Field};

const LIMITS: Limits = Limits { images_max: 3 };

/// A field `x` of shape [-1, 2, 3]: the rules are those of 28 × 28, the bodies fit on a line.
fn small() -> Signature {
    let mut signature = Signature::classifier("predict".parse().unwrap(), 2, 3, 10);
    signature.inputs[0].name = "x".to_owned();
    signature
}

fn parse(body: impl AsRef<[u8]>) -> Result<Request, TensorError> {
    parse_request(body.as_ref(), &small(), LIMITS)
}

fn check_errors(bodies: &[&str], expected: Expect) {
    let lines = bodies.iter().map(|body| match parse(body) {
        Ok(request) => panic!("{body} gave {request:?}"),
        Err(error) => format!("{body:?}\n    {error}\n"),
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn every_way_to_write_images_gives_the_same_numbers() {
    let one = [0.0, 1.0, 0.5, -2.0, 250.0, 1e-3];
    for body in [
        r#"{"x": [[[0, 1, 0.5], [-2, 2.5e2, 0.001]]]}"#,
        r#"{"x": [[0, 1, 0.5], [-2, 250.0, 1E-3]]}"#,
        r#"{"x": [[0, 1, 0.5, -2, 25e+1, 1e-3]]}"#,
        r#"{"x": [-0, 1, 0.5, -2, 250, 0.00100]}"#,
        "\n{\t\"x\"\r : [ [ [ 0 , 1,0.5 ] , [ -2,250,1e-3 ] ] ] }\n",
        r#"{"\u0078": [0, 1, 0.5, -2, 250, 1e-3], "y": {"z": [null, "]}"]}}"#,
    ] {
        let request = parse(body).unwrap();
        assert_eq!(
            request.inputs,
            [Tensor {
                shape: vec![1, 2, 3],
                values: one.to_vec()
            }],
            "{body}"
        );
    }
    // A zero that is written like the one before it, and one that only begins so.
    let zeros = parse(r#"{"x": [0.0, 0.0, 0.0, 0.0, 0.05, 0.0]}"#).unwrap();
    assert_eq!(zeros.inputs[0].values, [0.0, 0.0, 0.0, 0.0, 0.05, 0.0]);
    let two = parse(r#"{"x": [[1,2,3,4,5,6],[7,8,9,10,11,12]]}"#).unwrap();
    assert_eq!(two.inputs[0].shape, [2, 2, 3]);
    assert_eq!(two.inputs[0].values, (1..=12_u8).map(f32::from).collect::<Vec<_>>());
}

/// An image that is a row is written like a flat one, so a list of flat images looked like an image for too long.
#[test]
fn flat_images_of_one_row_beyond_the_limit_are_refused() {
    let mut signature = Signature::classifier("predict".parse().unwrap(), 1, 2, 10);
    signature.inputs[0].name = "x".to_owned();
    let read = |body: &str| parse_request(body.as_bytes(), &signature, LIMITS);
    for (body, n_images) in [
        (r#"{"x": [1, 2]}"#, 1),
        (r#"{"x": [[1, 2]]}"#, 1),
        (r#"{"x": [[1, 2], [3, 4], [5, 6]]}"#, 3),
        (r#"{"x": [[[1, 2]], [[3, 4]], [[5, 6]]]}"#, 3),
    ] {
        assert_eq!(read(body).unwrap().inputs[0].shape, [n_images, 1, 2], "{body}");
    }
    let path = "x".to_owned();
    let too_many = Err(TensorError::TooMany { path, images_max: 3 });
    assert_eq!(read(r#"{"x": [[1, 2], [3, 4], [5, 6], [7, 8]]}"#), too_many);
    assert_eq!(read(r#"{"x": [[[1, 2]], [[3, 4]], [[5, 6]], [[7, 8]]]}"#), too_many);
}

#[test]
fn an_image_of_28_by_28_is_refused_with_the_path_of_its_ragged_row() {
    let signature = Signature::classifier("predict".parse().unwrap(), 28, 28, 10);
    let mut images = vec![vec![vec![0_u8; 28]; 28]; 5];
    images[3][17].pop();
    let body = serde_json::json!({ "imgs": images }).to_string();
    let error = parse_request(body.as_bytes(), &signature, Limits { images_max: 8 }).unwrap_err();
    assert_eq!(error.to_string(), "imgs[3][17]: expected 28 numbers, found 27");
    expect![[r#"{"message":"imgs[3][17]: expected 28 numbers, found 27","path":"imgs[3][17]","expected":"28 numbers","found":"27"}"#]]
        .assert_eq(&serde_json::to_string(&error.information()).unwrap());
}

#[test]
fn a_wrong_shape_names_its_path() {
    check_errors(
        &[
            r#"{"x": [[[1,2,3],[4,5]]]}"#,
            r#"{"x": [[[1,2,3],[4,5,6,7]]]}"#,
            r#"{"x": [[[1,2,3]]]}"#,
            r#"{"x": [[[1,2,3],[4,5,6],[7,8,9]]]}"#,
            r#"{"x": [[[1,2,3],[4,5,6]],[[1,2,3],[4,5,[6]]]]}"#,
            r#"{"x": [[[1,2,3],[4,5,6]],7]}"#,
            r#"{"x": [[1,2,3,4]]}"#,
            r#"{"x": [[1,2,3,4,5,6,7]]}"#,
            r#"{"x": [[0,0,0,0,0,0,0,0]]}"#,
            r#"{"x": [[0,0,0,0,0,0],[0,0,0,0]]}"#,
            r#"{"x": [[1,2,3],[4,5,6],[7,8,9]]}"#,
            r#"{"x": [1,2,3,4,5]}"#,
            r#"{"x": [1,2,3,4,5,6,7,8,9,10,11,12]}"#,
            r#"{"x": [[[[1]]]]}"#,
            r#"{"x": 1}"#,
            r#"{"x": []}"#,
            r#"{"x": [[]]}"#,
            r#"{"x": [[[1,2,3],[]]]}"#,
            r#"{"x": [[1,2,3,4,5,6],[]]}"#,
        ],
        expect![[r#"
            "{\"x\": [[[1,2,3],[4,5]]]}"
                x[0][1]: expected 3 numbers, found 2
            "{\"x\": [[[1,2,3],[4,5,6,7]]]}"
                x[0][1]: expected 3 numbers, found more
            "{\"x\": [[[1,2,3]]]}"
                x[0]: expected 2 arrays, found 1
            "{\"x\": [[[1,2,3],[4,5,6],[7,8,9]]]}"
                x[0]: expected 2 arrays, found more
            "{\"x\": [[[1,2,3],[4,5,6]],[[1,2,3],[4,5,[6]]]]}"
                x[1][1][2]: expected a number, found an array
            "{\"x\": [[[1,2,3],[4,5,6]],7]}"
                x[1]: expected an array, found `7`
            "{\"x\": [[1,2,3,4]]}"
                x[0]: expected 3 or 6 numbers, found 4
            "{\"x\": [[1,2,3,4,5,6,7]]}"
                x[0]: expected 3 or 6 numbers, found more
            "{\"x\": [[0,0,0,0,0,0,0,0]]}"
                x[0]: expected 3 or 6 numbers, found more
            "{\"x\": [[0,0,0,0,0,0],[0,0,0,0]]}"
                x[1]: expected 6 numbers, found 4
            "{\"x\": [[1,2,3],[4,5,6],[7,8,9]]}"
                x: expected 2 arrays, found more
            "{\"x\": [1,2,3,4,5]}"
                x: expected 6 numbers, found 5
            "{\"x\": [1,2,3,4,5,6,7,8,9,10,11,12]}"
                x: expected 6 numbers, found more
            "{\"x\": [[[[1]]]]}"
                x[0][0][0]: expected a number, found an array
            "{\"x\": 1}"
                x: expected an array, found `1`
            "{\"x\": []}"
                x: expected numbers of shape [-1, 2, 3], found none
            "{\"x\": [[]]}"
                x[0]: expected numbers of shape [-1, 2, 3], found none
            "{\"x\": [[[1,2,3],[]]]}"
                x[0][1]: expected 3 numbers, found none
            "{\"x\": [[1,2,3,4,5,6],[]]}"
                x[1]: expected 6 numbers, found none
        "#]],
    );
}

#[test]
fn a_wrong_type_names_its_path() {
    check_errors(
        &[
            r#"{"x": [["1",2,3],[4,5,6]]}"#,
            r#"{"x": [[1,2,3],[4,5,true]]}"#,
            r#"{"x": [[1,2,null],[4,5,6]]}"#,
            r#"{"x": [[1,2,NaN],[4,5,6]]}"#,
            r#"{"x": [[1,2,-Infinity],[4,5,6]]}"#,
            r#"{"x": [[1,2,1e400],[4,5,6]]}"#,
            r#"{"x": [[1,2,-1e39],[4,5,6]]}"#,
            r#"{"x": [[1,2,{}],[4,5,6]]}"#,
            r#"{"x": "AAAA"}"#,
            r#"{"x": null}"#,
            r#"{}"#,
            r#"{"y": [1,2,3,4,5,6]}"#,
            r#"{"x": [1,2,3,4,5,6], "x": [1,2,3,4,5,6]}"#,
            r#"[1,2,3,4,5,6]"#,
            r#"null"#,
            r#"{"x": [[1,2,3,4,5,6],[1,2,3,4,5,6],[1,2,3,4,5,6],[1,2,3,4,5,6]]}"#,
        ],
        expect![[r#"
            "{\"x\": [[\"1\",2,3],[4,5,6]]}"
                x[0][0]: expected a number, found a string
            "{\"x\": [[1,2,3],[4,5,true]]}"
                x[1][2]: expected a number, found `true`
            "{\"x\": [[1,2,null],[4,5,6]]}"
                x[0][2]: expected a number, found `null`
            "{\"x\": [[1,2,NaN],[4,5,6]]}"
                x[0][2]: expected a number, found `NaN`
            "{\"x\": [[1,2,-Infinity],[4,5,6]]}"
                x[0][2]: expected a number, found `-Infinity`
            "{\"x\": [[1,2,1e400],[4,5,6]]}"
                x[0][2]: expected a number within ±3.4e38, found `1e400`
            "{\"x\": [[1,2,-1e39],[4,5,6]]}"
                x[0][2]: expected a number within ±3.4e38, found `-1e39`
            "{\"x\": [[1,2,{}],[4,5,6]]}"
                x[0][2]: expected a number, found an object
            "{\"x\": \"AAAA\"}"
                x: expected an array, found a string
            "{\"x\": null}"
                x: expected an array, found `null`
            "{}"
                x: expected an array of numbers, found no such key
            "{\"y\": [1,2,3,4,5,6]}"
                x: expected an array of numbers, found no such key
            "{\"x\": [1,2,3,4,5,6], \"x\": [1,2,3,4,5,6]}"
                x: expected one value, found the key twice
            "[1,2,3,4,5,6]"
                body: expected an object with the inputs, found an array
            "null"
                body: expected an object with the inputs, found `null`
            "{\"x\": [[1,2,3,4,5,6],[1,2,3,4,5,6],[1,2,3,4,5,6],[1,2,3,4,5,6]]}"
                x: expected at most 3 images, found more
        "#]],
    );
}

#[test]
fn what_is_not_json_names_its_line_and_column() {
    check_errors(
        &[
            "",
            "  ",
            "{",
            r#"{"x""#,
            r#"{"x": "#,
            r#"{"x": [1,2"#,
            "{\"x\":\n [1,2,,3]}",
            r#"{"x": [1,2,3,]}"#,
            r#"{"x": [1 2]}"#,
            r#"{"x": [01,2,3,4,5,6]}"#,
            r#"{"x": [1.,2,3,4,5,6]}"#,
            r#"{"x": [.5,2,3,4,5,6]}"#,
            r#"{"x": [+5,2,3,4,5,6]}"#,
            r#"{"x": [1e,2,3,4,5,6]}"#,
            r#"{"x": [1,2,3,4,5,6]} trailing"#,
            r#"{"x": [1,2,3,4,5,6],}"#,
            r#"{x: [1,2,3,4,5,6]}"#,
            r#"{"y": tru, "x": [1,2,3,4,5,6]}"#,
            "{\"ä\":\n [1, [2, \"\\q\"]]}",
            r#"{"\ud800": 1}"#,
        ],
        expect![[r#"
            ""
                not JSON at line 1, column 1: expected an object with the inputs, found the end of the body
            "  "
                not JSON at line 1, column 3: expected an object with the inputs, found the end of the body
            "{"
                not JSON at line 1, column 2: expected a key in quotes, found the end of the body
            "{\"x\""
                not JSON at line 1, column 5: expected `:`, found the end of the body
            "{\"x\": "
                not JSON at line 1, column 7: expected an array, found the end of the body
            "{\"x\": [1,2"
                not JSON at line 1, column 11: expected `,` or `]`, found the end of the body
            "{\"x\":\n [1,2,,3]}"
                not JSON at line 2, column 7: expected a number, found `,`
            "{\"x\": [1,2,3,]}"
                not JSON at line 1, column 14: expected a number, found `]`
            "{\"x\": [1 2]}"
                not JSON at line 1, column 10: expected `,` or `]`, found `2`
            "{\"x\": [01,2,3,4,5,6]}"
                not JSON at line 1, column 9: expected `,` or `]`, found `1`
            "{\"x\": [1.,2,3,4,5,6]}"
                not JSON at line 1, column 10: expected a digit, found `,`
            "{\"x\": [.5,2,3,4,5,6]}"
                not JSON at line 1, column 8: expected a number, found `.`
            "{\"x\": [+5,2,3,4,5,6]}"
                not JSON at line 1, column 8: expected a number, found `+`
            "{\"x\": [1e,2,3,4,5,6]}"
                not JSON at line 1, column 10: expected a digit, found `,`
            "{\"x\": [1,2,3,4,5,6]} trailing"
                not JSON at line 1, column 22: expected the end of the body, found `t`
            "{\"x\": [1,2,3,4,5,6],}"
                not JSON at line 1, column 21: expected a key in quotes, found `}`
            "{x: [1,2,3,4,5,6]}"
                not JSON at line 1, column 2: expected a key in quotes, found `x`
            "{\"y\": tru, \"x\": [1,2,3,4,5,6]}"
                not JSON at line 1, column 10: expected ident
            "{\"ä\":\n [1, [2, \"\\q\"]]}"
                not JSON at line 2, column 12: invalid escape
            "{\"\\ud800\": 1}"
                not JSON at line 1, column 9: unexpected end of hex escape
        "#]],
    );
    let error = parse(b"{\"x\": [1,\n\xff]}").unwrap_err();
    assert_eq!(error.to_string(), "not JSON at line 2, column 1: invalid UTF-8");
}

#[test]
fn hostile_bodies_end_early() {
    let brackets = "[".repeat(150_000);
    for body in [
        format!("{{\"x\": {brackets}"),
        format!("{{\"x\": [1], \"y\": {brackets}"),
        format!("{{\"y\": {brackets}"),
        brackets.clone(),
        format!("{{\"x\": [{}", "1,".repeat(150_000)),
        format!("{{\"x\": [[[1{}]]]}}", "0".repeat(150_000)),
        format!("{{\"{}", "k".repeat(150_000)),
    ] {
        let error = parse(&body).unwrap_err().to_string();
        assert!(error.len() < 300, "{error}");
    }
    let extra = format!(r#"{{"y": {brackets}{}, "x": [1,2,3,4,5,6]}}"#, "]".repeat(150_000));
    assert_eq!(parse(extra).unwrap().inputs[0].values.len(), 6);
}

#[test]
fn several_inputs_come_in_the_order_of_the_signature() {
    let field = |name: &str, shape: &[Dimension]| Field {
        name: name.to_owned(),
        element: ElementType::Float32,
        shape: shape.to_vec(),
        quantity: None,
    };
    let mut signature = small();
    signature.inputs = vec![
        field("a", &[Dimension::Fixed(2)]),
        field("b", &[Dimension::Any, Dimension::Any]),
        field("c", &[]),
    ];
    let body = br#"{"c": 5, "b": [[1,2,3],[4,5,6]], "a": [7,8]}"#;
    let request = parse_request(body, &signature, LIMITS).unwrap();
    let shapes: Vec<_> = request.inputs.iter().map(|input| input.shape.clone()).collect();
    assert_eq!(shapes, [vec![2], vec![2, 3], vec![]]);
    let ragged = br#"{"a": [1,2], "b": [[1,2,3],[4,5]], "c": 1}"#;
    let error = parse_request(ragged, &signature, LIMITS).unwrap_err();
    assert_eq!(error.to_string(), "b[1]: expected 3 numbers, found 2");
}

/// JSON of images, with the numbers as any client may print them.
fn written(values: &[f32], print: impl Fn(f32) -> String) -> String {
    let mut body = "{\"x\":[".to_owned();
    for (index, value) in values.iter().enumerate() {
        let separator = match index {
            0 => "[[",
            _ if index % 6 == 0 => "]],[[",
            _ if index % 3 == 0 => "],[",
            _ => ",",
        };
        write!(body, "{separator}{}", print(*value)).unwrap();
    }
    body + "]]]}"
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_to_the_last_bit(
        n_images in 1_usize..=3,
        pool in proptest::collection::vec(proptest::num::f32::NORMAL | proptest::num::f32::SUBNORMAL | proptest::num::f32::ZERO, 18),
    ) {
        let values = &pool[..n_images * 6];
        let prints: [fn(f32) -> String; 3] = [|v| format!("{v}"), |v| format!("{v:e}"), |v| format!("{}", f64::from(v))];
        for print in prints {
            let request = parse(written(values, print)).unwrap();
            prop_assert_eq!(&request.inputs[0].shape, &[n_images, 2, 3]);
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&request.inputs[0].values), bits(values));
        }
    }

    #[test]
    fn any_bytes_give_a_request_or_an_error(body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = parse(body);
    }

    #[test]
    fn any_text_that_looks_like_json_gives_what_serde_json_allows(
        body in r#"\{("x"|"y"): ?(\[|\]|,|-|0|1\.5|2e3|null|"|\\|[ \n]|[a-z]){0,12}(\]\])?\}?"#,
    ) {
        let accepted = parse(&body).is_ok();
        prop_assert!(!accepted || serde_json::from_str::<serde_json::Value>(&body).is_ok());
    }
}
