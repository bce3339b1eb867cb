//! `agentspace schedules`: schedules from their first day to their last.

use serde_json::{Value, json};

use crate::support::{DATABASE, Place, list, word};

/// A workflow that says that it ran.
const GREET: &str = "\
name: Greet
input: {who: {type: string, default: nobody}}
steps:
  - id: greet
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo \"hello $0\" >> greeted', '{{ input.who }}']}
";

fn locals(data: &Value) -> Vec<String> {
    let fires = list(&data["fires"]).into_iter();
    fires.map(|fire| word(&fire["local"]).to_owned()).collect()
}

/// A place with a schedule `daily` that greets Ada.
fn with_schedule() -> Place {
    let place = Place::with("workflows/greet.yaml", GREET);
    place
        .run([
            "schedules",
            "add",
            "daily",
            "30 2 * * *",
            "--workflow",
            "greet",
            "--tz",
            "Europe/Berlin",
            "-i",
            "who=Ada",
            "--max-runs",
            "5",
        ])
        .exits(0)
        .prints(&["At 02:30", "in Europe/Berlin", "0 of 5", "next   "]);
    place
}

#[test]
fn a_schedule_is_added_listed_shown_changed_and_deleted() {
    let place = with_schedule();
    let all = list(&place.json(["schedules", "ls"]));
    assert_eq!(all.len(), 1);
    assert_eq!(
        (
            word(&all[0]["id"]),
            word(&all[0]["rule"]),
            &all[0]["enabled"]
        ),
        ("daily", "30 2 * * *", &json!(true))
    );
    let shown = place.json(["schedules", "show", "daily"]);
    assert_eq!(shown["input"], json!({"who": "Ada"}));
    assert_eq!(list(&shown["fires"]).len(), 5);
    assert_eq!(
        place.json(["schedules", "next", "daily"])["fires"],
        shown["fires"]
    );
    let paused = place.json(["schedules", "pause", "daily"]);
    assert_eq!(
        (&paused["enabled"], &paused["offReason"]),
        (&json!(false), &json!("paused"))
    );
    place
        .run(["schedules", "next", "daily"])
        .exits(0)
        .says(&["it is paused"]);
    assert_eq!(
        place.json(["schedules", "resume", "daily"])["enabled"],
        true
    );
    let edited = place.json([
        "schedules",
        "edit",
        "daily",
        "--rule",
        "0 9 * * *",
        "--active-days",
        "mon-fri",
        "--overlap",
        "allow",
        "--no-max-runs",
    ]);
    assert_eq!(edited["words"], "At 09:00");
    assert_eq!(edited["activeHours"]["daysOfWeek"], json!([1, 2, 3, 4, 5]));
    assert_eq!(
        (&edited["overlap"], &edited["maxRuns"], &edited["timeZone"]),
        (&json!("allow"), &Value::Null, &json!("Europe/Berlin"))
    );
    // Of the window, what is not named stays.
    let edited = place.json([
        "schedules",
        "edit",
        "daily",
        "--active-hours",
        "08:00-10:00",
    ]);
    assert_eq!(
        edited["activeHours"],
        json!({"start": "08:00", "end": "10:00", "daysOfWeek": [1, 2, 3, 4, 5]})
    );
    let edited = place.json(["schedules", "edit", "daily", "--always", "-i", "who=Bob"]);
    assert_eq!(edited["activeHours"], Value::Null);
    assert_eq!(edited["input"], json!({"who": "Bob"}));
    place.run(["schedules", "rm", "daily"]).exits(0);
    assert_eq!(list(&place.json(["schedules", "ls"])), Vec::<Value>::new());
    place
        .run(["schedules", "show", "daily"])
        .exits(2)
        .says(&["schedule `daily`"]);
}

#[test]
fn a_schedule_that_is_mistaken_stores_nothing() {
    let place = Place::with("workflows/greet.yaml", GREET);
    let add = |rule: &'static str, more: &[&'static str]| {
        let call = ["schedules", "add", "daily", rule, "-w", "greet"];
        place
            .run(call.into_iter().chain(more.iter().copied()))
            .exits(2)
    };
    add("0 22-2 * * *", &[]).says(&["write `22-23,0-2`"]);
    add("0 12 * * *", &["--active-hours", "13:00-14:00"]).says(&["never fires inside"]);
    let call = ["schedules", "add", "daily", "@daily", "-w", "unknown"];
    place
        .run(call)
        .exits(2)
        .says(&["there is no workflow `unknown`"]);
    // What only the workflow knows.
    add("@daily", &["--input", "{\"who\": 5}"])
        .says(&["the input of workflow `greet` is not valid"]);
    assert!(!place.exists(DATABASE));
}

#[test]
fn a_schedule_is_triggered_without_a_run_being_counted() {
    let place = with_schedule();
    place.run(["schedules", "trigger", "daily"]).exits(0);
    let call = ["schedules", "trigger", "daily", "-i", "who=Bob"];
    place.run(call).exits(0);
    assert_eq!(place.lines("greeted"), ["hello Ada", "hello Bob"]);
    let shown = place.json(["schedules", "show", "daily"]);
    assert_eq!((&shown["runs"], &shown["history"]), (&json!(0), &json!([])));
}

#[test]
fn a_backfill_starts_what_did_not_run_once() {
    let place = with_schedule();
    let stretch = |more: &[&'static str]| {
        let call = [
            "schedules",
            "backfill",
            "daily",
            "--from",
            "2026-03-28T00:00:00Z",
            "--to",
            "2026-03-30T12:00:00Z",
        ];
        place.json(call.into_iter().chain(more.iter().copied()))
    };
    let dry = stretch(&["--dry-run"]);
    assert_eq!(
        locals(&json!({"fires": dry["times"]})),
        [
            "2026-03-28T02:30:00+01:00",
            "2026-03-29T03:00:00+02:00",
            "2026-03-30T02:30:00+02:00"
        ]
    );
    assert!(!place.exists("greeted"));
    assert_eq!(list(&stretch(&[])["fires"]).len(), 3);
    assert_eq!(place.lines("greeted"), ["hello Ada"; 3]);
    let again = stretch(&[]);
    assert_eq!(
        (&again["fires"], &again["leftAlone"]),
        (&json!([]), &json!(3))
    );
    let history = place.json(["schedules", "history", "daily"]);
    let fires = list(&history["fires"]);
    let told: Vec<(&str, &str)> = fires
        .iter()
        .map(|fire| (word(&fire["outcome"]), word(&fire["cause"])))
        .collect();
    assert_eq!(told, [("started", "backfill"); 3]);
    let page = place
        .run(["schedules", "history", "daily", "--limit", "2"])
        .exits(0);
    assert_eq!(page.stdout.lines().count(), 2);
    page.says(&["--before 2026-03-29T01:00:00.000Z"]);
}

#[test]
fn all_that_is_missed_and_skipped_where_it_overlaps_is_told() {
    let place = Place::with("workflows/greet.yaml", GREET);
    let call = ["schedules", "add", "hourly", "@hourly", "-w", "greet"];
    let all = |more: &[&'static str]| {
        let args = call.into_iter().chain(["--misfire", "all"]);
        place
            .run(args.chain(more.iter().copied()).collect::<Vec<_>>())
            .exits(0)
    };
    let told = all(&[]);
    insta::assert_snapshot!(told.stderr);
    let edit = |more: &[&'static str]| {
        let args = ["schedules", "edit", "hourly"].into_iter();
        place.json(args.chain(more.iter().copied()))
    };
    let warned = &edit(&["--overlap", "buffer_one"])["warnings"];
    assert_eq!(word(&warned[0]["code"]), "WF0315");
    assert!(word(&warned[0]["message"]).contains("but for one"));
    for kept in [
        &["--overlap", "buffer_all"][..],
        &["--overlap", "skip", "--misfire", "latest"],
        &["--misfire", "all", "--max-runs", "1"],
        &["--no-max-runs", "--rule", "at 2999-01-01T00:00:00Z"],
    ] {
        assert_eq!(edit(kept)["warnings"], Value::Null, "{kept:?}");
    }
}

#[test]
fn what_is_left_out_is_a_default_for_a_new_schedule_and_no_change_for_another() {
    let place = Place::new();
    let help = |command: &'static str| place.run(["schedules", command, "-h"]).exits(0).stdout;
    let added = help("add").split_whitespace().collect::<Vec<_>>().join(" ");
    for default in [
        "[default: latest]",
        "[default: skip]",
        "[default: with latest half the distance to the next one, at most 12h; with all any age]",
    ] {
        assert!(added.contains(default), "{added}");
    }
    let edited = help("edit");
    let (own, _) = edited.split_once("Global options").unwrap();
    assert!(
        own.contains("--misfire") && !own.contains("default"),
        "{own}"
    );
}

#[test]
fn the_policies_of_a_trigger_follow_its_file() {
    let place = Place::new();
    let follow = |trigger: &str| {
        let steps = "steps: [{id: a, action: noop}]";
        let text = format!("name: Hourly\ntrigger: {trigger}\n{steps}\n");
        place.write("workflows/hourly.yaml", text);
        place.run(["reload"]).exits(0);
        place.json(["schedules", "show", "hourly"])
    };
    // Once in many years, so that no run of the test is when it fires.
    let plain = follow("'0 0 29 2 SUN#5'");
    let chosen = follow(
        "{cron: '0 0 29 2 SUN#5', misfire: all, catchUp: 6h, overlap: buffer_all, \
         overlapIgnoresPaused: true, maxRuns: 4, pauseAfterFailures: 3}",
    );
    let policies = |of: &Value| {
        let keys = [
            "misfire",
            "catchUp",
            "overlap",
            "overlapIgnoresPaused",
            "jitter",
            "maxRuns",
            "pauseAfterFailures",
        ];
        Value::from(keys.map(|key| of[key].clone()).to_vec())
    };
    assert_eq!(
        policies(&chosen),
        json!(["all", "6h", "buffer_all", true, null, 4, 3])
    );
    assert_eq!(chosen["nextRun"], plain["nextRun"]);
    let spread = follow("{cron: '0 0 29 2 SUN#5', jitter: 5m}");
    assert_eq!(
        policies(&spread),
        json!(["latest", null, "skip", false, "5m", null, null])
    );
    assert_eq!(spread["nextRun"], plain["nextRun"]);
    let again = follow("{cron: '0 0 29 2 SUN#5'}");
    assert_eq!(policies(&again), policies(&plain));
    place
        .run(["schedules", "edit", "hourly", "--overlap", "allow"])
        .exits(1)
        .says(&["follows the trigger of workflow `hourly`: change it there"]);
}
