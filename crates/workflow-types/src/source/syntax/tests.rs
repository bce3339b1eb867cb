//! What is said of texts that are not well formed.

use crate::diagnostic::{Place, Report};
use crate::source::{SourceFormat, read};

/// Each diagnostic of a text: code, the text at its place, message and help.
fn said(text: &str, format: SourceFormat) -> Vec<String> {
    let mut report = Report::default();
    let map = read(text.as_bytes(), format, &mut report).map;
    report
        .as_slice()
        .iter()
        .map(|one| {
            let place: &Place = &one.place;
            let shown = &text[map.resolve(place)];
            let help = one.help.as_deref().unwrap_or_default();
            format!("{} {shown:?}: {}; {help}", one.code, one.message)
        })
        .collect()
}

/// What is said of texts, each below its text.
fn all(texts: &[&str], format: SourceFormat) -> String {
    texts
        .iter()
        .map(|text| format!("{text:?}\n  {}", said(text, format).join("\n  ")))
        .collect::<Vec<String>>()
        .join("\n")
}

#[test]
fn a_number_that_would_be_changed_is_an_error_in_both_formats() {
    let large = "12345678901234567890123";
    let larger = "1234567890123456789012345678901234567890123456";
    for number in [large, larger, "1e400", "-1e400"] {
        let yaml = said(&format!("a: [1, {number}]\n"), SourceFormat::Yaml);
        let json = said(&format!("{{\"a\": [1, {number}]}}"), SourceFormat::Json);
        let expected = format!(
            "WF0009 {number:?}: `a[1]` is {number}, which is no number of 64 bits; use a smaller \
             number, or put it in quotes"
        );
        assert_eq!(yaml, [&*expected]);
        assert_eq!(json, [&*expected]);
    }
    for text in [
        "a: 18446744073709551615\n",
        "a: -9223372036854775808\n",
        "a: 1e300\n",
        "a: '1e400'\n",
        "a: !!str 1e400\n",
        "a: 00123456789012345678901234567890123456789012345\n",
        "a: 1.2.3\n",
        "a: infinity\n",
    ] {
        let numbers = said(text, SourceFormat::Yaml);
        assert!(numbers.iter().all(|one| !one.contains("64 bits")), "{text}");
    }
    assert_eq!(
        said("{\"a\": [1e30, -0, 0.5]}", SourceFormat::Json),
        [""; 0]
    );
}

#[test]
fn a_backslash_that_means_nothing_is_no_open_quote() {
    insta::assert_snapshot!(all(
        &[
            "a: \"C:\\dir\"\n",
            "a: \"50% \\d off\"\n",
            "a: \"\\\\ \\\" \\n \\x\\x\"\n",
            "a: \"\\ud83d\\ude00\"\n",
            "a: \"\\UFFFFFFFF\"\n",
            "a: \"\\n\n",
            "a: \"\\",
        ],
        SourceFormat::Yaml
    ));
}

#[test]
fn what_follows_a_bracket_is_told_as_that() {
    insta::assert_snapshot!(all(
        &[
            "steps:\n  - id: a\n    condition: [1,2].includes(result.a)\n    b: 1\n",
            "a: {b: 1} c\nd: 2\n",
            "- [\n    a\n  ] b\n",
            "[1].b\n",
            "a: [b]]\n",
            "a: [[b] c]\n",
        ],
        SourceFormat::Yaml
    ));
}

#[test]
fn blanks_that_are_none_are_named() {
    insta::assert_snapshot!(all(
        &[
            "steps:\n  - id:\u{a0}a\n    b: 1\n",
            "steps:\n  -\u{a0}id: a\n",
            "a:\u{2003}b\nc: 1\n",
            "a:\u{200b}b\nc: 1\n",
            "a: b\n\u{a0}\u{a0}c: d\n",
            "a: 1\n-\u{3000}b\n",
            "a: voir\u{a0}:\u{a0}b\nc: 'd' e\n",
            "a: b\u{a0}c\nd\u{a0}e: 5\n",
        ],
        SourceFormat::Yaml
    ));
}

#[test]
fn blocks_and_dashes_are_told_in_words_of_an_author() {
    insta::assert_snapshot!(all(
        &[
            "description: |\nhello world\nb: 1\n",
            "- a: >-\n\n  hello\n  b: 1\n",
            "description: |\nhello: world\n",
            "description: > text\n",
            "description: | text\nb: 1\n",
            "command: [cat, -]\n",
            "a: {b: -}\n",
            "a: -\n",
            "a: [- b]\n",
        ],
        SourceFormat::Yaml
    ));
}

#[test]
fn keys_on_one_line_need_braces() {
    insta::assert_snapshot!(all(
        &[
            "steps:\n  - id: a, action: noop\n",
            "- id: a, action: noop, args: {a: b}\n",
            "description: first, second: third\n",
            "a: b, c d: e\n",
        ],
        SourceFormat::Yaml
    ));
}

#[test]
fn mistakes_in_json_are_told_by_their_cause() {
    insta::assert_snapshot!(all(
        &[
            r#"{"a": "C:\dir"}"#,
            r#"{"a": "\\ \" \ud83d\ude00 \é"}"#,
            "{\"a\": \"b\nc\"}",
            "{\"a\": \"b\nc\",\n\"d\": 1}",
            "{\"a\": \"b,\n\"c\": 1}",
            "{\"a\": \"b\tc\"}",
            "{\"a\": 1} x\n",
            "{\"a\": 1}}\n",
            "{\"a\": 1} // x\n",
            "{\"a\": 1}\n{\"b\": 2}\n",
            r#"{"a": "\ud800"}"#,
            r#"{"a": "\ud800x"}"#,
            r#"{"a": "\ud800\u0041"}"#,
            r#"{"a": "\udc00"}"#,
            r#"{"a": "\u12"}"#,
        ],
        SourceFormat::Json
    ));
}
