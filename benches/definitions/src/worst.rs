//! The worst that a file within the limits can do, and how soon one beyond them is refused.

use std::time::Duration;

use workflow_types::{Checked, SourceFormat, WorkflowDefinition};

use crate::table::{Table, bytes, time, verdict};
use crate::texts::{self, Case};
use crate::{allocation, stopwatch};

const MOST_BYTES: usize = 50_000_000;
const SOONEST: Duration = Duration::from_millis(100);

pub fn measure() {
    let mut table = Table::new(
        "The worst files within the limits (goal: <= 50 MB)",
        &[
            "file",
            "bytes",
            "diagnostics",
            "time",
            "peak",
            "in all",
            "places",
            "",
        ],
    );
    for case in texts::worst().into_iter().chain(texts::mistakes()) {
        let (checked, spent, allocated) = check(&case);
        // To find and show the places is part of refusing.
        let (_, places) = stopwatch::once(|| lines(&checked));
        table.row([
            case.name.to_owned(),
            case.text.len().to_string(),
            checked.diagnostics.len().to_string(),
            time(spent),
            bytes(allocated.peak),
            bytes(allocated.total),
            time(places),
            verdict(allocated.peak <= MOST_BYTES),
        ]);
    }
    table.print();

    let mut table = Table::new(
        "Refusing bombs (goal: <= 100 ms)",
        &["file", "bytes", "refused with", "time", "peak", ""],
    );
    for case in texts::bombs() {
        let (checked, spent, allocated) = check(&case);
        assert!(checked.definition.is_none(), "{} is accepted", case.name);
        let first = checked.diagnostics.iter().next();
        table.row([
            case.name.to_owned(),
            case.text.len().to_string(),
            first.map_or_else(String::new, |first| first.code.to_string()),
            time(spent),
            bytes(allocated.peak),
            verdict(spent <= SOONEST),
        ]);
    }
    table.print();
}

fn check(case: &Case) -> (Checked, Duration, allocation::Allocated) {
    let text = case.text.as_bytes();
    let run = || stopwatch::once(|| WorkflowDefinition::check(text, SourceFormat::Yaml));
    let ((checked, first), allocated) = allocation::during(run);
    let ((_, second), _) = allocation::during(run);
    (checked, first.min(second), allocated)
}

/// The lines of all places, as a host shows them.
fn lines(checked: &Checked) -> usize {
    let place = |d: &workflow_types::Diagnostic| {
        let range = checked.map.resolve(&d.place);
        checked.map.line_column(range.start).line + checked.map.line_column(range.end).line
    };
    checked.diagnostics.iter().map(place).sum()
}
