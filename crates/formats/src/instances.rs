//! The first version of the protocol of model servers, as TensorFlow Serving and KServe have it: a request with
//! `instances` is answered with `predictions`, one with `inputs` with `outputs`.

use crate::{
    open_inference::answer::Elements,
    signature::{Field, Signature},
    tensor::{Limits, Request, Tensor, TensorError, array, cursor::Cursor, mismatch, outputs::Outputs},
};

/// How the images of a request stand in its body, and with that how the answer stands in its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One entry for each image: `instances`, `predictions`.
    Row,
    /// All images of an input together: `inputs`, `outputs`.
    Column,
}

/// Reads a body into the buffers of `request`: `{"instances": […]}` with one entry for each image, or `{"inputs": …}`
/// with all of them.
///
/// The images of the only input stand there as they are; those of inputs with a name in an object, for each entry of
/// `instances`, or once in `inputs`. Other keys are ignored.
pub fn read(body: &[u8], signature: &Signature, limits: Limits, request: &mut Request) -> Result<Format, TensorError> {
    request.inputs.resize_with(signature.inputs.len(), Tensor::default);
    request.inputs.iter_mut().for_each(|input| input.values.clear());
    let mut key_before = None;
    let mut cursor = Cursor::new(body)?;
    cursor.object("body", |cursor, key| {
        let key = match key {
            "instances" => "instances",
            "inputs" => "inputs",
            _ => return cursor.skip(),
        };
        if let Some(before) = key_before.replace(key) {
            return Err(mismatch(
                key,
                "one of `instances` and `inputs`, once",
                format!("`{before}` before it"),
            ));
        }
        let mut inside = cursor.clone();
        let is_array = inside.take(b'[');
        match (key, is_array, inside.peek()) {
            ("instances", true, Some(b'{')) => rows(cursor, signature, limits, request),
            ("inputs", false, Some(b'{')) => columns(cursor, signature, limits, request),
            _ => only(cursor, key, signature, limits, &mut request.inputs),
        }
    })?;
    cursor.end()?;
    let Some(key) = key_before else {
        return Err(mismatch("body", "`instances` or `inputs`", "no such key"));
    };
    let mut inputs = signature.inputs.iter().zip(&request.inputs);
    match inputs.find(|(_, tensor)| tensor.values.is_empty()) {
        Some((field, _)) => Err(mismatch(key, format!("`{}`", field.name), "no such key")),
        None if key == "instances" => Ok(Format::Row),
        None => Ok(Format::Column),
    }
}

/// Appends the answer in the format of the request, with these fields of a signature. A field that is the only one stands
/// there without its name.
pub fn write(format: Format, fields: &[Field], outputs: Outputs<'_>, json: &mut Vec<u8>) {
    match format {
        Format::Row => write_rows(fields, outputs, json),
        Format::Column => {
            json.extend_from_slice(b"{\"outputs\":");
            match fields {
                [only] => outputs.write_field(only, json),
                fields => outputs.write_fields(fields, json),
            }
            json.push(b'}');
        }
    }
}

fn write_rows(fields: &[Field], outputs: Outputs<'_>, json: &mut Vec<u8>) {
    let n_images = outputs.class_ids.len();
    let fields: Vec<_> = fields
        .iter()
        .map(|field| (field, Elements::of(field, outputs)))
        .collect();
    json.extend_from_slice(b"{\"predictions\":[");
    for image in 0..n_images {
        if image > 0 {
            json.push(b',');
        }
        if let [(field, elements)] = fields.as_slice() {
            write_row(field, elements, image, n_images, json);
            continue;
        }
        json.push(b'{');
        for (index, (field, elements)) in fields.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            serde_json::to_writer(&mut *json, &field.name).expect("a text has a JSON form, and a vector takes it");
            json.push(b':');
            write_row(field, elements, image, n_images, json);
        }
        json.push(b'}');
    }
    json.extend_from_slice(b"]}");
}

/// Appends what belongs to one image, of so many: an array, or a single value.
fn write_row(field: &Field, elements: &Elements<'_>, image: usize, n_images: usize, json: &mut Vec<u8>) {
    let is_array = field.shape.len() > 1;
    if is_array {
        json.push(b'[');
    }
    elements.write_row(image, n_images, json);
    if is_array {
        json.push(b']');
    }
}

/// The images of the only input.
fn only(
    cursor: &mut Cursor<'_>,
    key: &str,
    signature: &Signature,
    limits: Limits,
    inputs: &mut [Tensor],
) -> Result<(), TensorError> {
    let ([field], [tensor]) = (signature.inputs.as_slice(), inputs) else {
        return Err(cursor.mismatch(key, "objects with the inputs"));
    };
    array::read(cursor, &called(field, key.to_owned()), limits, tensor)
}

/// An object with all images of each input.
fn columns(
    cursor: &mut Cursor<'_>,
    signature: &Signature,
    limits: Limits,
    request: &mut Request,
) -> Result<(), TensorError> {
    cursor.object("inputs", |cursor, key| {
        let Some(index) = signature.inputs.iter().position(|field| field.name == key) else {
            return cursor.skip();
        };
        let path = format!("inputs.{key}");
        let tensor = &mut request.inputs[index];
        if !tensor.values.is_empty() {
            return Err(mismatch(path, "one value", "the key twice"));
        }
        array::read(cursor, &called(&signature.inputs[index], path), limits, tensor)
    })
}

/// An array of objects, each with one image of each input.
fn rows(
    cursor: &mut Cursor<'_>,
    signature: &Signature,
    limits: Limits,
    request: &mut Request,
) -> Result<(), TensorError> {
    cursor.array("instances", |cursor, row| {
        if row == limits.images_max {
            return Err(TensorError::TooMany {
                path: "instances".to_owned(),
                images_max: limits.images_max,
            });
        }
        let mut n_inputs = 0;
        cursor.object(format_args!("instances[{row}]"), |cursor, key| {
            let Some(index) = signature.inputs.iter().position(|field| field.name == key) else {
                return cursor.skip();
            };
            n_inputs += 1;
            let path = format!("instances[{row}].{key}");
            let mut image = Tensor::default();
            let one = Limits { images_max: 1 };
            array::read(cursor, &called(&signature.inputs[index], path.clone()), one, &mut image)?;
            let tensor = &mut request.inputs[index];
            tensor.values.append(&mut image.values);
            image.shape[0] = row + 1;
            if tensor.values.len() != image.shape.iter().product::<usize>() {
                return Err(mismatch(path, "one value in each entry", "another number of them"));
            }
            tensor.shape = image.shape;
            Ok(())
        })?;
        if n_inputs == signature.inputs.len() {
            return Ok(());
        }
        let names: Vec<String> = signature
            .inputs
            .iter()
            .map(|field| format!("`{}`", field.name))
            .collect();
        let found = format!("{n_inputs} of them");
        Err(mismatch(format!("instances[{row}]"), names.join(" and "), found))
    })
}

/// The field under the name by which the client finds it in its body.
fn called(field: &Field, path: String) -> Field {
    Field {
        name: path,
        ..field.clone()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { images_max: 3 };

    /// An input `x` of shape [-1, 2, 1].
    fn small() -> Signature {
        let mut signature = Signature::classifier("predict".parse().unwrap(), 2, 1, 2);
        signature.inputs[0].name = "x".to_owned();
        signature
    }

    fn parse(body: &str) -> Result<Tensor, TensorError> {
        let mut request = Request::default();
        read(body.as_bytes(), &small(), LIMITS, &mut request)?;
        Ok(request.inputs.remove(0))
    }

    #[test]
    fn images_come_in_rows_or_columns_with_or_without_a_name() {
        for body in [
            r#"{"instances": [[[1], [2]], [[3], [4]]]}"#,
            r#"{"signature_name": "predict", "instances": [[1, 2], [3, 4]]}"#,
            r#"{"instances": [{"x": [[1], [2]]}, {"y": 1, "x": [3, 4]}]}"#,
            r#"{"inputs": [[[1], [2]], [[3], [4]]]}"#,
            r#"{"inputs": {"x": [[1, 2], [3, 4]], "y": [1]}}"#,
        ] {
            let tensor = parse(body).unwrap_or_else(|error| panic!("{body}: {error}"));
            assert_eq!(
                (tensor.shape, tensor.values),
                (vec![2, 2, 1], vec![1.0, 2.0, 3.0, 4.0]),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        let lines = [
            "",
            "[]",
            "{}",
            r#"{"instances": 7}"#,
            r#"{"instances": []}"#,
            r#"{"instances": [[1, 2, 3]]}"#,
            r#"{"instances": [[1, "2"]]}"#,
            r#"{"instances": [[1, 2]], "inputs": [[1, 2]]}"#,
            r#"{"instances": [{}]}"#,
            r#"{"instances": [{"x": [1, 2]}, 7]}"#,
            r#"{"instances": [{"x": [1, 2]}, {"x": [[1, 2], [3, 4]]}]}"#,
            r#"{"instances": [{"x": [1, 2], "x": [3, 4]}]}"#,
            r#"{"instances": [{"x": [1, 2]}, {"x": [1, 2]}, {"x": [1, 2]}, {"x": [1, 2]}]}"#,
            r#"{"instances": [[1, 2], [1, 2], [1, 2], [1, 2]]}"#,
            r#"{"inputs": {"y": [1, 2]}}"#,
            r#"{"inputs": {"x": [1, 2], "x": [1, 2]}}"#,
            r#"{"inputs": {"x": [1, 1e40]}}"#,
        ]
        .map(|body| format!("{body}\n    {}\n", parse(body).unwrap_err()));
        expect![[r#"

                not JSON at line 1, column 1: expected an object, found the end of the body
            []
                body: expected an object, found an array
            {}
                body: expected `instances` or `inputs`, found no such key
            {"instances": 7}
                instances: expected an array, found `7`
            {"instances": []}
                instances: expected numbers of shape [-1, 2, 1], found none
            {"instances": [[1, 2, 3]]}
                instances[0]: expected 1 or 2 numbers, found more
            {"instances": [[1, "2"]]}
                instances[0][1]: expected a number, found a string
            {"instances": [[1, 2]], "inputs": [[1, 2]]}
                inputs: expected one of `instances` and `inputs`, once, found `instances` before it
            {"instances": [{}]}
                instances[0]: expected `x`, found 0 of them
            {"instances": [{"x": [1, 2]}, 7]}
                instances[1]: expected an object, found `7`
            {"instances": [{"x": [1, 2]}, {"x": [[1, 2], [3, 4]]}]}
                instances[1].x: expected at most 1 images, found more
            {"instances": [{"x": [1, 2], "x": [3, 4]}]}
                instances[0].x: expected one value in each entry, found another number of them
            {"instances": [{"x": [1, 2]}, {"x": [1, 2]}, {"x": [1, 2]}, {"x": [1, 2]}]}
                instances: expected at most 3 images, found more
            {"instances": [[1, 2], [1, 2], [1, 2], [1, 2]]}
                instances: expected at most 3 images, found more
            {"inputs": {"y": [1, 2]}}
                inputs: expected `x`, found no such key
            {"inputs": {"x": [1, 2], "x": [1, 2]}}
                inputs.x: expected one value, found the key twice
            {"inputs": {"x": [1, 1e40]}}
                inputs.x[1]: expected a number within ±3.4e38, found `1e40`
        "#]]
        .assert_eq(&lines.concat());
    }

    /// What is answered about two images.
    fn answer(format: Format, fields: &[Field]) -> String {
        let outputs = Outputs {
            class_ids: &[1, 10],
            logits: &[0.5, 1.0, -2.0, 1e-7],
            probabilities: &[0.25, 0.75, 0.5, 0.5],
        };
        let mut json = Vec::new();
        write(format, fields, outputs, &mut json);
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn instances_are_answered_with_predictions_and_inputs_with_outputs() {
        let mut fields = small().outputs;
        fields[1].shape.truncate(1);
        fields[2].name = "all_classes".to_owned();
        expect![[r#"{"predictions":[{"class_ids":[1],"classes":"1","all_classes":["0","1"],"probabilities":[0.25,0.75]},{"class_ids":[10],"classes":"10","all_classes":["0","1"],"probabilities":[0.5,0.5]}]}"#]].assert_eq(&answer(Format::Row, &fields));
        expect![[r#"{"outputs":{"class_ids":[[1],[10]],"classes":["1","10"],"all_classes":[["0","1"],["0","1"]],"probabilities":[[0.25,0.75],[0.5,0.5]]}}"#]].assert_eq(&answer(Format::Column, &fields));
        for (body, format) in [
            (r#"{"instances": [[1, 2]]}"#, Format::Row),
            (r#"{"inputs": [[1, 2]]}"#, Format::Column),
        ] {
            let read = read(body.as_bytes(), &small(), LIMITS, &mut Request::default());
            assert_eq!(read, Ok(format), "{body}");
        }
    }

    #[test]
    fn the_only_output_is_answered_without_its_name() {
        let mut fields = small().outputs;
        fields.drain(..3);
        expect![[r#"{"predictions":[[0.25,0.75],[0.5,0.5]]}"#]].assert_eq(&answer(Format::Row, &fields));
        expect![[r#"{"outputs":[[0.25,0.75],[0.5,0.5]]}"#]].assert_eq(&answer(Format::Column, &fields));
        let mut fields = small().outputs;
        fields.truncate(1);
        fields[0].shape.truncate(1);
        expect![[r#"{"predictions":[1,10]}"#]].assert_eq(&answer(Format::Row, &fields));
        expect![[r#"{"outputs":[1,10]}"#]].assert_eq(&answer(Format::Column, &fields));
    }

    proptest! {
        #[test]
        fn any_text_gives_images_or_an_error(body in r#"\{"(instances|inputs)": ?[\[\]\{\}"x:0-9, ]{0,40}"#) {
            let _ = parse(&body);
        }
    }
}
