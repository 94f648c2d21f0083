use std::collections::BTreeSet;

use expect_test::expect;

use super::*;
use crate::{artifact::tests::artifact, export::tests::DIGEST};

fn file(path: &str) -> Vec<u8> {
    let files = saved_model(&artifact(), &DIGEST.parse().unwrap());
    let file = files.into_iter().find(|file| file.path == path);
    file.unwrap().bytes
}

fn meta_graph() -> MetaGraphDef {
    let saved_model = SavedModel::decode(file("saved_model.pb").as_slice()).unwrap();
    assert_eq!(saved_model.saved_model_schema_version, 1);
    let [meta_graph] = saved_model.meta_graphs.try_into().unwrap();
    meta_graph
}

#[test]
fn the_graph_reads_like_that_of_an_estimator() {
    let graph = meta_graph().graph_def.unwrap();
    let lines = graph
        .node
        .iter()
        .map(|node| format!("{} = {}({})\n", node.name, node.op, node.input.join(", ")));
    expect![[r#"
        dnn/hiddenlayer_0/kernel = VarHandleOp()
        dnn/hiddenlayer_0/kernel/Initializer/zeros = Const()
        dnn/hiddenlayer_0/kernel/Assign = AssignVariableOp(dnn/hiddenlayer_0/kernel, dnn/hiddenlayer_0/kernel/Initializer/zeros)
        dnn/hiddenlayer_0/kernel/Read/ReadVariableOp = ReadVariableOp(dnn/hiddenlayer_0/kernel)
        dnn/hiddenlayer_0/bias = VarHandleOp()
        dnn/hiddenlayer_0/bias/Initializer/zeros = Const()
        dnn/hiddenlayer_0/bias/Assign = AssignVariableOp(dnn/hiddenlayer_0/bias, dnn/hiddenlayer_0/bias/Initializer/zeros)
        dnn/hiddenlayer_0/bias/Read/ReadVariableOp = ReadVariableOp(dnn/hiddenlayer_0/bias)
        dnn/hiddenlayer_1/kernel = VarHandleOp()
        dnn/hiddenlayer_1/kernel/Initializer/zeros = Const()
        dnn/hiddenlayer_1/kernel/Assign = AssignVariableOp(dnn/hiddenlayer_1/kernel, dnn/hiddenlayer_1/kernel/Initializer/zeros)
        dnn/hiddenlayer_1/kernel/Read/ReadVariableOp = ReadVariableOp(dnn/hiddenlayer_1/kernel)
        dnn/hiddenlayer_1/bias = VarHandleOp()
        dnn/hiddenlayer_1/bias/Initializer/zeros = Const()
        dnn/hiddenlayer_1/bias/Assign = AssignVariableOp(dnn/hiddenlayer_1/bias, dnn/hiddenlayer_1/bias/Initializer/zeros)
        dnn/hiddenlayer_1/bias/Read/ReadVariableOp = ReadVariableOp(dnn/hiddenlayer_1/bias)
        dnn/logits/kernel = VarHandleOp()
        dnn/logits/kernel/Initializer/zeros = Const()
        dnn/logits/kernel/Assign = AssignVariableOp(dnn/logits/kernel, dnn/logits/kernel/Initializer/zeros)
        dnn/logits/kernel/Read/ReadVariableOp = ReadVariableOp(dnn/logits/kernel)
        dnn/logits/bias = VarHandleOp()
        dnn/logits/bias/Initializer/zeros = Const()
        dnn/logits/bias/Assign = AssignVariableOp(dnn/logits/bias, dnn/logits/bias/Initializer/zeros)
        dnn/logits/bias/Read/ReadVariableOp = ReadVariableOp(dnn/logits/bias)
        global_step = VarHandleOp()
        global_step/Initializer/zeros = Const()
        global_step/Assign = AssignVariableOp(global_step, global_step/Initializer/zeros)
        global_step/Read/ReadVariableOp = ReadVariableOp(global_step)
        imgs = Placeholder()
        dnn/pixels/shape = Const()
        dnn/pixels = Reshape(imgs, dnn/pixels/shape)
        dnn/hiddenlayer_0/MatMul = MatMul(dnn/pixels, dnn/hiddenlayer_0/kernel/Read/ReadVariableOp)
        dnn/hiddenlayer_0/BiasAdd = BiasAdd(dnn/hiddenlayer_0/MatMul, dnn/hiddenlayer_0/bias/Read/ReadVariableOp)
        dnn/hiddenlayer_0/Relu = Relu(dnn/hiddenlayer_0/BiasAdd)
        dnn/hiddenlayer_1/MatMul = MatMul(dnn/hiddenlayer_0/Relu, dnn/hiddenlayer_1/kernel/Read/ReadVariableOp)
        dnn/hiddenlayer_1/BiasAdd = BiasAdd(dnn/hiddenlayer_1/MatMul, dnn/hiddenlayer_1/bias/Read/ReadVariableOp)
        dnn/hiddenlayer_1/Relu = Relu(dnn/hiddenlayer_1/BiasAdd)
        dnn/logits/MatMul = MatMul(dnn/hiddenlayer_1/Relu, dnn/logits/kernel/Read/ReadVariableOp)
        dnn/logits/BiasAdd = BiasAdd(dnn/logits/MatMul, dnn/logits/bias/Read/ReadVariableOp)
        head/predictions/probabilities = Softmax(dnn/logits/BiasAdd)
        head/predictions/class_ids/dimension = Const()
        head/predictions/ExpandDims/dim = Const()
        head/predictions/class_ids = ArgMax(dnn/logits/BiasAdd, head/predictions/class_ids/dimension)
        head/predictions/ExpandDims = ExpandDims(head/predictions/class_ids, head/predictions/ExpandDims/dim)
        head/predictions/str_classes = AsString(head/predictions/ExpandDims)
        save/filename/input = Const()
        save/Const = PlaceholderWithDefault(save/filename/input)
        save/slices = Const()
        save/names = Const()
        save/RestoreV2 = RestoreV2(save/Const, save/names, save/slices)
        save/SaveV2 = SaveV2(save/Const, save/names, save/slices, dnn/hiddenlayer_0/bias/Read/ReadVariableOp, dnn/hiddenlayer_0/kernel/Read/ReadVariableOp, dnn/hiddenlayer_1/bias/Read/ReadVariableOp, dnn/hiddenlayer_1/kernel/Read/ReadVariableOp, dnn/logits/bias/Read/ReadVariableOp, dnn/logits/kernel/Read/ReadVariableOp, global_step/Read/ReadVariableOp)
        save/control_dependency = Identity(save/Const, ^save/SaveV2)
        save/AssignVariableOp_0 = AssignVariableOp(dnn/hiddenlayer_0/bias, save/RestoreV2:0)
        save/AssignVariableOp_1 = AssignVariableOp(dnn/hiddenlayer_0/kernel, save/RestoreV2:1)
        save/AssignVariableOp_2 = AssignVariableOp(dnn/hiddenlayer_1/bias, save/RestoreV2:2)
        save/AssignVariableOp_3 = AssignVariableOp(dnn/hiddenlayer_1/kernel, save/RestoreV2:3)
        save/AssignVariableOp_4 = AssignVariableOp(dnn/logits/bias, save/RestoreV2:4)
        save/AssignVariableOp_5 = AssignVariableOp(dnn/logits/kernel, save/RestoreV2:5)
        save/AssignVariableOp_6 = AssignVariableOp(global_step, save/RestoreV2:6)
        save/restore_all = NoOp(^save/AssignVariableOp_0, ^save/AssignVariableOp_1, ^save/AssignVariableOp_2, ^save/AssignVariableOp_3, ^save/AssignVariableOp_4, ^save/AssignVariableOp_5, ^save/AssignVariableOp_6)
    "#]].assert_eq(&lines.collect::<String>());
}

#[test]
fn every_input_of_a_node_is_a_node_before_it() {
    let mut earlier = BTreeSet::new();
    for node in meta_graph().graph_def.unwrap().node {
        for input in &node.input {
            let name = input.trim_start_matches('^').split(':').next().unwrap();
            assert!(earlier.contains(name), "`{}` reads `{input}`", node.name);
        }
        assert!(earlier.insert(node.name.clone()), "`{}` is there twice", node.name);
    }
}

#[test]
fn the_signature_has_the_fields_of_the_original_and_names_tensors_of_the_graph() {
    let meta_graph = meta_graph();
    let nodes: BTreeSet<String> = meta_graph
        .graph_def
        .unwrap()
        .node
        .into_iter()
        .map(|node| node.name)
        .collect();
    let predict = &meta_graph.signature_def["predict"];
    assert_eq!(predict.method_name, "tensorflow/serving/predict");
    let line = |(name, info): (&String, &TensorInfo)| {
        assert!(nodes.contains(info.name.strip_suffix(":0").unwrap()), "{}", info.name);
        let shape: Vec<i64> = info
            .tensor_shape
            .iter()
            .flat_map(|shape| &shape.dim)
            .map(|dim| dim.size)
            .collect();
        format!("{name}: {} {:?} {shape:?}\n", info.name, info.dtype())
    };
    let fields: String = predict.inputs.iter().chain(&predict.outputs).map(line).collect();
    expect![[r#"
        imgs: imgs:0 Float [-1, 2, 2]
        class_ids: head/predictions/ExpandDims:0 Int64 [-1, 1]
        classes: head/predictions/str_classes:0 String [-1, 1]
        logits: dnn/logits/BiasAdd:0 Float [-1, 2]
        probabilities: head/predictions/probabilities:0 Float [-1, 2]
    "#]]
    .assert_eq(&fields);
}

#[test]
fn the_variables_are_the_weights_of_the_artifact_in_the_order_of_their_names() {
    let artifact = artifact();
    let [hidden_0, hidden_1, logits] = artifact.network().layers() else {
        panic!("three layers");
    };
    let mut expected = Vec::new();
    for layer in [hidden_0, hidden_1, logits] {
        expected.extend(little_endian(&layer.bias));
        expected.extend(little_endian(&layer.weights));
    }
    expected.extend(100_i64.to_le_bytes());
    assert_eq!(file("variables/variables.data-00000-of-00001"), expected);
}

#[test]
fn every_variable_is_in_the_collections_by_which_tensorflow_finds_it() {
    let collections = meta_graph().collection_def;
    let names = |collection: &str| -> Vec<String> {
        let values = &collections[collection].bytes_list.as_ref().unwrap().value;
        let definitions = values
            .iter()
            .map(|value| crate::tensorflow::messages::VariableDef::decode(value.as_slice()).unwrap());
        definitions.map(|definition| definition.variable_name).collect()
    };
    assert_eq!(names("global_step"), ["global_step:0"]);
    let mut trainable = names("trainable_variables");
    assert_eq!(trainable.len(), 6);
    trainable.push("global_step:0".to_owned());
    assert_eq!(names("variables"), trainable);
}
