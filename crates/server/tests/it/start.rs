//! A start on a registry with a long history.

use std::{
    fs,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use inference::{Applications, Registry};

use crate::support::{artifact, spec};

const N_VERSIONS: u32 = 10_000;

/// What is served is found by the number of the newest revision alone: nothing of the history is read.
#[tokio::test]
async fn ten_thousand_versions_and_revisions_hold_up_no_start() {
    let folder = TempDir::new().unwrap();
    let open = || Applications::new(Registry::open(folder.path().to_str().unwrap()).unwrap());
    let applications = open();
    applications
        .publish(&"mnist".parse().unwrap(), artifact(3).into(), None)
        .await
        .unwrap();
    applications
        .deploy(serde_json::from_str(&spec("app", "mnist:1")).unwrap())
        .await
        .unwrap();
    // The files of the first version and revision, again and again under other numbers, are what years would leave.
    for (numbered, first, later) in [
        ("models/mnist/versions", "\"mnist:1\"", "\"mnist:{}\""),
        ("applications/app/revisions", "\"revision\": 1,", "\"revision\": {},"),
    ] {
        let numbered = folder.path().join(numbered);
        let document = fs::read_to_string(numbered.join("00000001.json")).unwrap();
        assert!(document.contains(first));
        for number in 2..=N_VERSIONS {
            let document = document.replace(first, &later.replace("{}", &number.to_string()));
            fs::write(numbered.join(format!("{number:08}.json")), document).unwrap();
        }
    }
    let start = Instant::now();
    let restarted = open();
    restarted.refresh().await.unwrap();
    let elapsed = start.elapsed();
    assert_eq!(restarted.deployed()[0].number().get(), N_VERSIONS);
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?} until ready");
    assert_eq!(restarted.registry().models().await.unwrap()[0].versions, N_VERSIONS);
}
