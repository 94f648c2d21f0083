//! An ONNX file: the same inputs and outputs as over HTTP.

mod messages;

use formats::{
    digest::Digest,
    signature::{Dimension as Length, ElementType, Field},
};
use prost::Message;

use self::messages::{
    AttributeProto, AttributeType, DataType, Dimension, DimensionLength, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto, TensorType, TypeProto, ValueInfoProto,
};
use super::{ORIGIN_KEY, length, little_endian, origin};
use crate::{
    Artifact, Layer,
    network::{bias_name, weight_name},
};

/// The oldest versions that have all the operators in their present meaning, so that old programs can read the file
/// too: file format 7 and operator set 13 are of 2020, and `LabelEncoder` has lists of keys and values since its set 2.
const IR_VERSION: i64 = 7;
const OPSETS: [(&str, i64); 2] = [("", 13), (LABELS_DOMAIN, 2)];
/// The domain of `LabelEncoder`.
const LABELS_DOMAIN: &str = "ai.onnx.ml";
/// The name of the dimension that may have any length.
const N_IMAGES: &str = "n_images";

/// The network as an ONNX model with the fields of the original: `imgs` gives `class_ids`, `classes`, `logits` and
/// `probabilities`. The same artifact gives the same bytes.
pub fn onnx(artifact: &Artifact, digest: &Digest) -> Vec<u8> {
    let signature = &super::signature(artifact);
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("slipway".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        graph: Some(GraphProto {
            node: nodes(artifact),
            name: Some(signature.name.to_string()),
            initializer: initializers(artifact.network().layers()),
            input: signature.inputs.iter().map(value_info).collect(),
            output: signature.outputs.iter().map(value_info).collect(),
        }),
        opset_import: OPSETS
            .map(|(domain, version)| OperatorSetIdProto {
                domain: Some(domain.to_owned()),
                version: Some(version),
            })
            .to_vec(),
        metadata_props: vec![StringStringEntryProto {
            key: Some(ORIGIN_KEY.to_owned()),
            value: Some(origin(artifact, digest)),
        }],
    };
    model.encode_to_vec()
}

/// The computation: flatten, the layers with ReLU between them, then class and probabilities.
fn nodes(artifact: &Artifact) -> Vec<NodeProto> {
    let layers = artifact.network().layers();
    let mut nodes = vec![node("Flatten", &["imgs"], "pixels", vec![int("axis", 1)])];
    let mut inputs = "pixels".to_owned();
    for index in 0..layers.len() {
        let is_last = index + 1 == layers.len();
        let sums = if is_last {
            "logits".to_owned()
        } else {
            format!("layers.{index}.sums")
        };
        let gemm = [inputs.as_str(), &weight_name(index), &bias_name(index)];
        nodes.push(node("Gemm", &gemm, &sums, Vec::new()));
        if !is_last {
            inputs = format!("layers.{index}.outputs");
            nodes.push(node("Relu", &[&sums], &inputs, Vec::new()));
        }
    }
    let class_ids = 0..length(artifact.network().n_classes());
    let labels = vec![
        AttributeProto {
            ints: class_ids.clone().collect(),
            ..attribute("keys_int64s", AttributeType::Ints)
        },
        AttributeProto {
            strings: class_ids.map(|class_id| class_id.to_string().into_bytes()).collect(),
            ..attribute("values_strings", AttributeType::Strings)
        },
    ];
    nodes.extend([
        node("Softmax", &["logits"], "probabilities", vec![int("axis", 1)]),
        node(
            "ArgMax",
            &["logits"],
            "class_ids",
            vec![int("axis", 1), int("keepdims", 1)],
        ),
        NodeProto {
            domain: Some(LABELS_DOMAIN.to_owned()),
            ..node("LabelEncoder", &["class_ids"], "classes", labels)
        },
    ]);
    nodes
}

/// A node is called like what it gives.
fn node(op_type: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        name: Some(output.to_owned()),
        op_type: Some(op_type.to_owned()),
        attribute,
        domain: None,
    }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        i: Some(value),
        ..attribute(name, AttributeType::Int)
    }
}

/// An attribute without its value.
fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(kind.into()),
        ..AttributeProto::default()
    }
}

/// Weights and biases as they are: `Gemm` takes inputs × outputs.
fn initializers(layers: &[Layer]) -> Vec<TensorProto> {
    let of_layer = |(index, layer): (usize, &Layer)| {
        let (n_inputs, n_outputs) = (length(layer.n_inputs()), length(layer.n_outputs()));
        [
            tensor(weight_name(index), vec![n_inputs, n_outputs], &layer.weights),
            tensor(bias_name(index), vec![n_outputs], &layer.bias),
        ]
    };
    layers.iter().enumerate().flat_map(of_layer).collect()
}

fn tensor(name: String, dims: Vec<i64>, values: &[f32]) -> TensorProto {
    TensorProto {
        dims,
        data_type: Some(DataType::Float.into()),
        name: Some(name),
        raw_data: Some(little_endian(values)),
    }
}

/// A field of the signature, with its type.
fn value_info(field: &Field) -> ValueInfoProto {
    let dim = |dimension: &Length| Dimension {
        value: Some(match *dimension {
            Length::Any => DimensionLength::DimParam(N_IMAGES.to_owned()),
            Length::Fixed(length) => DimensionLength::DimValue(length.into()),
        }),
    };
    let elem_type = match field.element {
        ElementType::Float32 => DataType::Float,
        ElementType::Int64 => DataType::Int64,
        ElementType::String => DataType::String,
    };
    let tensor_type = TensorType {
        elem_type: Some(elem_type.into()),
        shape: Some(TensorShapeProto {
            dim: field.shape.iter().map(dim).collect(),
        }),
    };
    ValueInfoProto {
        name: Some(field.name.clone()),
        r#type: Some(TypeProto {
            tensor_type: Some(tensor_type),
        }),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{artifact::tests::artifact, export::tests::DIGEST};

    fn model() -> ModelProto {
        let bytes = onnx(&artifact(), &DIGEST.parse().unwrap());
        ModelProto::decode(bytes.as_slice()).unwrap()
    }

    #[test]
    fn the_graph_reads_like_the_network() {
        let lines = model().graph.unwrap().node.into_iter().map(|node| {
            let (output, op_type) = (node.output.join(", "), node.op_type.unwrap());
            format!("{output} = {op_type}({})\n", node.input.join(", "))
        });
        expect![[r#"
            pixels = Flatten(imgs)
            layers.0.sums = Gemm(pixels, layers.0.weight, layers.0.bias)
            layers.0.outputs = Relu(layers.0.sums)
            layers.1.sums = Gemm(layers.0.outputs, layers.1.weight, layers.1.bias)
            layers.1.outputs = Relu(layers.1.sums)
            logits = Gemm(layers.1.outputs, layers.2.weight, layers.2.bias)
            probabilities = Softmax(logits)
            class_ids = ArgMax(logits)
            classes = LabelEncoder(class_ids)
        "#]]
        .assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn inputs_and_outputs_are_those_of_the_signature() {
        let graph = model().graph.unwrap();
        let line = |info: ValueInfoProto| {
            let tensor = info.r#type.unwrap().tensor_type.unwrap();
            let elem_type = tensor.elem_type();
            let shape = tensor
                .shape
                .unwrap()
                .dim
                .into_iter()
                .map(|dim| match dim.value.unwrap() {
                    DimensionLength::DimValue(length) => length.to_string(),
                    DimensionLength::DimParam(name) => name,
                });
            format!(
                "{}: {elem_type:?} {:?}\n",
                info.name.unwrap(),
                shape.collect::<Vec<_>>()
            )
        };
        let lines: String = graph.input.into_iter().chain(graph.output).map(line).collect();
        expect![[r#"
            imgs: Float ["n_images", "2", "2"]
            class_ids: Int64 ["n_images", "1"]
            classes: String ["n_images", "1"]
            logits: Float ["n_images", "2"]
            probabilities: Float ["n_images", "2"]
        "#]]
        .assert_eq(&lines);
    }

    #[test]
    fn weights_are_those_of_the_artifact_bit_for_bit() {
        let graph = model().graph.unwrap();
        let artifact = artifact();
        for (layer, tensors) in artifact.network().layers().iter().zip(graph.initializer.chunks(2)) {
            let [weights, bias] = tensors else {
                panic!("two tensors for a layer")
            };
            let dims = [layer.n_inputs() as i64, layer.n_outputs() as i64];
            assert_eq!((weights.dims.as_slice(), bias.dims.as_slice()), (&dims[..], &dims[1..]));
            assert_eq!(weights.raw_data.as_deref().unwrap(), little_endian(&layer.weights));
            assert_eq!(bias.raw_data.as_deref().unwrap(), little_endian(&layer.bias));
        }
    }
}
