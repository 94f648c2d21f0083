//! How the nodes of a cluster come to an image that no registry has.

use std::path::Path;

use anyhow::Context;
use kube::config::{Kubeconfig, NamedContext};

use super::ImageError;
use crate::cli::cluster::ContextArgs;

/// Who brings an image into the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Loader {
    /// A command that takes the name of an image that the engine keeps.
    Command(Vec<String>),
    /// One of the programs that make clusters on one machine, with the name of the cluster.
    Kind(String),
    K3d(String),
    Minikube(String),
}

impl Loader {
    /// The one that is named, or that of the cluster's own program.
    pub(crate) fn find(command: Option<&str>, context: &ContextArgs) -> anyhow::Result<Self> {
        if let Some(command) = command {
            return Ok(Self::Command(command.split_whitespace().map(str::to_owned).collect()));
        }
        let known = match &context.kubeconfig {
            Some(file) => Kubeconfig::read_from(file).with_context(|| format!("cannot read `{}`", file.display()))?,
            None => Kubeconfig::read().context("cannot read the kubeconfig")?,
        };
        let name = context.context.clone().or_else(|| known.current_context.clone());
        let name = name.context("the kubeconfig has no current context")?;
        let named = known.contexts.iter().find(|context| context.name == name);
        Self::of_context(&name, named.is_some_and(is_minikube)).ok_or_else(|| ImageError::NoLoader(name).into())
    }

    /// By the names that these programs give to contexts.
    fn of_context(name: &str, is_minikube: bool) -> Option<Self> {
        if is_minikube {
            return Some(Self::Minikube(name.to_owned()));
        }
        let after = |prefix| name.strip_prefix(prefix).map(str::to_owned);
        after("kind-").map(Self::Kind).or_else(|| after("k3d-").map(Self::K3d))
    }

    /// The command line that loads the image of this name, which is in `archive`, too.
    pub(crate) fn line(&self, image: &str, archive: &Path) -> Vec<String> {
        let archive = archive.display().to_string();
        let line = |words: [&str; 6]| words.map(str::to_owned).to_vec();
        match self {
            Self::Command(words) => [words.as_slice(), &[image.to_owned()]].concat(),
            Self::Kind(cluster) => line(["kind", "load", "image-archive", &archive, "--name", cluster]),
            Self::K3d(cluster) => line(["k3d", "image", "import", &archive, "--cluster", cluster]),
            Self::Minikube(profile) => line(["minikube", "image", "load", &archive, "--profile", profile]),
        }
    }
}

/// minikube notes in a context that it has made it, whatever its profile is called.
fn is_minikube(context: &NamedContext) -> bool {
    let extensions = context
        .context
        .iter()
        .flat_map(|context| context.extensions.iter().flatten());
    let mut providers = extensions.map(|extension| &extension.extension["provider"]);
    context.name == "minikube" || providers.any(|provider| provider == "minikube.sigs.k8s.io")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    /// The line for the current context of a kubeconfig with these contexts, or why there is none.
    fn line(current: &str, command: Option<&str>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        let text = CONTEXTS.replace("CURRENT", current);
        std::fs::write(&file, text).unwrap();
        let context = ContextArgs {
            kubeconfig: Some(file),
            context: None,
        };
        match Loader::find(command, &context) {
            Ok(loader) => loader.line("slipway:0011", Path::new("image.tar")).join(" "),
            Err(error) => error.to_string(),
        }
    }

    const CONTEXTS: &str = r#"
apiVersion: v1
kind: Config
current-context: CURRENT
contexts:
- {name: kind-dev, context: {cluster: a, user: a}}
- {name: k3d-dev, context: {cluster: a, user: a}}
- {name: minikube, context: {cluster: a, user: a}}
- name: trial
  context:
    cluster: a
    user: a
    extensions: [{name: context_info, extension: {provider: minikube.sigs.k8s.io, version: v1.32.0}}]
- {name: production, context: {cluster: a, user: a}}
"#;

    #[test]
    fn clusters_on_one_machine_are_recognised_by_their_context() {
        let lines = ["kind-dev", "k3d-dev", "minikube", "trial", "production"].map(|current| line(current, None));
        expect![[r#"
            kind load image-archive image.tar --name dev
            k3d image import image.tar --cluster dev
            minikube image load image.tar --profile minikube
            minikube image load image.tar --profile trial
            context `production` is none of kind, k3d or minikube, so nothing is known of how its nodes come to an image"#]]
        .assert_eq(&lines.join("\n"));
        assert_eq!(
            line("production", Some("load --into them")),
            "load --into them slipway:0011"
        );
    }
}
