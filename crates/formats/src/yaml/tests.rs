use std::ops::Bound;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

#[derive(Debug)]
#[expect(dead_code, reason = "printed by `Debug` only")]
struct Settings {
    name: String,
    steps: u32,
    rate: Option<f64>,
    verbose: bool,
    device: char,
    parts: Vec<u8>,
}

fn settings(root: Node<'_>) -> Read<Settings> {
    let mut section = root.section()?;
    let name = section.required("name", Node::text);
    let steps = section.required("steps", |node| node.integer(1..=100));
    let rate = section.optional("rate", |node| node.number((Bound::Excluded(0.0), Bound::Included(1.0))));
    let verbose = section.optional("verbose", Node::flag);
    let device = section.optional("device", |node| node.choice(&[("native", 'n'), ("ndarray", 'b')]));
    let parts = section.optional("parts", |node| {
        node.list(|item| {
            let mut part = item.section()?;
            let size = part.required("size", |node| node.integer(..));
            part.finish();
            size
        })
    });
    section.finish();
    Ok(Settings {
        name: name?.to_owned(),
        steps: steps?,
        rate: rate?,
        verbose: verbose?.unwrap_or(false),
        device: device?.unwrap_or('n'),
        parts: parts?.unwrap_or_default(),
    })
}

fn read(text: &str) -> Result<Settings, Mistakes> {
    Document::parse("a.yaml", text)?.read(settings)
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&match read(text) {
        Ok(settings) => format!("{settings:?}"),
        Err(mistakes) => mistakes.to_string(),
    });
}

/// The parser stood in a line that the text does not have.
#[test]
fn a_mistake_at_the_end_without_a_line_break_is_in_the_last_line() {
    for text in ["a: 1\nb", "a: 1\r\nb", "a: 1\rb"] {
        let mistakes = Document::parse("x.yaml", text).unwrap_err();
        assert_eq!(
            mistakes.to_string(),
            "x.yaml:2:2: not YAML: simple key expected",
            "{text:?}"
        );
    }
}

#[test]
fn a_right_document_becomes_a_typed_value() {
    check(
        "# a comment\nname: mnist\nsteps: 7\nrate: 1e-2\nverbose: true\ndevice: 'ndarray'\nparts: [{size: 1}, {size: 2}]\n",
        expect![[
            r#"Settings { name: "mnist", steps: 7, rate: Some(0.01), verbose: true, device: 'b', parts: [1, 2] }"#
        ]],
    );
    check(
        "{name: 12, steps: 100, rate: null, verbose: ~, parts: }",
        expect![[r#"Settings { name: "12", steps: 100, rate: None, verbose: false, device: 'n', parts: [] }"#]],
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_lines() {
    check(
        "nmae: mnist\nsteps: 101\nrate: '0.5'\nverbose: yes\ndevice: cuda\nparts:\n  - size: 256\n  - 3\n  - {}\n  - {size: 1, colour: red}\n",
        expect![[r#"
            a.yaml:1:1: missing key `name`
            a.yaml:1:1: unknown key `nmae`; did you mean `name`?
            a.yaml:2:8: `steps`: expected a whole number from 1 to 100, found `101`
            a.yaml:3:7: `rate`: expected a number above 0 to 1, found the text "0.5"
            a.yaml:4:10: `verbose`: expected `true` or `false`, found `yes`
            a.yaml:5:9: `device`: expected `native` or `ndarray`, found `cuda`
            a.yaml:7:11: `parts[0].size`: expected a whole number, found `256`
            a.yaml:8:5: `parts[1]`: expected a section with keys, found `3`
            a.yaml:9:5: missing key `size` in `parts[2]`
            a.yaml:10:15: unknown key `parts[3].colour`; expected `size`"#]],
    );
}

#[test]
fn a_key_that_is_there_twice_is_shown_with_its_first_line() {
    check(
        "name: a\nsteps: 1\nname: b\n",
        expect!["a.yaml:3:1: key `name` is here twice, first in line 1"],
    );
}

#[test]
fn a_value_that_is_no_number_is_none() {
    for rate in [".nan", ".inf", "nan", "inf", "1e999", "-0.1", "0", "[1]", "1_0"] {
        let mistakes = read(&format!("name: a\nsteps: 1\nrate: {rate}")).unwrap_err();
        assert_eq!(mistakes.list.len(), 1, "{rate}");
    }
}

#[test]
fn what_is_not_one_plain_document_is_refused() {
    check("", expect!["a.yaml:1:1: the document is empty"]);
    check("# only a comment\n", expect!["a.yaml:1:1: the document is empty"]);
    check(
        "just text",
        expect!["a.yaml:1:1: expected a section with keys, found `just text`"],
    );
    check(
        "name: a\n---\nname: b\n",
        expect!["a.yaml:2:1: a second document starts here, expected one per file"],
    );
    check(
        "name: &x a\n",
        expect!["a.yaml:1:7: anchors (`&name`) are not understood, write the value out"],
    );
    check(
        "name: *x\n",
        expect!["a.yaml:1:7: not YAML: while parsing node, found unknown anchor"],
    );
    check(
        "name: !!str a\n",
        expect!["a.yaml:1:7: tags are not understood, found `tag:yaml.org,2002:!str`"],
    );
    check(
        "{[a]: b}",
        expect!["a.yaml:1:2: a key must be text, found a list or a section"],
    );
    check(
        "name: 'a\n",
        expect!["a.yaml:1:7: not YAML: while scanning a quoted scalar, found unexpected end of stream"],
    );
}

#[test]
fn a_bomb_does_no_harm() {
    let deep = "[".repeat(SIZE_MAX);
    let deep_blocks = "- ".repeat(SIZE_MAX / 2);
    let too_long = "a".repeat(SIZE_MAX + 1);
    for text in [deep, deep_blocks, too_long] {
        assert_eq!(read(&text).unwrap_err().list.len(), 1);
    }
    let billion = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
    assert!(Document::parse("a.yaml", billion).is_err());
    let many_keys: String = (0..50_000).map(|number| format!("key{number}: 1\n")).collect();
    let mistakes = read(&many_keys).unwrap_err();
    assert_eq!(
        (mistakes.list.len(), mistakes.n_left_out),
        (MISTAKES_MAX, 50_002 - MISTAKES_MAX)
    );
}

proptest! {
    #[test]
    fn any_text_gives_a_value_or_mistakes(text in "(\\PC|[-:{}\\[\\]&*!|>'\"%@`#,?\n\t\r ]){0,200}") {
        if let Err(mistakes) = read(&text) {
            prop_assert!(!mistakes.list.is_empty());
        }
    }

    #[test]
    fn any_text_as_a_value_keeps_the_place_of_the_next_key(text in "[a-zäß0-9 ]{1,30}") {
        let document = format!("name: \"{text}\"\nstepz: 1\n");
        let mistakes = read(&document).unwrap_err();
        let unknown = mistakes.list.iter().find(|mistake| mistake.message.contains("stepz")).unwrap();
        prop_assert_eq!(unknown.place, Place { line: 2, column: 1 });
    }
}
