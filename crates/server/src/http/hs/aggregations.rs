//! Aggregations: what the original's monitoring is told to compute. They are kept and listed; nothing is computed from them.

use std::{num::NonZeroU32, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde_json::{Map, Value, json};

use formats::journal::JournalEvent;

use super::{HsError, journal::Journal};
use crate::{
    App,
    http::{ApiError, body, names::Names},
};

/// What a client is told that adds one.
const NOTICE: &str = "the aggregation is kept and listed; this server computes nothing from it";

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<Map<String, Value>>>, ApiError> {
    let journal = Journal::read(app.applications.registry()).await?;
    let aggregations = journal.aggregations.into_iter();
    Ok(Json(
        aggregations.map(|(number, value)| with_id(number, value)).collect(),
    ))
}

/// Keeps the body, which may be any object, as the original does.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Map<String, Value>>), ApiError> {
    let aggregation: Map<String, Value> = body::read_json(&app, &headers, body).await?;
    let event = JournalEvent::AggregationAdded(aggregation.clone());
    let entry = app.applications.registry().record(event).await?;
    let mut answer = with_id(entry.number, aggregation);
    answer.insert("notices".to_owned(), json!([NOTICE]));
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Removes one, and answers with what it was.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Names(id): Names<u64>,
) -> Result<Json<Map<String, Value>>, ApiError> {
    let registry = app.applications.registry();
    let journal = Journal::read(registry).await?;
    let mut aggregations = journal.aggregations.into_iter();
    let (number, value) = aggregations
        .find(|(number, _)| u64::from(number.get()) == id)
        .ok_or(HsError::UnknownAggregation(id))?;
    registry.record(JournalEvent::AggregationRemoved(number)).await?;
    Ok(Json(with_id(number, value)))
}

fn with_id(number: NonZeroU32, mut aggregation: Map<String, Value>) -> Map<String, Value> {
    aggregation.insert("id".to_owned(), number.get().into());
    aggregation
}
