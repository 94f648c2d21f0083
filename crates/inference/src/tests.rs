//! Applications from deploy to answer, on small models in a throw-away registry.

mod direct;
mod fixture;
mod outage;
mod rollback;
mod stages;

use std::{error::Error, sync::Arc};

use expect_test::{Expect, expect};

use crate::{Change, InferenceError, RegistryError, Scratch};
use fixture::{Store, answer, artifact, name, predict, publish, signature, singular, staged};

fn check(error: &InferenceError, expected: &Expect) {
    let mut text = format!("{error}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!("because: {error}\n");
        cause = error.source();
    }
    expected.assert_eq(&text);
}

#[tokio::test]
async fn what_is_deployed_answers() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    publish(&applications, 7).await;
    applications.deploy(singular("app", "mnist:1")).await.unwrap();
    assert_eq!(answer(&applications, "app"), ("mnist:1".to_owned(), 3));

    let running = applications.route(&name("app"), &signature("predict")).unwrap();
    let (revision, is_new) = applications.deploy(singular("app", "mnist:2")).await.unwrap();
    assert_eq!((revision.revision.get(), is_new), (2, true));
    assert_eq!(answer(&applications, "app"), ("mnist:2".to_owned(), 7));
    let images = formats::tensor::Tensor {
        shape: vec![2, 2, 2],
        values: vec![0.0; 8],
    };
    let mut scratch = Scratch::default();
    let late = running.predict(&images, 0, &mut scratch).unwrap();
    assert_eq!(
        late.version().to_string(),
        "mnist:1",
        "a request that had begun stays on its version"
    );
    let outputs = late.outputs();
    assert_eq!(outputs.class_ids, [3, 3]);
    assert_eq!((outputs.logits.len(), outputs.probabilities.len()), (20, 20));

    let (again, is_new) = applications.deploy(singular("app", "mnist:2")).await.unwrap();
    assert_eq!((again, is_new), (revision, false));
}

#[tokio::test]
async fn traffic_follows_the_weights() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 1).await;
    publish(&applications, 2).await;
    applications
        .deploy(staged("app", Some("predict"), &[("mnist:1", 30), ("mnist:2", 70)]))
        .await
        .unwrap();
    let first = (0..100).filter(|&ticket| predict(&applications, "app", 0.0, ticket).unwrap().1 == 1);
    assert_eq!(first.count(), 30);
    // The form with stages answers under the name of the application as well.
    assert!(applications.route(&name("app"), &signature("app")).is_ok());
}

#[tokio::test]
async fn unknown_names_come_with_those_that_exist() {
    let store = Store::new();
    let applications = store.open();
    let route = |application, wanted| {
        let found = applications.route(&name(application), &signature(wanted));
        found.err().unwrap()
    };
    check(
        &route("app", "predict"),
        &expect![[r#"
        no application `app` is deployed; deployed: none
    "#]],
    );
    publish(&applications, 1).await;
    for number in 0..12 {
        applications
            .deploy(singular(&format!("app-{number}"), "mnist:1"))
            .await
            .unwrap();
    }
    check(
        &route("app", "predict"),
        &expect![[r#"
        no application `app` is deployed; deployed: `app-0`, `app-1`, `app-10`, `app-11`, `app-2`, `app-3`, `app-4`, `app-5`, `app-6`, `app-7` and 2 more
    "#]],
    );
    check(
        &route("app-0", "app-0"),
        &expect![[r#"
        application `app-0` has no signature `app-0`; it has: `predict`
    "#]],
    );
}

#[tokio::test]
async fn an_application_that_cannot_be_carried_out_changes_nothing() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    let other = artifact("classify", 4).encode().unwrap();
    applications
        .publish(&"mnist".parse().unwrap(), other.into(), None)
        .await
        .unwrap();
    applications.deploy(singular("app", "mnist:1")).await.unwrap();
    let mut two_stages = singular("app", "mnist:1");
    two_stages.stages.push(two_stages.stages[0].clone());
    for (wrong, expected) in [
        (
            singular("app", "mnist:9"),
            expect![[r#"
            stages[0].variants[0].model
            wrong application `app`: version `mnist:9` is not registered"#]],
        ),
        (
            two_stages,
            expect![[r#"
            stages[1]
            wrong application `app`: it takes `imgs`, the stage before gives `class_ids`, `classes`, `logits`, `probabilities`"#]],
        ),
        (
            staged("app", None, &[("mnist:1", 99)]),
            expect![[r#"
            stages[0].variants
            wrong application `app`: weights add up to 99, expected 100"#]],
        ),
        (
            staged("app", None, &[]),
            expect![[r#"
            stages[0].variants
            wrong application `app`: weights add up to 0, expected 100"#]],
        ),
        (
            staged("app", Some("classify"), &[("mnist:1", 100)]),
            expect![[r#"
            stages[0].signature
            wrong application `app`: the models have no signature `classify`, they have `predict`"#]],
        ),
        (
            staged("app", None, &[("mnist:1", 50), ("mnist:2", 50)]),
            expect![[r#"
            stages[0].variants
            wrong application `app`: `mnist:1` and `mnist:2` share traffic, but have different signatures"#]],
        ),
    ] {
        let error = applications.deploy(wrong).await.unwrap_err();
        let InferenceError::InvalidApplication { path, .. } = &error else {
            panic!("{error}")
        };
        expected.assert_eq(&format!("{path}\n{error}"));
        assert_eq!(answer(&applications, "app").0, "mnist:1");
        assert_eq!(applications.registry().revisions(&name("app")).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_broken_version_never_replaces_a_good_one() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    applications.deploy(singular("app", "mnist:1")).await.unwrap();
    publish(&applications, 4).await;
    store.damage_newest_artifact("mnist");
    let error = applications.deploy(singular("app", "mnist:2")).await.unwrap_err();
    assert!(
        matches!(error, InferenceError::Registry(RegistryError::Corrupt { .. })),
        "{error}"
    );
    assert_eq!(answer(&applications, "app"), ("mnist:1".to_owned(), 3));
    assert_eq!(
        applications
            .registry()
            .current(&name("app"))
            .await
            .unwrap()
            .revision
            .get(),
        1
    );
}

#[tokio::test]
async fn an_upload_that_cannot_be_served_is_not_published() {
    let store = Store::new();
    let applications = store.open();
    let mut bytes = artifact("predict", 1).encode().unwrap();
    bytes.pop();
    let error = applications
        .publish(&"mnist".parse().unwrap(), bytes.into(), None)
        .await
        .unwrap_err();
    check(
        &error,
        &expect![[r#"
            the artifact cannot be served
            because: the file has 1303 bytes, not as many as it announces: it is truncated, or something was appended
        "#]],
    );
    assert!(applications.registry().models().await.unwrap().is_empty());
}

#[tokio::test]
async fn values_beyond_the_network_are_named() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 1).await;
    applications.deploy(singular("app", "mnist:1")).await.unwrap();
    let error = predict(&applications, "app", f32::MAX, 0).err().unwrap();
    assert_eq!(error.to_string(), "imgs[0]: these values are too large for the model");
}

#[tokio::test]
async fn a_restart_restores_everything_and_names_what_is_broken() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    publish(&applications, 4).await;
    applications.deploy(singular("a-broken", "mnist:2")).await.unwrap();
    applications.deploy(singular("good", "mnist:1")).await.unwrap();
    applications.deploy(singular("same", "mnist:1")).await.unwrap();
    store.damage_newest_artifact("mnist");

    let restarted = store.open();
    let changes = restarted.refresh().await.unwrap();
    let [
        Change::Broken(broken, _),
        Change::Adopted(good, _),
        Change::Adopted(same, _),
    ] = changes.as_slice()
    else {
        panic!("{changes:?}")
    };
    assert_eq!(
        [broken.as_str(), good.as_str(), same.as_str()],
        ["a-broken", "good", "same"]
    );
    assert_eq!(answer(&restarted, "good"), ("mnist:1".to_owned(), 3));
    assert!(restarted.route(&name("a-broken"), &signature("predict")).is_err());
    assert!(
        restarted.refresh().await.unwrap().is_empty(),
        "each change is reported once"
    );

    restarted.deploy(singular("a-broken", "mnist:1")).await.unwrap();
    assert_eq!(answer(&restarted, "a-broken").1, 3);
}

#[tokio::test]
async fn servers_on_one_registry_agree() {
    let store = Store::new();
    let (here, there) = (store.open(), store.open());
    publish(&here, 3).await;
    publish(&there, 4).await;
    here.deploy(singular("app", "mnist:1")).await.unwrap();
    let changes = there.refresh().await.unwrap();
    assert!(matches!(changes.as_slice(), [Change::Adopted(_, revision)] if revision.get() == 1));
    there.deploy(singular("app", "mnist:2")).await.unwrap();
    here.refresh().await.unwrap();
    assert_eq!(answer(&here, "app"), answer(&there, "app"));
}

#[tokio::test]
async fn an_earlier_revision_that_arrives_late_replaces_nothing() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    publish(&applications, 4).await;
    let (first, _) = applications.deploy(singular("app", "mnist:1")).await.unwrap();
    applications.deploy(singular("app", "mnist:2")).await.unwrap();
    let adopted = applications.adopt(&first).await.unwrap();
    assert_eq!((adopted.number().get(), answer(&applications, "app").1), (2, 4));
}

#[tokio::test]
async fn a_version_is_loaded_once_and_leaves_with_its_last_application() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    publish(&applications, 4).await;
    applications.deploy(singular("one", "mnist:1")).await.unwrap();
    applications.deploy(singular("two", "mnist:1")).await.unwrap();
    let engine = |application| {
        let route = applications.route(&name(application), &signature("predict")).unwrap();
        route.stages.first.pick(0).clone()
    };
    assert!(Arc::ptr_eq(&engine("one"), &engine("two")));
    let engine = Arc::downgrade(&engine("one"));
    applications.deploy(singular("one", "mnist:2")).await.unwrap();
    assert!(engine.upgrade().is_some());
    applications.deploy(singular("two", "mnist:2")).await.unwrap();
    assert!(engine.upgrade().is_none());
}
