//! The comparison has teeth: a store that breaks one promise is noticed, and every part of the
//! rules is met often enough for that.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::case;
use crate::choices::Choices;
use crate::flaw::Flaw;
use crate::generate::{self, Deaths};

/// Cases in which a flaw has to be noticed.
const CASES: u64 = 200;

/// The number of the first case that notices a flaw.
fn noticed(flaw: Flaw, deaths: Deaths) -> Option<u64> {
    (1..=CASES).find(|seed| {
        let plan = generate::plan(&mut Choices::seeded(*seed), deaths);
        // A store that breaks its promises may well make the gateway hang at its start.
        let run = AssertUnwindSafe(|| case::run(&plan, Some(flaw)).is_err());
        catch_unwind(run).unwrap_or(true)
    })
}

#[test]
fn a_visit_that_is_begun_after_its_call_is_noticed() {
    assert!(noticed(Flaw::BegunTooLate, Deaths::Some).is_some());
}

#[test]
fn an_attempt_that_is_repeated_too_early_is_noticed() {
    assert!(noticed(Flaw::NoBackoff, Deaths::None).is_some());
}

#[test]
fn a_failed_attempt_that_is_not_written_down_is_noticed() {
    assert!(noticed(Flaw::AttemptsForgotten, Deaths::None).is_some());
}

#[test]
fn a_cancellation_that_is_swallowed_is_noticed() {
    assert!(noticed(Flaw::CancelSwallowed, Deaths::None).is_some());
}

#[test]
fn a_limit_that_nobody_looks_at_is_noticed() {
    assert!(noticed(Flaw::Crowded, Deaths::None).is_some());
}

#[test]
fn a_key_that_is_forgotten_is_noticed() {
    assert!(noticed(Flaw::KeysForgotten, Deaths::None).is_some());
}

#[test]
fn a_gate_that_does_not_expire_is_noticed() {
    assert!(noticed(Flaw::Patient, Deaths::None).is_some());
}

#[test]
fn a_gate_that_one_of_two_passes_is_noticed() {
    assert!(noticed(Flaw::Hasty, Deaths::None).is_some());
}

/// What has to happen in so many of a thousand cases without deaths, and with some.
const OFTEN: [(&str, u64, u64); 43] = [
    ("a step succeeded", 300, 300),
    ("a step failed", 300, 300),
    ("a template failed", 40, 40),
    ("a condition failed", 10, 10),
    ("a tool was missing", 4, 4),
    ("a call took its time", 15, 5),
    ("a call was cancelled", 10, 4),
    ("an attempt was repeated", 100, 80),
    ("an attempt timed out", 100, 80),
    ("asked for an approval", 150, 150),
    ("a gate was approved", 100, 100),
    ("a gate was denied", 20, 20),
    ("a gate expired", 20, 20),
    ("a stranger voted", 4, 4),
    ("somebody voted twice", 1, 1),
    ("an approval of several", 20, 20),
    ("took a branch", 80, 80),
    ("followed onSuccess", 80, 80),
    ("followed onFailure", 150, 150),
    ("visited a step again", 150, 150),
    ("reached its limit of visits", 80, 80),
    ("made a hundred visits at once", 1, 1),
    ("arrived later", 1, 1),
    ("a start was skipped", 20, 10),
    ("a start had to wait", 10, 10),
    ("had its turn later", 10, 10),
    ("a repetition had to wait", 2, 1),
    ("a start was repeated", 15, 10),
    ("repeated an execution", 60, 40),
    ("took over results", 15, 10),
    ("a workflow was edited", 4, 4),
    ("cancelled at a gate", 20, 20),
    ("cancelled before an attempt", 4, 4),
    ("cancelled before its turn", 2, 2),
    ("an orderly shutdown", 80, 80),
    ("a shutdown interrupted a call", 10, 5),
    ("was held back by a shutdown", 3, 2),
    ("went on after a shutdown", 3, 2),
    ("a sudden end", 100, 100),
    ("an interrupted call ran again", 15, 60),
    ("an interruption asked", 5, 30),
    ("an interruption failed its step", 3, 15),
    ("an interruption was resolved", 5, 30),
];

/// Everything has happened as often as it has to in so many cases.
pub(crate) fn covers(happened: &BTreeMap<&'static str, u64>, cases: u64, deaths: Deaths) {
    for (feature, without, with) in OFTEN {
        let often = match deaths {
            Deaths::None => without,
            Deaths::Some => with,
        };
        let (times, wanted) = (
            happened.get(feature).copied().unwrap_or(0),
            often * cases / 1_000,
        );
        assert!(
            times >= wanted,
            "{feature}: {times} times in {cases} cases, not {wanted}"
        );
    }
    let known = OFTEN.map(|(feature, ..)| feature);
    let other = happened.keys().filter(|feature| !known.contains(feature));
    let other: Vec<_> = other.collect();
    assert!(
        other.iter().all(|feature| ALSO.contains(feature)),
        "not counted: {other:?}"
    );
}

/// What happens, too, as often as it does.
const ALSO: [&str; 3] = ["deaths", "died within a call", "cancelled between steps"];
