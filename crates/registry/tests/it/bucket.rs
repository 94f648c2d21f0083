//! What only a bucket does: it is asked over a network, by somebody who has to be let in, and may answer in many ways.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use registry::{Bucket, Registry, RegistryError};
use test_support::{BucketFault, BucketServer, free_port};

use crate::{
    place::{bucket, url},
    support::{application, artifact, assert_vanished, header, model, publish, singular, version},
};

/// Longer than an answer is waited for, and well within the time that a request to a server may take.
const NO_ANSWER_MAX: Duration = Duration::from_secs(12);

fn open(server: &BucketServer) -> Registry {
    Registry::in_bucket(&bucket(server)).unwrap()
}

/// What whoever manages is told of an outage, without the port, which is another one each time.
fn told(error: &RegistryError, server: &BucketServer) -> String {
    error.outage().unwrap().replace(&server.endpoint(), "http://endpoint")
}

#[tokio::test]
async fn nothing_is_written_but_what_is_not_there_yet_and_nothing_is_removed() {
    let server = BucketServer::start("models");
    let registry = open(&server);
    publish(&registry, "mnist", "one", Some("run")).await;
    publish(&registry, "mnist", "two", None).await;
    registry.deploy(singular("app", "mnist:1")).await.unwrap();
    registry.deploy(singular("app", "mnist:2")).await.unwrap();
    open(&server).artifact(&version("mnist:1")).await.unwrap();
    let calls = server.calls();
    let puts: Vec<_> = calls.iter().filter(|call| call.starts_with("PUT ")).collect();
    // The first of them is made twice, see `Objects::create`.
    assert_eq!(puts.len(), 7, "{calls:?}");
    assert!(puts.iter().all(|call| call.ends_with(" if none")), "{calls:?}");
    let others = calls.iter().filter(|call| !call.starts_with("PUT "));
    assert!(others.clone().count() > 4);
    for call in others {
        assert!(
            call.starts_with("GET below/") || call.starts_with("LIST below/"),
            "{call}"
        );
    }
}

/// One version for each key, without a gap, whatever happens to which call.
#[tokio::test]
async fn a_retry_by_key_ends_with_exactly_one_version_wherever_the_bucket_failed() {
    for fault in [
        BucketFault::CutBefore,
        BucketFault::CutAfter,
        BucketFault::CutBody(0),
        BucketFault::Refuse(500, "InternalError"),
        BucketFault::Refuse(503, "SlowDown"),
        BucketFault::Refuse(409, "ConditionalRequestConflict"),
        BucketFault::Page(502),
    ] {
        for number in 0.. {
            let server = BucketServer::start("models");
            publish(&open(&server), "mnist", "older", Some("older")).await;
            let n_before = server.calls().len();
            server.fault_at(number, fault);
            let registry = open(&server);
            let first = registry
                .publish(&model("mnist"), header(), artifact("weights"), Some("run"))
                .await;
            let was_spared = server.calls().len() - n_before <= number;
            server.fault(None);
            if let Err(error) = &first {
                assert!(error.outage().is_some(), "{fault:?} at call {number}: {error}");
            }
            let retried = publish(&registry, "mnist", "weights", Some("run")).await;
            assert_eq!(retried, "mnist:2", "{fault:?} at call {number}");
            registry.deploy(singular("app", "mnist:2")).await.unwrap();
            let witness = open(&server);
            assert_eq!(witness.versions(&model("mnist")).await.unwrap().len(), 2);
            assert_eq!(witness.artifact(&version(&retried)).await.unwrap(), artifact("weights"));
            if was_spared {
                assert!(first.is_ok() && number > 3, "{number} calls were made");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_conflict_between_two_creations_is_tried_again_and_costs_no_number() {
    let server = BucketServer::start("models");
    let registry = open(&server);
    publish(&registry, "mnist", "one", None).await;
    for number in 0..6 {
        server.fault_at(number, BucketFault::Refuse(409, "ConditionalRequestConflict"));
        registry
            .deploy(singular("app", &format!("mnist:{}", number + 1)))
            .await
            .ok();
        server.fault(None);
    }
    let numbers = open(&server).revision_numbers(&application("app")).await.unwrap();
    let numbers: Vec<u32> = numbers.into_iter().map(u32::from).collect();
    assert!(numbers.len() > 3, "{numbers:?}");
    assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>());
}

#[tokio::test]
async fn reading_gets_over_what_passes() {
    let server = BucketServer::start("models");
    publish(&open(&server), "mnist", "weights", None).await;
    for fault in [
        BucketFault::CutBefore,
        BucketFault::CutBody(3),
        BucketFault::Refuse(503, "SlowDown"),
        BucketFault::Refuse(500, "InternalError"),
    ] {
        for number in 0..3 {
            let n_before = server.calls().len();
            server.fault_at(number, fault);
            let registry = open(&server);
            assert_eq!(registry.models().await.unwrap().len(), 1, "{fault:?} at call {number}");
            assert_eq!(
                registry.artifact(&version("mnist:1")).await.unwrap(),
                artifact("weights"),
                "{fault:?} at call {number}"
            );
            assert!(server.calls().len() - n_before > 4, "nothing was asked again");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_bucket_is_told_with_its_name_and_what_was_expected() {
    let server = BucketServer::start("models");
    publish(&open(&server), "mnist", "weights", None).await;
    let outage = async |change: fn(&mut Bucket)| {
        let mut bucket = bucket(&server);
        change(&mut bucket);
        let registry = Registry::in_bucket(&bucket).unwrap();
        let listed = told(&registry.models().await.unwrap_err(), &server);
        // Whoever reads first is told the same; nothing is taken for absent that could not be looked for.
        let read = registry.version(&version("mnist:1")).await.unwrap_err();
        let (_, why) = listed.split_once(": expected ").unwrap();
        assert!(told(&read, &server).ends_with(why), "{read}");
        listed
    };
    assert_eq!(
        outage(|bucket| bucket.url = url("others")).await,
        "bucket `others` (http://endpoint): cannot list `below/registry/models/`: expected a bucket of this name, found none"
    );
    assert_eq!(
        outage(|bucket| bucket.credentials.key_id = "stranger".to_owned()).await,
        "bucket `models` (http://endpoint): cannot list `below/registry/models/`: expected credentials that may do this, \
         found `InvalidAccessKeyId` (on purpose)"
    );
    assert_eq!(
        outage(|bucket| bucket.credentials.secret_key = "guessed".to_owned()).await,
        "bucket `models` (http://endpoint): cannot list `below/registry/models/`: expected credentials that may do this, \
         found `SignatureDoesNotMatch` (on purpose)"
    );
    assert_eq!(
        outage(|bucket| bucket.region = "us-west-9".to_owned()).await,
        "bucket `models` (http://endpoint): cannot list `below/registry/models/`: expected the bucket in region \
         `us-west-9`, found it in `eu-test-1`"
    );
    server.fault(Some(BucketFault::Page(200)));
    assert_eq!(
        told(&open(&server).models().await.unwrap_err(), &server),
        "bucket `models` (http://endpoint): cannot list `below/registry/models/`: expected an answer of S3, found status \
         200 without one: is the endpoint right?"
    );
}

#[tokio::test]
async fn an_endpoint_at_which_nobody_answers_is_told() {
    let server = BucketServer::start("models");
    let mut away = bucket(&server);
    let endpoint = format!("http://127.0.0.1:{}", free_port());
    away.endpoint = Some(endpoint.parse().unwrap());
    let error = Registry::in_bucket(&away).unwrap().models().await.unwrap_err();
    assert_eq!(
        error.outage().unwrap(),
        format!(
            "bucket `models` ({endpoint}): cannot list `below/registry/models/`: expected an answer, found none: connection \
             refused"
        )
    );
    server.fault(Some(BucketFault::Silence));
    let start = Instant::now();
    let error = open(&server).models().await.unwrap_err();
    assert!(start.elapsed() < NO_ANSWER_MAX, "{:?}", start.elapsed());
    assert!(
        told(&error, &server).ends_with("expected an answer, found none: it did not come in time"),
        "{error}"
    );
}

#[tokio::test]
async fn an_outage_ends_by_itself() {
    let server = BucketServer::start("models");
    let registry = open(&server);
    publish(&registry, "mnist", "one", None).await;
    for fault in [
        BucketFault::CutBefore,
        BucketFault::Refuse(503, "SlowDown"),
        BucketFault::Refuse(403, "AccessDenied"),
        BucketFault::Page(502),
    ] {
        server.fault(Some(fault));
        let error = registry.deploy(singular("app", "mnist:1")).await.unwrap_err();
        assert!(error.outage().is_some(), "{error}");
        server.fault(None);
        registry.models().await.unwrap();
    }
    assert!(registry.deploy(singular("app", "mnist:1")).await.unwrap().1);
}

#[tokio::test]
async fn a_bucket_that_lost_everything_is_an_outage_and_one_that_never_had_anything_is_not() {
    let server = BucketServer::start("models");
    let registry = open(&server);
    assert!(registry.models().await.unwrap().is_empty(), "nothing was here yet");
    publish(&registry, "mnist", "weights", None).await;
    let objects = server.empty();
    assert_vanished(&registry).await;
    assert!(
        server.objects().is_empty(),
        "nothing is written where the registry is not"
    );
    server.fill(objects);
    assert_eq!(publish(&registry, "mnist", "others", None).await, "mnist:2");
}

#[tokio::test]
async fn a_service_that_overwrites_is_found_out_before_anything_depends_on_it() {
    let server = BucketServer::start("models");
    server.overwrite();
    let error = open(&server)
        .publish(&model("mnist"), header(), artifact("weights"), None)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, RegistryError::Overwrites { object } if object.ends_with(".safetensors")),
        "{error}"
    );
    assert_eq!(
        error.outage(),
        Some(error.to_string()),
        "whoever manages is told what is wrong"
    );
    assert!(open(&server).models().await.unwrap().is_empty());
}

/// A look costs a request, and one more for each application, however long their history is.
#[tokio::test]
async fn looking_for_what_is_new_is_cheap() {
    let server = BucketServer::start("models");
    server.pages_of(10);
    let registry = open(&server);
    for number in 1..=35 {
        registry
            .deploy(singular("app", &format!("mnist:{number}")))
            .await
            .unwrap();
    }
    registry.deploy(singular("other", "mnist:1")).await.unwrap();
    let n_before = server.calls().len();
    let known = NonZeroU32::new(35);
    let newest = registry
        .newest_revisions(|name| known.filter(|_| name.as_str() == "app"))
        .await
        .unwrap();
    assert_eq!(newest.into_values().map(u32::from).collect::<Vec<_>>(), [35, 1]);
    assert_eq!(
        server.calls()[n_before..],
        [
            "LIST below/registry/applications/",
            "LIST below/registry/applications/app/revisions/",
            "LIST below/registry/applications/other/revisions/"
        ]
    );
}

#[tokio::test]
async fn a_listing_in_many_pages_is_one_listing() {
    let server = BucketServer::start("models");
    server.pages_of(2);
    let registry = open(&server);
    for number in 1..=7 {
        let text = number.to_string();
        assert_eq!(
            publish(&registry, "mnist", &text, None).await,
            format!("mnist:{number}")
        );
        publish(&registry, &format!("model-{number}"), &text, None).await;
    }
    assert_eq!(open(&server).versions(&model("mnist")).await.unwrap().len(), 7);
    assert_eq!(open(&server).models().await.unwrap().len(), 8);
}

#[tokio::test]
async fn a_whole_bucket_may_be_the_registry() {
    let server = BucketServer::start("models");
    let whole = Bucket {
        url: "s3://models".parse().unwrap(),
        ..bucket(&server)
    };
    let registry = Registry::in_bucket(&whole).unwrap();
    publish(&registry, "mnist", "weights", None).await;
    assert!(server.objects().contains_key("models/mnist/versions/00000001.json"));
    assert_eq!(registry.models().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_artifact_of_many_chunks_comes_whole_and_goes_on_where_it_broke_off() {
    let server = BucketServer::start("models");
    let text: String = (0..200_000).map(|number| format!("{number} ")).collect();
    publish(&open(&server), "mnist", &text, None).await;
    let registry = open(&server);
    registry.version(&version("mnist:1")).await.unwrap();
    server.fault_at(0, BucketFault::CutBody(500_000));
    assert_eq!(registry.artifact(&version("mnist:1")).await.unwrap(), artifact(&text));
    let calls = server.calls();
    let [.., first, second] = &calls[..] else {
        panic!("{calls:?}");
    };
    assert_eq!(first, second);
    assert!(first.ends_with(".safetensors"), "{first}");
}
