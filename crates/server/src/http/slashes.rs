//! Slashes that follow each other in a path: clients join an address that ends with one and a path that begins with one.

use axum::http::{Uri, uri::PathAndQuery};

/// Leaves one of the slashes that follow each other in the path. A redirect would turn a POST into a GET.
pub(super) fn collapse(uri: &mut Uri) {
    if !uri.path().contains("//") {
        return;
    }
    let mut single = String::with_capacity(uri.path().len());
    for character in uri.path().chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    if let Some(query) = uri.query() {
        single.push('?');
        single += query;
    }
    let mut parts = uri.clone().into_parts();
    // What was left out was only slashes, so it is a path as before.
    parts.path_and_query = PathAndQuery::try_from(single).ok();
    if let Ok(collapsed) = Uri::from_parts(parts) {
        *uri = collapsed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, expected: &str) {
        let mut uri: Uri = from.parse().unwrap();
        collapse(&mut uri);
        assert_eq!(uri.to_string(), expected, "{from}");
    }

    #[test]
    fn slashes_that_follow_each_other_become_one() {
        check("//api/v1/runtime", "/api/v1/runtime");
        check("/api///v1//runtime//?a=//b", "/api/v1/runtime/?a=//b");
        check("/api/v1/runtime?next=//", "/api/v1/runtime?next=//");
        check("/", "/");
        check("http://host:1//api", "http://host:1/api");
        check("*", "*");
    }
}
