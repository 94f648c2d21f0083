//! The standard health service: the readiness of the server, of its services, and of applications by name.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use tokio::{sync::mpsc, time::sleep};
use tonic::{Status, codegen::tokio_stream::wrappers::ReceiverStream};
use tonic_health::{
    ServingStatus,
    pb::{
        HealthCheckRequest, HealthCheckResponse, health_check_response,
        health_server::{Health, HealthServer},
    },
};
use tower::ServiceExt;

use super::{INFERENCE, PREDICTION};
use crate::{App, http::open_inference::models};

/// The service, before the names of its calls.
pub(super) const PREFIX: &str = "/grpc.health.v1.Health/";

/// Longest silence of a watch: a connection on which nothing moves is taken for one whose client is gone.
const SILENCE_MAX: Duration = Duration::from_secs(5);

struct Probes(Arc<App>);

pub(super) async fn answer(app: Arc<App>, request: Request) -> Response {
    let answered = HealthServer::new(Probes(app)).oneshot(request).await;
    answered.unwrap_or_else(|never| match never {}).map(Body::new)
}

#[tonic::async_trait]
impl Health for Probes {
    type WatchStream = ReceiverStream<Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        match status(&self.0, &service) {
            Some(status) => Ok(tonic::Response::new(response(status))),
            None => Err(Status::not_found(format!("there is no service `{service}`"))),
        }
    }

    /// Tells the status at once, when the server's life goes on, and now and then in between.
    async fn watch(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let (sender, receiver) = mpsc::channel(1);
        let app = self.0.clone();
        tokio::spawn(async move {
            loop {
                let changed = app.life.changed();
                let response = match status(&app, &service) {
                    Some(status) => response(status),
                    None => HealthCheckResponse {
                        status: health_check_response::ServingStatus::ServiceUnknown.into(),
                    },
                };
                if sender.send(Ok(response)).await.is_err() || app.life.is_closing() {
                    return;
                }
                tokio::select! {
                    () = changed => {}
                    () = sleep(SILENCE_MAX) => {}
                    () = sender.closed() => return,
                }
            }
        });
        Ok(tonic::Response::new(ReceiverStream::new(receiver)))
    }
}

/// The status of a service, if there is one of that name.
fn status(app: &App, service: &str) -> Option<ServingStatus> {
    let is_ours = |prefix: &str| prefix.trim_matches('/') == service;
    let is_application = || service.parse().is_ok_and(|name| app.application(&name).is_ok());
    let is_known = service.is_empty() || is_ours(INFERENCE) || is_ours(PREDICTION) || is_application();
    is_known.then(|| match models::health(app).ready {
        true => ServingStatus::Serving,
        false => ServingStatus::NotServing,
    })
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    let status: health_check_response::ServingStatus = status.into();
    HealthCheckResponse { status: status.into() }
}
