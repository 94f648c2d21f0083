//! What flags and variables make of a registry's address.

use expect_test::{Expect, expect};

use super::*;

const KEY: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "hunter2/+=")];

fn store(registry: &str, arguments: BucketArgs, variables: &[(&str, &str)]) -> Result<Store, StoreError> {
    let variable = |name: &str| {
        let mut variables = variables.iter();
        variables
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    arguments.store(registry.to_owned(), variable)
}

fn arguments(endpoint: Option<&str>, region: Option<&str>) -> BucketArgs {
    BucketArgs {
        bucket_endpoint: endpoint.map(str::to_owned),
        bucket_region: region.map(str::to_owned),
        bucket_certificates: None,
    }
}

/// Where the bucket is, who keeps it, and as whom it is asked.
fn check(store: Result<Store, StoreError>, expected: &Expect) {
    let text = match store {
        Ok(Store::Folder(folder)) => format!("folder {folder}"),
        Ok(Store::Bucket(bucket)) => {
            let keeper = bucket
                .endpoint
                .map_or("Amazon".to_owned(), |endpoint| endpoint.to_string());
            let Credentials {
                key_id,
                secret_key,
                session_token,
            } = bucket.credentials;
            let token = session_token.unwrap_or_default();
            format!(
                "{} with {keeper} in {} as {key_id} {secret_key} {token}",
                bucket.url, bucket.region
            )
        }
        Err(error) => error.to_string(),
    };
    expected.assert_eq(text.trim_end());
}

#[test]
fn a_folder_takes_nothing_of_all_this() {
    let wrong = arguments(Some("not an endpoint"), Some(" \n"));
    check(store("registry", wrong, &[]), &expect!["folder registry"]);
    check(
        store("file:///srv/registry", arguments(None, None), &[]),
        &expect!["folder file:///srv/registry"],
    );
}

#[test]
fn a_bucket_is_with_amazon_or_with_whom_the_environment_names() {
    check(
        store("s3://models/team", arguments(None, Some("eu-west-1")), &KEY),
        &expect!["s3://models/team with Amazon in eu-west-1 as AKIA hunter2/+="],
    );
    let token = [
        KEY[0],
        KEY[1],
        ("AWS_SESSION_TOKEN", "token\n"),
        ("AWS_DEFAULT_REGION", "eu-west-2"),
    ];
    check(
        store("s3://models", arguments(None, None), &token),
        &expect!["s3://models with Amazon in eu-west-2 as AKIA hunter2/+= token"],
    );
    let elsewhere = [KEY[0], KEY[1], ("AWS_ENDPOINT_URL", "https://s3.example.com")];
    check(
        store("s3://models", arguments(None, None), &elsewhere),
        &expect!["s3://models with https://s3.example.com in us-east-1 as AKIA hunter2/+="],
    );
    check(
        store(
            "s3://models",
            arguments(Some("http://127.0.0.1:9000"), None),
            &elsewhere,
        ),
        &expect!["s3://models with http://127.0.0.1:9000 in us-east-1 as AKIA hunter2/+="],
    );
    check(
        store("s3://models", arguments(Some(""), Some("eu-west-1")), &KEY),
        &expect!["s3://models with Amazon in eu-west-1 as AKIA hunter2/+="],
    );
}

#[test]
fn what_is_missing_or_wrong_is_named_and_no_secret_repeated() {
    check(
        store("s3://models", arguments(None, None), &KEY),
        &expect![
            "the registry `s3://models` is with Amazon: expected a region (`--bucket-region` or AWS_REGION), found none"
        ],
    );
    check(
        store("s3://models", arguments(None, Some("eu-west-1")), &KEY[..1]),
        &expect![
            "the registry `s3://models` takes credentials: expected the variable AWS_SECRET_ACCESS_KEY, found none"
        ],
    );
    check(
        store("s3://AKIA:hunter2@models", arguments(None, None), &[]),
        &expect![
            "`--registry` (REGISTRY): credentials do not belong into an address: they come from the environment of the server"
        ],
    );
    check(
        store(
            "s3://models",
            arguments(Some("https://AKIA:hunter2@s3.example.com"), None),
            &KEY,
        ),
        &expect![
            "`--bucket-endpoint` (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL): expected an address such as `https://s3.example.com` or `http://127.0.0.1:9000`"
        ],
    );
    let broken = [KEY[0], ("AWS_SECRET_ACCESS_KEY", "hunter\n2")];
    check(
        store("s3://models", arguments(None, Some("eu-west-1")), &broken),
        &expect!["AWS_SECRET_ACCESS_KEY: expected visible ASCII characters, found others"],
    );
}

#[test]
fn what_is_printed_of_a_bucket_has_no_secret() {
    let token = [KEY[0], KEY[1], ("AWS_SESSION_TOKEN", "token")];
    let store = store("s3://models", arguments(None, Some("eu-west-1")), &token).unwrap();
    let printed = format!("{store:?}");
    assert!(
        printed.contains("AKIA") && !printed.contains("hunter2") && !printed.contains("token"),
        "{printed}"
    );
}
