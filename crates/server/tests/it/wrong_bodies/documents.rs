//! Wrong bodies in JSON, with and without binary tensors behind them.

use super::{COUNTS, NAMES, SHAPES, TYPES, Wrong, cuts};

/// What stands in place of a number.
const VALUES: [&str; 16] = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e39",
    "-1e39",
    "null",
    "true",
    "\"1\"",
    "[1]",
    "[]",
    "{}",
    "01",
    "1.",
    ".5",
    "+1",
    "0x1",
];

/// What stands in place of an object or array.
const OTHERS: [&str; 6] = ["null", "7", "\"imgs\"", "true", "[]", "{}"];

/// The parts of an input.
struct Input {
    name: String,
    datatype: String,
    shape: String,
    rest: String,
}

impl Input {
    /// With all its numbers in JSON.
    fn right() -> Self {
        Self {
            rest: format!("\"data\":[{}]", numbers(784)),
            ..Self::bare()
        }
    }

    /// With its numbers elsewhere.
    fn bare() -> Self {
        Self {
            name: "\"imgs\"".to_owned(),
            datatype: "\"FP32\"".to_owned(),
            shape: "[1,784]".to_owned(),
            rest: size(4 * 784),
        }
    }

    fn body(&self) -> String {
        let Self {
            name,
            datatype,
            shape,
            rest,
        } = self;
        format!(r#"{{"inputs":[{{"name":{name},"datatype":{datatype},"shape":{shape},{rest}}}]}}"#)
    }
}

fn numbers(n: usize) -> String {
    vec!["0.5"; n].join(",")
}

fn size(n_bytes: usize) -> String {
    format!("\"parameters\":{{\"binary_data_size\":{n_bytes}}}")
}

/// An input with one thing changed, as a way and a body.
fn changed(inputs: &mut Vec<(String, Input)>, make: fn() -> Input) {
    for datatype in TYPES {
        let datatype = format!("{datatype:?}");
        inputs.push((format!("type {datatype}"), Input { datatype, ..make() }));
    }
    for shape in SHAPES {
        let shape = format!("{shape:?}");
        inputs.push((format!("shape {shape}"), Input { shape, ..make() }));
    }
    for shape in [
        "\"[784]\"",
        "[1.5]",
        "[\"784\"]",
        "[99999999999999999999]",
        "[[784]]",
        "784",
    ] {
        let way = format!("shape {shape}");
        let shape = shape.to_owned();
        inputs.push((way, Input { shape, ..make() }));
    }
    for name in NAMES {
        let name = format!("{name:?}");
        inputs.push((format!("name {name}"), Input { name, ..make() }));
    }
}

pub(super) fn right() -> Wrong {
    Wrong::new("nothing", Input::right().body())
}

pub(super) fn wrong() -> Vec<Wrong> {
    let mut inputs = Vec::new();
    changed(&mut inputs, Input::right);
    for n in COUNTS {
        let rest = format!("\"data\":[{}]", numbers(n));
        inputs.push((format!("{n} numbers"), Input { rest, ..Input::right() }));
    }
    for value in VALUES {
        let rest = format!("\"data\":[{},{value}]", numbers(783));
        inputs.push((format!("value {value}"), Input { rest, ..Input::right() }));
    }
    let mut all: Vec<Wrong> = inputs
        .into_iter()
        .map(|(way, input)| Wrong::new(way, input.body()))
        .collect();
    all.extend(of_whole_bodies(&Input::right().body()));
    all.extend(cuts(Input::right().body().as_bytes()));
    all
}

/// What is wrong around the input.
fn of_whole_bodies(body: &str) -> Vec<Wrong> {
    let input = body.strip_prefix("{\"inputs\":[").unwrap().strip_suffix("]}").unwrap();
    let with = |rest: &str| format!("{},{rest}}}", body.strip_suffix('}').unwrap());
    let mut all = vec![
        Wrong::new("the input twice", format!("{{\"inputs\":[{input},{input}]}}")),
        Wrong::new("the inputs twice", with(&format!("\"inputs\":[{input}]"))),
        Wrong::new("a number as id", with("\"id\":7")),
        Wrong::new("an unknown output", with(r#""outputs":[{"name":"x"}]"#)),
        Wrong::new(
            "an output twice",
            with(r#""outputs":[{"name":"logits"},{"name":"logits"}]"#),
        ),
        Wrong::new("an output without a name", with(r#""outputs":[{}]"#)),
        Wrong::new(
            "classification",
            with(r#""outputs":[{"name":"logits","parameters":{"classification":1}}]"#),
        ),
        Wrong::new("text behind it", format!("{body}{{}}")),
    ];
    for other in OTHERS {
        all.push(Wrong::new(format!("inputs {other}"), format!("{{\"inputs\":{other}}}")));
        all.push(Wrong::new(format!("body {other}"), other));
        all.push(Wrong::new(
            format!("input {other}"),
            format!("{{\"inputs\":[{other}]}}"),
        ));
    }
    all
}

/// The JSON of `input`, and behind it `elements`.
fn binary(way: impl Into<String>, input: &Input, elements: &[u8]) -> Wrong {
    let json = input.body();
    Wrong {
        n_json_bytes: Some(json.len().to_string()),
        ..Wrong::new(way, [json.as_bytes(), elements].concat())
    }
}

pub(super) fn right_binary() -> Wrong {
    binary("nothing", &Input::bare(), &[0; 4 * 784])
}

pub(super) fn wrong_binary() -> Vec<Wrong> {
    const RIGHT: usize = 4 * 784;
    let mut inputs = Vec::new();
    changed(&mut inputs, Input::bare);
    for n_bytes in [0, 1, RIGHT - 4, RIGHT - 1, RIGHT + 1, RIGHT + 4, 2 * RIGHT, usize::MAX] {
        let rest = size(n_bytes);
        inputs.push((format!("said to be {n_bytes} bytes"), Input { rest, ..Input::bare() }));
    }
    for text in ["-1", "3136.0", "\"3136\"", "null", "99999999999999999999"] {
        let rest = format!("\"parameters\":{{\"binary_data_size\":{text}}}");
        inputs.push((format!("said to be {text} bytes"), Input { rest, ..Input::bare() }));
    }
    let rest = format!("{},\"data\":[{}]", size(RIGHT), numbers(784));
    inputs.push(("numbers in both places".to_owned(), Input { rest, ..Input::bare() }));
    let elements = [0; RIGHT];
    let mut all: Vec<Wrong> = inputs
        .iter()
        .map(|(way, input)| binary(way, input, &elements))
        .collect();
    for n_bytes in [0, 1, 4, RIGHT - 4, RIGHT - 1, RIGHT + 1, RIGHT + 4] {
        all.push(binary(format!("{n_bytes} bytes"), &Input::bare(), &vec![0; n_bytes]));
    }
    for (way, number) in [
        ("NaN", f32::NAN),
        ("infinity", f32::INFINITY),
        ("its negative", f32::NEG_INFINITY),
    ] {
        all.push(binary(way, &Input::bare(), &number.to_le_bytes().repeat(784)));
    }
    let length = Input::bare().body().len();
    for said in ["", "-1", "x", "1.5", "99999999999999999999"]
        .map(str::to_owned)
        .into_iter()
        .chain([1, length - 1, length + 1, length + RIGHT, length + RIGHT + 1].map(|length| length.to_string()))
    {
        let way = format!("JSON said to be {said} bytes");
        all.push(Wrong {
            n_json_bytes: Some(said),
            ..binary(way, &Input::bare(), &elements)
        });
    }
    all
}

pub(super) fn right_v1() -> Wrong {
    Wrong::new("nothing", format!("{{\"instances\":[[{}]]}}", numbers(784)))
}

pub(super) fn wrong_v1() -> Vec<Wrong> {
    let mut all = Vec::new();
    for key in ["instances", "inputs"] {
        for value in VALUES {
            let body = format!("{{\"{key}\":[[{},{value}]]}}", numbers(783));
            all.push(Wrong::new(format!("{key}, value {value}"), body));
        }
        for n in COUNTS.into_iter().filter(|n| *n > 0) {
            all.push(Wrong::new(
                format!("{key}, {n} numbers"),
                format!("{{\"{key}\":[[{}]]}}", numbers(n)),
            ));
        }
        for other in OTHERS {
            all.push(Wrong::new(format!("{key} {other}"), format!("{{\"{key}\":{other}}}")));
            all.push(Wrong::new(
                format!("{key} of {other}"),
                format!("{{\"{key}\":[{other}]}}"),
            ));
        }
        let many = vec![format!("[{}]", numbers(784)); 21].join(",");
        all.push(Wrong::new(
            format!("{key}, too many"),
            format!("{{\"{key}\":[{many}]}}"),
        ));
    }
    all.extend(OTHERS.map(|other| Wrong::new(format!("body {other}"), other)));
    let image = numbers(784);
    all.push(Wrong::new(
        "both keys",
        format!("{{\"instances\":[[{image}]],\"inputs\":[[{image}]]}}"),
    ));
    all.extend(cuts(&right_v1().body));
    all
}
