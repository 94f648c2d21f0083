//! The answer to a predict request, written straight from flat buffers.

use crate::signature::{Field, Quantity};

/// What a classifier says about the images of a request, in the original's form: for each image one row, with one column
/// for its class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outputs<'a> {
    /// The class of each image.
    pub class_ids: &'a [usize], // [n_images]
    /// What the last layer gave; all finite.
    pub logits: &'a [f32], // [n_images, n_classes]
    /// How sure the model is of each class; all finite.
    pub probabilities: &'a [f32], // [n_images, n_classes]
}

/// What a number takes that is neither very large nor very small, with its comma.
const NUMBER_BYTES: usize = 13;

impl Outputs<'_> {
    /// Appends the JSON object to `json`. Each number has the fewest digits that give the same `f32` back.
    pub fn write(&self, json: &mut Vec<u8>) {
        json.reserve(self.room());
        json.extend_from_slice(b"{\"class_ids\":[");
        self.write_classes(b"[", b"]", json);
        json.extend_from_slice(b"],\"classes\":[");
        self.write_classes(b"[\"", b"\"]", json);
        json.extend_from_slice(b"],\"logits\":[");
        self.write_rows(self.logits, json);
        json.extend_from_slice(b"],\"probabilities\":[");
        self.write_rows(self.probabilities, json);
        json.extend_from_slice(b"]}");
    }

    /// As [`Outputs::write`], with these fields of a signature. A field that says not what it holds has no place in a
    /// classifier's signature, and is left out.
    pub fn write_fields(&self, fields: &[Field], json: &mut Vec<u8>) {
        json.reserve(self.room());
        let held = fields.iter().filter(|field| field.holds().is_some());
        json.push(b'{');
        for (index, field) in held.enumerate() {
            if index > 0 {
                json.push(b',');
            }
            serde_json::to_writer(&mut *json, &field.name).expect("a text has a JSON form, and a vector takes it");
            json.push(b':');
            self.write_field(field, json);
        }
        json.push(b'}');
    }

    /// Appends the array of one field; of one that says not what it holds, an empty one.
    pub(crate) fn write_field(&self, field: &Field, json: &mut Vec<u8>) {
        json.push(b'[');
        match (field.holds(), field.shape.len()) {
            (Some(Quantity::ClassIds), 1) => self.write_classes(b"", b"", json),
            (Some(Quantity::ClassIds), _) => self.write_classes(b"[", b"]", json),
            (Some(Quantity::Classes), 1) => self.write_classes(b"\"", b"\"", json),
            (Some(Quantity::Classes), _) => self.write_classes(b"[\"", b"\"]", json),
            (Some(Quantity::Logits), _) => self.write_rows(self.logits, json),
            (Some(Quantity::Probabilities), _) => self.write_rows(self.probabilities, json),
            (Some(Quantity::AllClassIds), _) => self.write_all_classes(b"", json),
            (Some(Quantity::AllClasses), _) => self.write_all_classes(b"\"", json),
            (None, _) => {}
        }
        json.push(b']');
    }

    /// About as many bytes as an answer has.
    fn room(&self) -> usize {
        64 + NUMBER_BYTES * (self.logits.len() + self.probabilities.len() + 2 * self.class_ids.len())
    }

    /// For each image one row with every class.
    fn write_all_classes(&self, quote: &[u8], json: &mut Vec<u8>) {
        let n_classes = self.logits.len() / self.class_ids.len().max(1);
        for index in 0..self.class_ids.len() {
            json.extend_from_slice(if index == 0 { b"[" } else { b",[" });
            for class_id in 0..n_classes {
                if class_id > 0 {
                    json.push(b',');
                }
                json.extend_from_slice(quote);
                write_whole(class_id, json);
                json.extend_from_slice(quote);
            }
            json.push(b']');
        }
    }

    fn write_classes(&self, before: &[u8], after: &[u8], json: &mut Vec<u8>) {
        for (index, &class_id) in self.class_ids.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            json.extend_from_slice(before);
            write_whole(class_id, json);
            json.extend_from_slice(after);
        }
    }

    fn write_rows(&self, values: &[f32], json: &mut Vec<u8>) {
        let n_classes = values.len() / self.class_ids.len().max(1);
        for (index, row) in values.chunks_exact(n_classes.max(1)).enumerate() {
            json.extend_from_slice(if index == 0 { b"[" } else { b",[" });
            write_numbers(row, json);
            json.push(b']');
        }
    }
}

/// Appends finite numbers with commas between them.
pub(crate) fn write_numbers(numbers: &[f32], json: &mut Vec<u8>) {
    let mut buffer = zmij::Buffer::new();
    for (index, &number) in numbers.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        json.extend_from_slice(buffer.format_finite(number).as_bytes());
    }
}

/// Appends a whole number.
pub(crate) fn write_whole(number: usize, json: &mut Vec<u8>) {
    if number >= 10 {
        write_whole(number / 10, json);
    }
    json.push(b'0' + (number % 10) as u8);
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use serde::Serialize;

    use super::*;

    /// The same answer in the form that serde_json writes.
    #[derive(Serialize)]
    struct Rows<'a> {
        class_ids: Vec<[usize; 1]>,
        classes: Vec<[String; 1]>,
        logits: Vec<&'a [f32]>,
        probabilities: Vec<&'a [f32]>,
    }

    fn check(outputs: Outputs<'_>, n_classes: usize) {
        let mut json = b"before".to_vec();
        outputs.write(&mut json);
        let rows = Rows {
            class_ids: outputs.class_ids.iter().map(|&class_id| [class_id]).collect(),
            classes: outputs
                .class_ids
                .iter()
                .map(|class_id| [class_id.to_string()])
                .collect(),
            logits: outputs.logits.chunks(n_classes).collect(),
            probabilities: outputs.probabilities.chunks(n_classes).collect(),
        };
        let expected = format!("before{}", serde_json::to_string(&rows).unwrap());
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn an_answer_is_what_serde_json_writes(n_images in 0_usize..4, n_classes in 1_usize..12, pool in vec(
            (any::<usize>(), proptest::num::f32::ANY, 0.0_f32..1.0), 48))
        {
            let finite = |value: f32| if value.is_finite() { value } else { 1e10 };
            let class_ids: Vec<usize> = pool.iter().map(|entry| entry.0).collect();
            let logits: Vec<f32> = pool.iter().map(|entry| finite(entry.1)).collect();
            let probabilities: Vec<f32> = pool.iter().map(|entry| entry.2).collect();
            let outputs = Outputs {
                class_ids: &class_ids[..n_images],
                logits: &logits[..n_images * n_classes],
                probabilities: &probabilities[..n_images * n_classes],
            };
            check(outputs, n_classes);
        }
    }

    #[test]
    fn fields_are_written_under_their_names_and_in_their_shapes() {
        use crate::signature::{Dimension, Signature};
        let outputs = Outputs {
            class_ids: &[1, 0],
            logits: &[0.0, 2.0, 1.0, 0.5],
            probabilities: &[0.25, 0.75, 0.5, 0.5],
        };
        let mut fields = Signature::classifier("predict".parse().unwrap(), 2, 2, 2).outputs;
        let (mut one_by_one, mut together) = (Vec::new(), Vec::new());
        outputs.write_fields(&fields, &mut one_by_one);
        outputs.write(&mut together);
        assert_eq!(one_by_one, together);

        let [class_ids, classes, logits, probabilities] = fields.as_mut_slice() else {
            panic!("a classifier has four outputs")
        };
        class_ids.shape = vec![Dimension::Any];
        classes.name = "all_classes".to_owned();
        logits.name = "all_class_ids".to_owned();
        probabilities.name = "dense \"1\"".to_owned();
        probabilities.quantity = Some(Quantity::Probabilities);
        let mut json = Vec::new();
        outputs.write_fields(&fields, &mut json);
        let expected = r#"{"class_ids":[1,0],"all_classes":[["0","1"],["0","1"]],"all_class_ids":[[0,1],[0,1]],"dense \"1\"":[[0.25,0.75],[0.5,0.5]]}"#;
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    }

    #[test]
    fn numbers_are_written_as_short_as_they_can_be() {
        let outputs = Outputs {
            class_ids: &[10],
            logits: &[0.1, -1e-7],
            probabilities: &[1.0, 0.0],
        };
        let mut json = Vec::new();
        outputs.write(&mut json);
        let expected = r#"{"class_ids":[[10]],"classes":[["10"]],"logits":[[0.1,-1e-7]],"probabilities":[[1.0,0.0]]}"#;
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    }
}
