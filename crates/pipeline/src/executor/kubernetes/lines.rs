//! What a pod writes, line by line, however often the way to it breaks.

use std::time::Duration;

use futures::{AsyncBufReadExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel, error::TryRecvError},
    task::JoinHandle,
    time::timeout,
};

use super::cluster::Cluster;

/// Lines that may wait to be shown; a pod that is faster waits.
const LINES_MAX: usize = 1_000;
/// Time between two attempts to follow.
const PAUSE: Duration = Duration::from_millis(300);

/// The lines of one pod. Each comes once.
pub(super) struct Lines {
    pod: String,
    receiver: Receiver<String>,
    task: JoinHandle<()>,
    n_shown: usize,
}

impl Lines {
    /// Starts to follow what the pod of this name writes, from its first line.
    pub(super) fn follow(cluster: &Cluster, pod: &str) -> Self {
        let (sender, receiver) = channel(LINES_MAX);
        let task = cluster.runtime().spawn(follow(cluster.api(), pod.to_owned(), sender));
        Self {
            pod: pod.to_owned(),
            receiver,
            task,
            n_shown: 0,
        }
    }

    /// Hands on what comes within this time.
    pub(super) fn show(&mut self, cluster: &Cluster, moment: Duration, output: &mut dyn FnMut(&str)) {
        let next = async {
            let Some(first) = self.receiver.recv().await else {
                return std::future::pending().await;
            };
            first
        };
        let first = cluster.runtime().block_on(async { timeout(moment, next).await.ok() });
        if let Some(first) = first {
            self.n_shown += 1;
            output(&first);
        }
        while let Ok(line) = self.receiver.try_recv() {
            self.n_shown += 1;
            output(&line);
        }
    }

    /// Hands on the rest of what a pod wrote that has ended. That its lines are lost with its node is no failure.
    pub(super) fn finish(mut self, cluster: &Cluster, output: &mut dyn FnMut(&str)) {
        self.task.abort();
        loop {
            match self.receiver.try_recv() {
                Ok(line) => {
                    self.n_shown += 1;
                    output(&line);
                }
                Err(TryRecvError::Empty) if !self.task.is_finished() => std::thread::yield_now(),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        let (api, parameters): (Api<Pod>, _) = (cluster.api(), LogParams::default());
        let all = cluster.ask(|| api.logs(&self.pod, &parameters));
        for line in all.unwrap_or_default().lines().skip(self.n_shown) {
            output(line);
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Follows until nobody listens. After a break it reads from the start, and passes over what it has handed on.
async fn follow(api: Api<Pod>, pod: String, sender: Sender<String>) {
    let parameters = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let mut n_sent = 0;
    loop {
        if let Ok(stream) = api.log_stream(&pod, &parameters).await {
            let mut lines = stream.lines();
            let mut index = 0;
            while let Ok(Some(line)) = lines.try_next().await {
                index += 1;
                if index > n_sent {
                    if sender.send(line).await.is_err() {
                        return;
                    }
                    n_sent = index;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
