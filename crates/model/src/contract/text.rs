//! A contract as text of protocol buffers, as `protoc --decode` and the original write it.

use super::{Contract, Kind, ModelField, data_type_name};

/// Lines, each as deep as the messages around it.
struct Text {
    lines: String,
    depth: usize,
}

pub(super) fn of(contract: &Contract) -> String {
    let mut text = Text {
        lines: String::new(),
        depth: 0,
    };
    if !contract.model_name.is_empty() {
        text.string("model_name", &contract.model_name);
    }
    for signature in &contract.signatures {
        text.message("signatures", |text| {
            text.string("signature_name", &signature.signature_name);
            text.fields("inputs", &signature.inputs);
            text.fields("outputs", &signature.outputs);
        });
    }
    text.lines
}

impl Text {
    fn fields(&mut self, key: &str, fields: &[ModelField]) {
        for field in fields {
            self.message(key, |text| text.field(field));
        }
    }

    fn field(&mut self, field: &ModelField) {
        self.string("name", &field.name);
        if let Some(shape) = &field.shape {
            self.message("shape", |text| {
                for dim in &shape.dim {
                    text.message("dim", |text| text.line(&format!("size: {}", dim.size)));
                }
                if shape.unknown_rank {
                    text.line("unknown_rank: true");
                }
            });
        }
        match &field.kind {
            Some(Kind::Subfields(subfields)) => {
                self.message("subfields", |text| text.fields("data", &subfields.data));
            }
            Some(Kind::Dtype(number)) => self.line(&format!("dtype: {}", data_type_name(*number))),
            None => {}
        }
    }

    fn message(&mut self, key: &str, inside: impl FnOnce(&mut Self)) {
        self.line(&format!("{key} {{"));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line("}");
    }

    fn string(&mut self, key: &str, value: &str) {
        self.line(&format!("{key}: \"{}\"", value.escape_default()));
    }

    fn line(&mut self, line: &str) {
        self.lines += &"  ".repeat(self.depth);
        self.lines += line;
        self.lines.push('\n');
    }
}
