//! SavedModels of our own, whole and changed. Those that TensorFlow wrote are read in the tests of `server`.

use expect_test::{Expect, expect};
use formats::digest::Digest;
use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;
use crate::{
    artifact::tests::artifact,
    export,
    import::{ImportError, import},
    tensorflow::messages::NodeDef,
};

type Files = BTreeMap<String, Vec<u8>>;

/// What our own export leaves.
fn exported() -> Files {
    let files = export::saved_model(&artifact(), &Digest::of(b"file"));
    files
        .into_iter()
        .map(|file| (file.path.to_owned(), file.bytes))
        .collect()
}

/// The same with another graph.
fn changed(change: impl FnOnce(&mut MetaGraphDef)) -> Files {
    let mut files = exported();
    let mut saved_model = SavedModel::decode(files[SAVED_MODEL].as_slice()).unwrap();
    change(&mut saved_model.meta_graphs[0]);
    files.insert(SAVED_MODEL.to_owned(), saved_model.encode_to_vec());
    files
}

fn node<'a>(meta: &'a mut MetaGraphDef, name: &str) -> &'a mut NodeDef {
    let mut nodes = meta.graph_def.as_mut().unwrap().node.iter_mut();
    nodes.find(|node| node.name == name).unwrap()
}

fn check(files: &Files, expected: Expect) {
    let error = import(files, None).unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    expected.assert_eq(&text);
}

#[test]
fn our_own_export_comes_back_with_every_weight_and_the_same_signature() {
    let imported = import(&exported(), None).unwrap();
    assert_eq!(imported.model_type, "tensorflow:2.15.1");
    assert_eq!(imported.artifact.network(), artifact().network());
    let header = imported.artifact.header();
    assert_eq!(header.signature, artifact().header().signature);
    assert_eq!((header.format, header.training.steps), (2, 100));
    assert_eq!(header.training.engine, "TensorFlow 2.15.1");
    assert_eq!(
        Artifact::read(&imported.artifact.encode().unwrap()).unwrap(),
        imported.artifact
    );
}

#[test]
fn names_that_are_not_the_originals_are_kept_with_what_they_hold() {
    let files = changed(|meta| {
        let mut predict = meta.signature_def.remove("predict").unwrap();
        let probabilities = predict.outputs.remove("probabilities").unwrap();
        predict.outputs = BTreeMap::from([("dense_1".to_owned(), probabilities)]);
        meta.signature_def.insert("serving_default".to_owned(), predict);
    });
    let imported = import(&files, None).unwrap();
    let signature = &imported.artifact.header().signature;
    let outputs = serde_json::to_string(&signature.outputs).unwrap();
    assert_eq!(signature.name.as_str(), "serving_default");
    expect![[r#"[{"name":"dense_1","element":"float32","shape":[-1,2],"quantity":"probabilities"}]"#]]
        .assert_eq(&outputs);
}

/// The original ran on TensorFlow 1.9, whose variables are values and no handles.
#[test]
fn a_graph_of_the_first_tensorflow_is_read() {
    let files = changed(|meta| {
        for node in &mut meta.graph_def.as_mut().unwrap().node {
            node.op = match node.op.as_str() {
                "VarHandleOp" => "VariableV2",
                "ReadVariableOp" => "Identity",
                "AssignVariableOp" => "Assign",
                other => other,
            }
            .to_owned();
        }
    });
    let imported = import(&files, None).unwrap();
    assert_eq!(imported.artifact.network(), artifact().network());
}

#[test]
fn what_is_no_chain_of_dense_layers_is_refused_with_the_operation() {
    check(
        &changed(|meta| node(meta, "dnn/hiddenlayer_1/Relu").op = "Tanh".to_owned()),
        expect![
            "the SavedModel cannot be taken in: operation `Tanh` (`dnn/hiddenlayer_1/Relu`) is not supported: expected `Relu` between dense layers, and the input before the first"
        ],
    );
    check(
        &changed(|meta| node(meta, "dnn/hiddenlayer_0/MatMul").op = "Conv2D".to_owned()),
        expect![
            "the SavedModel cannot be taken in: operation `Conv2D` (`dnn/hiddenlayer_0/MatMul`) is not supported: expected a dense layer: `MatMul`, with or without `BiasAdd`"
        ],
    );
    check(
        &changed(|meta| node(meta, "dnn/pixels").op = "Mul".to_owned()),
        expect![
            "the SavedModel cannot be taken in: operation `Mul` (`dnn/pixels`) is not supported: expected `Relu` between dense layers, and the input before the first"
        ],
    );
    check(
        &changed(|meta| node(meta, "head/predictions/probabilities").op = "Sigmoid".to_owned()),
        expect![
            "the SavedModel cannot be taken in: operation `Sigmoid` (`head/predictions/probabilities`) is not supported: expected logits, their softmax, or the class of the largest"
        ],
    );
    check(
        &changed(|meta| {
            let transposed = crate::tensorflow::messages::AttrValue {
                value: Some(crate::tensorflow::messages::Attr::B(true)),
            };
            node(meta, "dnn/logits/MatMul")
                .attr
                .insert("transpose_b".to_owned(), transposed);
        }),
        expect![
            "the SavedModel cannot be taken in: operation `MatMul` (`dnn/logits/MatMul`) is not supported: expected a product of matrices as they are"
        ],
    );
    check(
        &changed(|meta| node(meta, "head/predictions/probabilities").input[0] = "dnn/hiddenlayer_1/BiasAdd".to_owned()),
        expect![
            "the SavedModel cannot be taken in: operation `BiasAdd` (`dnn/hiddenlayer_1/BiasAdd`) is not supported: expected one last layer for all outputs"
        ],
    );
}

#[test]
fn a_layer_without_bias_has_one_of_zeros() {
    let files = changed(|meta| {
        let biased = "dnn/hiddenlayer_1/BiasAdd";
        node(meta, "dnn/hiddenlayer_1/Relu").input[0] = "dnn/hiddenlayer_1/MatMul".to_owned();
        meta.graph_def.as_mut().unwrap().node.retain(|node| node.name != biased);
    });
    let imported = import(&files, None).unwrap();
    let [first, second, _] = imported.artifact.network().layers() else {
        panic!("three layers")
    };
    assert_eq!(second.bias, [0.0]);
    assert_eq!(*first, artifact().network().layers()[0]);
}

#[test]
fn a_graph_that_leads_nowhere_or_in_a_circle_is_refused() {
    check(
        &changed(|meta| node(meta, "dnn/logits/MatMul").input[0] = "nothing".to_owned()),
        expect!["the SavedModel cannot be taken in: the graph has no `nothing`"],
    );
    check(
        &changed(|meta| node(meta, "dnn/hiddenlayer_0/MatMul").input[0] = "dnn/hiddenlayer_1/Relu".to_owned()),
        expect!["the SavedModel cannot be taken in: the graph is too deep or too large to be followed"],
    );
    check(
        &changed(|meta| {
            let relu = node(meta, "dnn/hiddenlayer_1/Relu");
            relu.op = "Identity".to_owned();
            relu.input = vec!["dnn/hiddenlayer_1/Relu".to_owned()];
        }),
        expect!["the SavedModel cannot be taken in: the graph is too deep or too large to be followed"],
    );
    check(
        &changed(|meta| {
            let expanded = "head/predictions/ExpandDims";
            node(meta, expanded).input[0] = expanded.to_owned();
        }),
        expect!["the SavedModel cannot be taken in: the graph is too deep or too large to be followed"],
    );
    check(
        &changed(|meta| meta.signature_def.clear()),
        expect!["the SavedModel cannot be taken in: it has no signature with inputs and outputs"],
    );
}

#[test]
fn files_that_are_missing_or_altered_are_named() {
    let mut files = exported();
    files.get_mut("variables/variables.data-00000-of-00001").unwrap()[0] ^= 1;
    check(
        &files,
        expect![
            "the SavedModel cannot be taken in: the variables cannot be read: the variable `dnn/hiddenlayer_0/bias` is altered: its checksum is another one"
        ],
    );
    let long = vec![0; GRAPH_MAX_BYTES + 1];
    check(
        &Files::from([(SAVED_MODEL.to_owned(), long)]),
        expect!["the SavedModel cannot be taken in: `saved_model.pb` has 4194305 bytes, expected at most 4194304"],
    );
    files.remove("variables/variables.index");
    check(
        &files,
        expect![
            "the SavedModel cannot be taken in: the variables cannot be read: there is no file `variables/variables.index`"
        ],
    );
    files.remove(SAVED_MODEL);
    check(
        &files,
        expect![
            "expected `saved_model.pb` or one file `*.safetensors` at the root, found `assets.extra/slipway.json`, `variables/variables.data-00000-of-00001`"
        ],
    );
    check(
        &Files::new(),
        expect!["expected `saved_model.pb` or one file `*.safetensors` at the root, found no file"],
    );
}

proptest! {
    #[test]
    fn no_change_of_the_files_makes_the_reader_panic(file in 0..3_usize, changes in vec((any::<Index>(), any::<u8>()), 1..4)) {
        let mut files = exported();
        let path = [SAVED_MODEL, "variables/variables.index", "variables/variables.data-00000-of-00001"][file];
        let bytes = files.get_mut(path).unwrap();
        for (index, value) in changes {
            let place = index.index(bytes.len());
            bytes[place] = value;
        }
        let _ = import(&files, None);
    }
}

#[test]
fn an_artifact_among_files_is_taken_as_it_is_and_called_as_its_contract_says() {
    let bytes = artifact().encode().unwrap();
    let files = Files::from([
        ("mnist.safetensors".to_owned(), bytes),
        ("README".to_owned(), Vec::new()),
    ]);
    let imported = import(&files, None).unwrap();
    assert_eq!(
        (imported.artifact, imported.model_type.as_str()),
        (artifact(), "slipway")
    );
    let mut signature = artifact().header().signature.clone();
    signature.outputs.truncate(1);
    let contract = crate::contract::Contract::of("mnist", [&signature]);
    let imported = import(&files, Some(&contract.encode_to_vec())).unwrap();
    assert_eq!(imported.artifact.header().signature, signature);
    assert_eq!(imported.artifact.network(), artifact().network());
    assert!(matches!(import(&files, Some(b"\xff")), Err(ImportError::Contract(_))));
}
