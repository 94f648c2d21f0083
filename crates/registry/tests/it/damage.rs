//! Folders in which something is wrong or foreign: named, never served, never in the way of the rest.

use std::{error::Error, fs, path::PathBuf};

use expect_test::{Expect, expect};
use tempfile::TempDir;

use registry::Registry;

use crate::support::{application, listing, model, publish, singular, version};

struct Store {
    folder: TempDir,
}

impl Store {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn open(&self) -> Registry {
        Registry::open(self.folder.path().to_str().unwrap()).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The only artifact of a model.
    fn artifact(&self, model: &str) -> PathBuf {
        let folder = self.path(&format!("models/{model}/artifacts"));
        fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
    }
}

fn check(error: &dyn Error, expected: &Expect) {
    let mut text = format!("{error}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!("because: {error}\n");
        cause = error.source();
    }
    expected.assert_eq(&text);
}

#[tokio::test]
async fn the_newest_folder_taken_as_the_model() {
    let store = Store::new();
    publish(&store.open(), "mnist", "good", None).await;
    // What the original would have served: whatever lies there, if only it is new or its name sorts last.
    store.write("models/mnist/1700000000/saved_model.pb", "stray");
    store.write("models/mnist/versions/1700000000/saved_model.pb", "stray");
    store.write("models/mnist/versions/99999999.json.part", "stray");
    store.write("models/mnist/versions/latest.json", "stray");
    store.write("models/zzz-newest/saved_model.pb", "stray");
    store.write("models/.hidden/versions/00000009.json", "stray");
    store.write("applications/newest/manifest.yaml", "stray");
    let registry = store.open();
    let models = registry.models().await.unwrap();
    assert_eq!(
        models
            .iter()
            .map(|model| (model.name.as_str(), model.versions))
            .collect::<Vec<_>>(),
        [("mnist", 1)]
    );
    assert_eq!(registry.versions(&model("mnist")).await.unwrap().len(), 1);
    assert!(registry.applications().await.unwrap().is_empty());
    assert_eq!(publish(&registry, "mnist", "next", None).await, "mnist:2");
}

#[tokio::test]
async fn leftovers_of_a_killed_writer_change_nothing() {
    let store = Store::new();
    // The names under which the store stages what it writes, before it links them to their own.
    store.write("models/mnist/versions/00000001.json#1", "{\"form");
    store.write("models/mnist/artifacts/0123.safetensors#1", "half");
    store.write("applications/app/revisions/00000001.json#1", "");
    let registry = store.open();
    assert!(registry.models().await.unwrap().is_empty());
    assert!(registry.applications().await.unwrap().is_empty());
    assert_eq!(publish(&registry, "mnist", "good", Some("run")).await, "mnist:1");
    registry.deploy(singular("app", "mnist:1")).await.unwrap();
    assert!(listing(store.folder.path()).contains("models/mnist/versions/00000001.json\n"));
    assert_eq!(
        store.open().current(&application("app")).await.unwrap().revision.get(),
        1
    );
}

#[tokio::test]
async fn an_artifact_whose_bytes_changed_is_not_handed_out() {
    let store = Store::new();
    publish(&store.open(), "mnist", "weights", None).await;
    fs::write(store.artifact("mnist"), "Weights").unwrap();
    check(
        &store.open().artifact(&version("mnist:1")).await.unwrap_err(),
        &expect![[r#"
        `models/mnist/artifacts/9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c.safetensors` in the registry is damaged or was not written by this program
        because: digest 147ec15498661dd98b2128a1fa230b4838f66d6b66dea64847dc55ac7d88a130, expected 9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c
    "#]],
    );
}

#[tokio::test]
async fn a_longer_or_missing_artifact_is_named() {
    let store = Store::new();
    publish(&store.open(), "mnist", "weights", None).await;
    fs::write(store.artifact("mnist"), "weights and more").unwrap();
    check(
        &store.open().artifact(&version("mnist:1")).await.unwrap_err(),
        &expect![[r#"
            `models/mnist/artifacts/9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c.safetensors` in the registry is damaged or was not written by this program
            because: 16 bytes, expected at most 7
        "#]],
    );
    fs::remove_file(store.artifact("mnist")).unwrap();
    check(
        &store.open().artifact(&version("mnist:1")).await.unwrap_err(),
        &expect![[r#"
        `models/mnist/artifacts/9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c.safetensors` in the registry is damaged or was not written by this program
        because: it does not exist, although a version needs it
    "#]],
    );
}

#[tokio::test]
async fn a_damaged_document_is_named_and_hides_no_other_model() {
    let store = Store::new();
    publish(&store.open(), "mnist", "one", None).await;
    publish(&store.open(), "mnist", "two", None).await;
    publish(&store.open(), "fashion", "one", None).await;
    let second = "models/mnist/versions/00000002.json";
    let text = fs::read_to_string(store.path(second)).unwrap();

    let check_second = async |text: &str, expected: &Expect| {
        store.write(second, text);
        let registry = store.open();
        check(&registry.version(&version("mnist:2")).await.unwrap_err(), expected);
        assert!(registry.versions(&model("mnist")).await.is_err());
        assert!(registry.version(&version("mnist:1")).await.is_ok());
        assert_eq!(registry.versions(&model("fashion")).await.unwrap().len(), 1);
        assert_eq!(registry.models().await.unwrap().len(), 2);
    };
    check_second(
        &text[..text.len() / 2],
        &expect![[r#"
            `models/mnist/versions/00000002.json` in the registry is damaged or was not written by this program
            because: it is not a valid document
            because: EOF while parsing a value at line 437 column 3
        "#]],
    )
    .await;
    check_second(
        "",
        &expect![[r#"
        `models/mnist/versions/00000002.json` in the registry is damaged or was not written by this program
        because: it is not a valid document
        because: EOF while parsing a value at line 1 column 0
    "#]],
    )
    .await;
    check_second(
        &text.replacen("\"format\": 1", "\"format\": 2", 1),
        &expect![[r#"
        `models/mnist/versions/00000002.json` in the registry is damaged or was not written by this program
        because: format 2, expected 1
    "#]],
    )
    .await;
    check_second(&text.replacen("{", "{\"colour\": 1,", 1), &expect![[r#"
        `models/mnist/versions/00000002.json` in the registry is damaged or was not written by this program
        because: it is not a valid document
        because: unknown field `colour`, expected one of `format`, `model`, `digest`, `size_bytes`, `published_at_ms`, `idempotency_key`, `header` at line 1 column 9
    "#]]).await;
    check_second(
        &text.replacen("mnist:2", "mnist:1", 1),
        &expect![[r#"
        `models/mnist/versions/00000002.json` in the registry is damaged or was not written by this program
        because: it describes `mnist:1`
    "#]],
    )
    .await;
    check_second(
        &" ".repeat(2_000_000),
        &expect![[r#"
            `models/mnist/versions/00000002.json` in the registry is damaged or was not written by this program
            because: 2000000 bytes, expected at most 1048576
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_damaged_revision_is_repaired_by_deploying_over_it() {
    let store = Store::new();
    store.open().deploy(singular("app", "mnist:1")).await.unwrap();
    store.write("applications/app/revisions/00000001.json", "{}");
    let registry = store.open();
    check(
        &registry.current(&application("app")).await.unwrap_err(),
        &expect![[r#"
        `applications/app/revisions/00000001.json` in the registry is damaged or was not written by this program
        because: it is not a valid document
        because: missing field `format` at line 1 column 2
    "#]],
    );
    let (revision, is_new) = registry.deploy(singular("app", "mnist:1")).await.unwrap();
    assert_eq!((revision.revision.get(), is_new), (2, true));
    assert_eq!(registry.current(&application("app")).await.unwrap(), revision);
}
