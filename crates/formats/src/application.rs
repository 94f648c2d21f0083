//! What is deployed: the stages of an application, their weighted versions, and its numbered revisions.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    name::{ApplicationName, SignatureName},
    sticky::Sticky,
    version::ModelVersion,
};

/// The format number of stored revisions.
pub const REVISION_FORMAT: u32 = 1;

/// An application with every version fixed: what a server carries out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationSpec {
    /// The name in the predict address.
    pub name: ApplicationName,
    /// By what requests are told apart that get the same version each time; absent: each request is drawn anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// One after the other: the outputs of one are the inputs of the next.
    pub stages: Vec<Stage>,
}

/// One stage of an application: one or more versions that share its traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The signature that is called; absent in the `singular` form, where each signature of the model answers
    /// under its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureName>,
    /// Whose weights add up to 100.
    #[schemars(length(min = 1))]
    pub variants: Vec<Variant>,
}

/// A version and its share of the traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Which version answers.
    pub model: ModelVersion,
    /// Its share in percent, 0 to 100.
    #[schemars(range(max = 100))]
    pub weight: u32,
}

/// One deployed state of an application, as the registry keeps it.
///
/// Revisions are counted from 1 and never change; rolling back makes a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationRevision {
    /// [`REVISION_FORMAT`].
    pub format: u32,
    /// Counted from 1.
    pub revision: NonZeroU32,
    /// When it was deployed, in milliseconds since 1970-01-01 UTC.
    pub deployed_at_ms: u64,
    /// What was deployed.
    pub application: ApplicationSpec,
}

impl ApplicationSpec {
    /// Every version that it names, stage by stage; one that is named twice comes twice.
    pub fn versions(&self) -> impl Iterator<Item = &ModelVersion> {
        let variants = self.stages.iter().flat_map(|stage| &stage.variants);
        variants.map(|variant| &variant.model)
    }
}
