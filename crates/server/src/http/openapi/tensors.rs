//! What the fields of a signature look like in JSON.

use serde_json::{Value, json};

use formats::signature::{Dimension, ElementType, Field};

/// The body of a request with these inputs, for at most `images_max` images; keys that no input has are ignored.
pub(super) fn request(inputs: &[Field], images_max: usize) -> Value {
    object(inputs, |field| {
        let element = element(field.element);
        let image = &field.shape[1..];
        let flat = Dimension::Fixed(length(image));
        let forms = [[Dimension::Any].as_slice(), &[]]
            .into_iter()
            .flat_map(|images| [[images, image].concat(), [images, &[flat]].concat()]);
        let forms: Vec<Value> = forms.map(|shape| array(&shape, element.clone(), images_max)).collect();
        json!({"anyOf": forms})
    })
}

/// The answer with these outputs.
pub(super) fn answer(outputs: &[Field], images_max: usize) -> Value {
    object(outputs, |field| array(&field.shape, element(field.element), images_max))
}

fn object(fields: &[Field], schema: impl Fn(&Field) -> Value) -> Value {
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let properties: serde_json::Map<String, Value> =
        fields.iter().map(|field| (field.name.clone(), schema(field))).collect();
    json!({"type": "object", "required": names, "properties": properties})
}

/// Arrays in arrays, the outermost dimension first.
fn array(shape: &[Dimension], element: Value, images_max: usize) -> Value {
    shape.iter().rev().fold(element, |items, dimension| match dimension {
        Dimension::Any => json!({"type": "array", "minItems": 1, "maxItems": images_max, "items": items}),
        Dimension::Fixed(length) => json!({"type": "array", "minItems": length, "maxItems": length, "items": items}),
    })
}

fn element(element: ElementType) -> Value {
    match element {
        ElementType::Float32 => json!({"type": "number", "minimum": f32::MIN, "maximum": f32::MAX}),
        ElementType::Int64 => json!({"type": "integer", "format": "int64"}),
        ElementType::String => json!({"type": "string"}),
    }
}

/// The number of elements of such a shape.
fn length(shape: &[Dimension]) -> u32 {
    let lengths = shape.iter().map(|dimension| match dimension {
        Dimension::Any => 1,
        Dimension::Fixed(length) => *length,
    });
    lengths.product()
}
