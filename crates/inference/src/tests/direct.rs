//! Versions that are asked for by their own name.

use formats::tensor::Tensor;

use super::fixture::{Store, answer, name, publish, singular};
use crate::{Applications, InferenceError, Scratch};

/// The class that a version gives by its own name.
async fn ask(applications: &Applications, version: &str) -> Result<usize, InferenceError> {
    let route = applications.version_route(&version.parse().unwrap()).await?;
    let image = Tensor {
        shape: vec![1, 2, 2],
        values: vec![0.5; 4],
    };
    let mut scratch = Scratch::default();
    let prediction = route.predict(&image, 0, &mut scratch)?;
    assert_eq!(prediction.version().to_string(), version);
    Ok(prediction.outputs().class_ids[0])
}

#[tokio::test]
async fn every_version_answers_by_its_own_name() {
    let applications = Store::new().open();
    for class in [3, 4] {
        publish(&applications, class).await;
    }
    assert_eq!(ask(&applications, "mnist:1").await.unwrap(), 3);
    assert_eq!(ask(&applications, "mnist:2").await.unwrap(), 4);
    assert_eq!(
        ask(&applications, "mnist:3").await.unwrap_err().to_string(),
        "no version `mnist:3` is registered"
    );
}

#[tokio::test]
async fn a_version_that_is_asked_for_stays_and_the_one_that_nobody_asks_for_leaves() {
    let applications = Store::new().open();
    for class in 0..9 {
        publish(&applications, class).await;
    }
    for number in 1..=8 {
        ask(&applications, &format!("mnist:{number}")).await.unwrap();
    }
    ask(&applications, "mnist:1").await.unwrap();
    ask(&applications, "mnist:9").await.unwrap();
    let loaded: Vec<u32> = applications
        .direct
        .loaded()
        .iter()
        .map(|(version, _)| version.version.get())
        .collect();
    assert_eq!(loaded, [3, 4, 5, 6, 7, 8, 1, 9]);
    assert_eq!(ask(&applications, "mnist:2").await.unwrap(), 1);
}

#[tokio::test]
async fn a_model_that_was_unloaded_answers_for_its_applications_only_until_it_is_loaded_again() {
    let applications = Store::new().open();
    publish(&applications, 3).await;
    applications.deploy(singular("app", "mnist:1")).await.unwrap();
    let model = "mnist".parse().unwrap();
    applications.unload_model(&model).await.unwrap();
    assert_eq!(
        ask(&applications, "mnist:1").await.unwrap_err().to_string(),
        "model `mnist` was unloaded, and answers once it is loaded again"
    );
    assert_eq!(answer(&applications, "app"), ("mnist:1".to_owned(), 3));
    applications.load_model(&model).await.unwrap();
    assert_eq!(ask(&applications, "mnist:1").await.unwrap(), 3);
    let unknown = "other".parse().unwrap();
    for error in [
        applications.load_model(&unknown).await.unwrap_err(),
        applications.unload_model(&unknown).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "no model `other` is registered");
    }
    assert!(!applications.is_unloaded(&unknown));
}

#[tokio::test]
async fn what_answers_under_no_name_of_a_signature_is_the_applications_own() {
    let applications = Store::new().open();
    publish(&applications, 3).await;
    applications.deploy(singular("app", "mnist:1")).await.unwrap();
    let route = applications.application(&name("app")).unwrap().only_route();
    assert_eq!(route.signature().name.as_str(), "predict");
}
