//! Contracts as the original shows them: text of protocol buffers in its lists, and plain JSON where asked for.

use std::sync::Arc;

use axum::{Json, extract::State};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;

use formats::{api::PublishedVersion, journal::Upload};
use model::contract::{Contract, FlatSignature};

use super::{journal::Journal, models};
use crate::{
    App,
    http::{ApiError, names::Names},
};

/// A contract as plain JSON.
#[derive(Serialize)]
pub(super) struct Flat {
    signatures: Vec<FlatSignature>,
}

/// The contract of a version as text.
pub(super) fn text(published: &PublishedVersion, upload: Option<&Upload>) -> String {
    contract(published, upload).text()
}

pub(super) async fn flat_of_version(
    State(app): State<Arc<App>>,
    Names(id): Names<u64>,
) -> Result<Json<Flat>, ApiError> {
    let registry = app.applications.registry();
    let published = registry.version(&models::find(registry, id).await?).await?;
    let journal = Journal::read(registry).await?;
    let contract = contract(&published, journal.uploads.get(&published.model));
    Ok(Json(Flat {
        signatures: contract.flat(),
    }))
}

/// The contract that was sent along, or else what the artifact says.
fn contract(published: &PublishedVersion, upload: Option<&Upload>) -> Contract {
    let name = published.model.name.as_str();
    let sent = upload.and_then(|upload| upload.contract.as_deref());
    let sent = sent.and_then(|sent| BASE64_STANDARD.decode(sent).ok());
    let sent = sent.and_then(|sent| Contract::decode(&sent).ok());
    match sent {
        Some(contract) => contract.named(name),
        None => Contract::of(name, [&published.header.signature]),
    }
}
