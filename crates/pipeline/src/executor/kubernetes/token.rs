//! The token that opens the server's management: made once, read by whoever may, and never shown.

use anyhow::Context;
use formats::secrets::{self, Secret};
use k8s_openapi::api::core::v1::Secret as Object;

use super::{
    cluster::Cluster,
    objects::{Scene, TOKEN_KEY, names},
};

/// Bytes of chance in a token.
const N_BYTES: usize = 32;

/// Makes the token, unless there is one.
pub(super) fn make(cluster: &Cluster, scene: &Scene) -> anyhow::Result<()> {
    if cluster.find::<Object>(names::MANAGEMENT)?.is_some() {
        return Ok(());
    }
    let mut bytes = [0; N_BYTES];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).context("the system gives no chance")?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // Whoever is quicker has made it for us, too.
    cluster.create(&scene.token(&token)).map(drop)
}

/// The token, where there is one.
pub(super) fn read(cluster: &Cluster) -> anyhow::Result<Option<Secret>> {
    let object = cluster
        .find::<Object>(names::MANAGEMENT)
        .context("cannot read the management's token")?;
    let Some(bytes) = object.and_then(|object| object.data?.remove(TOKEN_KEY)) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes.0).into_owned();
    let secrets = secrets::parse(&text).context("the management's token cannot be used")?;
    Ok(secrets.into_iter().next())
}
