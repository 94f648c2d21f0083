//! Reflection: tonic's service over the descriptors of our files, in both versions that clients ask for.

use std::{convert::Infallible, sync::LazyLock};

use axum::{body::Body, extract::Request, response::Response};
use tonic_reflection::server::Builder;
use tower::{ServiceExt, util::BoxCloneSyncService};

use super::proto::DESCRIPTORS;

/// The service, before the name of its only call.
const V1: &str = "/grpc.reflection.v1.ServerReflection/";
/// The same under its first name, by which older clients ask.
const V1_ALPHA: &str = "/grpc.reflection.v1alpha.ServerReflection/";
/// Why a service can be made of the descriptors.
const OURS: &str = "the build script has made the descriptors";

type Reflection = BoxCloneSyncService<Request, Response<tonic::body::Body>, Infallible>;

static SERVICE_V1: LazyLock<Reflection> = LazyLock::new(|| BoxCloneSyncService::new(builder().build_v1().expect(OURS)));
static SERVICE_V1_ALPHA: LazyLock<Reflection> =
    LazyLock::new(|| BoxCloneSyncService::new(builder().build_v1alpha().expect(OURS)));

pub(super) fn is_for(path: &str) -> bool {
    path.starts_with(V1) || path.starts_with(V1_ALPHA)
}

pub(super) async fn answer(request: Request) -> Response {
    let service = match request.uri().path().starts_with(V1) {
        true => &SERVICE_V1,
        false => &SERVICE_V1_ALPHA,
    };
    let answered = Reflection::clone(service).oneshot(request).await;
    answered.unwrap_or_else(|never| match never {}).map(Body::new)
}

fn builder() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
