//! `agentspace serve`: schedules fire, executions are carried on, and a signal ends it in order.

use std::collections::BTreeSet;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Place, demonstrated, list, word};

/// Every second, a line with the fire time's second.
const TICK: &str = "\
name: Tick
trigger: '* * * * * *'
steps:
  - id: tick
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo tick >> ticks']}
";

fn fires(place: &Place) -> Vec<Value> {
    let history = place.json(["schedules", "history", "tick", "--limit", "1000"]);
    list(&history["fires"])
}

fn started(fires: &[Value]) -> usize {
    let started = fires.iter().filter(|fire| fire["outcome"] == "started");
    started.count()
}

#[test]
fn triggers_of_workflow_files_fire_until_a_signal_ends_it_in_order() {
    let place = Place::with("workflows/tick.yaml", TICK);
    let serving = place.call(["serve"]).start();
    serving.says("serving: 1 workflow, 1 active schedule");
    serving.says("tick  started");
    serving.says("tick  started");
    // Reading commands work beside it.
    let shown = place.json(["schedules", "show", "tick"]);
    assert_eq!(word(&shown["triggerOf"]), "tick");
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    let fires = fires(&place);
    assert_eq!(started(&fires), place.lines("ticks").len());
    let executions = place.executions();
    assert_eq!(executions.len(), started(&fires));
    for execution in &executions {
        assert_eq!(
            (word(&execution["status"]), word(&execution["triggeredBy"])),
            ("completed", "cron")
        );
    }
}

#[test]
fn a_second_one_on_the_same_database_is_refused_with_the_id_of_the_first() {
    let place = Place::with("workflows/tick.yaml", TICK);
    let serving = place.call(["serve"]).start();
    serving.says("serving:");
    let pid = serving.pid().to_string();
    place.run(["serve"]).exits(1).says(&[&pid]);
    place
        .run(["schedules", "pause", "tick"])
        .exits(1)
        .says(&[&pid]);
    serving.signal(Signal::INT);
    serving.end().exits(0);
}

#[test]
fn after_a_power_cut_no_fire_time_fires_twice() {
    // Nothing that a person would have to decide about after the cut.
    let step = "name: Tick\ntrigger: '* * * * * *'\nsteps: [{id: tick, action: noop}]\n";
    let place = Place::with("workflows/tick.yaml", step);
    for _ in 0..3 {
        let serving = place.call(["serve"]).start();
        serving.says("tick  started");
        serving.kill();
    }
    let serving = place.call(["serve"]).start();
    serving.says("tick  started");
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    let fires = fires(&place);
    let times: BTreeSet<&str> = fires.iter().map(|fire| word(&fire["fireTime"])).collect();
    assert_eq!(times.len(), fires.len());
    assert_eq!(place.executions().len(), started(&fires));
}

#[test]
fn three_runs_are_three_over_two_restarts_and_a_kill() {
    let text = "\
name: Tick
trigger: {cron: '* * * * * *', maxRuns: 3}
steps: [{id: tick, action: noop}]
";
    let place = Place::with("workflows/tick.yaml", text);
    let serve = || {
        let serving = place.call(["serve"]).start();
        serving.says("serving:");
        serving
    };
    let killed = serve();
    killed.says("tick  started");
    killed.kill();
    let restarted = serve();
    restarted.says_unless_it_ends("tick  started");
    restarted.signal(Signal::TERM);
    restarted.end().exits(0);
    let serving = serve();
    while place.json(["schedules", "show", "tick"])["enabled"] == true {}
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    let again = serve();
    again.signal(Signal::TERM);
    again.end().exits(0);
    let shown = place.json(["schedules", "show", "tick"]);
    assert_eq!(
        (&shown["runs"], word(&shown["offReason"])),
        (&Value::from(3), "completed")
    );
    let fires = fires(&place);
    assert_eq!(started(&fires), 3, "{fires:?}");
    let mut recorded: Vec<&str> = fires
        .iter()
        .filter_map(|fire| fire["executionId"].as_str())
        .collect();
    let executions = place.executions();
    let mut all: Vec<&str> = executions.iter().map(|one| word(&one["id"])).collect();
    recorded.sort_unstable();
    all.sort_unstable();
    assert_eq!(recorded, all);
    let history = place.run(["schedules", "history", "tick"]).exits(0);
    demonstrated(&history.stdout);
}

#[test]
fn programs_get_a_line_for_each_fire() {
    let place = Place::with("workflows/tick.yaml", TICK);
    let serving = place.call(["serve", "--json"]).start();
    serving.says("serving:");
    let mut ticked = false;
    while !ticked {
        ticked = !list(&place.json(["schedules", "history", "tick"])["fires"]).is_empty();
    }
    serving.signal(Signal::TERM);
    let ran = serving.end().exits(0);
    for line in ran.stdout.lines() {
        let document: Value = serde_json::from_str(line).unwrap();
        assert_eq!(document["kind"], "schedule.fire");
        assert_eq!(document["data"]["scheduleId"], "tick");
    }
    assert!(!ran.stdout.is_empty());
}

#[test]
fn without_files_it_serves_what_there_is() {
    let place = Place::new();
    let serving = place.call(["serve"]).start();
    serving.says("there is no workflow directory");
    serving.says("serving: 0 workflows, 0 active schedules");
    serving.signal(Signal::TERM);
    serving.end().exits(0);
}
