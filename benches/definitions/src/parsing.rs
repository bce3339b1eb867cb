//! How long a file takes from its bytes to a definition, small and large.

use std::time::Duration;

use workflow_types::{SourceFormat, WorkflowDefinition};

use crate::table::{Table, ratio, time, verdict};
use crate::{stopwatch, texts};

const GOAL: Duration = Duration::from_millis(1);
const GOAL_RATIO: f64 = 120.0;

pub fn measure() {
    let mut table = Table::new(
        "Reading and checking a workflow file",
        &["steps", "bytes", "median", "to 10 steps", "goal", ""],
    );
    let ten = of(10);
    for count in [10, 100, 1_000] {
        let median = of(count);
        let (goal, met) = match count {
            10 => ("<= 1 ms", Some(median <= GOAL)),
            1_000 => (
                "<= 120x",
                Some(median.as_secs_f64() / ten.as_secs_f64() <= GOAL_RATIO),
            ),
            _ => ("", None),
        };
        table.row([
            count.to_string(),
            texts::steps(count).len().to_string(),
            time(median),
            ratio(median, ten),
            goal.to_owned(),
            met.map_or_else(String::new, verdict),
        ]);
    }
    table.print();
}

fn of(count: usize) -> Duration {
    let text = texts::steps(count);
    let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Yaml);
    assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics);
    stopwatch::median(|| WorkflowDefinition::check(text.as_bytes(), SourceFormat::Yaml))
}
