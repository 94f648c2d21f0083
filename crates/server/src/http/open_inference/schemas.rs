//! Requests and answers of inference, as the OpenAPI document describes them.

use serde_json::{Value, json};

use formats::{
    open_inference::element::{self, InputType},
    signature::{Field, Signature},
};

/// The body of a request; further keys are ignored, and those that are optional may be `null`.
pub(super) fn request(signature: &Signature) -> Value {
    let datatypes = InputType::ALL.map(InputType::name);
    let input = json!({
        "type": "object",
        "required": ["name", "datatype", "shape"],
        "properties": {
            "name": {"enum": names(&signature.inputs)},
            "datatype": {"enum": datatypes},
            "shape": shape(),
            "data": {
                "description": "The elements, in one row or nested as the shape is; without it they come in binary form.",
                "type": "array",
            },
            "parameters": {
                "type": ["object", "null"],
                "properties": {"binary_data_size": {"type": "integer", "minimum": 0}},
            },
        },
    });
    let output = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"enum": names(&signature.outputs)},
            "parameters": {"type": ["object", "null"], "properties": {"binary_data": {"type": "boolean"}}},
        },
    });
    json!({
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "inputs": {"type": "array", "minItems": signature.inputs.len(), "items": input},
            "outputs": {"type": ["array", "null"], "items": output},
            "parameters": {"type": ["object", "null"], "properties": {"binary_data_output": {"type": "boolean"}}},
        },
    })
}

/// A request about one image.
pub(super) fn example(image: &Value) -> Value {
    json!({
        "id": "1",
        "inputs": [{"name": "imgs", "datatype": "FP32", "shape": [28, 28], "data": image}],
        "outputs": [{"name": "class_ids"}, {"name": "probabilities"}],
    })
}

/// The answer, where no output is wanted in binary form.
pub(super) fn answer(signature: &Signature) -> Value {
    let datatypes: Vec<&str> = signature
        .outputs
        .iter()
        .map(|field| element::name(field.element))
        .collect();
    let output = json!({
        "type": "object",
        "required": ["name", "datatype", "shape"],
        "properties": {
            "name": {"enum": names(&signature.outputs)},
            "datatype": {"enum": datatypes},
            "shape": shape(),
            "data": {"type": "array"},
            "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer"}}},
        },
    });
    json!({
        "type": "object",
        "required": ["model_name", "outputs"],
        "properties": {
            "model_name": {"type": "string"},
            "model_version": {"type": "string"},
            "id": {"type": "string"},
            "outputs": {"type": "array", "items": output},
        },
    })
}

fn names(fields: &[Field]) -> Vec<&str> {
    fields.iter().map(|field| field.name.as_str()).collect()
}

fn shape() -> Value {
    json!({"type": "array", "items": {"type": "integer", "minimum": 1}})
}
