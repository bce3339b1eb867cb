//! Compares what is stored and what was called with the reference, and words the differences.

use std::fmt::{self, Write as _};

use gateway::workflow_types::execution::VisitState;

use crate::ledger::{Call, Ledger};
use crate::reference::{Reference, Run};
use crate::seen::{Seen, calls_told_as};

/// The engine did something else than the reference.
#[derive(Debug, Clone)]
pub(crate) struct Difference(pub(crate) String);

impl Difference {
    /// Fails unless both are the same.
    pub(crate) fn unless<T: PartialEq + fmt::Debug + ?Sized>(
        what: impl fmt::Display,
        expected: &T,
        found: &T,
    ) -> Result<(), Self> {
        if expected == found {
            return Ok(());
        }
        Err(Self(format!(
            "{what}\n  expected: {expected:?}\n  found:    {found:?}"
        )))
    }
}

/// Nothing moves: everything is as the reference says.
pub(crate) fn at_rest(run: &Run, found: &Seen, ledger: &Ledger) -> Result<(), Difference> {
    let expected = run.seen();
    same(&expected, &found.clone().told_as(&expected))?;
    same_calls(run, &ledger.calls(&run.id.to_string()))
}

/// A process has died: what is stored is one of the states between two moves of the reference,
/// which is brought to it; and what was called follows from it.
pub(crate) fn follow(
    mut reference: Reference,
    found: &[Seen],
    ledger: &Ledger,
) -> Result<Reference, Difference> {
    let ids = |found: &Seen| found.execution.id;
    let found_ids: Vec<_> = found.iter().map(ids).collect();
    let known: Vec<_> = reference.runs.iter().map(|run| run.id).collect();
    Difference::unless("the executions after a death", &known, &found_ids)?;
    loop {
        let mut moved = false;
        let mut first = None;
        for (place, found) in found.iter().enumerate() {
            if let Err(difference) = between(&reference.runs[place], found) {
                first.get_or_insert(difference);
                moved |= reference.step(place);
            }
        }
        match first {
            None => break,
            Some(difference) if !moved => return Err(difference),
            Some(_) => {}
        }
    }
    for (place, found) in found.iter().enumerate() {
        follow_calls(&mut reference, place, found, ledger)?;
    }
    Ok(reference)
}

fn between(run: &Run, found: &Seen) -> Result<(), Difference> {
    let expected = run.seen();
    let found = found.clone().told_as(&expected).in_between(&expected);
    same(&expected, &found)
}

/// What had begun may have been called or not; nothing else may.
fn follow_calls(
    reference: &mut Reference,
    place: usize,
    found: &Seen,
    ledger: &Ledger,
) -> Result<(), Difference> {
    let run = &reference.runs[place];
    let calls = ledger.calls(&run.id.to_string());
    let has_begun = run
        .visits
        .last()
        .is_some_and(|open| open.state == VisitState::Begun);
    if calls.len() > run.calls.len() && has_begun {
        reference.step(place);
        between(&reference.runs[place], found)?;
        reference.features.insert("died within a call");
    }
    same_calls(&reference.runs[place], &calls)
}

fn same_calls(run: &Run, found: &[Call]) -> Result<(), Difference> {
    let found = calls_told_as(found.to_vec(), &run.calls);
    let what = format_args!("the calls of {}", run.id);
    if run.calls == found {
        return Ok(());
    }
    Err(Difference(format!(
        "{what}\nexpected:\n{}found:\n{}",
        lines(&run.calls),
        lines(&found)
    )))
}

fn same(expected: &Seen, found: &Seen) -> Result<(), Difference> {
    if expected == found {
        return Ok(());
    }
    let mut text = format!("what is stored of {}\n", expected.execution.id);
    let mut part = |name: &str, expected: String, found: String| {
        if expected != found {
            let _ = write!(text, "{name}\nexpected:\n{expected}found:\n{found}");
        }
    };
    let one = |value: &dyn fmt::Debug| format!("  {value:?}\n");
    part(
        "the execution",
        one(&expected.execution),
        one(&found.execution),
    );
    part("its step", one(&expected.current), one(&found.current));
    part("its results", one(&expected.results), one(&found.results));
    part("its visits", lines(&expected.visits), lines(&found.visits));
    part("its keys", lines(&expected.keys), lines(&found.keys));
    part(
        "its failed attempts",
        lines(&expected.attempts),
        lines(&found.attempts),
    );
    part("its gates", lines(&expected.gates), lines(&found.gates));
    part(
        "who cancelled it",
        one(&expected.cancelled),
        one(&found.cancelled),
    );
    Err(Difference(text))
}

fn lines<T: fmt::Debug>(items: &[T]) -> String {
    items.iter().fold(String::new(), |mut text, item| {
        let _ = writeln!(text, "  {item:?}");
        text
    })
}

/// Both traces, for whoever looks for the reason.
pub(crate) fn traces(reference: &Reference, found: &[Seen], ledger: &Ledger) -> String {
    let mut text = String::from("the reference:\n");
    for run in &reference.runs {
        let _ = writeln!(text, "{}", trace(&run.seen(), &run.calls));
    }
    text.push_str("the engine:\n");
    for found in found {
        let calls = ledger.calls(&found.execution.id.to_string());
        let _ = writeln!(text, "{}", trace(found, &calls));
    }
    text
}

fn trace(seen: &Seen, calls: &[Call]) -> String {
    let mut text = format!(
        "{} of {}: {:?}{}\n",
        seen.execution.id,
        seen.execution.workflow_id,
        seen.execution.state,
        if seen.execution.queued {
            ", waits for its turn"
        } else {
            ""
        }
    );
    for visit in &seen.visits {
        let (number, step, attempt) = (visit.number, &visit.step, visit.attempt);
        let _ = writeln!(text, "  {number} {step} #{attempt} {:?}", visit.state);
    }
    for asked in &seen.gates {
        let gate = &asked.gate;
        let _ = writeln!(
            text,
            "  gate of {} ({}): {:?}",
            gate.visit, gate.kind, gate.state
        );
    }
    for call in calls {
        let _ = writeln!(
            text,
            "  {} {} #{} {}",
            call.who, call.key, call.attempt, call.args
        );
    }
    text
}
