//! The histories that schedules have, as tables: one for what they missed, one for what overlapped.
//!
//! `cargo test -p gateway --test gateway schedule_tables -- --nocapture` prints them.

#![expect(clippy::print_stdout, reason = "the tables are what these tests show")]

use std::fmt::Write as _;

use gateway::ScheduleEvents;
use gateway::workflow_types::execution::{Execution, ExecutionState};
use gateway::workflow_types::id::ExecutionId;
use gateway::workflow_types::schedule::{FireOutcome, FireRecord, Misfire, Overlap, Policies};

use crate::schedules::request;
use crate::support::{Life, World, at};

const NOOP: &str = "\n  - {id: a, action: noop}";
const RUNS: &str =
    "\n  - {id: a, action: tool, tool: act, timeout: 1d, args: {do: wait or be cancelled}}";
const WAITS: &str = "\n  - {id: a, action: noop, approvalRequired: {timeout: 7d}}";

/// A line for each fire time: its time, what became of it, why, and its execution, which are
/// numbered in the order of their fire times.
fn history(life: &Life) -> Vec<String> {
    let executions = life.executions();
    let mut numbers = 1..;
    let mut told = |fire: &FireRecord| {
        let time = &fire.fire_time.to_string()[11..16];
        let (why, execution) = match &fire.outcome {
            FireOutcome::Started {
                execution: Some(id),
            } => {
                let started = executions.iter().find(|one| one.id == *id);
                let number: usize = numbers.next().unwrap();
                (
                    String::new(),
                    format!("#{number} {}", state(started.unwrap())),
                )
            }
            FireOutcome::SkippedOverlap { reason } | FireOutcome::FailedToStart { reason } => {
                (reason.clone(), String::new())
            }
            FireOutcome::Started { execution: None }
            | FireOutcome::Missed
            | FireOutcome::Buffered => (String::new(), String::new()),
        };
        let word = fire.outcome.word().to_string();
        let words = format!("{time}  {word:<15}  {why:<38}  {execution}");
        words.trim_end().to_owned()
    };
    life.fires("s").iter().map(&mut told).collect()
}

fn state(execution: &Execution) -> String {
    match &execution.state {
        ExecutionState::Running => "runs".to_owned(),
        ExecutionState::Paused { .. } => "waits".to_owned(),
        ExecutionState::Completed { .. } => "completed".to_owned(),
        ExecutionState::Failed { failure, .. } => failure.kind.to_string(),
    }
}

/// Adds a part to a table: its first line says what, the others are indented.
fn part(table: &mut String, what: &str, lines: &[String]) {
    writeln!(table, "{what}").unwrap();
    for line in lines {
        writeln!(table, "    {line}").unwrap();
    }
    if lines.is_empty() {
        writeln!(table, "    nothing").unwrap();
    }
}

/// Asserts a table, and shows it.
fn shown(table: &str, expected: &str) {
    println!("{table}");
    assert_eq!(table.trim(), expected.trim());
}

/// The history of an hourly schedule on 2026-01-31 that nobody served from 09:30 to a time.
fn after_downtime(misfire: Misfire, until: &str) -> Vec<String> {
    let world = World::with(NOOP);
    let life = world.live();
    let policies = Policies {
        misfire,
        overlap: Overlap::Allow,
        ..Policies::default()
    };
    life.add(request("0 * * * *", policies));
    world.clock.set(at("2026-01-31T09:30:00Z"));
    life.kill();
    world.clock.set(at(&format!("2026-01-31T{until}:00Z")));
    let life = world.live();
    life.settle_schedules(&world);
    for execution in life.executions() {
        life.wait(execution.id);
    }
    life.check(&world);
    history(&life)
}

#[test]
fn what_is_made_of_no_one_and_several_missed_fire_times() {
    let mut table = String::new();
    for misfire in Misfire::ALL {
        for until in ["09:50", "10:20", "10:40", "12:20", "12:40"] {
            let lines = after_downtime(*misfire, until);
            part(
                &mut table,
                &format!("{misfire}, down from 09:30 to {until}"),
                &lines,
            );
        }
    }
    shown(&table, include_str!("schedule_tables/misfire.txt"));
}

impl Life {
    /// Lets every execution come to its end, and those that start meanwhile.
    fn finish_all(&self, world: &World, events: &mut ScheduleEvents) {
        loop {
            let is_buffered = |fire: &FireRecord| fire.outcome == FireOutcome::Buffered;
            // Asked first: a fire that is not buffered any more has its execution by then.
            let has_buffered = self.fires("s").iter().any(is_buffered);
            let open: Vec<Execution> = self.executions();
            let open = open.iter().filter(|one| !one.state.status().is_finished());
            let open: Vec<ExecutionId> = open.map(|one| one.id).collect();
            if open.is_empty() {
                if !has_buffered {
                    return;
                }
                self.run(events.next());
            }
            world.ledger.let_go(open.len());
            for id in open {
                if let ExecutionState::Paused { .. } = self.wait(id).state {
                    let gate = self.gate(id);
                    self.approve(&gate, "ann").unwrap();
                    self.wait(id);
                }
            }
        }
    }
}

/// What fires at 10:00, 11:00, 12:00 while the first execution is not finished, and in the end.
fn overlapping(steps: &str, policies: &Policies) -> [Vec<String>; 2] {
    let world = World::with(steps);
    let life = world.live();
    let mut events = life.gateway.schedules().watch();
    life.add(request("0 * * * *", policies.clone()));
    for time in ["10:00:00", "11:00:00", "12:00:00"] {
        life.at(&world, time);
        let mut all = life.executions();
        let newest = all.pop().unwrap();
        if steps == WAITS {
            life.wait(newest.id);
        }
        if policies.overlap == Overlap::CancelOther {
            for replaced in &all {
                life.wait(replaced.id);
            }
        }
    }
    let meanwhile = history(&life);
    life.finish_all(&world, &mut events);
    life.check(&world);
    [meanwhile, history(&life)]
}

#[test]
fn what_is_made_of_fire_times_while_an_execution_runs_or_waits_for_a_person() {
    let mut table = String::new();
    let mut tell = |policies: &Policies, steps: &str| {
        let state = if steps == RUNS { "runs" } else { "waits" };
        let passed_over = if policies.overlap_ignores_paused {
            " and is passed over"
        } else {
            ""
        };
        let [meanwhile, end] = overlapping(steps, policies);
        let overlap = policies.overlap;
        part(
            &mut table,
            &format!("{overlap}, while the first {state}{passed_over}"),
            &meanwhile,
        );
        part(&mut table, "  in the end", &end);
    };
    for overlap in Overlap::ALL {
        let policies = Policies {
            overlap: *overlap,
            ..Policies::default()
        };
        tell(&policies, RUNS);
        tell(&policies, WAITS);
    }
    let policies = Policies {
        overlap_ignores_paused: true,
        ..Policies::default()
    };
    tell(&policies, WAITS);
    shown(&table, include_str!("schedule_tables/overlap.txt"));
}
