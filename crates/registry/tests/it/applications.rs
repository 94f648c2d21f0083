//! Deploying: revisions in order, the last one counts.

use std::sync::Arc;

use tempfile::TempDir;

use registry::{Registry, RegistryError};

use crate::support::{application, singular, version};

#[tokio::test]
async fn a_deploy_of_what_is_deployed_makes_no_revision() {
    let folder = TempDir::new().unwrap();
    let registry = Registry::open(folder.path().to_str().unwrap()).unwrap();
    let (first, is_new) = registry.deploy(singular("mnist-app", "mnist:1")).await.unwrap();
    assert_eq!((first.revision.get(), is_new), (1, true));
    let (again, is_new) = registry.deploy(singular("mnist-app", "mnist:1")).await.unwrap();
    assert_eq!((again, is_new), (first.clone(), false));

    let (second, _) = registry.deploy(singular("mnist-app", "mnist:2")).await.unwrap();
    // Going back is a revision of its own: history only grows.
    let (third, _) = registry.deploy(singular("mnist-app", "mnist:1")).await.unwrap();
    assert_eq!(registry.current(&application("mnist-app")).await.unwrap(), third);
    assert_eq!(
        registry.revisions(&application("mnist-app")).await.unwrap(),
        [first, second, third]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_concurrent_deploy_becomes_a_revision() {
    let folder = TempDir::new().unwrap();
    let open = || Arc::new(Registry::open(folder.path().to_str().unwrap()).unwrap());
    let instances = [open(), open()];
    let tasks: Vec<_> = (1..=24)
        .map(|number: usize| {
            let registry = instances[number % 2].clone();
            tokio::spawn(async move {
                registry
                    .deploy(singular("app", &format!("mnist:{number}")))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        let (revision, is_new) = task.await.unwrap();
        assert!(is_new);
        answers.push(revision);
    }
    answers.sort_by_key(|revision| revision.revision);
    assert_eq!(open().revisions(&application("app")).await.unwrap(), answers);
}

#[tokio::test]
async fn what_was_never_stored_is_named() {
    let folder = TempDir::new().unwrap();
    let registry = Registry::open(folder.path().to_str().unwrap()).unwrap();
    let name = application("nope");
    assert!(matches!(registry.current(&name).await, Err(RegistryError::UnknownApplication(found)) if found == name));
    assert!(matches!(
        registry.revisions(&name).await,
        Err(RegistryError::UnknownApplication(_))
    ));
    assert!(matches!(
        registry.versions(&version("x:1").name).await,
        Err(RegistryError::UnknownModel(_))
    ));
    let error = registry.artifact(&version("mnist:7")).await.unwrap_err();
    assert_eq!(error.to_string(), "no version `mnist:7` is registered");
}
