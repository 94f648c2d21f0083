//! A data set in a folder of this machine, sent to the step that wants it.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, bail};
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{cluster::Cluster, objects::RECEIVE_PORT, objects::Scene};

/// Longest time for all files together.
const SEND_MAX: Duration = Duration::from_secs(120);

/// Sends the files to the pod of this name; `false` where it does not take them yet.
pub(super) fn send(cluster: &Cluster, scene: &Scene, pod: &str) -> bool {
    let Some(folder) = &scene.source else { return true };
    match archive(folder).and_then(|archive| transfer(cluster, pod, &archive)) {
        Ok(()) => true,
        // It has just started, or the way to it broke: the next look tries again, until the step's own time is up.
        Err(error) => {
            tracing::debug!("the files are not sent yet: {error:#}");
            false
        }
    }
}

/// The files of the data set in a folder, packed or not, as the step looks for them.
fn archive(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
    let mut archive = tar::Builder::new(Vec::new());
    for entry in entries {
        let name = entry.context("cannot list the data set")?.file_name();
        let is_ours = |name: &str| mnist_data::FILES.iter().any(|file| name.starts_with(file.name));
        if name.to_str().is_some_and(is_ours) {
            let path = folder.join(&name);
            let context = || format!("cannot read `{}`", path.display());
            archive.append_path_with_name(&path, &name).with_context(context)?;
        }
    }
    archive.into_inner().context("cannot pack the data set")
}

fn transfer(cluster: &Cluster, pod: &str, archive: &[u8]) -> anyhow::Result<()> {
    let api: Api<Pod> = cluster.api();
    cluster.runtime().block_on(async {
        let send = async {
            let mut ports = api.portforward(pod, &[RECEIVE_PORT]).await?;
            let mut stream = ports.take_stream(RECEIVE_PORT).context("the port is not forwarded")?;
            stream.write_all(archive).await?;
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).await?;
            match &answer {
                b"ok" => Ok(()),
                other => bail!("expected `ok`, found {other:?}"),
            }
        };
        timeout(SEND_MAX, send)
            .await
            .context("the pod does not take the files")?
    })
}
