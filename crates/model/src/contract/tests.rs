use expect_test::{Expect, expect};

use super::*;

/// Made with the classes of `hydro-serving-grpc` 0.1.20: signature `predict`, `imgs` float [-1, 28, 28] in, `class_ids`
/// int64 [-1, 1] out, no name of a model.
const SENT: &str = "124c0a0770726564696374121f0a04696d67731215120b08ffffffffffffffffff011202081c1202081c20011a200a09636c6173735f6964731211120b08ffffffffffffffffff01120208012009";

fn sent() -> Vec<u8> {
    let digits = |index: usize| u8::from_str_radix(&SENT[2 * index..2 * index + 2], 16).unwrap();
    (0..SENT.len() / 2).map(digits).collect()
}

fn classifier() -> Signature {
    Signature::classifier("predict".parse().unwrap(), 28, 28, 10)
}

#[test]
fn a_contract_of_the_client_is_read_and_written_byte_for_byte() {
    let contract = Contract::decode(&sent()).unwrap();
    assert_eq!(contract.encode_to_vec(), sent());
    expect![[r#"
        model_name: "mnist"
        signatures {
          signature_name: "predict"
          inputs {
            name: "imgs"
            shape {
              dim {
                size: -1
              }
              dim {
                size: 28
              }
              dim {
                size: 28
              }
            }
            dtype: DT_FLOAT
          }
          outputs {
            name: "class_ids"
            shape {
              dim {
                size: -1
              }
              dim {
                size: 1
              }
            }
            dtype: DT_INT64
          }
        }
    "#]]
    .assert_eq(&contract.named("mnist").text());
}

#[test]
fn a_contract_that_is_cut_off_is_none() {
    let sent = sent();
    for n_bytes in 1..sent.len() {
        assert!(Contract::decode(&sent[..n_bytes]).is_err(), "{n_bytes} bytes");
    }
}

#[test]
fn the_contract_of_a_signature_is_honoured_as_it_is() {
    let contract = Contract::of("mnist", [&classifier()]);
    assert_eq!(contract.honour(&classifier()).unwrap(), classifier());
    let flat = serde_json::to_string(&contract.flat()[0].inputs).unwrap();
    assert_eq!(
        flat,
        r#"[{"fieldName":"/imgs","dataType":"DT_FLOAT","shape":[-1,28,28]}]"#
    );
}

#[test]
fn outputs_that_a_contract_leaves_out_are_left_out() {
    let honoured = Contract::decode(&sent()).unwrap().honour(&classifier()).unwrap();
    assert_eq!(honoured.inputs, classifier().inputs);
    assert_eq!(honoured.outputs, classifier().outputs[..1]);
}

/// Changes the contract of the classifier.
fn check(change: impl FnOnce(&mut ModelSignature), expected: Expect) {
    let mut contract = Contract::of("mnist", [&classifier()]);
    change(&mut contract.signatures[0]);
    let told = match contract.honour(&classifier()) {
        Ok(signature) => serde_json::to_string(&signature.inputs).unwrap(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&told);
}

#[test]
fn what_contradicts_the_model_is_told_with_its_place() {
    check(
        |signature| signature.signature_name = "classify".to_owned(),
        expect![
            "the contract does not fit the model: signatures[0].signature_name: expected `predict`, found `classify`"
        ],
    );
    check(
        |signature| signature.inputs[0].name = "pixels".to_owned(),
        expect![
            "the contract does not fit the model: signatures[0].inputs[0].name: expected some of `imgs`, found `pixels`"
        ],
    );
    check(
        |signature| signature.inputs.clear(),
        expect!["the contract does not fit the model: signatures[0].inputs: expected some of `imgs`, found none"],
    );
    check(
        |signature| signature.inputs[0].kind = Some(Kind::Dtype(2)),
        expect![
            "the contract does not fit the model: signatures[0].inputs[0].dtype: expected DT_FLOAT, found DT_DOUBLE"
        ],
    );
    check(
        |signature| signature.outputs[2].shape = Some(TensorShapeProto::of(&[-1, 11])),
        expect![
            "the contract does not fit the model: signatures[0].outputs[2].shape: expected [-1, 10], found [-1, 11]"
        ],
    );
    check(
        |signature| signature.inputs[0].shape = Some(TensorShapeProto::of(&[1, 28, 28])),
        expect![
            "the contract does not fit the model: signatures[0].inputs[0].shape: expected [-1, 28, 28], found [1, 28, 28]"
        ],
    );
    check(
        |signature| signature.outputs[1].name = "class_ids".to_owned(),
        expect![
            "the contract does not fit the model: signatures[0].outputs[1].name: expected some of `class_ids`, `classes`, `logits`, `probabilities`, found `class_ids`"
        ],
    );
}

#[test]
fn a_shape_may_be_left_open_or_flat() {
    check(
        |signature| signature.inputs[0].shape = None,
        expect![[r#"[{"name":"imgs","element":"float32","shape":[-1,28,28]}]"#]],
    );
    check(
        |signature| signature.inputs[0].shape = Some(TensorShapeProto::of(&[-1, -1, 28])),
        expect![[r#"[{"name":"imgs","element":"float32","shape":[-1,28,28]}]"#]],
    );
    check(
        |signature| signature.inputs[0].shape = Some(TensorShapeProto::of(&[-1, 784])),
        expect![[r#"[{"name":"imgs","element":"float32","shape":[-1,784]}]"#]],
    );
}
