//! The graph of an application: ids become versions, and versions what the original shows.

use serde::{Deserialize, Serialize};

use formats::{
    application::{Stage, Variant},
    name::{ApplicationName, SignatureName},
};
use inference::{InferenceError, Registry};

use super::models::{self, Version};
use crate::{
    App,
    http::{
        ApiError,
        hs::{HsError, environments, runtimes},
    },
};

/// Stages of services, as a client describes them.
#[derive(Deserialize)]
pub(super) struct Graph {
    stages: Vec<DescribedStage>,
}

#[derive(Deserialize)]
struct DescribedStage {
    services: Vec<Service>,
}

/// A version with its share of a stage's requests, and with what the original would run it in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    model_version_id: u64,
    runtime_id: u64,
    environment_id: Option<u64>,
    weight: u32,
    signature_name: Option<String>,
}

/// Stages of services, as the original shows them.
#[derive(Default, Serialize)]
pub(super) struct ShownGraph {
    stages: Vec<ShownStage>,
}

#[derive(Serialize)]
struct ShownStage {
    services: Vec<ShownService>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<SignatureName>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownService {
    model_version: Version,
    weight: u32,
}

/// The stages with every id resolved, and what of them is not carried out.
///
/// A single service answers as its model does, whatever signature is named: the original looks at no name there.
///
/// Errors: an id that nothing has; services of one stage with different signatures, or none.
pub(super) async fn resolve(
    registry: &Registry,
    name: &ApplicationName,
    graph: Graph,
) -> Result<(Vec<Stage>, Vec<String>), ApiError> {
    let wrong = |path: String, problem: String| InferenceError::InvalidApplication {
        name: name.clone(),
        path: format!("executionGraph.{path}"),
        problem,
    };
    let is_singular = matches!(graph.stages.as_slice(), [stage] if stage.services.len() == 1);
    let (mut stages, mut notices) = (Vec::new(), Vec::new());
    for (index, stage) in graph.stages.into_iter().enumerate() {
        let (mut signature, mut variants) = (None, Vec::new());
        for (number, service) in stage.services.into_iter().enumerate() {
            let path = |key: &str| format!("stages[{index}].services[{number}].{key}");
            let unknown = |key: &str, id: u64| wrong(path(key), format!("nothing has the id {id}"));
            if runtimes::find(registry, service.runtime_id).await?.is_none() {
                return Err(unknown("runtimeId", service.runtime_id).into());
            }
            match service.environment_id {
                Some(id) if !environments::exists(registry, id).await? => {
                    return Err(unknown("environmentId", id).into());
                }
                Some(0) | None => {}
                Some(_) => notices.push(format!("`{}` is not carried out", path("environmentId"))),
            }
            let version = match models::find(registry, service.model_version_id).await {
                Err(ApiError::Hs(HsError::UnknownId { id, .. })) => return Err(unknown("modelVersionId", id).into()),
                found => found?,
            };
            if !is_singular {
                let named = service.signature_name.unwrap_or_default();
                let named: SignatureName = named
                    .parse()
                    .map_err(|error| wrong(path("signatureName"), format!("{error}")))?;
                match &signature {
                    Some(other) if *other != named => {
                        let problem = format!("`{named}`, but another service of the stage has `{other}`");
                        return Err(wrong(path("signatureName"), problem).into());
                    }
                    _ => signature = Some(named),
                }
            }
            variants.push(Variant {
                model: version,
                weight: if is_singular { 100 } else { service.weight },
            });
        }
        stages.push(Stage { signature, variants });
    }
    Ok((stages, notices))
}

/// The stages with what is known of each version.
pub(super) async fn show(app: &App, stages: &[Stage]) -> Result<ShownGraph, ApiError> {
    let mut shown = Vec::new();
    for stage in stages {
        let mut services = Vec::new();
        for variant in &stage.variants {
            services.push(ShownService {
                model_version: models::show(app, &variant.model).await?,
                weight: variant.weight,
            });
        }
        shown.push(ShownStage {
            services,
            signature: stage.signature.clone(),
        });
    }
    Ok(ShownGraph { stages: shown })
}

/// Places in an application as our own API writes it become those in the client's document.
pub(super) fn in_words_of_the_client(error: ApiError) -> ApiError {
    match error {
        ApiError::Inference(InferenceError::InvalidApplication { name, path, problem }) => {
            ApiError::Inference(InferenceError::InvalidApplication {
                name,
                path: format!("executionGraph.{}", path.replace("variants", "services")),
                problem,
            })
        }
        error => error,
    }
}
