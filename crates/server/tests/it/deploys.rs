//! Deploys under load: no request fails, and each answer comes from exactly one version.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http_body_util::BodyExt;

use formats::api::MODEL_VERSION;

use crate::support::{Fixture, PREDICT, images, post};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_fails_while_versions_are_swapped() {
    const DEPLOYS: usize = 40;
    let fixture = Arc::new(Fixture::deployed().await);
    let finished = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (fixture, finished) = (fixture.clone(), finished.clone());
            tokio::spawn(async move {
                let mut answers = [0_usize; 2];
                while !finished.load(Ordering::Relaxed) {
                    let response = fixture.send(post(PREDICT, images(5, "0.5"))).await;
                    assert_eq!(response.status(), 200);
                    let version = response.headers()[MODEL_VERSION].to_str().unwrap().to_owned();
                    let body = response.into_body().collect().await.unwrap().to_bytes();
                    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
                    // `mnist:1` always says 3 and `mnist:2` always 4, so a mixture would show.
                    let (index, class) = if version == "mnist:1" { (0, 3) } else { (1, 4) };
                    assert_eq!(answer["class_ids"], serde_json::json!(vec![[class]; 5]), "{version}");
                    answers[index] += 1;
                    // A real client waits for its socket here; this one would keep its thread for ever.
                    tokio::task::yield_now().await;
                }
                answers
            })
        })
        .collect();
    for round in 0..DEPLOYS {
        let version = if round % 2 == 0 { "mnist:2" } else { "mnist:1" };
        assert_eq!(fixture.deploy(version).await.status(), 201);
        // What was deployed answers from now on.
        let response = fixture.send(post(PREDICT, images(1, "0"))).await;
        assert_eq!(response.headers()[MODEL_VERSION], version);
    }
    finished.store(true, Ordering::Relaxed);
    let mut answers = [0; 2];
    for client in clients {
        let [one, two] = client.await.unwrap();
        answers = [answers[0] + one, answers[1] + two];
    }
    assert!(answers.iter().all(|count| *count > 0), "{answers:?}");
}
