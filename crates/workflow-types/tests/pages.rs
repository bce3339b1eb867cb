//! The pages of the codes are true: the wrong example gives exactly its code, the right one nothing.
#![expect(
    clippy::unwrap_used,
    reason = "a test says what is wrong by panicking, its helpers too"
)]

use std::fmt::Write as _;

use workflow_types::source::MAX_BYTES;
use workflow_types::{Code, Heartbeat, SourceFormat, WorkflowDefinition};

/// Found only by a host, which knows the tools and the models, and whose configuration may hold a
/// secret; the end-to-end tests check their pages with the real program.
const FOUND_BY_HOST: [Code; 4] = [
    Code::UnknownTool,
    Code::BadToolArgs,
    Code::UnknownModel,
    Code::SecretValue,
];

/// An example of a page.
struct Example<'p> {
    language: &'p str,
    text: &'p str,
}

impl Example<'_> {
    /// The codes that the real checkers find in some bytes written like this example.
    fn codes(&self, bytes: &[u8]) -> Vec<Code> {
        let diagnostics = match self.language {
            "yaml" => WorkflowDefinition::check(bytes, SourceFormat::Yaml).diagnostics,
            "json" => WorkflowDefinition::check(bytes, SourceFormat::Json).diagnostics,
            "markdown" => Heartbeat::check(bytes).diagnostics,
            "toml" => return Vec::new(),
            other => panic!("no example is written in {other:?}"),
        };
        let mut codes: Vec<Code> = diagnostics.iter().map(|one| one.code).collect();
        codes.dedup();
        codes
    }
}

/// The text below a heading, up to the next.
fn section(code: Code, heading: &str) -> &'static str {
    let begin = format!("\n## {heading}\n");
    let (_, rest) = code
        .page()
        .split_once(&begin)
        .unwrap_or_else(|| panic!("the page of {code} has no section {heading}"));
    rest.split("\n## ").next().unwrap().trim()
}

fn example(code: Code, heading: &str) -> Example<'static> {
    let section = section(code, heading);
    let (_, fenced) = section
        .split_once("```")
        .unwrap_or_else(|| panic!("{heading} of {code} has no example"));
    let (language, rest) = fenced.split_once('\n').unwrap();
    let (text, after) = rest.split_once("```").unwrap();
    assert!(!after.contains("```"), "{heading} of {code}: one example");
    Example { language, text }
}

/// The bytes of the wrong example. Three are too long for a page, or of bytes that none can hold.
fn wrong_bytes(code: Code, text: &str) -> Vec<u8> {
    let mut written = text.to_owned();
    match code.as_str() {
        // Latin-1 has one byte for every character up to U+00FF, and it is the same number.
        "WF0001" => return text.chars().map(|c| u8::try_from(c).unwrap()).collect(),
        "WF0002" => written.extend(std::iter::repeat_n('#', MAX_BYTES)),
        "WF0109" => {
            for number in 3..=1_001 {
                writeln!(written, "  - {{id: step-{number}, action: noop}}").unwrap();
            }
        }
        _ => {}
    }
    written.into_bytes()
}

#[test]
fn every_page_begins_with_the_title_of_the_table_and_says_why() {
    for code in Code::ALL {
        let title = format!("# {code}: {}\n\n", code.title());
        assert!(code.page().starts_with(&title), "{}", code.page());
        assert!(!section(*code, "Why").is_empty(), "{code}");
        assert!(code.page().ends_with('\n'), "{code}");
    }
}

#[test]
fn the_wrong_example_of_every_page_gives_exactly_its_code() {
    for code in Code::ALL {
        if FOUND_BY_HOST.contains(code) {
            continue;
        }
        let wrong = example(*code, "Wrong");
        let found = wrong.codes(&wrong_bytes(*code, wrong.text));
        assert_eq!(found, [*code], "{}", wrong.text);
    }
}

#[test]
fn the_right_example_of_every_page_gives_nothing() {
    for code in Code::ALL {
        let right = example(*code, "Right");
        let found = right.codes(right.text.as_bytes());
        assert_eq!(found, [], "the right example of {code}");
    }
}
