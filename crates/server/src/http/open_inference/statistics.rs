//! The statistics extension: what was asked of each application and each version.

use std::sync::Arc;

use axum::{Json, extract::State};

use formats::{
    name::{ApplicationName, ModelName},
    open_inference::documents::{Duration, InferenceStatistics, ModelStatistics, Statistics},
    version::ModelVersion,
};

use crate::{
    App,
    http::{ApiError, models::model_version, names::Names},
    metrics::{Spent, Usage},
};

pub(in crate::http) async fn all(State(app): State<Arc<App>>) -> Json<Statistics> {
    Json(of_all(&app))
}

pub(in crate::http) async fn of_application(
    State(app): State<Arc<App>>,
    Names(name): Names<ApplicationName>,
) -> Result<Json<Statistics>, ApiError> {
    Ok(Json(application(&app, &name)?))
}

pub(in crate::http) async fn of_version(
    State(app): State<Arc<App>>,
    Names((model, number)): Names<(ModelName, String)>,
) -> Result<Json<Statistics>, ApiError> {
    Ok(Json(version(&app, &model, &number).await?))
}

/// Everything that was asked.
pub(in crate::http) fn of_all(app: &App) -> Statistics {
    let usage = app.metrics.usage();
    Statistics {
        model_stats: usage.iter().map(statistics).collect(),
    }
}

/// What was asked of an application; the versions that answer now are there also where nobody has asked.
pub(in crate::http) fn application(app: &App, name: &ApplicationName) -> Result<Statistics, ApiError> {
    let deployed = app.application(name)?;
    let mut usage = app.metrics.usage();
    usage.retain(|usage| usage.application == name.as_str());
    for version in deployed.versions() {
        let version = version.to_string();
        if usage.iter().all(|usage| usage.version != version) {
            usage.push(Usage {
                application: name.to_string(),
                version,
                ..Usage::default()
            });
        }
    }
    Ok(Statistics {
        model_stats: usage.iter().map(statistics).collect(),
    })
}

/// What was asked of a version by its own name.
pub(in crate::http) async fn version(app: &App, model: &ModelName, number: &str) -> Result<Statistics, ApiError> {
    let version = model_version(model, number)?;
    app.applications.registry().version(&version).await?;
    let version = version.to_string();
    let usage = app.metrics.usage();
    let found = usage
        .into_iter()
        .find(|usage| usage.application.is_empty() && usage.version == version);
    let usage = found.unwrap_or(Usage {
        version,
        ..Usage::default()
    });
    Ok(Statistics {
        model_stats: vec![statistics(&usage)],
    })
}

fn statistics(usage: &Usage) -> ModelStatistics {
    let (name, version) = match usage.version.parse::<ModelVersion>() {
        // By its own name, it is called by its number.
        Ok(version) if usage.application.is_empty() => (version.name.to_string(), version.version.to_string()),
        _ => (usage.application.clone(), usage.version.clone()),
    };
    ModelStatistics {
        name,
        version,
        last_inference: usage.last_ms,
        inference_count: usage.n_images,
        execution_count: usage.succeeded.count,
        inference_stats: InferenceStatistics {
            success: duration(usage.succeeded),
            fail: duration(usage.failed),
            queue: Duration {
                count: usage.succeeded.count,
                ns: 0,
            },
            compute_input: duration(usage.reading),
            compute_infer: duration(usage.classifying),
            compute_output: duration(usage.writing),
        },
        batch_stats: Vec::new(),
    }
}

fn duration(spent: Spent) -> Duration {
    Duration {
        count: spent.count,
        ns: spent.ns,
    }
}
