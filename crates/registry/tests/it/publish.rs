//! Publishing: numbers in order, none lost, none shared.

use std::sync::Arc;

use expect_test::expect;
use registry::RegistryError;

use crate::{
    place::Place,
    support::{application, artifact, header, model, publish, singular, version},
};

#[tokio::test]
async fn a_published_version_is_read_back_as_it_was() {
    for place in Place::both() {
        let registry = place.open();
        let published = registry
            .publish(&model("mnist"), header(), artifact("weights"), Some("run-1"))
            .await
            .unwrap();
        assert!(!published.already);

        // Another instance has seen nothing yet, so it must find everything in the place.
        let registry = place.open();
        let document = registry.version(&version("mnist:1")).await.unwrap();
        assert_eq!(document, published.version);
        assert_eq!(
            (document.size_bytes, document.idempotency_key.as_deref()),
            (7, Some("run-1"))
        );
        assert_eq!(
            registry.artifact(&version("mnist:1")).await.unwrap(),
            artifact("weights")
        );
        assert_eq!(registry.versions(&model("mnist")).await.unwrap(), vec![document]);
    }
}

#[tokio::test]
async fn a_place_holds_what_the_documents_say() {
    for place in Place::both() {
        let registry = place.open();
        publish(&registry, "mnist", "one", None).await;
        publish(&registry, "mnist", "two", None).await;
        publish(&registry, "mnist", "one", None).await;
        publish(&registry, "fashion", "one", None).await;
        registry.deploy(singular("mnist-app", "mnist:2")).await.unwrap();
        expect![[r#"
        applications/mnist-app/revisions/00000001.json
        models/fashion/artifacts/7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed.safetensors
        models/fashion/versions/00000001.json
        models/mnist/artifacts/3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3.safetensors
        models/mnist/artifacts/7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed.safetensors
        models/mnist/versions/00000001.json
        models/mnist/versions/00000002.json
        models/mnist/versions/00000003.json
    "#]]
        .assert_eq(&place.listing());
        let models = registry.models().await.unwrap();
        let models: Vec<_> = models
            .iter()
            .map(|model| format!("{}: {}", model.name, model.versions))
            .collect();
        assert_eq!(models, ["fashion: 1", "mnist: 3"]);
        let applications: Vec<_> = registry.newest_revisions(|_| None).await.unwrap().into_keys().collect();
        assert_eq!(applications, [application("mnist-app")]);
    }
}

#[tokio::test]
async fn a_key_stands_for_one_version_however_often_it_is_used() {
    for place in Place::both() {
        let registry = place.open();
        assert_eq!(publish(&registry, "mnist", "one", Some("a")).await, "mnist:1");
        assert_eq!(publish(&registry, "mnist", "two", Some("b")).await, "mnist:2");
        let again = registry
            .publish(&model("mnist"), header(), artifact("one"), Some("a"))
            .await
            .unwrap();
        assert_eq!((again.version.model.clone(), again.already), (version("mnist:1"), true));
        // The same key for another model is another key.
        assert_eq!(publish(&registry, "fashion", "one", Some("a")).await, "fashion:1");

        let error = registry
            .publish(&model("mnist"), header(), artifact("other"), Some("a"))
            .await
            .unwrap_err();
        assert!(matches!(error, RegistryError::KeyReused { .. }));
        assert_eq!(
            error.to_string(),
            "the idempotency key `a` belongs to `mnist:1`, which is another artifact"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_publishers_never_share_or_lose_a_number() {
    for place in Place::both() {
        const PUBLISHERS: usize = 16;
        const EACH: usize = 6;
        let open = || Arc::new(place.open());
        // Two instances stand for two servers on one registry: they share nothing but what lies there.
        let instances = [open(), open()];
        let tasks: Vec<_> = (0..PUBLISHERS)
            .map(|publisher| {
                let registry = instances[publisher % 2].clone();
                tokio::spawn(async move {
                    let mut versions = Vec::new();
                    for round in 0..EACH {
                        // Every second artifact is the same for all, so they also meet at the artifact's name.
                        let text = if round % 2 == 0 {
                            "shared".to_owned()
                        } else {
                            format!("{publisher}-{round}")
                        };
                        let key = format!("{publisher}-{round}");
                        let version = publish(&registry, "mnist", &text, Some(&key)).await;
                        versions.push((version, key));
                    }
                    versions
                })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.extend(task.await.unwrap());
        }
        answers.sort();
        let documents = open().versions(&model("mnist")).await.unwrap();
        let mut stored: Vec<_> = documents
            .iter()
            .map(|document| (document.model.to_string(), document.idempotency_key.clone().unwrap()))
            .collect();
        stored.sort();
        assert_eq!(answers, stored);
        let numbers: Vec<_> = documents
            .iter()
            .map(|document| document.model.version.get() as usize)
            .collect();
        assert_eq!(numbers, (1..=PUBLISHERS * EACH).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn publishers_with_the_same_key_get_the_same_version() {
    for place in Place::both() {
        let open = || Arc::new(place.open());
        let instances = [open(), open()];
        for round in 0..10 {
            let key = format!("run-{round}");
            let tasks: Vec<_> = (0..8)
                .map(|publisher| {
                    let (registry, key) = (instances[publisher % 2].clone(), key.clone());
                    tokio::spawn(async move { publish(&registry, "mnist", &key, Some(&key)).await })
                })
                .collect();
            for task in tasks {
                assert_eq!(task.await.unwrap(), format!("mnist:{}", round + 1));
            }
        }
        assert_eq!(open().versions(&model("mnist")).await.unwrap().len(), 10);
    }
}
