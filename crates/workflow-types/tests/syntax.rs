//! Broken text of any kind: nothing panics, and every mistake comes with a place and a remedy.

use proptest::prelude::*;
use workflow_types::{Code, Diagnostics, Heartbeat, SourceFormat, SourceMap, WorkflowDefinition};

/// What means something to YAML, JSON or Markdown, and characters of more than one byte.
const PIECES: [&str; 44] = [
    "a", "steps", ": ", ":", "- ", "\n", "\n", "\n  ", "\n    ", " ", "[", "]", "{", "}", "\"",
    "'", "#", " # ", "*", "*a", "&", "@", "`", "%", "!", "|\n", ">\n", "\t", "é", "\u{2028}", "{{",
    "}}", ",", "\r\n", "\\", "=", "---\n", "//", "1", "true", "null", "<<", "?", "\u{feff}",
];

fn broken_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40)
        .prop_map(|pieces| pieces.concat())
}

fn check(diagnostics: &Diagnostics, map: &SourceMap) -> Result<(), TestCaseError> {
    for diagnostic in diagnostics {
        let span = map.resolve(&diagnostic.place);
        prop_assert!(
            map.text().get(span.clone()).is_some(),
            "{span:?}: {diagnostic}"
        );
        if diagnostic.code == Code::Syntax {
            prop_assert!(diagnostic.help.is_some(), "{diagnostic}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn broken_text_is_explained_and_nothing_panics(text in broken_text()) {
        for format in [SourceFormat::Yaml, SourceFormat::Json] {
            let checked = WorkflowDefinition::check(text.as_bytes(), format);
            check(&checked.diagnostics, &checked.map)?;
        }
        for heartbeat in [text.clone(), format!("---\n{text}\n---\n- [ ] a\n")] {
            let checked = Heartbeat::check(heartbeat.as_bytes());
            check(&checked.diagnostics, &checked.map)?;
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_explained_too(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let checked = WorkflowDefinition::check(&bytes, SourceFormat::Yaml);
        check(&checked.diagnostics, &checked.map)?;
        let checked = Heartbeat::check(&bytes);
        check(&checked.diagnostics, &checked.map)?;
    }
}
