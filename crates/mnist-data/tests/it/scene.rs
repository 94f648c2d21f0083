//! A server with drawn digits and a folder to download into.

use std::num::NonZeroU32;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use mnist_data::download::Limits;
use mnist_data::{DownloadError, DownloadSettings, DownloadSummary, Source, ensure};
use test_support::{Digits, FileServer, Packing, Workspace, write_idx_files};

const NAMES: [&str; 4] = [
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
];
/// The first file that is fetched, as the server has it.
pub(crate) const FIRST: &str = "train-images-idx3-ubyte.gz";
pub(crate) const ALL_NEW: DownloadSummary = DownloadSummary {
    n_present: 0,
    n_fetched: 4,
};

/// A server with drawn digits, and a workspace whose folder `data` is downloaded into.
pub(crate) struct Scene {
    pub(crate) workspace: Workspace,
    pub(crate) server: FileServer,
    pub(crate) settings: DownloadSettings,
}

impl Scene {
    pub(crate) fn new(packing: Packing) -> Self {
        let (workspace, origin) = (Workspace::new(), Workspace::new());
        write_idx_files(origin.path(), 60, 20, packing);
        let server = FileServer::start(origin.path());
        let settings = settings(server.url().parse().unwrap());
        Self {
            workspace,
            server,
            settings,
        }
    }

    pub(crate) fn download(&self) -> Result<DownloadSummary, DownloadError> {
        ensure(
            &self.workspace.join("data"),
            &self.settings,
            &AtomicBool::new(false),
            &mut |_| {},
        )
    }

    /// The message of a download that fails, without what differs from run to run.
    pub(crate) fn failure(&self) -> String {
        let text = self.download().unwrap_err().to_string();
        text.replace(&self.server.url(), "URL/")
            .replace(&self.workspace.path().display().to_string(), ".")
    }

    pub(crate) fn expect_all_files(&self) {
        let names = NAMES.map(|name| format!("data/{name}"));
        assert_eq!(self.workspace.files("data"), names);
        assert_eq!(
            self.workspace.read("data/train-images-idx3-ubyte"),
            Digits::draw(60, 1).images_idx()
        );
        assert_eq!(
            self.workspace.read("data/t10k-labels-idx1-ubyte"),
            Digits::draw(20, 2).labels_idx()
        );
    }

    /// Starts of the ranges that were asked for, request by request.
    pub(crate) fn range_starts(&self) -> Vec<Option<usize>> {
        self.server
            .requests_for(FIRST)
            .iter()
            .map(|request| request.range_start)
            .collect()
    }
}

fn settings(source: Source) -> DownloadSettings {
    DownloadSettings {
        sources: vec![source],
        any_digest: true,
        refresh: false,
        limits: Limits {
            connect_max: Duration::from_secs(5),
            stall_max: Duration::from_millis(300),
            attempts_max: NonZeroU32::new(3).unwrap(),
            pause_first: Duration::from_millis(1),
            npm_max: Duration::from_secs(5),
        },
    }
}
