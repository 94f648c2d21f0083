use std::fs;

use tempfile::TempDir;

use super::*;

const TOKEN: &str = "token-0123456789abcdef";
const KEY: &str = "key-0123456789abcdef";

fn headers(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())])
}

fn settings(folder: &TempDir, tokens: Option<&str>, keys: Option<&str>) -> AccessSettings {
    let write = |name: &str, text: Option<&str>| {
        text.map(|text| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        })
    };
    AccessSettings {
        management_token_file: write("tokens", tokens),
        api_keys_file: write("keys", keys),
        hide_model_version: false,
    }
}

fn access(folder: &TempDir, tokens: Option<&str>, keys: Option<&str>, address: &str) -> Access {
    Access::new(&settings(folder, tokens, keys), address.parse().unwrap()).unwrap()
}

#[test]
fn without_a_token_only_a_loopback_address_is_managed() {
    let folder = TempDir::new().unwrap();
    let admits = |address, tokens, headers: &HeaderMap| {
        access(&folder, tokens, None, address)
            .admit_manager(headers)
            .map_err(|error| error.to_string())
    };
    let (nothing, token) = (HeaderMap::new(), headers("authorization", &format!("Bearer {TOKEN}")));
    for loopback in ["127.0.0.1:8080", "127.9.9.9:80", "[::1]:8080"] {
        assert_eq!(admits(loopback, None, &nothing), Ok(()), "{loopback}");
    }
    for address in ["0.0.0.0:8080", "[::]:8080", "10.0.0.7:8080", "[2001:db8::1]:80"] {
        let refused = admits(address, None, &token).unwrap_err();
        assert!(
            refused.starts_with("management is offered at a loopback address"),
            "{address}: {refused}"
        );
    }
    for address in ["127.0.0.1:8080", "0.0.0.0:8080"] {
        assert!(admits(address, Some(TOKEN), &nothing).is_err(), "{address}");
        assert_eq!(admits(address, Some(TOKEN), &token), Ok(()), "{address}");
    }
}

#[test]
fn a_page_of_a_stranger_does_not_manage_a_server_without_a_token() {
    let folder = TempDir::new().unwrap();
    let open = access(&folder, None, None, "127.0.0.1:8080");
    let refused = open
        .admit_manager(&headers("origin", "https://example.org"))
        .unwrap_err();
    assert!(
        refused.to_string().ends_with("this one is of `https://example.org`"),
        "{refused}"
    );
    assert!(open.admit_manager(&headers("origin", "http://127.0.0.1:8080")).is_ok());
    // A token is nothing that a browser adds by itself.
    let mut told = headers("origin", "https://example.org");
    told.extend(headers("authorization", &format!("Bearer {TOKEN}")));
    let closed = access(&folder, Some(TOKEN), None, "127.0.0.1:8080");
    assert!(closed.admit_manager(&told).is_ok());
}

#[test]
fn a_token_is_taken_as_a_whole_and_from_its_own_header() {
    let folder = TempDir::new().unwrap();
    let access = access(
        &folder,
        Some(&format!("now:{TOKEN}\nsoon:other-0123456789abcdef")),
        None,
        "0.0.0.0:80",
    );
    for right in [
        format!("Bearer {TOKEN}"),
        format!("bearer   {TOKEN} "),
        "BEARER other-0123456789abcdef".to_owned(),
    ] {
        assert!(
            access.admit_manager(&headers("authorization", &right)).is_ok(),
            "{right}"
        );
    }
    for wrong in [
        "".to_owned(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        TOKEN.to_owned(),
        format!("Basic {TOKEN}"),
        format!("Bearer {TOKEN}x"),
        format!("Bearer {}", &TOKEN[1..]),
        format!("Bearer now:{TOKEN}"),
        "Bearer now".to_owned(),
    ] {
        assert!(
            access.admit_manager(&headers("authorization", &wrong)).is_err(),
            "{wrong}"
        );
    }
    assert!(access.admit_manager(&headers("x-api-key", TOKEN)).is_err());
    // A token is no key: without a file of keys everybody asks, with one nobody asks by a token.
    assert!(access.admit_client(&HeaderMap::new()).is_ok());
}

#[test]
fn a_key_comes_in_either_header() {
    let folder = TempDir::new().unwrap();
    let access = access(&folder, Some(TOKEN), Some(&format!("alice:{KEY}")), "127.0.0.1:80");
    for right in [
        headers("authorization", &format!("Bearer {KEY}")),
        headers("x-api-key", KEY),
    ] {
        assert!(access.admit_client(&right).is_ok());
    }
    let mut both = headers("authorization", "Basic of-a-proxy");
    both.extend(headers("x-api-key", KEY));
    assert!(access.admit_client(&both).is_ok());
    for wrong in [
        HeaderMap::new(),
        headers("x-api-key", "alice"),
        headers("authorization", &format!("Bearer {TOKEN}")),
    ] {
        assert!(access.admit_client(&wrong).is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_file_that_changes_is_read_again_and_one_that_is_none_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let keys = SecretsFile::open(&settings(&folder, None, Some(KEY)).api_keys_file.unwrap()).unwrap();
    assert!(!keys.refresh().await.unwrap(), "nothing has changed");
    let path = folder.path().join("keys");
    fs::write(&path, "bob:another-0123456789abcdef\n").unwrap();
    assert!(keys.refresh().await.unwrap());
    assert_eq!(keys.holder(KEY.as_bytes()), None);
    assert_eq!(keys.holder(b"another-0123456789abcdef").as_deref(), Some("bob"));
    for unusable in ["", "# nobody any more", "short", &"x".repeat(2 << 20)] {
        fs::write(&path, unusable).unwrap();
        assert!(keys.refresh().await.is_err());
        assert!(keys.holder(b"another-0123456789abcdef").is_some());
    }
    fs::remove_file(&path).unwrap();
    assert!(keys.refresh().await.is_err());
    assert_eq!(keys.len(), 1);
}

#[test]
fn a_start_with_a_file_that_is_none_names_the_file_and_nothing_of_it() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder, Some("too short"), None);
    let error = Access::new(&settings, "127.0.0.1:80".parse().unwrap()).err().unwrap();
    let text = format!("{:#}", anyhow::Error::new(error));
    assert!(
        text.ends_with("tokens`: line 1: a secret of 9 characters, expected 16 to 512"),
        "{text}"
    );
}
