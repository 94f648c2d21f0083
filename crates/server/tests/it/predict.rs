//! Answers of the gateway.

use axum::http::{Request, header};
use expect_test::expect;
use http_body_util::BodyExt;

use formats::api::MODEL_VERSION;

use crate::support::{Fixture, PREDICT, images, limits, post, text};

#[tokio::test]
async fn an_image_is_answered_in_the_form_of_the_original() {
    let fixture = Fixture::deployed().await;
    fixture.check(post(PREDICT, images(1, "0")), expect![[r#"
        200 OK
        {"class_ids":[[3]],"classes":[["3"]],"logits":[[0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0]],"probabilities":[[0.085336745,0.085336745,0.085336745,0.23196931,0.085336745,0.085336745,0.085336745,0.085336745,0.085336745,0.085336745]]}
    "#]]).await;
}

#[tokio::test]
async fn the_answer_says_which_version_gave_it() {
    let fixture = Fixture::deployed().await;
    let response = fixture.send(post(PREDICT, images(1, "0"))).await;
    assert_eq!(response.headers()[MODEL_VERSION], "mnist:1");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    assert!(response.headers().contains_key("x-request-id"));
}

#[tokio::test]
async fn the_request_id_of_the_client_comes_back() {
    let fixture = Fixture::deployed().await;
    let mut request = post(PREDICT, images(1, "0"));
    request
        .headers_mut()
        .insert("x-request-id", "from-the-client".parse().unwrap());
    assert_eq!(fixture.send(request).await.headers()["x-request-id"], "from-the-client");
}

#[tokio::test]
async fn every_form_of_an_image_gives_the_same_answer() {
    let fixture = Fixture::deployed().await;
    let expected = text(fixture.send(post(PREDICT, images(1, "0.25"))).await).await;
    let row = format!("[{}]", vec!["0.25"; 28].join(","));
    let square = format!("[{}]", vec![row; 28].join(","));
    let flat = format!("[{}]", vec!["2.5e-1"; 784].join(" , "));
    for body in [
        format!(r#"{{"imgs":{square}}}"#),
        format!(r#"{{"imgs":{flat}}}"#),
        format!("\n{{ \"id\": null, \"imgs\": [ {flat} ], \"more\": {{\"imgs\": [[]]}} }}\n"),
    ] {
        assert_eq!(text(fixture.send(post(PREDICT, body)).await).await, expected);
    }
}

#[tokio::test]
async fn many_images_go_to_a_blocking_thread_and_are_answered_alike() {
    let fixture = Fixture::deployed().await;
    let few = images(1, "0.5");
    let many = images(20, "0.5") + &" ".repeat(limits().inline_max_bytes);
    let rows = async |body: String| {
        let response = fixture.send(post(PREDICT, body)).await;
        assert_eq!(response.status(), 200);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
        answer["probabilities"].as_array().unwrap().clone()
    };
    let (one, twenty) = (rows(few).await, rows(many).await);
    assert_eq!(twenty, vec![one[0].clone(); 20]);
}

#[tokio::test]
async fn numbers_are_written_as_short_as_they_can_be() {
    let fixture = Fixture::deployed().await;
    let response = text(fixture.send(post(PREDICT, images(1, "0.1"))).await).await;
    let (_, logits) = response.split_once("\"logits\":[[").unwrap();
    let first = logits.split(',').next().unwrap();
    let value: f32 = first.parse().unwrap();
    assert_eq!(first, format!("{value}"), "one text for each f32");
}

#[tokio::test]
async fn a_content_type_with_parameters_is_json_too() {
    let fixture = Fixture::deployed().await;
    let request = Request::post(PREDICT)
        .header(header::CONTENT_TYPE, "Application/JSON; charset=utf-8")
        .body(images(1, "0").into())
        .unwrap();
    assert_eq!(fixture.send(request).await.status(), 200);
}
