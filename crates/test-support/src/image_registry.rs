//! A registry for container images.

use std::{net::TcpStream, path::Path, time::Duration};

use crate::{Running, Workspace, free_port, patience};

const START_MAX: Duration = Duration::from_secs(30);

/// The registry of Debian's package `docker-registry`, empty, without TLS at a port of the loopback address.
#[derive(Debug)]
pub struct ImageRegistry {
    _running: Running,
    _workspace: Workspace,
    port: u16,
}

impl ImageRegistry {
    /// Starts it.
    pub fn start() -> Self {
        let (workspace, port) = (Workspace::new(), free_port());
        let settings = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: 127.0.0.1:{port}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n",
            workspace.join("images").display()
        );
        let settings = workspace.write("settings.yml", settings.as_bytes());
        let mut command = workspace.command(Path::new("docker-registry"));
        let mut running = Running::start(command.arg("serve").arg(settings));
        patience("the registry for images", START_MAX, || {
            assert_eq!(running.ended(), None, "{}", running.stderr());
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self {
            _running: running,
            _workspace: workspace,
            port,
        }
    }

    /// What stands in front of the names of its images. Programs trust a registry of this machine without TLS.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Where it answers for an image that is named by `HOST/NAME@DIGEST`.
    pub fn url(&self, reference: &str) -> String {
        let name = reference.strip_prefix(&format!("{}/", self.host()));
        let parts = name.and_then(|name| name.split_once('@'));
        let (name, digest) =
            parts.unwrap_or_else(|| panic!("expected `{}/NAME@DIGEST`, found `{reference}`", self.host()));
        format!("http://{}/v2/{name}/manifests/{digest}", self.host())
    }
}
