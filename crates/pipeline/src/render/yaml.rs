//! JSON values as YAML that people read.

use serde_json::Value;

use crate::settings::Quantity;

/// Documents, one after the other.
pub(crate) fn documents(objects: &[Value]) -> String {
    let documents: Vec<String> = objects.iter().map(document).collect();
    documents.join("---\n")
}

/// One document. Text in double braces is for Helm, which puts a value in its place, and stands as it is.
pub(crate) fn document(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

/// Writes a value that begins on a line of its own.
fn write(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                *text += &" ".repeat(indent);
                *text += &scalar(key);
                *text += ":";
                write_behind(value, indent, indent + 2, text);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for value in list {
                *text += &" ".repeat(indent);
                *text += "-";
                let start = text.len();
                write(value, indent + 2, text);
                // What begins behind the dash needs no line of its own.
                let first = text[start..].trim_start().to_owned();
                text.truncate(start);
                *text += &format!(" {first}");
            }
        }
        flat => *text += &format!("{}{}\n", " ".repeat(indent), of_flat(flat)),
    }
}

/// Writes a value behind a colon: on the same line where it fits there. Lists stand as far left as their key.
fn write_behind(value: &Value, list_indent: usize, indent: usize, text: &mut String) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            *text += "\n";
            write(value, indent, text);
        }
        Value::Array(list) if !list.is_empty() => {
            *text += "\n";
            write(value, list_indent, text);
        }
        Value::String(lines) if is_block(lines) => {
            *text += " |\n";
            for line in lines.lines() {
                *text += format!("{}{line}", " ".repeat(indent)).trim_end();
                *text += "\n";
            }
        }
        flat => *text += &format!(" {}\n", of_flat(flat)),
    }
}

/// Text of several lines, as a block keeps it.
fn is_block(text: &str) -> bool {
    let is_plain = |c: char| c == '\n' || !c.is_control();
    text.ends_with('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\n'])
        && text.chars().all(is_plain)
        && text.lines().all(|line| line.trim_end() == line)
}

fn of_flat(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        // Empty ones too: YAML has those of JSON.
        other => other.to_string(),
    }
}

/// Text without quotes where nothing else can be meant.
fn scalar(text: &str) -> String {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "-_./:=@".contains(c);
    let begins = |c: char| c.is_ascii_alphabetic() || c == '/';
    let word = text.strip_prefix("--").unwrap_or(text);
    let is_word = word.starts_with(begins) && word.chars().all(is_inner) && !word.ends_with(':');
    let is_amount = text.starts_with(|c: char| c.is_ascii_digit()) && text.parse::<Quantity>().is_ok();
    let is_other = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n" | "nan"
    );
    let is_template = text.starts_with("{{") && text.ends_with("}}");
    match is_template || is_amount || (is_word && !is_other) {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_reads_as_a_person_would_write_it() {
        let value = json!({
            "apiVersion": "v1",
            "spec": {
                "list": [{"name": "a", "value": "8080"}, {"name": "b", "nested": [1, [2]]}],
                "empty": {}, "none": [], "text": "two\nlines\n", "yes": "yes", "number": 1.5,
                "replicas": "{{ .Values.replicas }}",
            },
        });
        expect![[r#"
            apiVersion: v1
            spec:
              empty: {}
              list:
              - name: a
                value: "8080"
              - name: b
                nested:
                - 1
                - - 2
              none: []
              number: 1.5
              replicas: {{ .Values.replicas }}
              text: |
                two
                lines
              "yes": "yes"
        "#]]
        .assert_eq(&document(&value));
    }
}
