//! Versity's S3 gateway on a folder: a service of other people that speaks S3.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use test_support::{Running, Workspace, free_port, patience};

use super::Environment;

/// What installs it, in one version.
const GATEWAY: &str = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";
/// Go has a hundred packages to compile.
const BUILD_MAX: Duration = Duration::from_secs(900);
const START_MAX: Duration = Duration::from_secs(30);

pub(crate) const KEY_ID: &str = "gateway";
pub(crate) const SECRET_KEY: &str = "a/key+for-the-gateway";

pub(super) struct Gateway {
    _running: Running,
    workspace: Workspace,
    bucket: String,
    port: u16,
}

impl Gateway {
    /// Starts it with one empty bucket. It speaks TLS with a certificate that nobody else has signed.
    pub(super) fn start(bucket: &str) -> Self {
        let (workspace, port) = (Workspace::new(), free_port());
        // A folder below its own is a bucket.
        for folder in [&format!("buckets/{bucket}"), "aside"] {
            fs::create_dir_all(workspace.join(folder)).unwrap();
        }
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = workspace.write("certificate.pem", cert.pem().as_bytes());
        let key = workspace.write("key.pem", signing_key.serialize_pem().as_bytes());
        let mut command = workspace.command(&program());
        command
            .args(["--quiet", "--port", &format!("localhost:{port}")])
            // It changes its folder before it opens any of these.
            .args([Path::new("--cert"), &certificate, Path::new("--key"), &key])
            .args(["posix", "--sidecar"])
            .args([workspace.join("aside"), workspace.join("buckets")])
            .envs([("ROOT_ACCESS_KEY", KEY_ID), ("ROOT_SECRET_KEY", SECRET_KEY)]);
        let mut running = Running::start(&mut command);
        patience("the gateway", START_MAX, || {
            assert_eq!(running.ended(), None, "{}", running.stderr());
            std::net::TcpStream::connect(("localhost", port)).ok()
        });
        Self {
            _running: running,
            workspace,
            bucket: bucket.to_owned(),
            port,
        }
    }

    /// The variables that let a program of ours reach the bucket.
    pub(super) fn environment(&self) -> Environment {
        let certificate = self.workspace.join("certificate.pem").display().to_string();
        let variables = [
            ("AWS_ENDPOINT_URL", format!("https://localhost:{}", self.port)),
            ("AWS_CA_BUNDLE", certificate),
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// The keys of all objects, each of which is a file.
    pub(super) fn keys(&self) -> Vec<String> {
        let folder = format!("buckets/{}", self.bucket);
        let files = self.workspace.files(&folder).into_iter();
        files
            .filter_map(|file| Some(file.strip_prefix(&format!("{folder}/"))?.to_owned()))
            .collect()
    }
}

/// The program, built once, so that it needs no library of this machine.
pub(crate) fn program() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("versitygw-1.8.0-static");
    let program = folder.join("versitygw");
    if !program.is_file() {
        let mut install = Command::new("go");
        install
            .args(["install", GATEWAY])
            .env("GOBIN", &folder)
            .env("CGO_ENABLED", "0");
        let outcome = Running::start(&mut install).wait(BUILD_MAX);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    }
    program
}
