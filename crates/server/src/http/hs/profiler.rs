//! Data profiles, which the original computes of a file with `hs profile push`. Here none is: the answer says so, instead of
//! leaving `hs` to wait for one.

use std::{convert::Infallible, sync::Arc};

use axum::extract::State;

use super::{HsError, models};
use crate::{
    App,
    http::{ApiError, names::Names},
};

pub(super) async fn push(State(app): State<Arc<App>>, Names(id): Names<u64>) -> Result<Infallible, ApiError> {
    models::find(app.applications.registry(), id).await?;
    Err(HsError::NoProfiles.into())
}

pub(super) async fn status() -> Result<Infallible, ApiError> {
    Err(HsError::NoProfiles.into())
}
