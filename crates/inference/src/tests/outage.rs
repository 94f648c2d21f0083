//! Versions that are no good, and a registry that keeps something back: what answered goes on answering.

use std::fs;

use expect_test::{Expect, expect};

use formats::digest::Digest;
use model::Artifact;

use super::check;
use super::fixture::{Store, answer, artifact, name, publish, singular};
use crate::{Applications, Change};

/// An artifact with other numbers, whose digest is right again.
fn with_numbers(numbers: impl Fn(usize) -> f32) -> Vec<u8> {
    let mut bytes = artifact("predict", 4).encode().unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let data = bytes.split_off(8 + length);
    let n_numbers = data.len() / 4;
    let altered: Vec<u8> = (0..n_numbers).flat_map(|index| numbers(index).to_le_bytes()).collect();
    let [old, new] = [&data, &altered].map(|data| Digest::of(data).to_string());
    let header = String::from_utf8(bytes).unwrap();
    assert!(header.contains(&old));
    [header.replace(&old, &new).into_bytes(), altered].concat()
}

fn with_header(from: &str, to: &str) -> Vec<u8> {
    let bytes = artifact("predict", 4).encode().unwrap();
    let at = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes())
        .unwrap();
    assert_eq!(from.len(), to.len());
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

/// Registers `bytes` as they are, as another program could, and deploys them here and elsewhere.
async fn check_version(bytes: Vec<u8>, expected: Expect) {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    applications.deploy(singular("app", "mnist:1")).await.unwrap();
    let header = artifact("predict", 4).header().clone();
    let model = "mnist".parse().unwrap();
    let published = applications.registry().publish(&model, header, bytes.into(), None);
    published.await.unwrap();
    let error = applications.deploy(singular("app", "mnist:2")).await.unwrap_err();
    check(&error, &expected);
    assert_eq!(answer(&applications, "app"), ("mnist:1".to_owned(), 3));
    assert_eq!(applications.registry().revisions(&name("app")).await.unwrap().len(), 1);
    // Somebody else makes it a revision all the same.
    applications
        .registry()
        .deploy(singular("app", "mnist:2"))
        .await
        .unwrap();
    let changes = applications.refresh().await.unwrap();
    assert!(
        matches!(changes.as_slice(), [Change::Broken(broken, _)] if *broken == name("app")),
        "{changes:?}"
    );
    assert_eq!(answer(&applications, "app"), ("mnist:1".to_owned(), 3));
    assert_eq!(applications.broken()[&name("app")].revision.get(), 2);
}

#[tokio::test]
async fn a_version_that_is_no_good_never_replaces_a_good_one() {
    let good = artifact("predict", 4).encode().unwrap();
    assert!(
        Artifact::read(&with_numbers(|index| index as f32)).is_ok(),
        "the alteration itself is no mistake"
    );
    check_version(
        with_numbers(|_| f32::NAN),
        expect![[r#"
            version `mnist:2` cannot be served
            because: value 0 of `layers.0.weight` is not a finite number
        "#]],
    )
    .await;
    check_version(
        good[..good.len() / 2].to_vec(),
        expect![[r#"
            version `mnist:2` cannot be served
            because: the file has 652 bytes, not as many as it announces: it is truncated, or something was appended
        "#]],
    )
    .await;
    check_version(
        vec![0; 1000],
        expect![[r#"
            version `mnist:2` cannot be served
            because: it is not a safetensors file: invalid JSON in header: EOF while parsing a value at line 1 column 0
        "#]],
    )
    .await;
    check_version(
        with_header("[4,10]", "[5,8] "),
        expect![[r#"
            version `mnist:2` cannot be served
            because: its signature `predict` does not fit a classifier of 5 pixels into 8 classes
        "#]],
    )
    .await;
}

#[tokio::test]
async fn ready_is_only_who_has_loaded_what_the_registry_keeps_back_for_a_while() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    applications.deploy(singular("app", "mnist:1")).await.unwrap();
    let (artifacts, aside) = (
        store.folder.path().join("models/mnist/artifacts"),
        store.folder.path().join("aside"),
    );
    fs::rename(&artifacts, &aside).unwrap();
    fs::write(&artifacts, "a file where a folder was").unwrap();
    let restarted = store.open();
    let looks = async |restarted: &Applications| {
        let n_changes = restarted.refresh().await.unwrap().len();
        (n_changes, restarted.is_restored(), restarted.is_registry_reachable())
    };
    assert_eq!(looks(&restarted).await, (1, false, false), "told once");
    assert_eq!(looks(&restarted).await, (0, false, false));
    assert_eq!(
        restarted.broken()[&name("app")].reason,
        "the registry cannot be used: not a directory"
    );
    fs::remove_file(&artifacts).unwrap();
    fs::rename(&aside, &artifacts).unwrap();
    assert_eq!(looks(&restarted).await, (1, true, true));
    assert_eq!(answer(&restarted, "app"), ("mnist:1".to_owned(), 3));
    assert!(restarted.broken().is_empty());
}

#[tokio::test]
async fn what_stays_away_holds_up_the_others_for_a_few_looks_only() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    let other = artifact("predict", 4).encode().unwrap();
    applications
        .publish(&"other".parse().unwrap(), other.into(), None)
        .await
        .unwrap();
    applications.deploy(singular("good", "mnist:1")).await.unwrap();
    applications.deploy(singular("kept-back", "other:1")).await.unwrap();
    let artifacts = store.folder.path().join("models/other/artifacts");
    fs::remove_dir_all(&artifacts).unwrap();
    fs::write(&artifacts, "a file where a folder was").unwrap();
    let restarted = store.open();
    let mut n_looks = 0;
    while !restarted.is_restored() {
        restarted.refresh().await.unwrap();
        n_looks += 1;
        assert_eq!(answer(&restarted, "good").1, 3);
    }
    assert_eq!(n_looks, 10);
    assert_eq!(restarted.broken().keys().collect::<Vec<_>>(), [&name("kept-back")]);
}
