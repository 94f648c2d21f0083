//! The application manifest, `application.yaml`: which models answer under one name, with which share of the traffic.
//!
//! It is the original's `kind: Application`. What is understood but not carried out (runtimes, environments,
//! streaming, monitoring) comes back as notices, so that nothing is promised in silence.

mod read;

use std::fmt;

use thiserror::Error;

use crate::{
    application::{ApplicationSpec, Stage, Variant},
    name::{ApplicationName, ModelName, SignatureName},
    sticky::Sticky,
    version::{ModelSelector, ModelVersion},
    yaml::{Document, Mistakes, Place},
};

/// An application as it is asked for: versions may still be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The name in the predict address.
    pub name: ApplicationName,
    /// By what requests are told apart that get the same version each time.
    pub sticky: Option<Sticky>,
    /// Which models answer.
    pub form: Form,
    /// What the document asks for and nothing here does.
    pub notices: Vec<Notice>,
}

/// The two ways to write an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// One model, whose signatures answer under their own names.
    Singular(ModelSelector),
    /// Stages, one after the other; never empty.
    Pipeline(Vec<ManifestStage>),
}

/// One stage of the `pipeline` form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestStage {
    /// The signature of its models that is called.
    pub signature: SignatureName,
    /// Never empty; the weights add up to 100.
    pub services: Vec<Service>,
}

/// One model of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Which model.
    pub model: ModelSelector,
    /// Its share of the traffic in percent.
    pub weight: u32,
}

/// Something that a manifest asks for and that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Where it is asked for.
    pub place: Place,
    /// The key path.
    pub path: String,
    /// What happens instead.
    pub instead: &'static str,
}

/// A manifest cannot be pinned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PinError {
    /// The model has nothing published yet.
    #[error("model `{0}` has no version yet")]
    NoVersion(ModelName),
}

impl Manifest {
    /// Understands a manifest, or tells every mistake in it. `file` is used in messages only.
    pub fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
        Document::parse(file, text)?.read(read::manifest)
    }

    /// Fixes every version: where the manifest has none, `resolve` gives the one to use, which in a delivery run is
    /// the one that this run published.
    pub fn pin(&self, resolve: impl Fn(&ModelName) -> Option<ModelVersion>) -> Result<ApplicationSpec, PinError> {
        let fix = |selector: &ModelSelector| match selector {
            ModelSelector::Fixed(version) => Ok(version.clone()),
            ModelSelector::Newest(name) => resolve(name).ok_or_else(|| PinError::NoVersion(name.clone())),
        };
        let variant = |service: &Service| {
            Ok(Variant {
                model: fix(&service.model)?,
                weight: service.weight,
            })
        };
        let stages = match &self.form {
            Form::Singular(model) => {
                vec![Stage {
                    signature: None,
                    variants: vec![Variant {
                        model: fix(model)?,
                        weight: 100,
                    }],
                }]
            }
            Form::Pipeline(stages) => {
                let stage = |stage: &ManifestStage| {
                    let variants = stage.services.iter().map(variant).collect::<Result<_, _>>()?;
                    Ok(Stage {
                        signature: Some(stage.signature.clone()),
                        variants,
                    })
                };
                stages.iter().map(stage).collect::<Result<_, _>>()?
            }
        };
        Ok(ApplicationSpec {
            name: self.name.clone(),
            sticky: self.sticky.clone(),
            stages,
        })
    }

    /// Every model it names, in its order, each as often as it is named.
    pub fn models(&self) -> Vec<&ModelSelector> {
        match &self.form {
            Form::Singular(model) => vec![model],
            Form::Pipeline(stages) => stages
                .iter()
                .flat_map(|stage| &stage.services)
                .map(|service| &service.model)
                .collect(),
        }
    }
}

/// `5:3: `streaming` is understood but not carried out: …`, to be printed behind the name of the file.
impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: `{}` is understood but not carried out: {}",
            self.place, self.path, self.instead
        )
    }
}

#[cfg(test)]
mod tests;
