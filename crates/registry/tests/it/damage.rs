//! Registries in which something is wrong or foreign: named, never served, never in the way of the rest.

use std::error::Error;

use crate::{
    place::Place,
    support::{application, model, publish, singular, version},
};
use expect_test::{Expect, expect};

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
    for place in Place::both() {
        publish(&place.open(), "mnist", "good", None).await;
        // What the original would have served: whatever lies there, if only it is new or its name sorts last.
        place.write("models/mnist/1700000000/saved_model.pb", "stray");
        place.write("models/mnist/versions/1700000000/saved_model.pb", "stray");
        place.write("models/mnist/versions/99999999.json.part", "stray");
        place.write("models/mnist/versions/latest.json", "stray");
        place.write("models/zzz-newest/saved_model.pb", "stray");
        place.write("models/.hidden/versions/00000009.json", "stray");
        place.write("applications/newest/manifest.yaml", "stray");
        let registry = place.open();
        let models = registry.models().await.unwrap();
        assert_eq!(
            models
                .iter()
                .map(|model| (model.name.as_str(), model.versions))
                .collect::<Vec<_>>(),
            [("mnist", 1)]
        );
        assert_eq!(registry.versions(&model("mnist")).await.unwrap().len(), 1);
        assert!(registry.newest_revisions(|_| None).await.unwrap().is_empty());
        assert_eq!(publish(&registry, "mnist", "next", None).await, "mnist:2");
    }
}

#[tokio::test]
async fn leftovers_of_a_killed_writer_change_nothing() {
    for place in [Place::folder()] {
        // The names under which the store stages what it writes, before it links them to their own.
        place.write("models/mnist/versions/00000001.json#1", "{\"form");
        place.write("models/mnist/artifacts/0123.safetensors#1", "half");
        place.write("applications/app/revisions/00000001.json#1", "");
        let registry = place.open();
        assert!(registry.models().await.unwrap().is_empty());
        assert!(registry.newest_revisions(|_| None).await.unwrap().is_empty());
        assert_eq!(publish(&registry, "mnist", "good", Some("run")).await, "mnist:1");
        registry.deploy(singular("app", "mnist:1")).await.unwrap();
        assert!(place.objects().contains_key("models/mnist/versions/00000001.json"));
        assert_eq!(
            place.open().current(&application("app")).await.unwrap().revision.get(),
            1
        );
    }
}

#[tokio::test]
async fn an_artifact_whose_bytes_changed_is_not_handed_out() {
    for place in Place::both() {
        publish(&place.open(), "mnist", "weights", None).await;
        place.write(&place.artifact("mnist"), "Weights");
        check(
            &place.open().artifact(&version("mnist:1")).await.unwrap_err(),
            &expect![[r#"
        `models/mnist/artifacts/9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c.safetensors` in the registry is damaged or was not written by this program
        because: digest 147ec15498661dd98b2128a1fa230b4838f66d6b66dea64847dc55ac7d88a130, expected 9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c
    "#]],
        );
    }
}

#[tokio::test]
async fn a_longer_or_missing_artifact_is_named() {
    for place in Place::both() {
        publish(&place.open(), "mnist", "weights", None).await;
        place.write(&place.artifact("mnist"), "weights and more");
        check(
            &place.open().artifact(&version("mnist:1")).await.unwrap_err(),
            &expect![[r#"
            `models/mnist/artifacts/9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c.safetensors` in the registry is damaged or was not written by this program
            because: 16 bytes, expected at most 7
        "#]],
        );
        place.remove(&place.artifact("mnist"));
        check(
            &place.open().artifact(&version("mnist:1")).await.unwrap_err(),
            &expect![[r#"
        `models/mnist/artifacts/9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c.safetensors` in the registry is damaged or was not written by this program
        because: it does not exist, although a version needs it
    "#]],
        );
    }
}

#[tokio::test]
async fn a_damaged_document_is_named_and_hides_no_other_model() {
    for place in Place::both() {
        publish(&place.open(), "mnist", "one", None).await;
        publish(&place.open(), "mnist", "two", None).await;
        publish(&place.open(), "fashion", "one", None).await;
        let second = "models/mnist/versions/00000002.json";
        let text = String::from_utf8(place.read(second)).unwrap();

        let check_second = async |text: &str, expected: &Expect| {
            place.write(second, text);
            let registry = place.open();
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
}

#[tokio::test]
async fn a_damaged_revision_is_repaired_by_deploying_over_it() {
    for place in Place::both() {
        place.open().deploy(singular("app", "mnist:1")).await.unwrap();
        place.write("applications/app/revisions/00000001.json", "{}");
        let registry = place.open();
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
}
