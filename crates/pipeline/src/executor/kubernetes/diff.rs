//! What applying an object would change in the cluster, told by the cluster itself.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cluster::Cluster;

/// What the cluster keeps about an object and nobody applies.
const KEPT: [&str; 4] = ["managedFields", "resourceVersion", "generation", "creationTimestamp"];

/// One line for each place that would change.
pub(super) fn changes(cluster: &Cluster, object: &Value) -> anyhow::Result<Vec<String>> {
    let what = name(object);
    let Some(live) = cluster.live(object)? else {
        return Ok(vec![format!("{what}: is made")]);
    };
    let live = serde_json::to_value(live)?;
    let applied = serde_json::to_value(cluster.rehearse(object)?)?;
    let mut places = Vec::new();
    compare(&live, &applied, "", &mut places);
    Ok(places.into_iter().map(|place| format!("{what}: {place}")).collect())
}

/// What an object is called, with its kind.
pub(super) fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// Collects where two values differ, with what is there and what would be.
fn compare(before: &Value, after: &Value, path: &str, places: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            let is_kept = |key: &str| match path {
                "" => key == "status",
                ".metadata" => KEPT.contains(&key),
                _ => false,
            };
            for key in keys.into_iter().filter(|key| !is_kept(key)) {
                let value = |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or_default();
                compare(&value(before), &value(after), &format!("{path}.{key}"), places);
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                compare(before, after, &format!("{path}[{index}]"), places);
            }
        }
        _ if before == after => {}
        // What is in a secret is nobody's business.
        _ if path.starts_with(".data") || path.starts_with(".stringData") => places.push(format!("{path} changes")),
        (Value::Null, after) => places.push(format!("{path} becomes {after}")),
        (before, Value::Null) => places.push(format!("{path} is {before} and goes")),
        (before, after) => places.push(format!("{path} changes from {before} to {after}")),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn check(before: &Value, after: &Value, expected: Expect) {
        let mut places = Vec::new();
        compare(before, after, "", &mut places);
        expected.assert_eq(&places.join("\n"));
    }

    #[test]
    fn only_what_changes_is_told_and_no_secret_is() {
        let before = json!({
            "metadata": {"name": "x", "resourceVersion": "1", "labels": {"a": "1"}},
            "spec": {"replicas": 2, "list": [{"image": "a"}], "gone": true},
            "data": {"token": "c2VjcmV0"},
            "status": {"ready": 1},
        });
        check(&before, &before, expect![""]);
        let after = json!({
            "metadata": {"name": "x", "resourceVersion": "2", "labels": {"a": "1", "b": "2"}},
            "spec": {"replicas": 3, "list": [{"image": "b"}]},
            "data": {"token": "b3RoZXI="},
        });
        check(
            &before,
            &after,
            expect![[r#"
                .data.token changes
                .metadata.labels.b becomes "2"
                .spec.gone is true and goes
                .spec.list[0].image changes from "a" to "b"
                .spec.replicas changes from 2 to 3"#]],
        );
    }
}
