//! The page at `/`: as a browser gets it, and in a real browser, where what is drawn is recognised.

use axum::http::header;
use base64::{Engine, prelude::BASE64_STANDARD};
use formats::digest::Digest;
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use test_support::{OnDemand, Running, strokes};

use crate::{
    browser::{Browser, Device},
    life::store_of,
    process::start,
    support::{Fixture, get},
    trained,
};

const ARROW_DOWN: &str = "\u{e015}";
const ESCAPE: &str = "\u{e00c}";

/// What stands in the page between these two texts.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

#[tokio::test]
async fn the_page_allows_its_own_style_and_script_and_nothing_else() {
    let response = Fixture::empty().await.send(get("/")).await;
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    let page = response.into_body().collect().await.unwrap().to_bytes();
    let page = std::str::from_utf8(&page).unwrap();
    let source = |text: &str| BASE64_STANDARD.encode(Digest::of(text.as_bytes()).as_bytes());
    let style = source(between(page, "<style>", "</style>"));
    let script = source(between(page, "<script type=\"module\">", "</script>"));
    for directive in [
        "default-src 'none'".to_owned(),
        format!("style-src 'sha256-{style}'"),
        format!("script-src 'sha256-{script}'"),
        "connect-src 'self'".to_owned(),
        "frame-ancestors 'none'".to_owned(),
    ] {
        assert!(
            policy.split("; ").any(|found| found == directive),
            "{directive}: {policy}"
        );
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    // Small enough to be there at once.
    assert!(page.len() < 40_000, "{} bytes", page.len());
    for forbidden in ["http://", "https://", "innerHTML", " style=\"", " onclick"] {
        let found = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!found.contains(forbidden), "{forbidden}");
    }
}

/// A digit as a hand draws it, in the middle of the pad and a good deal larger than the image that is sent.
fn drawn(digit: u8) -> Vec<Vec<(f32, f32)>> {
    let strokes = strokes(digit).iter();
    let place = |&(x, y): &(f32, f32)| (0.3 + 0.4 * x, 0.2 + 0.6 * y);
    strokes.map(|stroke| stroke.iter().map(place).collect()).collect()
}

/// The page of a server with an application, once it shows it; with the server and its address.
fn open(browser: &Browser, folder: &TempDir) -> (Running, String) {
    let (server, address) = start(folder.path().to_str().unwrap(), &[]);
    let url = format!("http://{address}/");
    browser.open(&url);
    browser.wait_for("status", "Ready");
    browser.wait_for("applications", "mnist-app");
    (server, url)
}

/// A browser for a test that was asked for, where there is one.
fn browser(device: Device) -> Option<Browser> {
    OnDemand::Interop
        .is_asked_for()
        .then(|| Browser::start(device))
        .flatten()
}

#[test]
fn every_digit_that_is_drawn_is_recognised() {
    let Some(browser) = browser(Device::Desktop) else {
        return;
    };
    let folder = store_of(trained::artifact());
    let (_server, url) = open(&browser, &folder);
    // On a slow machine the page looks often at what is deployed meanwhile.
    browser.run("performance.setResourceTimingBufferSize(10000)");
    let mut n_strokes = 0;
    for digit in 0..10 {
        browser.run("document.getElementById('clear').click()");
        assert_eq!(browser.text("digit"), "–");
        browser.draw("pad", &drawn(digit));
        // A digit of two strokes is asked for twice, so its first answer may be another.
        browser.wait_for("digit", &digit.to_string());
        let facts = browser.wait_for("facts", "certain");
        n_strokes += strokes(digit).len() as u64;
        assert!(
            facts.contains("mnist:1 of mnist-app") && facts.contains(" ms "),
            "{facts}"
        );
    }
    let bars = browser.text("bars");
    let shares: Vec<f64> = bars
        .split('\n')
        .filter_map(|line| line.strip_suffix('%')?.parse().ok())
        .collect();
    assert_eq!(shares.len(), 10, "{bars}");
    assert!((shares.iter().sum::<f64>() - 100.0).abs() < 1.0, "{bars}");
    // The row of the version: its share, and as many answers as the page asked for, which it does after every stroke.
    let asked =
        "return performance.getEntriesByType('resource').filter(({ name }) => name.includes('/gateway/')).length";
    let n_asked = browser.run(asked).as_u64().unwrap();
    assert!(n_asked >= n_strokes, "{n_asked} questions after {n_strokes} strokes");
    browser.wait_for("applications", &format!("100 %\t{n_asked}"));
    browser.wait_for("applications", "revision 1");
    check_that_it_asks_nobody_else(&browser, &url);
}

fn check_that_it_asks_nobody_else(browser: &Browser, url: &str) {
    assert_eq!(browser.complaints(), [""; 0]);
    let asked = browser.run("return performance.getEntriesByType('resource').map((entry) => entry.name)");
    let asked = asked.as_array().unwrap();
    let is_ours = |name: &Value| name.as_str().unwrap().starts_with(url);
    assert!(asked.len() > 3 && asked.iter().all(is_ours), "{asked:?}");
    // What somebody smuggles into the page is not carried out.
    let smuggled = "const script = document.createElement('script');
                    script.textContent = 'document.title = \"taken\"';
                    document.body.append(script);
                    return document.title";
    assert_eq!(browser.run(smuggled), "Slipway");
    let complaints = browser.complaints();
    assert!(
        complaints.iter().any(|line| line.contains("Content Security Policy")),
        "{complaints:?}"
    );
}

#[test]
fn a_finger_on_a_phone_and_keys_draw_as_well() {
    let Some(browser) = browser(Device::Phone) else {
        return;
    };
    let folder = store_of(trained::artifact());
    let (_server, _) = open(&browser, &folder);
    let width = browser.run("return [innerWidth, document.documentElement.scrollWidth]");
    assert_eq!(
        (&width[0], &width[1]),
        (&390.into(), &390.into()),
        "it scrolls sideways"
    );
    browser.draw("pad", &drawn(3));
    browser.wait_for("facts", "certain");
    assert_eq!(browser.text("digit"), "3");

    browser.run("document.getElementById('pad').focus()");
    browser.press(ESCAPE);
    assert_eq!(browser.text("digit"), "–");
    // Down from the middle of the pad, which is an upright stroke.
    browser.press(&format!(" {} ", ARROW_DOWN.repeat(9)));
    browser.wait_for("facts", "certain");
    assert_eq!(browser.text("digit"), "1");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_page_says_what_is_missing() {
    let Some(browser) = browser(Device::Desktop) else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let (server, url) = start(folder.path().to_str().unwrap(), &[]);
    browser.open(&format!("http://{url}/"));
    browser.wait_for("note", "Nothing is deployed yet. pipeline up");
    browser.draw("pad", &drawn(1));
    browser.wait_for("facts", "nobody to ask");
    assert_eq!(browser.complaints(), [""; 0]);
    drop(server);
    browser.wait_for("status", "The server does not answer");
}
