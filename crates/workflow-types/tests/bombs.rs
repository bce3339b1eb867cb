//! Texts within the limits that would take much more memory or time than they have bytes: refused,
//! or answered in proportion. What is said of a text is counted; no clock decides.

use std::fmt::Write as _;

use workflow_types::source::MAX_BYTES;
use workflow_types::{Checked, Diagnostic, SourceFormat, WorkflowDefinition};

const HEAD: &str = "name: w\nsteps:\n  - id: a\n    action: tool\n    tool: t\n    args:\n";

fn check(text: &str) -> Checked {
    assert!(text.len() <= MAX_BYTES, "{} bytes", text.len());
    WorkflowDefinition::check(text.as_bytes(), SourceFormat::Yaml)
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// The bytes that a diagnostic holds.
fn bytes(diagnostic: &Diagnostic) -> usize {
    let help = diagnostic.help.as_ref().map_or(0, String::len);
    diagnostic.message.len() + diagnostic.label.len() + help
}

fn said(checked: &Checked) -> usize {
    checked.diagnostics.iter().map(bytes).sum()
}

fn guesses(checked: &Checked) -> usize {
    let guessed = |d: &&Diagnostic| {
        d.help
            .as_ref()
            .is_some_and(|h| h.starts_with("did you mean"))
    };
    checked.diagnostics.iter().filter(guessed).count()
}

#[test]
fn a_long_text_that_is_repeated_by_aliases_is_refused() {
    let long = "x".repeat(100_000);
    let text = |aliases| {
        let items = vec!["*a"; aliases].join(", ");
        format!("{HEAD}      a: &a {long}\n      b: [{items}]\n")
    };
    assert!(check(&text(9)).definition.is_some());
    let refused = check(&text(5_000));
    assert_eq!(
        refused.diagnostics.iter().next().unwrap().code.as_str(),
        "WF0007"
    );
}

#[test]
fn keys_that_make_the_addresses_of_all_nodes_long_are_refused() {
    let mut text = HEAD.to_owned();
    for level in 0..50 {
        let _ = writeln!(text, "{}{}:", " ".repeat(6 + level), "k".repeat(900));
    }
    let _ = writeln!(text, "{}[{}]", " ".repeat(80), "1, ".repeat(9_000));
    let refused = check(&text);
    assert_eq!(
        refused.diagnostics.iter().next().unwrap().code.as_str(),
        "WF0006"
    );
}

#[test]
fn of_very_many_mistakes_the_first_are_kept_and_the_others_counted() {
    let text = format!("{HEAD}      k: '{}'\n", "{{x}}".repeat(50_000));
    let checked = check(&text);
    assert!(checked.definition.is_none());
    assert_eq!(checked.diagnostics.len(), 1_000);
    let last = checked.diagnostics.iter().last().unwrap();
    let help = last.help.as_ref().unwrap();
    assert!(
        help.ends_with("49000 more problems of this text are not shown"),
        "{help}"
    );
}

#[test]
fn what_is_said_of_wrong_names_does_not_grow_with_the_names_that_are_known() {
    let wrong = |known: usize| {
        let names = lines(known, |n| format!("  name{n}: string\n"));
        let reads = lines(3_000, |n| format!("      - \"{{{{input.zzz{n}}}}}\"\n"));
        let steps = HEAD.strip_prefix("name: w\n").unwrap();
        said(&check(&format!(
            "name: w\ninput:\n{names}{steps}      k:\n{reads}"
        )))
    };
    let (few, many) = (wrong(300), wrong(3_000));
    assert!(
        many < few + few / 10,
        "{few} bytes beside 300 names, {many} beside 3,000"
    );
}

#[test]
fn guesses_end_before_they_cost_more_than_the_text_is_worth() {
    let steps = |count| {
        lines(count, |n| {
            format!("  - {{id: step-number-{n}, action: noop}}\n")
        })
    };
    let reads = lines(5_000, |n| {
        format!("      - \"{{{{steps.step-umber-{}.x}}}}\"\n", n % 900)
    });
    let text = |count| {
        let head = "name: w\nsteps:\n";
        let last = HEAD.strip_prefix(head).unwrap();
        format!("{head}{}{last}      k:\n{reads}", steps(count))
    };
    let (few, many) = (check(&text(9)), check(&text(900)));
    assert!(guesses(&many) >= 30, "{} guesses", guesses(&many));
    // Ten times as many names, at most a tenth of the guesses: the work is the same.
    assert!(guesses(&many) < guesses(&few), "{} guesses", guesses(&many));
    assert_eq!(many.diagnostics.len(), few.diagnostics.len());
}
