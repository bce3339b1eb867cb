//! `agentspace simulate`: what triggers would fire when, by the scheduler itself.

use crate::support::{DATABASE, Place, list, word};

const NIGHT: &str = "\
name: Night
trigger: {cron: '30 2 * * *', timezone: Europe/Berlin}
steps:
  - {id: a, action: tool, tool: execute_command, args: {command: [touch, ran]}}
";
const WEEKEND: &str = "\
name: Weekend
trigger:
  cron: '0 */4 * * *'
  timezone: Europe/Berlin
  activeHours: {start: '22:00', end: '06:00', daysOfWeek: [5]}
  maxRuns: 3
steps: [{id: a, action: noop}]
";

fn place() -> Place {
    let place = Place::with("night.yaml", NIGHT);
    place.write("weekend.yaml", WEEKEND);
    place
}

const CALL: [&str; 7] = [
    "simulate",
    "--from",
    "2026-03-27T00:00:00Z",
    "--days",
    "9",
    "night.yaml",
    "weekend.yaml",
];

#[test]
fn a_month_is_told_in_a_moment_the_same_each_time_and_nothing_is_run() {
    let place = place();
    let first = place.run(CALL).exits(0);
    insta::assert_snapshot!(first.stdout);
    assert_eq!(place.run(CALL).exits(0).stdout, first.stdout);
    assert!(!place.exists("ran") && !place.exists(DATABASE));
}

#[test]
fn programs_get_the_same_as_data() {
    let place = place();
    let data = place.json(CALL);
    let lines = place.run(CALL).exits(0).stdout;
    let fires = list(&data["fires"]);
    assert_eq!(fires.len(), lines.lines().count());
    for (fire, line) in fires.iter().zip(lines.lines()) {
        let words = [&fire["utc"], &fire["scheduleId"], &fire["outcome"]].map(word);
        assert!(line.ends_with(&words.join("  ")), "{line}");
    }
}

#[test]
fn simulated_fires_are_those_that_the_rule_has() {
    let place = place();
    let simulated = place.json([
        "simulate",
        "--from",
        "2026-10-01T00:00:00Z",
        "--days",
        "60",
        "night.yaml",
    ]);
    let simulated = list(&simulated["fires"]);
    let count = simulated.len().to_string();
    let named = place.json([
        "schedules",
        "next",
        "30 2 * * *",
        "--tz",
        "Europe/Berlin",
        "--after",
        "2026-10-01T00:00:00Z",
        "-n",
        &count,
    ]);
    let times = |fires: &[serde_json::Value]| -> Vec<String> {
        fires
            .iter()
            .map(|fire| word(&fire["utc"]).to_owned())
            .collect()
    };
    assert_eq!(times(&simulated), times(&list(&named["fires"])));
    assert_eq!(simulated.len(), 60);
}

#[test]
fn what_has_no_trigger_is_named_and_what_is_refused_is_shown() {
    let place = Place::with("idle.yaml", "name: Idle\nsteps: [{id: a, action: noop}]\n");
    place
        .run(["simulate", "idle.yaml"])
        .exits(0)
        .says(&["`idle` has no trigger", "0 fires"]);
    place.write(
        "bad.yaml",
        "name: Bad\ntrigger: '0 22-2 * * *'\nsteps: [{id: a, action: noop}]\n",
    );
    place
        .run(["simulate", "bad.yaml"])
        .exits(2)
        .says(&["WF0110"]);
}

#[test]
fn the_example_with_a_trigger_fires_in_the_nights_to_saturday() {
    let place = Place::new();
    place.example("weekend-disk.yaml");
    let call = ["simulate", "--from", "2026-10-09T00:00:00Z", "--days", "30"];
    let told = place
        .run(call.into_iter().chain(["weekend-disk.yaml"]))
        .exits(0);
    let nights: Vec<&str> = told
        .stdout
        .lines()
        .map(|line| line.get(..3).unwrap())
        .collect();
    assert_eq!(nights, ["Fri", "Sat", "Sat", "Sat"].repeat(5));
    place
        .run(["check", "weekend-disk.yaml", "--deny-warnings"])
        .exits(0);
}
