//! Wrong messages, of the protocol's service and of TensorFlow Serving's.

use prost::Message;

use super::{COUNTS, NAMES, SHAPES, TYPES, Wrong, cuts};
use crate::grpc::{
    frame,
    inference::{InferTensorContents, ModelInferRequest, model_infer_request::InferRequestedOutputTensor},
    proto::tensorflow::{DataType, TensorProto, TensorShapeProto, serving::PredictRequest, tensor_shape_proto::Dim},
    raw, typed,
};

pub(super) const INFER: &str = "/inference.GRPCInferenceService/ModelInfer";
pub(super) const PREDICT: &str = "/tensorflow.serving.PredictionService/Predict";

/// Numbers that are none.
const NUMBERS: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

/// The message in a frame.
fn wrong_message(way: impl Into<String>, message: &impl Message) -> Wrong {
    Wrong::new(way, frame(message))
}

pub(super) fn right() -> Wrong {
    wrong_message("nothing", &typed(1))
}

pub(super) fn right_raw() -> Wrong {
    wrong_message("nothing", &raw(1))
}

pub(super) fn wrong() -> Vec<Wrong> {
    let mut all = of_requests(typed);
    let mut add = |way: String, fill: &dyn Fn(&mut InferTensorContents)| {
        let mut request = typed(1);
        fill(request.inputs[0].contents.as_mut().unwrap());
        all.push(wrong_message(way, &request));
    };
    for n in COUNTS {
        add(format!("{n} numbers"), &|contents| {
            contents.fp32_contents = vec![0.5; n]
        });
    }
    for number in NUMBERS {
        add(format!("value {number}"), &|contents| {
            contents.fp32_contents[7] = number
        });
    }
    add("numbers of another type".to_owned(), &|contents| {
        contents.fp64_contents = contents.fp32_contents.drain(..).map(f64::from).collect();
    });
    add("a number of another type".to_owned(), &|contents| {
        contents.bool_contents.push(true)
    });
    for (datatype, contents) in [
        ("FP64", of(|list| list.fp64_contents = vec![1e39; 784])),
        ("UINT8", of(|list| list.uint_contents = vec![256; 784])),
        ("UINT8", of(|list| list.int_contents = vec![1; 784])),
        ("INT32", of(|list| list.int64_contents = vec![1; 784])),
        ("INT64", of(|list| list.uint64_contents = vec![1; 784])),
    ] {
        let mut request = typed(1);
        request.inputs[0].datatype = datatype.to_owned();
        request.inputs[0].contents = Some(contents);
        all.push(wrong_message(format!("{datatype} as another"), &request));
    }
    all
}

fn of(fill: impl Fn(&mut InferTensorContents)) -> InferTensorContents {
    let mut contents = InferTensorContents::default();
    fill(&mut contents);
    contents
}

pub(super) fn wrong_raw() -> Vec<Wrong> {
    const RIGHT: usize = 4 * 784;
    let mut all = of_requests(raw);
    for n_bytes in [0, 1, 4, RIGHT - 4, RIGHT - 1, RIGHT + 1, RIGHT + 4, 2 * RIGHT] {
        let mut request = raw(1);
        request.raw_input_contents = vec![vec![0; n_bytes].into()];
        all.push(wrong_message(format!("{n_bytes} bytes"), &request));
    }
    for number in NUMBERS {
        let mut request = raw(1);
        request.raw_input_contents = vec![number.to_le_bytes().repeat(784).into()];
        all.push(wrong_message(format!("value {number}"), &request));
    }
    let mut both = raw(1);
    both.inputs[0].contents = typed(1).inputs[0].contents.clone();
    all.push(wrong_message("numbers in both places", &both));
    let mut two = raw(1);
    two.raw_input_contents.push(two.raw_input_contents[0].clone());
    all.push(wrong_message("one input more as bytes", &two));
    all
}

/// What is wrong with every request, however its numbers come.
fn of_requests(make: fn(usize) -> ModelInferRequest) -> Vec<Wrong> {
    let mut all = Vec::new();
    let mut add = |way: String, change: &dyn Fn(&mut ModelInferRequest)| {
        let mut request = make(1);
        change(&mut request);
        all.push(wrong_message(way, &request));
    };
    for datatype in TYPES {
        add(format!("type {datatype}"), &|request| {
            request.inputs[0].datatype = datatype.to_owned()
        });
    }
    for shape in SHAPES {
        add(format!("shape {shape:?}"), &|request| {
            request.inputs[0].shape = shape.to_vec()
        });
    }
    for name in NAMES {
        add(format!("name {name}"), &|request| {
            request.inputs[0].name = name.to_owned()
        });
    }
    for model in ["", "nope", "a b", "mnist"] {
        add(format!("model {model}"), &|request| {
            request.model_name = model.to_owned()
        });
    }
    for version in ["0", "x", "-1", "9"] {
        add(format!("version {version}"), &|request| {
            request.model_name = "mnist".to_owned();
            request.model_version = version.to_owned();
        });
    }
    add("no inputs".to_owned(), &|request| request.inputs.clear());
    add("the input twice".to_owned(), &|request| {
        request.inputs.push(request.inputs[0].clone());
        request
            .raw_input_contents
            .extend(request.raw_input_contents.first().cloned());
    });
    for names in [&["x"][..], &[""], &["logits", "logits"]] {
        add(format!("outputs {names:?}"), &|request| {
            request.outputs = names
                .iter()
                .map(|name| InferRequestedOutputTensor {
                    name: (*name).to_owned(),
                    ..Default::default()
                })
                .collect();
        });
    }
    add("shared memory".to_owned(), &|request| {
        let parameters = &mut request.inputs[0].parameters;
        parameters.insert("shared_memory_region".to_owned(), Default::default());
    });
    let message = make(1).encode_to_vec();
    for length in (0..12).map(|place| place * message.len() / 12) {
        let cut = [&[0][..], &(length as u32).to_be_bytes(), &message[..length]].concat();
        all.push(Wrong::new(format!("a message cut to {length} bytes"), cut));
    }
    all.extend(cuts(&frame(&make(1))));
    all
}

pub(super) fn right_tensorflow() -> Wrong {
    wrong_message("nothing", &tensorflow())
}

/// A request about one image.
fn tensorflow() -> PredictRequest {
    let dim = |size| Dim {
        size,
        name: String::new(),
    };
    let tensor = TensorProto {
        dtype: DataType::DtFloat.into(),
        tensor_shape: Some(TensorShapeProto {
            dim: [1, 784].map(dim).to_vec(),
            unknown_rank: false,
        }),
        float_val: vec![0.5; 784],
        ..TensorProto::default()
    };
    let mut request = PredictRequest::default();
    request.model_spec.get_or_insert_default().name = "mnist-app".to_owned();
    request.inputs.insert("imgs".to_owned(), tensor);
    request
}

pub(super) fn wrong_tensorflow() -> Vec<Wrong> {
    let mut all = Vec::new();
    let mut add = |way: String, change: &dyn Fn(&mut PredictRequest)| {
        let mut request = tensorflow();
        change(&mut request);
        all.push(wrong_message(way, &request));
    };
    let imgs = |request: &mut PredictRequest, change: &dyn Fn(&mut TensorProto)| {
        change(request.inputs.get_mut("imgs").unwrap());
    };
    for dtype in [-1, 0, 5, 6, 7, 8, 10, 14, 19, 22, 23, 101] {
        add(format!("type {dtype}"), &|request| {
            imgs(request, &|tensor| tensor.dtype = dtype)
        });
    }
    for dtype in [
        DataType::DtDouble,
        DataType::DtInt32,
        DataType::DtUint8,
        DataType::DtInt64,
    ] {
        add(format!("numbers that are no {dtype:?}"), &|request| {
            imgs(request, &|tensor| tensor.set_dtype(dtype));
        });
    }
    // A length of -1 is what the others leave.
    for shape in SHAPES.into_iter().filter(|shape| !shape.contains(&-1)) {
        add(format!("shape {shape:?}"), &|request| {
            imgs(request, &|tensor| {
                let dim = |size: &i64| Dim {
                    size: *size,
                    name: String::new(),
                };
                tensor.tensor_shape.as_mut().unwrap().dim = shape.iter().map(dim).collect();
            });
        });
    }
    for name in NAMES {
        add(format!("name {name}"), &|request| {
            let tensor = request.inputs.remove("imgs").unwrap();
            request.inputs.insert(name.to_owned(), tensor);
        });
    }
    for n in COUNTS {
        add(format!("{n} numbers"), &|request| {
            imgs(request, &|tensor| tensor.float_val = vec![0.5; n])
        });
    }
    for n_bytes in [1, 4, 3135, 3137, 6272] {
        add(format!("{n_bytes} bytes"), &|request| {
            imgs(request, &|tensor| tensor.tensor_content = vec![0; n_bytes].into());
        });
    }
    for number in NUMBERS {
        add(format!("value {number}"), &|request| {
            imgs(request, &|tensor| tensor.float_val[7] = number)
        });
    }
    all.extend(of_what_is_asked());
    all.extend(cuts(&frame(&tensorflow())));
    all
}

/// What is wrong beside the tensor.
fn of_what_is_asked() -> Vec<Wrong> {
    let mut all = Vec::new();
    let mut add = |way: String, change: &dyn Fn(&mut PredictRequest)| {
        let mut request = tensorflow();
        change(&mut request);
        all.push(wrong_message(way, &request));
    };
    for model in ["", "nope", "a b"] {
        add(format!("model {model}"), &|request| {
            request.model_spec.as_mut().unwrap().name = model.to_owned()
        });
    }
    for signature in ["classify", "a b"] {
        add(format!("signature {signature}"), &|request| {
            request.model_spec.as_mut().unwrap().signature_name = signature.to_owned();
        });
    }
    add("no model".to_owned(), &|request| request.model_spec = None);
    add("another output".to_owned(), &|request| {
        request.output_filter = vec!["x".to_owned()]
    });
    all
}
