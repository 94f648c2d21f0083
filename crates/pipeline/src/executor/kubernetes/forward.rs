//! A port of this machine that leads to the server's pods: through the API server, or straight where we are a pod ourselves.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::Context;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{cluster::Cluster, server};
use crate::{places::SERVER_PORT, server_url::ServerUrl};

/// A forwarded port, as long as this value lives.
pub(crate) struct Forward {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// Where it leads.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// To a pod that is ready, chosen for each connection.
    Ready,
    /// To the pod of this name.
    Pod(String),
}

impl Forward {
    /// Opens `port` of the loopback address; 0 takes a free one.
    pub(crate) fn open(cluster: &Cluster, target: Target, port: u16) -> anyhow::Result<Self> {
        let listener = cluster
            .runtime()
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
        let listener = listener.with_context(|| format!("cannot listen on port {port}"))?;
        let address = listener
            .local_addr()
            .context("cannot find out on which port we listen")?;
        let task = cluster
            .runtime()
            .spawn(accept(listener, cluster.api(), Arc::new((target, cluster.is_inside()))));
        Ok(Self { address, task })
    }

    /// Where the server is reached through it.
    pub(crate) fn url(&self) -> ServerUrl {
        ServerUrl::of_listener(self.address)
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, pods: Api<Pod>, way: Arc<(Target, bool)>) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let (pods, way) = (pods.clone(), Arc::clone(&way));
            tokio::spawn(async move {
                if let Err(error) = carry(stream, &pods, &way.0, way.1).await {
                    tracing::debug!("a forwarded connection ended: {error:#}");
                }
            });
        }
    }
}

async fn carry(mut stream: TcpStream, pods: &Api<Pod>, target: &Target, is_inside: bool) -> anyhow::Result<()> {
    let all = pods.list(&ListParams::default().labels(server::PODS)).await?;
    let mut chosen = all.into_iter().filter(|pod| match target {
        Target::Pod(name) => pod.metadata.name.as_ref() == Some(name),
        Target::Ready => server::is_ready(pod),
    });
    let pod = chosen.next().context("no pod of the server is ready")?;
    if is_inside {
        let address = pod
            .status
            .and_then(|status| status.pod_ip)
            .context("the pod has no address")?;
        let mut direct = TcpStream::connect((address.as_str(), SERVER_PORT)).await?;
        copy_bidirectional(&mut stream, &mut direct).await?;
        return Ok(());
    }
    let pod = pod.metadata.name.context("the pod has no name")?;
    let mut ports = pods.portforward(&pod, &[SERVER_PORT]).await?;
    let mut forwarded = ports.take_stream(SERVER_PORT).context("the port is not forwarded")?;
    copy_bidirectional(&mut stream, &mut forwarded).await?;
    Ok(())
}
