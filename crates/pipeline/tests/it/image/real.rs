//! The same with the programs of other people, and an image that has one small file.

use std::{env, os::unix::net::UnixStream, path::Path, time::Duration};

use test_support::{ImageRegistry, OnDemand, Running, Workspace, patience};

use crate::{RUN_MAX, pipeline};

const START_MAX: Duration = Duration::from_secs(30);

/// What podman has to know of a registry without TLS, and of where it keeps its images.
const REGISTRIES: &str = "[[registry]]\nlocation = \"HOST\"\ninsecure = true\n";
const STORAGE: &str = "[storage]\ndriver = \"vfs\"\ngraphroot = \"FOLDER/images\"\nrunroot = \"FOLDER/run\"\n";

/// The engine behind `buildctl`, and its address.
fn buildkitd(workspace: &Workspace) -> (Running, String) {
    let socket = workspace.join("buildkitd");
    let address = format!("unix://{}", socket.display());
    let mut command = workspace.command(Path::new("buildkitd"));
    // A file system that lies anywhere, and the runtime of this machine: `podman` brings `crun` or `runc`.
    command.args([
        "--containerd-worker=false",
        "--oci-worker-snapshotter=native",
        "--addr",
        &address,
        "--root",
    ]);
    command.arg(workspace.join("state"));
    if !is_on_path("runc") {
        command.args(["--oci-worker-binary", "crun"]);
    }
    let mut running = Running::start(&mut command);
    patience("buildkitd", START_MAX, || {
        assert_eq!(running.ended(), None, "{}", running.stderr());
        UnixStream::connect(&socket).ok()
    });
    (running, address)
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Pushes the image with `tool`, twice: the name that is printed is one that the registry answers to.
fn push(tool: &str, buildkit: &str) {
    let (registry, workspace) = (ImageRegistry::start(), Workspace::new());
    workspace.write("Dockerfile", b"FROM scratch\nCOPY file /file\n");
    workspace.write("file", b"content");
    let fill = |text: &str| {
        let text = text.replace("HOST", &registry.host());
        text.replace("FOLDER", &workspace.path().display().to_string())
    };
    let registries = workspace.write("registries.conf", fill(REGISTRIES).as_bytes());
    let storage = workspace.write("storage.conf", fill(STORAGE).as_bytes());
    let name = format!("{}/slipway", registry.host());
    let push = |freshness: &[&str]| {
        let arguments = [["image", "push", &name, "--tool", tool].as_slice(), freshness].concat();
        let mut command = pipeline(&workspace, &arguments);
        command
            .env("CONTAINERS_REGISTRIES_CONF", &registries)
            .env("CONTAINERS_STORAGE_CONF", &storage)
            .env("BUILDKIT_HOST", buildkit);
        let outcome = Running::start(&mut command).wait(RUN_MAX);
        assert_eq!(outcome.code, 0, "{tool}: {}", outcome.stderr);
        outcome.stdout.trim().to_owned()
    };
    let reference = push(&[]);
    let accepted = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
    let mut answer = ureq::get(registry.url(&reference))
        .header("accept", accepted)
        .call()
        .unwrap();
    let manifest = answer.body_mut().read_to_string().unwrap();
    assert!(manifest.contains("\"layers\""), "{tool}: {manifest}");
    assert_eq!(
        push(&["--no-cache"]),
        reference,
        "{tool}: the same commit is the same image"
    );
}

#[test]
fn podman_pushes_to_a_registry_what_the_registry_has_under_the_name_that_is_printed() {
    if OnDemand::Interop.is_asked_for() {
        push("podman", "");
    }
}

#[test]
fn buildctl_pushes_to_a_registry_what_the_registry_has_under_the_name_that_is_printed() {
    if OnDemand::BuildKit.is_asked_for() {
        let workspace = Workspace::new();
        let (_running, address) = buildkitd(&workspace);
        push("buildctl", &address);
    }
}
