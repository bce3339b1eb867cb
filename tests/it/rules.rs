//! `agentspace schedules next`: rules told in words and fire times.

use serde_json::{Value, json};

use crate::support::{Place, list, word};

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

/// What a rule prints inside the hours from 22:00 to 06:00 of a day in Berlin.
fn nights_of(day: &str, rule: &str, after: &str, count: &str) -> String {
    let call = [
        "schedules",
        "next",
        rule,
        "--tz",
        "Europe/Berlin",
        "--active-hours",
        "22:00-06:00",
        "--active-days",
        day,
        "--after",
        after,
        "-n",
        count,
    ];
    let printed = Place::new().run(call).exits(0).stdout;
    format!("## the night of {day}, after {after}\n{printed}\n")
}

/// The night belongs to the day on which it begins: the clocks change in that of Saturday, so that
/// Friday's has its eight hours on every weekend.
#[test]
fn nights_that_belong_to_the_day_before_are_printed_over_weekends_and_clock_changes() {
    let hourly = |after: &str| nights_of("fri", "0 * * * *", after, "9");
    let half_hourly = |after: &str, count: &str| nights_of("sat", "*/30 * * * *", after, count);
    let printed = [
        hourly("2026-01-30T12:00:00+01:00"),
        hourly("2026-03-27T12:00:00+01:00"),
        hourly("2026-10-23T12:00:00+02:00"),
        half_hourly("2026-03-28T12:00:00+01:00", "15"),
        half_hourly("2026-10-24T12:00:00+02:00", "19"),
    ];
    insta::assert_snapshot!(printed.concat());
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
fn a_length_that_is_refused_is_shown_with_column_and_remedy() {
    let place = Place::new();
    let rules = [
        "every 0s",
        "every 5",
        "@every 1x",
        "every 5 minutes",
        "@every",
    ];
    let told = rules.map(|rule| place.run(["schedules", "next", rule]).exits(2).stderr);
    insta::assert_snapshot!(told.join("---\n"));
    let data = place
        .run(["schedules", "next", "every 5", "--json"])
        .exits(2);
    let mistake = &list(&data.data())[0];
    assert_eq!(
        (&mistake["code"], &mistake["column"]),
        (&json!("WF0114"), &json!(7))
    );
}

#[test]
fn so_many_fire_times_are_told_and_more_begin_later() {
    let place = Place::new();
    let ran = place
        .run(["schedules", "next", "@hourly", "-n", "10000"])
        .exits(0);
    // In words, where it is read, and an empty line.
    assert_eq!(ran.stdout.lines().count(), 10_003);
    place
        .run(["schedules", "next", "@hourly", "-n", "99999999"])
        .exits(2)
        .says(&["from 1 to 10000", "--after begins later"]);
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
