//! `agentspace schedules`: rules told in words and fire times, and schedules from their first day to
//! their last.

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

fn next<'a>(args: impl IntoIterator<Item = &'a str>) -> Value {
    let place = Place::new();
    let data = place.json(["schedules", "next"].into_iter().chain(args));
    assert!(!place.exists(".agentspace"), "a rule needs no database");
    data
}

fn locals(data: &Value) -> Vec<String> {
    let fires = list(&data["fires"]).into_iter();
    fires.map(|fire| word(&fire["local"]).to_owned()).collect()
}

#[test]
fn a_rule_is_told_in_words_and_fire_times_without_a_database() {
    let place = Place::new();
    let call = [
        "schedules",
        "next",
        "0 9 * * MON-FRI",
        "--tz",
        "Europe/Berlin",
        "--after",
        "2026-03-27T12:00:00+01:00",
        "-n",
        "2",
    ];
    let json: Vec<&str> = call.into_iter().chain(["--json"]).collect();
    assert_eq!(
        place.run(json).exits(0).envelope(),
        json!({"v": 1, "kind": "schedule.next", "data": {
            "words": "At 09:00 on Monday through Friday",
            "timeZone": "Europe/Berlin",
            "fires": [
                {"utc": "2026-03-30T07:00:00Z", "local": "2026-03-30T09:00:00+02:00"},
                {"utc": "2026-03-31T07:00:00Z", "local": "2026-03-31T09:00:00+02:00"},
            ],
        }})
    );
    let ran = place.run(call).exits(0);
    assert_eq!(
        ran.stdout,
        "At 09:00 on Monday through Friday\nin Europe/Berlin\n\n\
         Mon 2026-03-30 09:00:00 +02:00  2026-03-30T07:00:00Z\n\
         Tue 2026-03-31 09:00:00 +02:00  2026-03-31T07:00:00Z\n"
    );
    assert_eq!(ran.stderr, "");
    assert!(!place.exists(".agentspace"));
}

#[test]
fn a_window_over_a_weekend_and_both_nights_of_clock_changes_is_shown() {
    let nights = |after: &str, count: &str| {
        let data = next([
            "*/30 * * * *",
            "--tz",
            "Europe/Berlin",
            "--after",
            after,
            "-n",
            count,
            "--active-hours",
            "22:00-06:00",
            "--active-days",
            "fri,sat",
        ]);
        let window = json!({"start": "22:00", "end": "06:00", "daysOfWeek": [5, 6]});
        assert_eq!(data["activeHours"], window);
        locals(&data)
    };
    // Saturday's night in spring lacks an hour, and none of Sunday's is in the window.
    let spring = nights("2026-03-29T01:15:00+01:00", "9");
    assert_eq!(
        spring,
        [
            "2026-03-29T01:30:00+01:00",
            "2026-03-29T03:00:00+02:00",
            "2026-03-29T03:30:00+02:00",
            "2026-03-29T04:00:00+02:00",
            "2026-03-29T04:30:00+02:00",
            "2026-03-29T05:00:00+02:00",
            "2026-03-29T05:30:00+02:00",
            "2026-04-03T22:00:00+02:00",
            "2026-04-03T22:30:00+02:00",
        ]
    );
    // In autumn two o'clock comes twice.
    let autumn = nights("2026-10-25T01:45:00+02:00", "5");
    assert_eq!(
        autumn,
        [
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T02:30:00+01:00",
            "2026-10-25T03:00:00+01:00",
        ]
    );
}

#[test]
fn intervals_and_instants_are_rules_too() {
    let every = next([
        "every 90m",
        "--anchor",
        "2026-03-28T00:10:00Z",
        "--after",
        "2026-03-29T00:00:00Z",
        "-n",
        "2",
    ]);
    assert_eq!(every["words"], "Every 90 minutes");
    assert_eq!(
        locals(&every),
        ["2026-03-29T00:10:00+00:00", "2026-03-29T01:40:00+00:00"]
    );
    let at = next([
        "at 2026-10-25T02:30",
        "--tz",
        "Europe/Berlin",
        "--after",
        "2026-01-01T00:00:00Z",
    ]);
    assert_eq!(locals(&at), ["2026-10-25T02:30:00+02:00"]);
    let place = Place::new();
    place
        .run([
            "schedules",
            "next",
            "at 2026-03-29T02:30",
            "--tz",
            "Europe/Berlin",
        ])
        .exits(2)
        .says(&["does not exist in Europe/Berlin"]);
    place
        .run(["schedules", "next", "@every 0s"])
        .exits(2)
        .says(&["expected 1s to 3650d"]);
    place
        .run([
            "schedules",
            "next",
            "* * * * *",
            "--anchor",
            "2026-01-01T00:00:00Z",
        ])
        .exits(2)
        .says(&["--anchor is where an interval is counted from"]);
}

#[test]
fn a_pattern_that_is_refused_is_shown_with_column_and_remedy() {
    let place = Place::new();
    let ran = place
        .run(["schedules", "next", "0 22-2 * * MON,9"])
        .exits(2);
    assert_eq!(ran.stdout, "");
    insta::assert_snapshot!(ran.stderr);
    let data = place
        .run(["schedules", "next", "0 0 31 2 *", "--json"])
        .exits(2);
    assert_eq!(data.envelope()["kind"], "diagnostics");
    let never = &list(&data.data())[0];
    assert_eq!(
        (&never["code"], &never["column"]),
        (&json!("WF0110"), &json!(5))
    );
    assert!(word(&never["message"]).contains("never fires"), "{never}");
    assert!(never["help"].is_string());
    place
        .run(["schedules", "next", "every monday"])
        .exits(2)
        .says(&["`0 9 * * MON` is every Monday at 09:00"]);
}

#[test]
fn what_may_surprise_is_told_beside_the_answer() {
    let after = ["--after", "2026-03-01T00:00:00Z", "-n", "1"];
    let data = next(
        ["30 2 13 * FRI", "--tz", "Europe/Berlin"]
            .into_iter()
            .chain(after),
    );
    let warnings = list(&data["warnings"]);
    let codes: Vec<&str> = warnings.iter().map(|one| word(&one["code"])).collect();
    assert_eq!(codes, ["WF0305"], "{warnings:?}");
    let place = Place::new();
    let call = ["schedules", "next", "30 2 * * *", "--tz", "Europe/Berlin"];
    place.run(call.into_iter().chain(after)).exits(0).says(&[
        "2026-03-29 02:30 does not exist in Europe/Berlin",
        "agentspace explain WF0305",
    ]);
}

#[test]
fn mistaken_flags_are_bad_usage_with_a_remedy() {
    let place = Place::new();
    for (args, said) in [
        (["--tz", "Europe/Berln"], "did you mean `Europe/Berlin`?"),
        (["--active-hours", "09:00"], "START-END"),
        (["--active-hours", "09:00-09:00"], "expected two different"),
        (["--active-days", "0"], "1 (Monday) to 7 (Sunday)"),
        (["--after", "soon"], "expected RFC 3339"),
    ] {
        let call = ["schedules", "next", "* * * * *"].into_iter().chain(args);
        place.run(call).exits(2).says(&[said]);
    }
    place
        .run([
            "schedules",
            "next",
            "0 12 * * *",
            "--active-hours",
            "13:00-14:00",
        ])
        .exits(2)
        .says(&["never fires inside the active hours"]);
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
    assert!(!place.exists(DATABASE));
    // What only the workflow knows.
    add("@daily", &["--input", "{\"who\": 5}"])
        .says(&["the input of workflow `greet` is not valid"]);
    assert_eq!(list(&place.json(["schedules", "ls"])), Vec::<Value>::new());
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
