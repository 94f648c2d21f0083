//! What a person was told, without what changes from run to run.

use super::place::{Place, image};

/// What the pipeline itself says of a step, by its beginning; the rest its program wrote.
const OF_PIPELINE: [&str; 7] = [
    "an earlier delivery has started",
    "hint: ",
    "received ",
    "somebody deleted",
    "the pod is lost",
    "this may pass",
    "waits: ",
];

/// What changes, and what stands for it. In a pattern `#` is a number, `=` a digest or its beginning, and `~` what a
/// cluster appends to the names of pods.
const CHANGING: [(&str, &str); 9] = [
    ("#-#T#Z", "RUN"),
    ("#-#-# #:#:#", "MOMENT"),
    ("-#-=-#-~", "-RUN-KEY-ATTEMPT-POD"),
    ("-#-=-#", "-RUN-KEY-ATTEMPT"),
    ("slipway-image-#", "slipway-image-NUMBER"),
    ("(process #)", "(PROCESS)"),
    ("# min # s", "SPAN"),
    ("#.# s", "SPAN"),
    ("took # MiB", "took SIZE"),
];

/// The lines of the pipeline itself.
pub(crate) fn told(place: &Place, stderr: &str) -> String {
    let is_ours = |line: &&str| match line.split_once(" | ") {
        Some((_, written)) => {
            OF_PIPELINE.iter().any(|beginning| written.starts_with(beginning)) || written.contains("MiB of memory")
        }
        None => true,
    };
    let lines = stderr
        .lines()
        .filter(is_ours)
        .map(|line| match line.split_once(" cannot be had: ") {
            // A node says otherwise why it has no image while it tries, and while it waits to try again.
            Some((before, _)) => format!("{before} cannot be had: REASON\n"),
            None => format!("{line}\n"),
        });
    let mut text: String = lines.collect();
    let (image, folder) = (image(0), place.project.workspace.path().display().to_string());
    for (changing, name) in [(&place.namespace, "NAMESPACE"), (&image, "IMAGE"), (&folder, "FOLDER")] {
        text = text.replace(changing, name);
    }
    for (pattern, name) in CHANGING {
        text = replaced(&text, pattern, name);
    }
    text
}

fn replaced(text: &str, pattern: &str, name: &str) -> String {
    let (mut result, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        // Half a number is none.
        let is_inside = pattern.starts_with('#') && result.ends_with(|c: char| c.is_ascii_alphanumeric());
        match matched(rest, pattern).filter(|_| !is_inside) {
            Some(length) => {
                result += name;
                rest = &rest[length..];
            }
            None => {
                result.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    result
}

/// How much of the beginning of a text a pattern describes.
fn matched(text: &str, pattern: &str) -> Option<usize> {
    let mut at = 0;
    for part in pattern.chars() {
        let rest = &text[at..];
        let count = |is: fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        at += match part {
            '#' => Some(count(|c| c.is_ascii_digit())).filter(|length| *length > 0),
            '=' => Some(count(|c| c.is_ascii_hexdigit())).filter(|length| *length >= 12),
            '~' => Some(count(|c| c.is_ascii_alphanumeric())).filter(|length| *length == 5),
            other => rest.starts_with(other).then_some(other.len_utf8()),
        }?;
    }
    Some(at)
}

#[test]
fn what_changes_from_run_to_run_is_named() {
    let text = "run 000001-20260112T101530Z took 12.3 s, pod slipway-train-000001-0123456789ab-1-x7k2p, 1 min 5 s";
    let mut plain = text.to_owned();
    for (pattern, name) in CHANGING {
        plain = replaced(&plain, pattern, name);
    }
    assert_eq!(plain, "run RUN took SPAN, pod slipway-train-RUN-KEY-ATTEMPT-POD, SPAN");
}
