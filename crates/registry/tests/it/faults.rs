//! A store that fails at its n-th call, for every n: whatever was reached, a retry ends with exactly one version.

use std::{
    fmt, fs, io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};
use tempfile::TempDir;

use registry::{Registry, RegistryError};

use crate::support::{application, artifact, assert_vanished, header, model, publish, singular, version};

/// When the failing call fails.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Nothing happened.
    Before,
    /// It took effect, but its answer is lost.
    After,
}

/// What follows the failing call.
#[derive(Debug, Clone, Copy)]
enum Aftermath {
    /// A passing fault: later calls succeed.
    Recovers,
    /// The caller was killed: no later call of this instance arrives.
    Killed,
}

const WAYS: [(Moment, Aftermath); 4] = [
    (Moment::Before, Aftermath::Recovers),
    (Moment::Before, Aftermath::Killed),
    (Moment::After, Aftermath::Recovers),
    (Moment::After, Aftermath::Killed),
];

/// A store whose call number `fails_at` fails, counted from 0.
#[derive(Debug)]
struct FaultyStore {
    inner: Arc<InMemory>,
    fails_at: usize,
    way: (Moment, Aftermath),
    calls: AtomicUsize,
}

impl FaultyStore {
    fn new(inner: &Arc<InMemory>, fails_at: usize, way: (Moment, Aftermath)) -> Arc<Self> {
        Arc::new(Self {
            inner: inner.clone(),
            fails_at,
            way,
            calls: AtomicUsize::new(0),
        })
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let index = self.calls.fetch_add(1, Ordering::Relaxed);
        let fault = || Error::Generic {
            store: "faulty",
            source: "injected fault".into(),
        };
        match self.way {
            (_, Aftermath::Killed) if index > self.fails_at => Err(fault()),
            (Moment::Before, _) if index == self.fails_at => Err(fault()),
            (Moment::After, _) if index == self.fails_at => call.await.and(Err(fault())),
            _ => call.await,
        }
    }

    fn was_spared(&self) -> bool {
        self.calls.load(Ordering::Relaxed) <= self.fails_at
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("faulty store")
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.call(self.inner.put_opts(path, payload, options)).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.call(self.inner.get_opts(path, options)).await
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.call(self.inner.list_with_delimiter(prefix)).await
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        unreachable!("the registry puts whole objects")
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        unreachable!("the registry deletes nothing")
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        unreachable!("the registry lists single folders")
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unreachable!("the registry copies nothing")
    }
}

fn is_the_injected_fault(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::Store {
            source: Error::Generic { store: "faulty", .. },
            ..
        }
    )
}

/// A registry that goes on where the failed one stopped: itself, or, if that was killed, a fresh one.
fn survivor(failed: Registry, inner: &Arc<InMemory>, aftermath: Aftermath) -> Registry {
    match aftermath {
        Aftermath::Recovers => failed,
        Aftermath::Killed => Registry::new(inner.clone()),
    }
}

#[tokio::test]
async fn a_retry_by_key_ends_with_exactly_one_version_wherever_the_store_failed() {
    for (way, with_rival) in WAYS.into_iter().flat_map(|way| [(way, false), (way, true)]) {
        for fails_at in 0.. {
            let inner = Arc::new(InMemory::new());
            publish(&Registry::new(inner.clone()), "mnist", "older", Some("older")).await;
            let faulty = FaultyStore::new(&inner, fails_at, way);
            let registry = Registry::new(faulty.clone());
            let first = registry
                .publish(&model("mnist"), header(), artifact("weights"), Some("run"))
                .await;
            if faulty.was_spared() {
                assert!(first.is_ok() && fails_at > 3, "{fails_at} calls were made");
                break;
            }
            assert!(is_the_injected_fault(&first.unwrap_err()), "{way:?} at call {fails_at}");
            if with_rival {
                // Somebody else publishes the same bytes before the retry comes.
                publish(&Registry::new(inner.clone()), "mnist", "weights", Some("rival")).await;
            }
            let registry = survivor(registry, &inner, way.1);
            let retried = publish(&registry, "mnist", "weights", Some("run")).await;
            assert_eq!(publish(&registry, "mnist", "weights", Some("run")).await, retried);

            let witness = Registry::new(inner.clone());
            let versions = witness.versions(&model("mnist")).await.unwrap();
            let of_this_run: Vec<_> = versions
                .iter()
                .filter(|version| version.idempotency_key.as_deref() == Some("run"))
                .collect();
            assert_eq!(of_this_run.len(), 1, "{way:?} at call {fails_at}");
            assert_eq!(of_this_run[0].model, version(&retried));
            assert_eq!(versions.len(), if with_rival { 3 } else { 2 });
            assert_eq!(witness.artifact(&version(&retried)).await.unwrap(), artifact("weights"));
        }
    }
}

#[tokio::test]
async fn a_version_is_visible_only_with_its_artifact_wherever_the_store_failed() {
    for way in WAYS {
        for fails_at in 0.. {
            let inner = Arc::new(InMemory::new());
            let faulty = FaultyStore::new(&inner, fails_at, way);
            let result = Registry::new(faulty.clone())
                .publish(&model("mnist"), header(), artifact("weights"), None)
                .await;
            let witness = Registry::new(inner.clone());
            for summary in witness.models().await.unwrap() {
                for version in witness.versions(&summary.name).await.unwrap() {
                    assert_eq!(witness.artifact(&version.model).await.unwrap(), artifact("weights"));
                }
            }
            if faulty.was_spared() {
                result.unwrap();
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_repeated_deploy_ends_with_exactly_one_revision_wherever_the_store_failed() {
    for way in WAYS {
        for fails_at in 0.. {
            let inner = Arc::new(InMemory::new());
            Registry::new(inner.clone())
                .deploy(singular("app", "mnist:1"))
                .await
                .unwrap();
            let faulty = FaultyStore::new(&inner, fails_at, way);
            let registry = Registry::new(faulty.clone());
            let first = registry.deploy(singular("app", "mnist:2")).await;
            if faulty.was_spared() {
                assert!(first.is_ok() && fails_at > 1, "{fails_at} calls were made");
                break;
            }
            assert!(is_the_injected_fault(&first.unwrap_err()), "{way:?} at call {fails_at}");
            let (revision, _) = survivor(registry, &inner, way.1)
                .deploy(singular("app", "mnist:2"))
                .await
                .unwrap();
            assert_eq!(revision.revision.get(), 2, "{way:?} at call {fails_at}");
            let witness = Registry::new(inner.clone());
            assert_eq!(witness.revisions(&application("app")).await.unwrap().len(), 2);
            assert_eq!(witness.current(&application("app")).await.unwrap(), revision);
        }
    }
}

/// The reason that a client is told: the kind of failure, and no place of this machine.
#[tokio::test]
async fn a_store_that_cannot_be_written_says_why_without_saying_where() {
    let fault = |kind: io::ErrorKind| {
        let source = io::Error::new(kind, "/srv/secret/place");
        RegistryError::Store {
            object: "models/mnist".to_owned(),
            source: Error::Generic {
                store: "LocalFileSystem",
                source: Box::new(source),
            },
        }
        .outage()
        .unwrap()
    };
    assert_eq!(
        fault(io::ErrorKind::ReadOnlyFilesystem),
        "read-only filesystem or storage medium"
    );
    assert_eq!(fault(io::ErrorKind::PermissionDenied), "permission denied");
    assert_eq!(fault(io::ErrorKind::StorageFull), "no storage space");
    let inner = Arc::new(InMemory::new());
    let faulty = FaultyStore::new(&inner, 0, WAYS[0]);
    let error = Registry::new(faulty).models().await.unwrap_err();
    assert_eq!(error.outage().unwrap(), "the store failed");
    assert_eq!(RegistryError::UnknownModel(model("mnist")).outage(), None);
}

#[tokio::test]
async fn a_store_that_lost_everything_is_an_outage_and_one_that_never_had_anything_is_not() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("registry");
    let registry = Registry::open(store.to_str().unwrap()).unwrap();
    assert!(registry.models().await.unwrap().is_empty(), "nothing was here yet");
    publish(&registry, "mnist", "weights", None).await;
    assert!(
        registry
            .versions(&model("other"))
            .await
            .is_err_and(|error| error.outage().is_none())
    );
    let aside = folder.path().join("aside");
    fs::rename(&store, &aside).unwrap();
    let outage = registry.newest_revisions(|_| None).await.unwrap_err();
    assert!(matches!(outage, RegistryError::Vanished), "{outage}");
    assert_vanished(&registry).await;
    assert!(!store.exists(), "nothing is written where the registry is not");
    fs::rename(&aside, &store).unwrap();
    assert_eq!(publish(&registry, "mnist", "others", None).await, "mnist:2");
}
