//! Going back, and staying with a version.

use expect_test::expect;

use formats::sticky::Sticky;

use super::check;
use super::fixture::{Store, answer, name, publish, signature, singular, staged};

#[tokio::test]
async fn what_was_before_is_deployed_again_as_a_new_revision() {
    let store = Store::new();
    let applications = store.open();
    for class in [3, 4, 5] {
        publish(&applications, class).await;
    }
    for version in ["mnist:1", "mnist:2", "mnist:3"] {
        applications.deploy(singular("app", version)).await.unwrap();
    }
    let (back, is_new) = applications.roll_back(&name("app"), None).await.unwrap();
    assert_eq!((back.revision.get(), is_new), (4, true));
    assert_eq!(answer(&applications, "app"), ("mnist:2".to_owned(), 4));
    // The revision before the newest is now the one that was left.
    applications.roll_back(&name("app"), None).await.unwrap();
    assert_eq!(answer(&applications, "app").0, "mnist:3");
    let (back, _) = applications.roll_back(&name("app"), "1".parse().ok()).await.unwrap();
    assert_eq!(
        (back.revision.get(), answer(&applications, "app").0.as_str()),
        (6, "mnist:1")
    );
    let (same, is_new) = applications.roll_back(&name("app"), "1".parse().ok()).await.unwrap();
    assert_eq!((same.revision.get(), is_new), (6, false), "it answers already");
    assert_eq!(applications.registry().revisions(&name("app")).await.unwrap().len(), 6);
}

#[tokio::test]
async fn where_there_is_nothing_to_go_back_to_nothing_changes() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    applications.deploy(singular("app", "mnist:1")).await.unwrap();
    check(
        &applications.roll_back(&name("app"), None).await.unwrap_err(),
        &expect![[r#"
            application `app` has no revision before 1
        "#]],
    );
    check(
        &applications
            .roll_back(&name("app"), "9".parse().ok())
            .await
            .unwrap_err(),
        &expect![[r#"
            application `app` has no revision 9, its newest is 1
        "#]],
    );
    check(
        &applications.roll_back(&name("none"), None).await.unwrap_err(),
        &expect![[r#"
            no application `none` is registered
        "#]],
    );
    publish(&applications, 4).await;
    applications.deploy(singular("app", "mnist:2")).await.unwrap();
    publish(&applications, 5).await;
    applications.deploy(singular("app", "mnist:3")).await.unwrap();
    store.damage_artifact_of(4);
    assert!(
        applications.roll_back(&name("app"), None).await.is_err(),
        "a version that cannot be served"
    );
    assert_eq!(answer(&applications, "app"), ("mnist:3".to_owned(), 5));
}

#[tokio::test]
async fn a_client_stays_with_its_version_while_others_come_over() {
    let store = Store::new();
    let applications = store.open();
    publish(&applications, 3).await;
    publish(&applications, 4).await;
    let clients: Vec<String> = (0..1000).map(|client| format!("client-{client}")).collect();
    let mut answers = Vec::new();
    for weight in [0, 20, 60] {
        let mut spec = staged(
            "app",
            Some("predict"),
            &[("mnist:2", weight), ("mnist:1", 100 - weight)],
        );
        spec.sticky = Some(Sticky::Header("x-user-id".parse().unwrap()));
        applications.deploy(spec).await.unwrap();
        let route = applications.route(&name("app"), &signature("predict")).unwrap();
        let version = |client: &String| {
            route
                .stages
                .first
                .pick(route.ticket_of(client.as_bytes()))
                .version()
                .version
                .get()
        };
        answers.push(clients.iter().map(version).collect::<Vec<_>>());
        assert_eq!(
            clients.iter().map(version).collect::<Vec<_>>(),
            answers[answers.len() - 1]
        );
        let n_new = answers[answers.len() - 1]
            .iter()
            .filter(|version| **version == 2)
            .count();
        assert!(
            n_new.abs_diff(weight as usize * 10) < 100,
            "{n_new} of 1000 at {weight} percent"
        );
    }
    // More traffic for a version takes no client away from it.
    assert!(
        answers[1]
            .iter()
            .zip(&answers[2])
            .all(|(before, after)| before <= after)
    );
}
