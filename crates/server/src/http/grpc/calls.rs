//! The calls of the protocol's service, but for inference: the documents of its HTTP form in messages.

use std::sync::Arc;

use formats::{
    name::{ApplicationName, ModelName, NameError},
    open_inference::documents::{Duration, IndexEntry, ModelStatistics, State, TensorMetadata},
};

use super::proto::inference as proto;
use crate::{
    App,
    http::{
        ApiError,
        open_inference::{models, repository, statistics},
    },
};

pub(super) async fn server_live(
    _: Arc<App>,
    _: proto::ServerLiveRequest,
) -> Result<proto::ServerLiveResponse, ApiError> {
    Ok(proto::ServerLiveResponse { live: true })
}

pub(super) async fn server_ready(
    app: Arc<App>,
    _: proto::ServerReadyRequest,
) -> Result<proto::ServerReadyResponse, ApiError> {
    Ok(proto::ServerReadyResponse {
        ready: models::health(&app).ready,
    })
}

pub(super) async fn server_metadata(
    app: Arc<App>,
    _: proto::ServerMetadataRequest,
) -> Result<proto::ServerMetadataResponse, ApiError> {
    let metadata = models::server_metadata(&app);
    Ok(proto::ServerMetadataResponse {
        name: metadata.name,
        version: metadata.version,
        extensions: metadata.extensions,
    })
}

pub(super) async fn model_ready(
    app: Arc<App>,
    request: proto::ModelReadyRequest,
) -> Result<proto::ModelReadyResponse, ApiError> {
    match request.version.as_str() {
        "" => app.application(&application(&request.name)?).map(|_| ())?,
        number => models::expect_ready(&app, &model(&request.name)?, number).await?,
    }
    Ok(proto::ModelReadyResponse { ready: true })
}

pub(super) async fn model_metadata(
    app: Arc<App>,
    request: proto::ModelMetadataRequest,
) -> Result<proto::ModelMetadataResponse, ApiError> {
    let metadata = match request.version.as_str() {
        "" => models::application_metadata(&app, &application(&request.name)?)?,
        number => models::version_metadata(&app, &model(&request.name)?, number).await?,
    };
    let tensors = |tensors: Vec<TensorMetadata>| tensors.into_iter().map(tensor).collect();
    Ok(proto::ModelMetadataResponse {
        name: metadata.name,
        versions: metadata.versions,
        platform: metadata.platform,
        inputs: tensors(metadata.inputs),
        outputs: tensors(metadata.outputs),
        ..proto::ModelMetadataResponse::default()
    })
}

pub(super) async fn model_statistics(
    app: Arc<App>,
    request: proto::ModelStatisticsRequest,
) -> Result<proto::ModelStatisticsResponse, ApiError> {
    let statistics = match (request.name.as_str(), request.version.as_str()) {
        ("", _) => statistics::of_all(&app),
        (name, "") => statistics::application(&app, &application(name)?)?,
        (name, number) => statistics::version(&app, &model(name)?, number).await?,
    };
    Ok(proto::ModelStatisticsResponse {
        model_stats: statistics.model_stats.into_iter().map(of_model).collect(),
    })
}

pub(super) async fn repository_index(
    app: Arc<App>,
    request: proto::RepositoryIndexRequest,
) -> Result<proto::RepositoryIndexResponse, ApiError> {
    let entries = repository::entries(&app, request.ready).await?;
    Ok(proto::RepositoryIndexResponse {
        models: entries.into_iter().map(index).collect(),
    })
}

pub(super) async fn repository_model_load(
    app: Arc<App>,
    request: proto::RepositoryModelLoadRequest,
) -> Result<proto::RepositoryModelLoadResponse, ApiError> {
    let name = either(request.model_name, request.repository_name);
    let parameters = request.parameters.keys().map(String::as_str);
    repository::load_model(&app, &model(&name)?, parameters).await?;
    Ok(proto::RepositoryModelLoadResponse {
        model_name: name,
        is_loaded: true,
    })
}

pub(super) async fn repository_model_unload(
    app: Arc<App>,
    request: proto::RepositoryModelUnloadRequest,
) -> Result<proto::RepositoryModelUnloadResponse, ApiError> {
    let name = either(request.model_name, request.repository_name);
    repository::unload_model(&app, &model(&name)?).await?;
    Ok(proto::RepositoryModelUnloadResponse {
        model_name: name,
        is_unloaded: true,
    })
}

/// The name of the model, which clients of KServe put where others name a repository.
fn either(model_name: String, repository_name: String) -> String {
    if model_name.is_empty() {
        repository_name
    } else {
        model_name
    }
}

fn application(name: &str) -> Result<ApplicationName, ApiError> {
    name.parse().map_err(wrong_name)
}

fn model(name: &str) -> Result<ModelName, ApiError> {
    name.parse().map_err(wrong_name)
}

fn wrong_name(error: NameError) -> ApiError {
    ApiError::Name { place: "name", error }
}

fn tensor(tensor: TensorMetadata) -> proto::model_metadata_response::TensorMetadata {
    proto::model_metadata_response::TensorMetadata {
        name: tensor.name,
        datatype: tensor.datatype,
        shape: tensor.shape,
    }
}

fn index(entry: IndexEntry) -> proto::repository_index_response::ModelIndex {
    let state = match entry.state {
        State::Ready => "READY",
        State::Unavailable => "UNAVAILABLE",
    };
    proto::repository_index_response::ModelIndex {
        name: entry.name,
        version: entry.version,
        state: state.to_owned(),
        reason: entry.reason,
    }
}

fn of_model(model: ModelStatistics) -> proto::ModelStatistics {
    let times = model.inference_stats;
    let spent = |duration: Duration| {
        Some(proto::StatisticDuration {
            count: duration.count,
            ns: duration.ns,
        })
    };
    proto::ModelStatistics {
        name: model.name,
        version: model.version,
        last_inference: model.last_inference,
        inference_count: model.inference_count,
        execution_count: model.execution_count,
        inference_stats: Some(proto::InferStatistics {
            success: spent(times.success),
            fail: spent(times.fail),
            queue: spent(times.queue),
            compute_input: spent(times.compute_input),
            compute_infer: spent(times.compute_infer),
            compute_output: spent(times.compute_output),
        }),
    }
}
