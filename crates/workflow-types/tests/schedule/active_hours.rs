//! Windows of the week, alone and together with patterns (rules A1 to A4).

use chrono::{DateTime, Utc};
use workflow_types::schedule::{
    ActiveHours, CronExpression, TimeZone, fires_within, next, next_within,
};

fn hours(json: &str) -> ActiveHours {
    serde_json::from_str(json).unwrap()
}

fn check_inside(window: &ActiveHours, wall: &str, expected: bool) {
    assert_eq!(
        window.contains(wall.parse().unwrap()),
        expected,
        "{window}: {wall}"
    );
}

#[test]
fn window_contains_its_start_and_not_its_end() {
    let window = hours(r#"{"start":"09:00","end":"17:00"}"#);
    check_inside(&window, "2026-03-02T08:59:59", false);
    check_inside(&window, "2026-03-02T09:00:00", true);
    check_inside(&window, "2026-03-02T16:59:59", true);
    check_inside(&window, "2026-03-02T17:00:00", false);
}

#[test]
fn friday_night_belongs_to_friday() {
    let window = hours(r#"{"start":"22:00","end":"06:00","daysOfWeek":[5]}"#);
    check_inside(&window, "2026-03-06T03:00:00", false); // Friday
    check_inside(&window, "2026-03-06T21:59:59", false);
    check_inside(&window, "2026-03-06T22:00:00", true);
    check_inside(&window, "2026-03-07T03:00:00", true); // Saturday
    check_inside(&window, "2026-03-07T06:00:00", false);
    check_inside(&window, "2026-03-07T22:30:00", false);
    check_inside(&window, "2026-03-08T03:00:00", false); // Sunday
}

#[test]
fn sunday_night_reaches_into_monday() {
    let window = hours(r#"{"start":"22:00","end":"06:00","daysOfWeek":[7]}"#);
    check_inside(&window, "2026-03-09T05:59:00", true); // Monday
    check_inside(&window, "2026-03-08T05:59:00", false); // Sunday
}

#[test]
fn whole_days_end_at_24() {
    let window = hours(r#"{"start":"00:00","end":"24:00","daysOfWeek":[6,7]}"#);
    check_inside(&window, "2026-03-07T00:00:00", true);
    check_inside(&window, "2026-03-08T23:59:59", true);
    check_inside(&window, "2026-03-09T00:00:00", false);
    assert_eq!(window.to_string(), "00:00-24:00 on Sat, Sun");
}

#[test]
fn end_at_midnight_is_the_end_of_the_day() {
    let window = hours(r#"{"start":"22:00","end":"00:00"}"#);
    check_inside(&window, "2026-03-07T23:59:59", true);
    check_inside(&window, "2026-03-07T00:00:00", false);
}

#[test]
fn instants_are_read_in_the_zone() {
    let window = hours(r#"{"start":"09:00","end":"17:00"}"#);
    let instant: DateTime<Utc> = "2026-07-01T07:30:00Z".parse().unwrap();
    assert!(window.contains_instant("Europe/Berlin".parse().unwrap(), instant));
    assert!(!window.contains_instant(TimeZone::UTC, instant));
}

/// The first fires of a pattern inside a window, by the wall clock of the zone.
fn check_fires(pattern: &str, zone: &str, window: &str, after: &str, expected: &[&str]) {
    let cron = CronExpression::parse(pattern).unwrap();
    let zone: TimeZone = zone.parse().unwrap();
    let found: Vec<String> = fires_within(&cron, zone, &hours(window), after.parse().unwrap())
        .take(expected.len())
        .map(|fire| {
            zone.wall_time(fire.instant())
                .format("%a %m-%d %H:%M:%S")
                .to_string()
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn only_fires_inside_the_window_count() {
    check_fires(
        "0 * * * *",
        "Europe/Berlin",
        r#"{"start":"22:00","end":"02:00","daysOfWeek":[5]}"#,
        "2026-03-06T22:30:00Z",
        &[
            "Sat 03-07 00:00:00",
            "Sat 03-07 01:00:00",
            "Fri 03-13 22:00:00",
            "Fri 03-13 23:00:00",
        ],
    );
    check_fires(
        "* * * * * *",
        "America/New_York",
        r#"{"start":"09:00","end":"09:01","daysOfWeek":[1]}"#,
        "2026-03-02T14:00:58Z",
        &["Mon 03-02 09:00:59", "Mon 03-09 09:00:00"],
    );
}

#[test]
fn fire_moved_out_of_the_window_by_a_gap_is_none() {
    // 02:30 fires at 03:00 in that night, which lies outside (rule A3).
    check_fires(
        "30 2 * * *",
        "Europe/Berlin",
        r#"{"start":"02:00","end":"03:00"}"#,
        "2026-03-27T12:00:00Z",
        &["Sat 03-28 02:30:00", "Mon 03-30 02:30:00"],
    );
    // A nominal time outside does not count either, although the real one is inside.
    check_fires(
        "30 2 * * *",
        "Europe/Berlin",
        r#"{"start":"02:45","end":"04:00","daysOfWeek":[7]}"#,
        "2026-03-27T12:00:00Z",
        &[],
    );
    // Both inside.
    check_fires(
        "30 2 * * *",
        "Europe/Berlin",
        r#"{"start":"02:00","end":"04:00"}"#,
        "2026-03-28T12:00:00Z",
        &["Sun 03-29 03:00:00"],
    );
}

#[test]
fn both_passes_of_an_overlap_are_inside() {
    check_fires(
        "*/30 * * * *",
        "Europe/Berlin",
        r#"{"start":"02:00","end":"03:00"}"#,
        "2026-10-24T12:00:00Z",
        &[
            "Sun 10-25 02:00:00",
            "Sun 10-25 02:30:00",
            "Sun 10-25 02:00:00",
            "Sun 10-25 02:30:00",
            "Mon 10-26 02:00:00",
        ],
    );
}

#[test]
fn pattern_and_window_that_never_meet_are_known_without_search() {
    let check = |pattern: &str, window: &str, expected: bool| {
        let cron = CronExpression::parse(pattern).unwrap();
        let window = hours(window);
        assert_eq!(window.ever_meets(&cron), expected, "`{pattern}` {window}");
        let after = "2026-01-01T00:00:00Z".parse().unwrap();
        let found = next_within(&cron, TimeZone::UTC, &window, after);
        assert_eq!(found.is_some(), expected, "`{pattern}` {window}");
    };
    check("0 12 * * *", r#"{"start":"13:00","end":"14:00"}"#, false);
    check("0 12 * * *", r#"{"start":"12:00","end":"12:01"}"#, true);
    check(
        "0 12 * * MON",
        r#"{"start":"00:00","end":"24:00","daysOfWeek":[2]}"#,
        false,
    );
    check(
        "0 3 * * SAT",
        r#"{"start":"22:00","end":"06:00","daysOfWeek":[5]}"#,
        true,
    );
    check(
        "0 3 * * FRI",
        r#"{"start":"22:00","end":"06:00","daysOfWeek":[5]}"#,
        false,
    );
    check(
        "0 12 29 2 *",
        r#"{"start":"12:00","end":"13:00","daysOfWeek":[5]}"#,
        true,
    );
    check(
        "0 0 12 29 2 * 2028",
        r#"{"start":"12:00","end":"13:00","daysOfWeek":[5]}"#,
        false,
    );
    check(
        "0 0 12 29 2 * 2028",
        r#"{"start":"12:00","end":"13:00","daysOfWeek":[2]}"#,
        true,
    );
}

#[test]
fn window_over_the_whole_week_changes_nothing() {
    let cron = CronExpression::parse("30 2 * * *").unwrap();
    let zone: TimeZone = "Europe/Berlin".parse().unwrap();
    let always = hours(r#"{"start":"00:00","end":"24:00"}"#);
    let mut after: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    for _ in 0..800 {
        let expected = next(&cron, zone, after);
        assert_eq!(next_within(&cron, zone, &always, after), expected);
        after = expected.unwrap();
    }
}
