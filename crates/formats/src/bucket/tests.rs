//! What is an address of a bucket, and what is told of one that is not.

use proptest::prelude::*;

use super::*;

fn parts(text: &str) -> (String, String) {
    let url: BucketUrl = text.parse().unwrap();
    (url.bucket().to_owned(), url.prefix().to_owned())
}

#[test]
fn a_bucket_may_be_ours_as_a_whole_or_below_a_prefix() {
    let expected = |bucket: &str, prefix: &str| (bucket.to_owned(), prefix.to_owned());
    assert_eq!(parts("s3://models"), expected("models", ""));
    assert_eq!(parts("s3://models/"), expected("models", ""));
    assert_eq!(
        parts("s3://my-models.eu/team_a/v1.2"),
        expected("my-models.eu", "team_a/v1.2")
    );
    assert_eq!(parts("s3://models/team/"), expected("models", "team"));
}

#[test]
fn what_is_no_such_address_is_refused_with_the_reason() {
    let error = |text: &str| text.parse::<BucketUrl>().unwrap_err();
    for text in ["", "models", "s3:/models", "S3://models", "https://models/x"] {
        assert_eq!(error(text), BucketUrlError::Scheme, "{text}");
    }
    for text in [
        "s3://",
        "s3://ab",
        "s3:///models",
        "s3://Models",
        "s3://-models",
        "s3://models.",
        "s3://mo..dels",
        "s3://models:9000",
        "s3://models?region=eu",
    ] {
        assert_eq!(error(text), BucketUrlError::Bucket, "{text}");
    }
    for text in [
        "s3://models//x",
        "s3://models/x//",
        "s3://models/../x",
        "s3://models/x/./y",
        "s3://models/a b",
        "s3://models/x?versionId=1",
        "s3://models/ä",
    ] {
        assert_eq!(error(text), BucketUrlError::Prefix, "{text}");
    }
    assert_eq!(
        error(&format!("s3://models/{}", "x".repeat(PREFIX_MAX + 1))),
        BucketUrlError::Prefix
    );
}

#[test]
fn an_address_with_credentials_is_refused_and_not_repeated() {
    let error = "s3://AKIAEXAMPLE:hunter2@models/x".parse::<BucketUrl>().unwrap_err();
    assert_eq!(error, BucketUrlError::Credentials);
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn an_endpoint_is_a_scheme_a_host_and_perhaps_a_port() {
    for (text, written, port) in [
        ("https://s3.example.com", "https://s3.example.com", 443),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000", 9000),
        ("http://minio_a", "http://minio_a", 80),
        ("https://s3.example.com:443", "https://s3.example.com", 443),
        ("http://s3.example.com:443", "http://s3.example.com:443", 443),
        ("http://[::1]:9000", "http://[::1]:9000", 9000),
        ("https://[::1]", "https://[::1]", 443),
    ] {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!((endpoint.to_string().as_str(), endpoint.port()), (written, port));
    }
}

#[test]
fn what_is_no_endpoint_is_refused_and_not_repeated() {
    for text in [
        "",
        "s3.example.com",
        "ftp://s3.example.com",
        "https://",
        "https://:9000",
        "https://key:hunter2@s3.example.com",
        "https://s3.example.com/bucket",
        "https://s3.example.com?x=1",
        "https://s3.example.com:port",
        "https://s3.example.com:99999",
        "http://[::1",
        "http://::1",
    ] {
        let error = text.parse::<Endpoint>().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_read_is_written_the_same(text in "(s3://)?[a-z0-9.@/_-]{0,80}") {
        if let Ok(url) = text.parse::<BucketUrl>() {
            prop_assert_eq!(url.to_string().parse::<BucketUrl>(), Ok(url.clone()));
            prop_assert!(BucketUrl::is_meant(&text));
            prop_assert_eq!(text.trim_end_matches('/'), url.to_string());
        }
    }
}
