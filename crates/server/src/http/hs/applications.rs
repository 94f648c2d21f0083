//! Applications as the original describes them: stages of services, each a version by its id.

mod graph;

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use formats::{
    application::ApplicationSpec,
    name::{ApplicationName, SignatureName},
};
use inference::Application;
use model::contract::Contract;

use self::graph::{Graph, ShownGraph};
use super::{
    HsError,
    ids::{Kind, id},
    models,
};
use crate::{
    App,
    http::{ApiError, applications::finish, body, exchange::Answered, gateway, names::Names},
};

/// What is told about streams, which the original's gateway reads from Kafka and writes to it.
const NO_STREAMS: &str = "`kafkaStreaming` is not carried out: this server answers requests and reads no topics";
const NO_NAMESPACE: &str = "`namespace` is not carried out";

/// An application as a client describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    id: Option<u64>,
    name: ApplicationName,
    execution_graph: Graph,
    #[serde(default)]
    kafka_streaming: Vec<Value>,
    namespace: Option<Value>,
}

/// An application as the original shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    id: u64,
    name: ApplicationName,
    contract: String,
    execution_graph: ShownGraph,
    /// Always empty: the original shows which streams are read.
    kafka_streaming: [(); 0],
    /// What was asked for and is not carried out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notices: Vec<String>,
}

/// Every application, also one that should answer and cannot: a client that found none would make it anew.
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<Shown>>, ApiError> {
    let mut shown = Vec::new();
    for state in app.applications.states() {
        shown.push(match app.applications.application(&state.name) {
            Ok(application) => show(&app, &application, Vec::new()).await?,
            Err(_) => Shown::unanswering(state.name),
        });
    }
    Ok(Json(shown))
}

/// Deploys an application that does not exist yet.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Shown>), ApiError> {
    let described: Described = body::read_json(&app, &headers, body).await?;
    if app
        .applications
        .states()
        .iter()
        .any(|state| state.name == described.name)
    {
        return Err(HsError::Exists(described.name).into());
    }
    let shown = deploy(&app, described).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Deploys the next revision of an application, found by its id.
pub(super) async fn update(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Shown>, ApiError> {
    let described: Described = body::read_json(&app, &headers, body).await?;
    let id = described.id.ok_or(HsError::NoId)?;
    let found = find(&app, id)?;
    if found != described.name {
        return Err(HsError::Renamed {
            id,
            expected: found,
            found: described.name,
        }
        .into());
    }
    Ok(Json(deploy(&app, described).await?))
}

/// Predictions by the id of an application.
pub(super) async fn serve(
    State(app): State<Arc<App>>,
    Names((id, signature)): Names<(u64, SignatureName)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answered, ApiError> {
    let name = find(&app, id)?;
    gateway::predict(State(app), Names((name, signature)), headers, body).await
}

fn find(app: &App, wanted: u64) -> Result<ApplicationName, ApiError> {
    let mut states = app.applications.states().into_iter();
    let found = states.find(|state| id(Kind::Application, state.name.as_str()) == wanted);
    Ok(found
        .ok_or(HsError::UnknownId {
            kind: Kind::Application,
            id: wanted,
        })?
        .name)
}

async fn deploy(app: &App, described: Described) -> Result<Shown, ApiError> {
    let registry = app.applications.registry();
    let (stages, mut notices) = graph::resolve(registry, &described.name, described.execution_graph).await?;
    if !described.kafka_streaming.is_empty() {
        notices.push(NO_STREAMS.to_owned());
    }
    if described.namespace.is_some() {
        notices.push(NO_NAMESPACE.to_owned());
    }
    let spec = ApplicationSpec {
        name: described.name.clone(),
        sticky: None,
        stages,
    };
    let applications = app.applications.clone();
    let deployed = finish(async move { applications.deploy(spec).await }).await;
    deployed.map_err(graph::in_words_of_the_client).map(drop)?;
    let application = app.application(&described.name)?;
    show(app, &application, notices).await
}

async fn show(app: &App, application: &Application, notices: Vec<String>) -> Result<Shown, ApiError> {
    let name = application.name();
    let signatures = application.signatures().collect::<Vec<_>>();
    // The form with stages answers under the name of the application, and that is the signature it has in the original.
    let own = signatures
        .iter()
        .find(|signature| signature.name.as_str() == name.as_str());
    let own = own.or(signatures.first());
    let stages = &application.revision().application.stages;
    Ok(Shown {
        id: id(Kind::Application, name.as_str()),
        contract: Contract::of(name.as_str(), own).text(),
        execution_graph: graph::show(app, stages).await?,
        kafka_streaming: [],
        notices,
        name: name.clone(),
    })
}

impl Shown {
    fn unanswering(name: ApplicationName) -> Self {
        Self {
            id: id(Kind::Application, name.as_str()),
            contract: String::new(),
            execution_graph: ShownGraph::default(),
            kafka_streaming: [],
            notices: vec!["its newest revision cannot be served: `/api/applications` says why".to_owned()],
            name,
        }
    }
}
