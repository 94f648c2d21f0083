//! Deploying: revisions in order, the last one counts.

use std::{num::NonZeroU32, sync::Arc};

use registry::RegistryError;

use crate::{
    place::Place,
    support::{application, singular, version},
};

#[tokio::test]
async fn a_deploy_of_what_is_deployed_makes_no_revision() {
    for place in Place::both() {
        let registry = place.open();
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_concurrent_deploy_becomes_a_revision() {
    for place in Place::both() {
        let open = || Arc::new(place.open());
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
}

#[tokio::test]
async fn the_newest_revisions_are_found_from_any_that_was_once_the_newest() {
    for place in Place::both() {
        let registry = place.open();
        for number in 1..=12 {
            let (revision, _) = registry
                .deploy(singular("app", &format!("mnist:{number}")))
                .await
                .unwrap();
            assert_eq!(revision.revision.get(), number);
        }
        registry.deploy(singular("other", "mnist:1")).await.unwrap();
        let newest = async |known: Option<u32>| {
            let known = known.and_then(NonZeroU32::new);
            let newest = registry.newest_revisions(|name| known.filter(|_| name.as_str() == "app"));
            let newest = newest.await.unwrap().into_iter();
            newest
                .map(|(name, number)| format!("{name}: {number}"))
                .collect::<Vec<_>>()
        };
        for known in [None, Some(1), Some(9), Some(11), Some(12), Some(13)] {
            assert_eq!(newest(known).await, ["app: 12", "other: 1"], "{known:?}");
        }
    }
}

#[tokio::test]
async fn what_was_never_stored_is_named() {
    for place in Place::both() {
        let registry = place.open();
        let name = application("nope");
        assert!(
            matches!(registry.current(&name).await, Err(RegistryError::UnknownApplication(found)) if found == name)
        );
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
}
