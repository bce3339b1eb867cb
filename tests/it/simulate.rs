//! `agentspace simulate`: what triggers and heartbeats would fire when, by the scheduler itself.

use serde_json::Value;

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
    let times = |fires: &[Value]| -> Vec<String> {
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

/// In the mornings of the days before and after the night in which the clocks of Berlin go forward.
const WATCH: &str = "\
---
interval: 2h
timezone: Europe/Berlin
activeHours: {start: '08:00', end: '12:30', daysOfWeek: [5, 1]}
model: nobody
---
- [ ] Mail flows
";

/// What is simulated of some files, as `id utc`, and which of it is whose heartbeat.
fn told(place: &Place, args: &[&str]) -> Vec<(String, Value)> {
    let call = [
        &["simulate", "--from", "2026-03-27T00:00:00Z", "--days", "4"],
        args,
    ]
    .concat();
    let told = list(&place.json(call)["fires"]);
    let of = |fire: &Value| {
        let line = format!("{} {}", word(&fire["scheduleId"]), word(&fire["utc"]));
        (line, fire["heartbeat"].clone())
    };
    told.iter().map(of).collect()
}

#[test]
fn heartbeats_are_told_beside_triggers_by_the_same_rules() {
    let place = Place::with("workflows/night.yaml", NIGHT);
    place.write("beats/watch.md", WATCH);
    place.write(
        "agentspace.toml",
        "[heartbeats.watch]\nfile = 'beats/watch.md'\n",
    );
    let expected = [
        ("night 2026-03-27T01:30:00Z", Value::Null),
        ("watch 2026-03-27T07:00:00Z", "watch".into()),
        ("watch 2026-03-27T09:00:00Z", "watch".into()),
        ("watch 2026-03-27T11:00:00Z", "watch".into()),
        ("night 2026-03-28T01:30:00Z", Value::Null),
        ("night 2026-03-29T01:00:00Z", Value::Null),
        ("night 2026-03-30T00:30:00Z", Value::Null),
        ("watch 2026-03-30T06:00:00Z", "watch".into()),
        ("watch 2026-03-30T08:00:00Z", "watch".into()),
        ("watch 2026-03-30T10:00:00Z", "watch".into()),
    ];
    let expected: Vec<(String, Value)> = expected
        .map(|(line, heartbeat)| (line.to_owned(), heartbeat))
        .into();
    assert_eq!(told(&place, &[]), expected);
    // Named, it is simulated alone, and as itself.
    let alone: Vec<(String, Value)> = expected
        .into_iter()
        .filter(|(_, heartbeat)| heartbeat == "watch")
        .collect();
    assert_eq!(told(&place, &["beats/watch.md"]), alone);
    assert!(!place.exists(DATABASE));
    let ran = place.run(["simulate", "--from", "2026-03-27T00:00:00Z", "--days", "4"]);
    let ran = ran.exits(0).says(&[
        "heartbeat `watch`: every 2 hours, in Europe/Berlin, within 08:00-12:30",
        "10 fires",
    ]);
    ran.prints(&["Mon 2026-03-30 08:00:00 +02:00  2026-03-30T06:00:00Z  watch  started"]);
}

#[test]
fn a_heartbeat_without_a_configuration_is_found_as_serve_finds_it() {
    let place = Place::with("HEARTBEAT.md", "- [ ] Mail flows\n");
    let call = ["simulate", "--days", "1", "--tz", "Asia/Kolkata"];
    let fires = list(&place.json(call)["fires"]);
    assert_eq!(fires.len(), 48);
    for fire in &fires {
        assert_eq!(fire["heartbeat"], "heartbeat");
        let local = word(&fire["local"]);
        assert!(
            local.contains(":30:00+05:30") || local.contains(":00:00+05:30"),
            "{local}"
        );
    }
    let named = list(&place.json([&call[..], &["HEARTBEAT.md"]].concat())["fires"]);
    assert_eq!(named.len(), 48);
    // What checks nothing is said, and is told of no more.
    for idle in ["---\nenabled: false\n---\n- [ ] Mail\n", "- [x] Mail\n"] {
        place.write("HEARTBEAT.md", idle);
        place
            .run(call)
            .exits(0)
            .says(&["heartbeat `heartbeat` checks nothing", "0 fires"]);
    }
    place.write(
        "HEARTBEAT.md",
        "---\ntimezone: Europe/Berlinn\n---\n- [ ] a\n",
    );
    place
        .run(call)
        .exits(2)
        .says(&["HEARTBEAT.md:2:11", "Europe/Berlin"]);
}

#[test]
fn an_uneven_cadence_is_counted_from_the_day_on_which_the_heartbeat_was_created() {
    let place = Place::with("HEARTBEAT.md", "---\ninterval: 50\n---\n- [ ] Mail flows\n");
    place.run(["reload"]).exits(0);
    let kept = place.json(["schedules", "show", "heartbeat"]);
    let after = word(&kept["nextRun"]).to_owned();
    let later = place.json(["schedules", "next", "heartbeat", "-n", "60"]);
    let times = |fires: &Value| -> Vec<String> {
        let fires = list(fires);
        fires
            .iter()
            .map(|fire| word(&fire["utc"]).to_owned())
            .collect()
    };
    let simulated = place.json(["simulate", "--from", &after, "--days", "2"]);
    let simulated = times(&simulated["fires"]);
    assert_eq!(simulated.len(), 57);
    assert_eq!(simulated, times(&later["fires"])[1..58]);
}
