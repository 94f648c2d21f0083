//! As much of JSON Schema as the document uses; a keyword that is not known here fails the test that meets it.

use axum::{
    body::Body,
    http::{Response, header},
};
use http_body_util::BodyExt;
use serde_json::Value;

/// The answer is one that the operation describes.
pub(super) async fn check_answer(document: &Value, operation: &Value, response: Response<Body>, name: &str) {
    let described = &operation["responses"][response.status().as_str()];
    assert!(described.is_object(), "{name}: {} is not described", response.status());
    let (media_type, content) = described["content"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], media_type.as_str(), "{name}");
    for (header, _) in described["headers"].as_object().into_iter().flatten() {
        assert!(response.headers().contains_key(header), "{name}: no {header}");
    }
    if media_type == "application/json" {
        let body = response.into_body().collect().await.unwrap().to_bytes();
        check(
            document,
            &content["schema"],
            &serde_json::from_slice(&body).unwrap(),
            name,
        );
    }
}

/// `value` is what `schema` describes.
pub(super) fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    let problem = problem(document, schema, value, place);
    assert_eq!(problem, None, "{value}");
}

fn problem(document: &Value, schema: &Value, value: &Value, place: &str) -> Option<String> {
    let mut keywords = schema.as_object()?.iter();
    keywords.find_map(|(keyword, expected)| {
        let found = keyword_problem(document, schema, keyword, value, place)?;
        Some(format!("{found}: `{keyword}` is {expected}"))
    })
}

fn keyword_problem(document: &Value, schema: &Value, keyword: &str, value: &Value, place: &str) -> Option<String> {
    let expected = &schema[keyword];
    let is_right = match keyword {
        "$ref" => {
            let pointer = expected.as_str().unwrap().trim_start_matches('#');
            let referred = document
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{pointer} leads nowhere"));
            return problem(document, referred, value, place);
        }
        "anyOf" | "oneOf" => {
            let problems = expected.as_array().unwrap().iter();
            let right = problems
                .filter(|schema| problem(document, schema, value, place).is_none())
                .count();
            right == 1 || (keyword == "anyOf" && right > 1)
        }
        "items" => {
            let mut items = value.as_array()?.iter().enumerate();
            return items.find_map(|(index, item)| problem(document, expected, item, &format!("{place}[{index}]")));
        }
        "properties" => {
            let mut properties = value.as_object()?.iter();
            return properties
                .find_map(|(key, value)| problem(document, expected.get(key)?, value, &format!("{place}.{key}")));
        }
        "type" => match expected.as_array() {
            Some(types) => types.iter().any(|expected| is_of_type(value, expected)),
            None => is_of_type(value, expected),
        },
        "required" => expected
            .as_array()
            .unwrap()
            .iter()
            .all(|key| value.get(key.as_str().unwrap()).is_some()),
        "additionalProperties" => {
            let mut keys = value.as_object()?.keys();
            *expected != false || keys.all(|key| schema["properties"].get(key).is_some())
        }
        "enum" => expected.as_array().unwrap().contains(value),
        "const" => expected == value,
        "minimum" => value.as_f64()? >= expected.as_f64().unwrap(),
        "maximum" => value.as_f64()? <= expected.as_f64().unwrap(),
        "minItems" => value.as_array()?.len() as u64 >= expected.as_u64().unwrap(),
        "maxItems" => value.as_array()?.len() as u64 <= expected.as_u64().unwrap(),
        "maxLength" => value.as_str()?.len() as u64 <= expected.as_u64().unwrap(),
        // Notes for the reader. What a pattern means, the tests of names and versions say.
        "description" | "title" | "format" | "default" | "pattern" => true,
        _ => panic!("{place}: the keyword `{keyword}` is not known here"),
    };
    (!is_right).then(|| place.to_owned())
}

fn is_of_type(value: &Value, expected: &Value) -> bool {
    match expected.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("`{other}` is no type"),
    }
}
