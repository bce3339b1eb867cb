//! The shared cron cases: fires, refused patterns and patterns that never fire.
//!
//! Read from this crate, so that a clone alone tests all of them, or from `AGENTSPACE_CASES`.
//! `cargo test -p workflow-types --test cron_cases -- --nocapture` prints how many agree.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "test helpers fail loudly and print how many cases ran"
)]

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use workflow_types::schedule::{CronExpression, TimeZone, fires_after, next};

#[derive(Deserialize)]
struct NextCase {
    pattern: String,
    tz: TimeZone,
    after: DateTime<Utc>,
    next: Vec<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct RefusedCase {
    pattern: String,
}

fn cases_directory() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    std::env::var_os("AGENTSPACE_CASES").map_or_else(own, PathBuf::from)
}

fn read<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = cases_directory().join("cron").join(name);
    let text = fs::read_to_string(&path).unwrap();
    let cases: Vec<T> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(!cases.is_empty());
    cases
}

/// Prints the count and the failures, and fails if there are any.
fn report(name: &str, total: usize, failures: &[String]) {
    println!("{name}: {} of {total}", total - failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn next_fires_agree_with_the_reference() {
    let cases: Vec<NextCase> = read("next.jsonl");
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let cron = match CronExpression::parse(&case.pattern) {
                Ok(cron) => cron,
                Err(error) => return Some(format!("{}: {}", case.pattern, error.to_line())),
            };
            let fires: Vec<DateTime<Utc>> = fires_after(&cron, case.tz, case.after)
                .take(case.next.len())
                .map(|fire| fire.instant())
                .collect();
            (fires != case.next).then(|| {
                format!(
                    "`{}` in {} after {}:\n  found    {fires:?}\n  expected {:?}",
                    case.pattern, case.tz, case.after, case.next
                )
            })
        })
        .collect();
    report("next.jsonl", cases.len(), &failures);
}

#[test]
fn normal_form_fires_like_the_pattern_and_is_its_own_normal_form() {
    let cases: Vec<NextCase> = read("next.jsonl");
    for case in &cases {
        let cron = CronExpression::parse(&case.pattern).unwrap();
        let text = cron.normalised();
        let normal = CronExpression::parse(&text)
            .unwrap_or_else(|error| panic!("{} -> {text}: {}", case.pattern, error.to_line()));
        assert_eq!(normal.normalised(), text, "{}", case.pattern);
        assert_eq!(normal.is_fixed_time(), cron.is_fixed_time(), "{text}");
        assert_eq!(
            next(&normal, case.tz, case.after),
            Some(case.next[0]),
            "{} -> {text}",
            case.pattern
        );
    }
}

#[test]
fn every_case_has_words_and_warnings_without_panic() {
    let cases: Vec<NextCase> = read("next.jsonl");
    for case in &cases {
        let cron = CronExpression::parse(&case.pattern).unwrap();
        assert!(!cron.describe().is_empty());
        let _ = cron.warnings();
        let _ = cron.gap_warnings(case.tz, case.after);
    }
}

/// Every pattern of a file is refused, with a place, a remedy and these words.
fn check_refused(name: &str, words: &str) {
    let cases: Vec<RefusedCase> = read(name);
    let mut failures = Vec::new();
    for RefusedCase { pattern } in &cases {
        let Err(errors) = CronExpression::parse_all(pattern) else {
            failures.push(format!("accepted `{pattern}`"));
            continue;
        };
        assert!(!errors.is_empty());
        for error in errors {
            let in_pattern = pattern.get(error.span()).is_some();
            let says_enough = !error.help().is_empty() && error.message().contains(words);
            if !in_pattern || !says_enough || (error.span().is_empty() && !pattern.is_empty()) {
                failures.push(format!("`{pattern}`: {error:?}"));
            }
        }
    }
    report(name, cases.len(), &failures);
}

#[test]
fn invalid_patterns_are_refused_with_place_and_help() {
    check_refused("invalid.jsonl", "expected");
}

#[test]
fn patterns_that_never_fire_are_refused() {
    check_refused("never.jsonl", "found a pattern that never fires, expected");
}
