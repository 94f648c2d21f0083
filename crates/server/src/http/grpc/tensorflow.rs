//! The predict call of TensorFlow Serving, with the name of an application in place of a model's.

use axum::response::{IntoResponse, Response};

use formats::{
    open_inference::{
        announced::{Announced, Head, Place, begin, finish},
        answer::{Elements, shape},
        element::InputType,
    },
    signature::{Field, Signature},
    tensor::{self, TensorError, mismatch, outputs::Outputs},
};

use super::{
    Call, frame, infer,
    proto::tensorflow::{
        DataType, TensorProto, TensorShapeProto,
        serving::{ModelSpec, PredictRequest, PredictResponse},
        tensor_shape_proto::Dim,
    },
};
use crate::{
    App,
    http::{
        ApiError,
        prediction::{Form, Naming, Said, Target},
    },
};

/// What a client of TensorFlow Serving calls the signature that it does not name.
const ANY_SIGNATURE: [&str; 2] = ["", "serving_default"];

/// A request as it came.
struct Prediction {
    request: PredictRequest,
    n_bytes: usize,
    naming: Naming,
}

pub(super) async fn predict(call: Call) -> Response {
    let Call { app, headers, body } = call;
    let read = async {
        let (request, n_bytes) = frame::read::<PredictRequest>(&app, &headers, body).await?;
        let target = target(&app, &request.model_spec.clone().unwrap_or_default()).await?;
        Ok::<_, ApiError>((request, n_bytes, target))
    };
    let (request, n_bytes, target) = match read.await {
        Ok(read) => read,
        Err(error) => return error.into_response(),
    };
    let prediction = Prediction {
        request,
        n_bytes,
        naming: target.naming(&app),
    };
    let answered = target.predict(&app, &headers, prediction).await;
    infer::answer(&app, &target, answered)
}

async fn target(app: &App, spec: &ModelSpec) -> Result<Target, ApiError> {
    let place = "model_spec.name";
    let signature = spec.signature_name.as_str();
    match spec.version {
        Some(number) => Target::named(app, place, &spec.name, &number.to_string()).await,
        None if ANY_SIGNATURE.contains(&signature) => Target::named(app, place, &spec.name, "").await,
        None => {
            let name = spec.name.parse().map_err(|error| ApiError::Name { place, error })?;
            let place = "model_spec.signature_name";
            let signature = signature.parse().map_err(|error| ApiError::Name { place, error })?;
            Target::signature(app, &name, &signature)
        }
    }
}

impl Form for Prediction {
    type Asked = ();
    type Note = ();

    fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    fn read(&self, signature: &Signature, limits: tensor::Limits, into: &mut tensor::Request) -> Result<(), ApiError> {
        begin(into, signature);
        for (name, tensor) in &self.request.inputs {
            // Others are ignored, as the original does.
            if signature.inputs.iter().any(|field| field.name == *name) {
                read_tensor(name, tensor, signature, limits, into)?;
            }
        }
        finish(into, signature)?;
        let known = |name: &String| signature.outputs.iter().any(|field| field.name == *name);
        match self.request.output_filter.iter().position(|name| !known(name)) {
            None => Ok(()),
            Some(index) => {
                let names: Vec<String> = signature
                    .outputs
                    .iter()
                    .map(|field| format!("`{}`", field.name))
                    .collect();
                let path = format!("output_filter[{index}]");
                Err(mismatch(path, names.join(", "), "another name").into())
            }
        }
    }

    fn write(&self, (): (), said: Said<'_>, bytes: &mut Vec<u8>) {
        let wanted = &self.request.output_filter;
        let outputs = said.signature.outputs.iter();
        let outputs = outputs.filter(|field| wanted.is_empty() || wanted.contains(&field.name));
        let asked = self.request.model_spec.clone().unwrap_or_default();
        let response = PredictResponse {
            outputs: outputs
                .map(|field| (field.name.clone(), tensor(field, said.outputs)))
                .collect(),
            model_spec: Some(ModelSpec {
                version: (self.naming != Naming::Hidden).then(|| said.version.version.get().into()),
                signature_name: said.signature.name.to_string(),
                ..asked
            }),
        };
        frame::write(&response, bytes);
    }
}

fn read_tensor(
    name: &str,
    tensor: &TensorProto,
    signature: &Signature,
    limits: tensor::Limits,
    into: &mut tensor::Request,
) -> Result<(), TensorError> {
    let place = Place::Key("inputs", name);
    let element = match DataType::try_from(tensor.dtype) {
        Ok(DataType::DtFloat) => InputType::Fp32,
        Ok(DataType::DtDouble) => InputType::Fp64,
        Ok(DataType::DtUint8) => InputType::Uint8,
        Ok(DataType::DtInt32) => InputType::Int32,
        Ok(DataType::DtInt64) => InputType::Int64,
        _ => {
            let expected = "`DT_FLOAT`, `DT_DOUBLE`, `DT_INT32`, `DT_UINT8` or `DT_INT64`";
            return Err(mismatch(format!("{place}.dtype"), expected, tensor.dtype.to_string()));
        }
    };
    let n_listed = match element {
        InputType::Fp32 => tensor.float_val.len(),
        InputType::Fp64 => tensor.double_val.len(),
        InputType::Uint8 | InputType::Int32 => tensor.int_val.len(),
        InputType::Int64 => tensor.int64_val.len(),
    };
    let content = &tensor.tensor_content;
    let n_elements = if content.is_empty() {
        n_listed
    } else {
        content.len() / element.n_bytes()
    };
    let shape = resolved(tensor.tensor_shape.as_ref(), n_elements);
    let head = Head {
        place,
        name,
        datatype: element.name(),
        shape: &shape,
    };
    let announced = Announced::new(head, signature, limits)?;
    if !content.is_empty() {
        return announced.read_bytes(|| format!("{place}.tensor_content"), content, into);
    }
    let path = |list: &str| format!("{place}.{list}");
    match element {
        InputType::Fp32 => announced.take_numbers(|| path("float_val"), tensor.float_val.iter().copied(), into),
        InputType::Fp64 => announced.take_numbers(
            || path("double_val"),
            tensor.double_val.iter().map(|number| *number as f32),
            into,
        ),
        InputType::Uint8 | InputType::Int32 => announced.take_whole(
            || path("int_val"),
            tensor.int_val.iter().map(|number| (*number).into()),
            into,
        ),
        InputType::Int64 => announced.take_whole(|| path("int64_val"), tensor.int64_val.iter().copied(), into),
    }
}

/// The lengths, of which one may be what `n_elements` leave; without any, they stand in one row.
fn resolved(shape: Option<&TensorShapeProto>, n_elements: usize) -> Vec<i64> {
    let n_elements = i64::try_from(n_elements).unwrap_or(i64::MAX);
    let Some(shape) = shape.filter(|shape| !shape.unknown_rank) else {
        return vec![n_elements];
    };
    let sizes = shape.dim.iter().map(|dim| dim.size);
    if sizes.clone().filter(|size| *size == -1).count() != 1 {
        return sizes.collect();
    }
    let mut others = sizes.clone().filter(|size| *size != -1);
    let rest = match others.try_fold(1_i64, i64::checked_mul) {
        Some(others) if others > 0 => n_elements / others,
        _ => 0,
    };
    sizes.map(|size| if size == -1 { rest } else { size }).collect()
}

fn tensor(field: &Field, outputs: Outputs<'_>) -> TensorProto {
    let dim = |length| Dim {
        size: length as i64,
        name: String::new(),
    };
    let mut tensor = TensorProto {
        tensor_shape: Some(TensorShapeProto {
            dim: shape(field, outputs.class_ids.len()).map(dim).collect(),
            unknown_rank: false,
        }),
        ..TensorProto::default()
    };
    let data_type = match Elements::of(field, outputs) {
        Elements::Numbers(numbers) => {
            tensor.float_val = numbers.to_vec();
            DataType::DtFloat
        }
        Elements::Classes(classes) => {
            tensor.int64_val = classes.iter().map(|class| *class as i64).collect();
            DataType::DtInt64
        }
        Elements::Names(classes) => {
            tensor.string_val = classes.iter().map(|class| class.to_string().into()).collect();
            DataType::DtString
        }
    };
    tensor.set_dtype(data_type);
    tensor
}
