//! The stages of an application: versions that share the traffic of each, and how the outputs of one reach the next.

use std::sync::Arc;

use registry::{Registry, RegistryError};

use formats::{
    application::{ApplicationSpec, Stage},
    signature::{Dimension, ElementType, Field, Quantity, Signature},
    version::ModelVersion,
};

use crate::{
    InferenceError, TrafficSplit,
    engine::{Engine, Engines},
};

/// All stages of an application, in the order in which they work.
pub(crate) struct Stages {
    pub(crate) first: TrafficSplit<Arc<Engine>>,
    pub(crate) further: Vec<FurtherStage>,
}

/// A stage that works on what the one before it gives.
pub(crate) struct FurtherStage {
    /// The output of the stage before that is the input here.
    pub(crate) takes: Quantity,
    pub(crate) split: TrafficSplit<Arc<Engine>>,
}

/// What is wrong at which place of an application.
type Wrong = (String, String);

impl Stages {
    /// Loads every version of `spec`, with the signatures by which the stages are called.
    ///
    /// Errors: a version that cannot be served; versions of one stage that are called differently; a stage whose input the
    /// one before does not give.
    pub(crate) async fn load(
        spec: &ApplicationSpec,
        registry: &Registry,
        engines: &Engines,
    ) -> Result<(Self, Vec<Signature>), InferenceError> {
        let invalid = |(path, problem): Wrong| InferenceError::InvalidApplication {
            name: spec.name.clone(),
            path,
            problem,
        };
        let (mut splits, mut signatures) = (Vec::new(), Vec::<Signature>::new());
        for (index, stage) in spec.stages.iter().enumerate() {
            let place = format!("stages[{index}]");
            let split = load_split(&place, stage, registry, engines).await?.map_err(invalid)?;
            signatures.push(common_signature(&place, stage, &split).map_err(invalid)?);
            splits.push(split);
        }
        let mut takes = Vec::new();
        for (index, pair) in signatures.windows(2).enumerate() {
            let place = format!("stages[{}]", index + 1);
            takes.push(handed_on(&pair[0], &pair[1]).map_err(|problem| invalid((place, problem)))?);
        }
        let mut splits = splits.into_iter();
        let first = splits.next();
        let first =
            first.ok_or_else(|| invalid(("stages".to_owned(), "no stage, expected one at least".to_owned())))?;
        let further = takes.into_iter().zip(splits);
        let further = further.map(|(takes, split)| FurtherStage { takes, split }).collect();
        Ok((Self { first, further }, signatures))
    }

    /// The only stage of a version that is asked for by its own name.
    pub(crate) fn of(engine: Arc<Engine>) -> Self {
        Self {
            first: TrafficSplit::new(vec![(100, engine)]).expect("100 is all of the traffic"),
            further: Vec::new(),
        }
    }

    /// Every version that may answer, as often as it has a share.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &ModelVersion> {
        let further = self.further.iter().flat_map(|stage| stage.split.iter());
        self.first.iter().chain(further).map(|engine| engine.version())
    }
}

/// The versions of a stage; a result within the result tells mistakes of the stage from those of the registry.
async fn load_split(
    place: &str,
    stage: &Stage,
    registry: &Registry,
    engines: &Engines,
) -> Result<Result<TrafficSplit<Arc<Engine>>, Wrong>, InferenceError> {
    let mut shares = Vec::with_capacity(stage.variants.len());
    for (index, variant) in stage.variants.iter().enumerate() {
        match engines.load(registry, &variant.model).await {
            Ok(engine) => shares.push((variant.weight, engine)),
            Err(InferenceError::Registry(RegistryError::UnknownVersion(_))) => {
                let problem = format!("version `{}` is not registered", variant.model);
                return Ok(Err((format!("{place}.variants[{index}].model"), problem)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(TrafficSplit::new(shares).map_err(|error| (format!("{place}.variants"), error.to_string())))
}

/// How all versions of a stage are called, which must be one way, and the one that the stage asks for.
fn common_signature(place: &str, stage: &Stage, split: &TrafficSplit<Arc<Engine>>) -> Result<Signature, Wrong> {
    let first = split.iter().next().expect("weights that add up to 100 are not none");
    let signature = first.signature();
    if let Some(other) = split.iter().find(|engine| engine.signature() != signature) {
        let problem = format!(
            "`{}` and `{}` share traffic, but have different signatures",
            first.version(),
            other.version()
        );
        return Err((format!("{place}.variants"), problem));
    }
    match &stage.signature {
        Some(wanted) if *wanted != signature.name => {
            let problem = format!(
                "the models have no signature `{wanted}`, they have `{}`",
                signature.name
            );
            Err((format!("{place}.signature"), problem))
        }
        _ => Ok(signature.clone()),
    }
}

/// The output of `before` that is the input of `next`: it has its name, its type, and as many values for each image.
fn handed_on(before: &Signature, next: &Signature) -> Result<Quantity, String> {
    let [input] = next.inputs.as_slice() else {
        return Err(format!("{} inputs, expected one", next.inputs.len()));
    };
    let Some(output) = before.outputs.iter().find(|output| output.name == input.name) else {
        let given: Vec<String> = before
            .outputs
            .iter()
            .map(|output| format!("`{}`", output.name))
            .collect();
        let given = given.join(", ");
        return Err(format!("it takes `{}`, the stage before gives {given}", input.name));
    };
    let is_same = output.element == ElementType::Float32
        && input.element == ElementType::Float32
        && n_values(output).is_some_and(|n_values_given| n_values(input) == Some(n_values_given));
    output.holds().filter(|_| is_same).ok_or_else(|| {
        format!(
            "it takes `{}` as {}, the stage before gives {}",
            input.name,
            shown(input),
            shown(output)
        )
    })
}

/// How many values a field has for each image.
fn n_values(field: &Field) -> Option<u64> {
    let [Dimension::Any, inner @ ..] = field.shape.as_slice() else {
        return None;
    };
    inner.iter().try_fold(1_u64, |product, dimension| match dimension {
        Dimension::Fixed(length) => product.checked_mul(u64::from(*length)),
        Dimension::Any => None,
    })
}

/// Type and shape, for a message.
fn shown(field: &Field) -> String {
    let lengths: Vec<String> = field.shape.iter().map(ToString::to_string).collect();
    format!("{:?} [{}]", field.element, lengths.join(", ")).to_lowercase()
}
