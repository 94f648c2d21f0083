//! TensorFlow Serving's call, as its clients and those of the original make it.

use expect_test::expect;
use prost::Message;

use super::{
    call,
    client::Failure,
    proto::tensorflow::{
        DataType, TensorProto, TensorShapeProto,
        serving::{ModelSpec, PredictRequest, PredictResponse},
        tensor_shape_proto::Dim,
    },
};
use crate::support::{Fixture, put};

/// A request of the original's client: two rows of two numbers, of which it does not say how many rows there are.
const VECTOR: &str = "0a140a096d6e6973742d6170701a0770726564696374122f0a04696d6773122708011211120b08ffffffffffffffffff\
                      01120208022a100000803f000000400000404000008040";

async fn predict(fixture: &Fixture, request: &PredictRequest) -> Result<PredictResponse, Failure> {
    let answer = call(fixture, "tensorflow.serving.PredictionService/Predict", request).await;
    answer.map(|(answer, _)| answer)
}

fn tensor(data_type: DataType, sizes: &[i64]) -> TensorProto {
    let dim = |size: &i64| Dim {
        size: *size,
        name: String::new(),
    };
    let mut tensor = TensorProto {
        tensor_shape: Some(TensorShapeProto {
            dim: sizes.iter().map(dim).collect(),
            unknown_rank: false,
        }),
        ..TensorProto::default()
    };
    tensor.set_dtype(data_type);
    tensor
}

fn request(signature: &str, tensor: TensorProto) -> PredictRequest {
    PredictRequest {
        model_spec: Some(ModelSpec {
            name: "mnist-app".to_owned(),
            version: None,
            signature_name: signature.to_owned(),
        }),
        inputs: [("imgs".to_owned(), tensor)].into(),
        output_filter: Vec::new(),
    }
}

/// The class of the first image.
fn class(answer: &PredictResponse) -> i64 {
    answer.outputs["class_ids"].int64_val[0]
}

#[tokio::test]
async fn the_vector_of_the_original_is_understood_up_to_its_shape() {
    let bytes: Vec<u8> = VECTOR
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    assert_eq!(bytes.len(), 71);
    let vector = PredictRequest::decode(&bytes[..]).unwrap();
    let mut expected = tensor(DataType::DtFloat, &[-1, 2]);
    expected.float_val = vec![1.0, 2.0, 3.0, 4.0];
    assert_eq!(vector, request("predict", expected));
    let failure = predict(&Fixture::deployed().await, &vector).await.unwrap_err();
    expect![[r#"
        3 inputs.imgs.shape: expected [N, 28, 28] or [28, 28] or [784] or [N, 784] or [N, 28, 28, 1] or [28, 28, 1], found [2, 2]
    "#]].assert_eq(&format!("{} {}\n", failure.code, failure.message));
}

#[tokio::test]
async fn an_image_is_answered_with_every_output() {
    let fixture = Fixture::deployed().await;
    let mut image = tensor(DataType::DtFloat, &[-1, 28, 28]);
    image.float_val = vec![0.25; 2 * 784];
    let answer = predict(&fixture, &request("predict", image)).await.unwrap();
    let spec = answer.model_spec.clone().unwrap();
    assert_eq!(
        (spec.name.as_str(), spec.version, spec.signature_name.as_str()),
        ("mnist-app", Some(1), "predict")
    );
    let outputs: Vec<_> = answer
        .outputs
        .iter()
        .map(|(name, tensor)| {
            let sizes: Vec<i64> = tensor
                .tensor_shape
                .as_ref()
                .unwrap()
                .dim
                .iter()
                .map(|dim| dim.size)
                .collect();
            (name.as_str(), tensor.dtype(), sizes)
        })
        .collect();
    assert_eq!(
        outputs,
        [
            ("class_ids", DataType::DtInt64, vec![2, 1]),
            ("classes", DataType::DtString, vec![2, 1]),
            ("logits", DataType::DtFloat, vec![2, 10]),
            ("probabilities", DataType::DtFloat, vec![2, 10]),
        ]
    );
    assert_eq!(answer.outputs["class_ids"].int64_val, [3, 3]);
    assert_eq!(answer.outputs["classes"].string_val, [&b"3"[..], b"3"]);
    assert_eq!(answer.outputs["logits"].float_val[..4], [98.0, 98.0, 98.0, 99.0]);
}

#[tokio::test]
async fn numbers_come_in_every_type_and_as_bytes() {
    let fixture = Fixture::deployed().await;
    let mut tensors = Vec::new();
    let mut add = |data_type, fill: &dyn Fn(&mut TensorProto)| {
        let mut tensor = tensor(data_type, &[1, 784]);
        fill(&mut tensor);
        tensors.push(tensor);
    };
    add(DataType::DtFloat, &|tensor| tensor.float_val = vec![1.0; 784]);
    add(DataType::DtDouble, &|tensor| tensor.double_val = vec![1.0; 784]);
    add(DataType::DtUint8, &|tensor| tensor.int_val = vec![1; 784]);
    add(DataType::DtInt32, &|tensor| tensor.int_val = vec![1; 784]);
    add(DataType::DtInt64, &|tensor| tensor.int64_val = vec![1; 784]);
    add(DataType::DtFloat, &|tensor| {
        tensor.tensor_content = 1_f32.to_le_bytes().repeat(784).into();
    });
    add(DataType::DtUint8, &|tensor| tensor.tensor_content = vec![1; 784].into());
    add(DataType::DtFloat, &|tensor| {
        tensor.tensor_shape = None;
        tensor.float_val = vec![1.0; 784];
    });
    for tensor in tensors {
        let answer = predict(&fixture, &request("", tensor.clone())).await.unwrap();
        assert_eq!(answer.outputs["logits"].float_val[3], 393.0, "{:?}", tensor.dtype());
    }
}

#[tokio::test]
async fn a_client_names_signature_version_and_outputs_or_leaves_them() {
    let fixture = Fixture::deployed().await;
    let staged =
        r#"{"name":"staged","stages":[{"signature":"predict","variants":[{"model":"mnist:2","weight":100}]}]}"#;
    assert_eq!(
        fixture.send(put("/api/applications/staged", staged)).await.status(),
        201
    );
    let mut image = tensor(DataType::DtUint8, &[28, 28]);
    image.int_val = vec![1; 784];
    for (name, version, signature, expected) in [
        ("mnist-app", None, "", 3),
        ("mnist-app", None, "serving_default", 3),
        ("staged", None, "predict", 4),
        ("staged", None, "staged", 4),
        ("mnist", Some(1), "", 3),
        ("mnist", Some(2), "predict", 4),
    ] {
        let mut request = request(signature, image.clone());
        let spec = request.model_spec.as_mut().unwrap();
        (spec.name, spec.version) = (name.to_owned(), version);
        let answer = predict(&fixture, &request).await.unwrap();
        assert_eq!(class(&answer), expected, "{name} {version:?} {signature}");
    }
    let mut filtered = request("", image);
    filtered.output_filter = vec!["class_ids".to_owned()];
    let answer = predict(&fixture, &filtered).await.unwrap();
    assert_eq!(answer.outputs.keys().collect::<Vec<_>>(), ["class_ids"]);
}

#[tokio::test]
async fn what_is_wrong_has_a_code_and_the_place() {
    let fixture = Fixture::deployed().await;
    let mut image = tensor(DataType::DtFloat, &[1, 784]);
    image.float_val = vec![0.0; 784];
    let right = || request("predict", image.clone());
    let mut requests = vec![
        PredictRequest::default(),
        right(),
        right(),
        right(),
        right(),
        right(),
        right(),
    ];
    requests[1].model_spec.as_mut().unwrap().name = "nope".to_owned();
    requests[2].model_spec.as_mut().unwrap().signature_name = "classify".to_owned();
    requests[3].inputs.clear();
    requests[4]
        .inputs
        .get_mut("imgs")
        .unwrap()
        .set_dtype(DataType::DtString);
    requests[5].inputs.get_mut("imgs").unwrap().float_val.pop();
    requests[6].output_filter = vec!["x".to_owned()];
    let mut lines = String::new();
    for request in requests {
        let failure = predict(&fixture, &request).await.unwrap_err();
        lines += &format!("{} {}\n", failure.code, failure.message);
    }
    expect![[r#"
        3 wrong name at `model_spec.name`: a name must not be empty
        5 no application `nope` is deployed; deployed: `mnist-app`
        5 application `mnist-app` has no signature `classify`; it has: `predict`
        3 inputs: expected `imgs`, found no such input
        3 inputs.imgs.dtype: expected `DT_FLOAT`, `DT_DOUBLE`, `DT_INT32`, `DT_UINT8` or `DT_INT64`, found 7
        3 inputs.imgs.float_val: expected 784 numbers, found 783
        3 output_filter[0]: expected `class_ids`, `classes`, `logits`, `probabilities`, found another name
    "#]]
    .assert_eq(&lines);
}
