//! Where a registry can be: what holds on a folder must hold in a bucket.

use std::{collections::BTreeMap, fs, path::Path};

use formats::bucket::BucketUrl;
use registry::{Bucket, Credentials, Registry};
use tempfile::TempDir;
use test_support::BucketServer;

/// Below what the objects of a registry lie, in a folder and in a bucket.
const BELOW: &str = "below/registry";

/// One registry, empty at first, that any number of instances open.
pub(crate) enum Place {
    Folder(TempDir),
    Bucket(BucketServer),
}

impl Place {
    /// One of each kind.
    pub(crate) fn both() -> [Self; 2] {
        [Self::folder(), Self::Bucket(BucketServer::start("models"))]
    }

    pub(crate) fn folder() -> Self {
        Self::Folder(TempDir::new().unwrap())
    }

    /// An instance that has seen nothing yet.
    pub(crate) fn open(&self) -> Registry {
        match self {
            Self::Folder(folder) => {
                let location = format!("file://{}/{BELOW}", folder.path().display());
                Registry::open(&location).unwrap()
            }
            Self::Bucket(server) => Registry::in_bucket(&bucket(server)).unwrap(),
        }
    }

    /// Puts an object there, past the registry.
    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = format!("{BELOW}/{path}");
        match self {
            Self::Folder(folder) => {
                let path = folder.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            Self::Bucket(server) => server.set(&path, Some(bytes.as_ref())),
        }
    }

    /// The bytes of an object, past the registry.
    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        self.objects().remove(path).unwrap()
    }

    /// Takes an object away, past the registry.
    pub(crate) fn remove(&self, path: &str) {
        let path = format!("{BELOW}/{path}");
        match self {
            Self::Folder(folder) => fs::remove_file(folder.path().join(path)).unwrap(),
            Self::Bucket(server) => server.set(&path, None),
        }
    }

    /// All objects by their path in the registry.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let all = match self {
            Self::Folder(folder) => {
                let mut files = BTreeMap::new();
                walk(folder.path(), folder.path(), &mut files);
                files
            }
            Self::Bucket(server) => server.objects(),
        };
        let own = all.into_iter().map(|(path, bytes)| {
            let path = path.strip_prefix(&format!("{BELOW}/"));
            (path.expect("everything lies below one place").to_owned(), bytes)
        });
        own.collect()
    }

    /// The paths of all objects, one a line.
    pub(crate) fn listing(&self) -> String {
        self.objects().into_keys().map(|path| path + "\n").collect()
    }

    /// The path of the only artifact of a model.
    pub(crate) fn artifact(&self, model: &str) -> String {
        let folder = format!("models/{model}/artifacts/");
        self.objects()
            .into_keys()
            .find(|path| path.starts_with(&folder))
            .unwrap()
    }
}

/// The bucket of a service, reached by who may.
pub(crate) fn bucket(server: &BucketServer) -> Bucket {
    Bucket {
        url: url("models"),
        endpoint: Some(server.endpoint().parse().unwrap()),
        region: BucketServer::REGION.to_owned(),
        credentials: Credentials {
            key_id: BucketServer::KEY_ID.to_owned(),
            secret_key: BucketServer::SECRET_KEY.to_owned(),
            session_token: None,
        },
        certificates: None,
    }
}

pub(crate) fn url(bucket: &str) -> BucketUrl {
    format!("s3://{bucket}/{BELOW}").parse().unwrap()
}

fn walk(folder: &Path, root: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, root, files);
        } else {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}
