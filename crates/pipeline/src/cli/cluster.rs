//! The part of the command line that says where a delivery goes to, and which cluster is meant.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where steps run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// As processes of this machine
    Local,
    /// As Jobs of a cluster, with the server as a Deployment
    Kubernetes,
}

/// Which delivery target is meant, and how it is reached.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Where the steps run
    #[arg(long, value_enum, default_value_t = Target::Local)]
    pub target: Target,

    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// The cluster, and the namespace in it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "With --target kubernetes")]
pub struct ClusterArgs {
    #[command(flatten)]
    pub context: ContextArgs,

    /// The namespace, which is made where it is missing
    #[arg(long, short, default_value = "slipway", value_name = "NAME", value_parser = namespace)]
    pub namespace: String,
}

/// The cluster.
#[derive(Debug, Clone, Args)]
pub struct ContextArgs {
    /// File that says how clusters are reached; without it those of KUBECONFIG, `~/.kube/config`, or the cluster in which
    /// this program runs itself
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Which of its contexts, in place of the current one
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// A name as RFC 1123 has them for hosts, without dots.
fn namespace(text: &str) -> Result<String, String> {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = (1..=63).contains(&text.len()) && text.chars().all(is_inner);
    match is_name && !text.starts_with('-') && !text.ends_with('-') {
        true => Ok(text.to_owned()),
        false => Err("expected 1 to 63 lower-case letters, digits and dashes, with no dash at either end".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_a_name_of_a_host() {
        for right in ["slipway", "team-1", "0"] {
            assert_eq!(namespace(right).as_deref(), Ok(right));
        }
        for wrong in ["", "Team", "a.b", "-a", "a-", "a/b", &"a".repeat(64)] {
            assert!(namespace(wrong).is_err(), "{wrong}");
        }
    }
}
