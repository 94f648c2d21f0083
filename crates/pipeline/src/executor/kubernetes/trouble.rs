//! What keeps a cluster from doing what it is asked for, in its own words.

use thiserror::Error;

/// The cluster cannot be asked at all.
#[derive(Debug, Error)]
#[error("the cluster at `{server}` does not answer")]
pub(crate) struct Unreachable {
    pub(crate) server: String,
    #[source]
    pub(crate) source: kube::Error,
}

/// Somebody else set what we would set otherwise.
#[derive(Debug, Error)]
#[error("{what} is changed by somebody else: {message}")]
pub(crate) struct Conflict {
    pub(crate) what: String,
    pub(crate) message: String,
}

/// The cluster refuses an object: by its rules for pods, a quota, missing rights, or because it is wrong.
#[derive(Debug, Error)]
#[error("the cluster refuses {what}: {message}")]
pub(crate) struct Denied {
    pub(crate) what: String,
    pub(crate) message: String,
}

/// A pod does not come to its work, or did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Trouble {
    /// Its image is not to be had.
    #[error("the image `{image}` cannot be had: {message}")]
    Image { image: String, message: String },
    /// No node takes it.
    #[error("no node takes the pod: {message}")]
    Unschedulable { message: String },
    /// It needs something that is not there, or not as it must be.
    #[error("the pod cannot start: {message}")]
    Start { message: String },
    /// It is not even made.
    #[error("no pod is made: {message}")]
    NoPod { message: String },
    /// It was killed, because it took more memory than it may.
    #[error("it was killed, because it took all of the memory that it may take, {limit}")]
    Memory { limit: String, hint: &'static str },
    /// The server's pods end again and again.
    #[error("the server ends as soon as it starts{last_lines}")]
    Crash { last_lines: String },
}

impl Denied {
    /// What helps.
    pub(crate) fn hint(&self) -> &'static str {
        match self.message.contains("denied") {
            true => "whoever runs the cluster has made that rule, and can change it or make an exception",
            false => "`kubectl auth can-i --list` shows what you may do in the namespace",
        }
    }
}

impl Trouble {
    /// What helps.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Image { .. } => {
                "`--image` names an image that the nodes can pull, or that was loaded into them, with its tag or digest"
            }
            Self::Unschedulable { message } if is_about_volumes(message) => {
                "the keys `kubernetes.storage_class`, `work_storage` and `access_mode` of `pipeline.yaml` must suit the \
                 cluster; `kubectl get storageclass` shows what it has"
            }
            Self::Unschedulable { .. } => {
                "the keys `kubernetes.*_cpu` and `kubernetes.*_memory` of `pipeline.yaml` say what pods are promised; \
                 `kubectl describe nodes` shows what is left"
            }
            Self::NoPod { message } if message.contains("exceeded quota") => {
                "the quota of the namespace leaves too little: lower `kubernetes.*_cpu`, `kubernetes.*_memory` or \
                 `kubernetes.replicas` in `pipeline.yaml`, or have it raised"
            }
            Self::Start { .. } | Self::NoPod { .. } => "`kubectl describe` in the namespace shows all that led to this",
            Self::Memory { hint, .. } => hint,
            Self::Crash { .. } => "`pipeline logs serve --target kubernetes` shows all that it wrote",
        }
    }
}

/// Whether no node takes a pod because of its volumes.
pub(super) fn is_about_volumes(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("persistentvolume") || message.contains("persistent volume") || message.contains("volume node")
}
