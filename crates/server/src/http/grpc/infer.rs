//! Inference: `ModelInfer`, with elements in lists of their type or as bytes.

use axum::response::{IntoResponse, Response};

use formats::{
    open_inference::{
        announced::{Announced, Head, Place, begin, finish},
        answer::{Elements, shape},
        element::{self, InputType},
        outputs::{Outline, Wanted},
        request::expect_offered,
    },
    signature::Signature,
    tensor::{self, TensorError, mismatch},
};

use super::{
    Call, frame,
    proto::inference::{
        InferTensorContents, ModelInferRequest, ModelInferResponse, model_infer_request::InferInputTensor,
        model_infer_response::InferOutputTensor,
    },
};
use crate::{
    App,
    http::{
        ApiError, RouteClass,
        prediction::{Answer, Form, Naming, Said, Target},
    },
};

/// A request as it came.
struct Inference {
    request: ModelInferRequest,
    n_bytes: usize,
    naming: Naming,
}

pub(super) async fn model_infer(call: Call) -> Response {
    let Call { app, headers, body } = call;
    let read = async {
        let (request, n_bytes) = frame::read::<ModelInferRequest>(&app, &headers, body).await?;
        let target = target(&app, &request).await?;
        Ok::<_, ApiError>((request, n_bytes, target))
    };
    let (request, n_bytes, target) = match read.await {
        Ok(read) => read,
        Err(error) => return error.into_response(),
    };
    let inference = Inference {
        request,
        n_bytes,
        naming: target.naming(&app),
    };
    let answered = target.predict(&app, &headers, inference).await;
    answer(&app, &target, answered)
}

/// The answer with the frame in `answered`, or the refusal in its place.
pub(super) fn answer(app: &App, target: &Target, answered: Result<Answer<()>, ApiError>) -> Response {
    let answered = target.response(app, RouteClass::Grpc, answered, |bytes, ()| frame::answer(bytes));
    answered.into_response()
}

async fn target(app: &App, request: &ModelInferRequest) -> Result<Target, ApiError> {
    let place = "model_name";
    Target::named(app, place, &request.model_name, &request.model_version).await
}

impl Form for Inference {
    type Asked = Outline;
    type Note = ();

    fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    fn read(
        &self,
        signature: &Signature,
        limits: tensor::Limits,
        into: &mut tensor::Request,
    ) -> Result<Outline, ApiError> {
        let request = &self.request;
        begin(into, signature);
        let n_raw = request.raw_input_contents.len();
        if n_raw > 0 && n_raw != request.inputs.len() {
            let expected = format!("{} entries, one for each input", request.inputs.len());
            return Err(mismatch("raw_input_contents", expected, n_raw.to_string()).into());
        }
        for (index, input) in request.inputs.iter().enumerate() {
            let place = Place::Entry("inputs", index);
            expect_no_other(place, input.parameters.keys())?;
            let head = Head {
                place,
                name: &input.name,
                datatype: &input.datatype,
                shape: &input.shape,
            };
            let announced = Announced::new(head, signature, limits)?;
            match request.raw_input_contents.get(index) {
                Some(_) if input.contents.is_some() => {
                    let path = format!("{place}.contents");
                    return Err(mismatch(path, "none beside `raw_input_contents`", "some").into());
                }
                Some(bytes) => announced.read_bytes(|| format!("raw_input_contents[{index}]"), bytes, into)?,
                None => read_contents(&announced, input, into)?,
            }
        }
        finish(into, signature)?;
        Ok(self.outline(signature)?)
    }

    fn write(&self, outline: Outline, said: Said<'_>, bytes: &mut Vec<u8>) {
        let n_images = said.outputs.class_ids.len();
        let mut response = ModelInferResponse {
            model_name: self.request.model_name.clone(),
            model_version: self.naming.text(&said).unwrap_or_default(),
            id: self.request.id.clone(),
            ..ModelInferResponse::default()
        };
        for Wanted { output, is_binary } in outline.0 {
            let field = &said.signature.outputs[output];
            let elements = Elements::of(field, said.outputs);
            if is_binary {
                let mut raw = Vec::new();
                elements.write_bytes(&mut raw);
                response.raw_output_contents.push(raw.into());
            }
            response.outputs.push(InferOutputTensor {
                name: field.name.clone(),
                datatype: element::name(field.element).to_owned(),
                shape: shape(field, n_images).map(|length| length as i64).collect(),
                contents: (!is_binary).then(|| contents(elements)),
                ..InferOutputTensor::default()
            });
        }
        frame::write(&response, bytes);
    }
}

impl Inference {
    /// The outputs that are wanted: as bytes where the inputs came so.
    fn outline(&self, signature: &Signature) -> Result<Outline, TensorError> {
        let is_binary = !self.request.raw_input_contents.is_empty();
        if self.request.outputs.is_empty() {
            return Ok(Outline::all(signature, is_binary));
        }
        let mut outline = Outline(Vec::new());
        for (index, output) in self.request.outputs.iter().enumerate() {
            let place = Place::Entry("outputs", index);
            expect_no_other(place, output.parameters.keys())?;
            outline.add(place, &output.name, is_binary, signature)?;
        }
        Ok(outline)
    }
}

/// Errors: a parameter of which it is known that it would have to do something else.
fn expect_no_other<'a>(place: Place<'_>, mut names: impl Iterator<Item = &'a String>) -> Result<(), TensorError> {
    names.try_for_each(|name| expect_offered(name, || format!("{place}.parameters.{name}")))
}

/// Reads the elements from the list of their type; all others must be empty.
fn read_contents(
    announced: &Announced<'_>,
    input: &InferInputTensor,
    into: &mut tensor::Request,
) -> Result<(), TensorError> {
    let none = InferTensorContents::default();
    let contents = input.contents.as_ref().unwrap_or(&none);
    let (name, n_numbers) = match announced.element {
        InputType::Fp32 => ("fp32_contents", contents.fp32_contents.len()),
        InputType::Fp64 => ("fp64_contents", contents.fp64_contents.len()),
        InputType::Uint8 => ("uint_contents", contents.uint_contents.len()),
        InputType::Int32 => ("int_contents", contents.int_contents.len()),
        InputType::Int64 => ("int64_contents", contents.int64_contents.len()),
    };
    let path = || format!("{}.contents.{name}", announced.place);
    let n_others = n_elements(contents) - n_numbers;
    if n_others > 0 {
        let found = format!("{n_others} elements of another type");
        return Err(mismatch(path(), format!("{} numbers", announced.n_values()), found));
    }
    match announced.element {
        InputType::Fp32 => announced.take_numbers(path, contents.fp32_contents.iter().copied(), into),
        InputType::Fp64 => {
            announced.take_numbers(path, contents.fp64_contents.iter().map(|number| *number as f32), into)
        }
        InputType::Uint8 => {
            announced.take_whole(path, contents.uint_contents.iter().map(|number| (*number).into()), into)
        }
        InputType::Int32 => {
            announced.take_whole(path, contents.int_contents.iter().map(|number| (*number).into()), into)
        }
        InputType::Int64 => announced.take_whole(path, contents.int64_contents.iter().copied(), into),
    }
}

/// How many elements there are in all lists.
fn n_elements(contents: &InferTensorContents) -> usize {
    [
        contents.bool_contents.len(),
        contents.int_contents.len(),
        contents.int64_contents.len(),
        contents.uint_contents.len(),
        contents.uint64_contents.len(),
        contents.fp32_contents.len(),
        contents.fp64_contents.len(),
        contents.bytes_contents.len(),
    ]
    .iter()
    .sum()
}

fn contents(elements: Elements<'_>) -> InferTensorContents {
    let mut contents = InferTensorContents::default();
    match elements {
        Elements::Numbers(numbers) => contents.fp32_contents = numbers.to_vec(),
        Elements::Classes(classes) => contents.int64_contents = classes.iter().map(|class| *class as i64).collect(),
        Elements::Names(classes) => {
            contents.bytes_contents = classes.iter().map(|class| class.to_string().into()).collect();
        }
    }
    contents
}
