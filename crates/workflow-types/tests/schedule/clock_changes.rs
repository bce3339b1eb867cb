//! Gaps and overlaps of real zones (rules T2 to T5).

use chrono::{DateTime, Utc};
use workflow_types::schedule::{CronExpression, TimeZone, fires_after, next};

/// The fires from `after` up to and including `until`, as local time with offset.
fn check(pattern: &str, zone: &str, after: &str, until: &str, expected: &[&str]) {
    let cron = CronExpression::parse(pattern).unwrap();
    let zone: TimeZone = zone.parse().unwrap();
    let until: DateTime<Utc> = until.parse().unwrap();
    let found: Vec<String> = fires_after(&cron, zone, after.parse().unwrap())
        .map(|fire| fire.instant())
        .take_while(|instant| *instant <= until)
        .map(|instant| {
            instant
                .with_timezone(&zone.tz())
                .format("%m-%d %H:%M %z")
                .to_string()
        })
        .collect();
    assert_eq!(found, expected, "`{pattern}` in {zone}");
}

#[test]
fn berlin_in_spring() {
    // 02:00 to 03:00 is skipped.
    let night = |pattern, expected: &[&str]| {
        check(
            pattern,
            "Europe/Berlin",
            "2026-03-28T23:30:00Z",
            "2026-03-29T02:10:00Z",
            expected,
        );
    };
    night("30 2 * * *", &["03-29 03:00 +0200"]);
    night("0,20,40 2 * * *", &["03-29 03:00 +0200"]);
    night("30 2,3 * * *", &["03-29 03:00 +0200", "03-29 03:30 +0200"]);
    night("0 3 * * *", &["03-29 03:00 +0200"]);
    night("*/30 2 * * *", &[]);
    night(
        "*/30 * * * *",
        &[
            "03-29 01:00 +0100",
            "03-29 01:30 +0100",
            "03-29 03:00 +0200",
            "03-29 03:30 +0200",
            "03-29 04:00 +0200",
        ],
    );
}

#[test]
fn berlin_in_autumn() {
    // 02:00 to 03:00 comes twice.
    let night = |pattern, expected: &[&str]| {
        check(
            pattern,
            "Europe/Berlin",
            "2026-10-24T23:45:00Z",
            "2026-10-25T02:00:00Z",
            expected,
        );
    };
    night("30 2 * * *", &["10-25 02:30 +0200"]);
    night("0 3 * * *", &["10-25 03:00 +0100"]);
    night(
        "*/30 2 * * *",
        &[
            "10-25 02:00 +0200",
            "10-25 02:30 +0200",
            "10-25 02:00 +0100",
            "10-25 02:30 +0100",
        ],
    );
}

#[test]
fn fixed_time_stays_silent_when_asked_during_the_second_pass() {
    let cron = CronExpression::parse("* 2-3 * * *").unwrap();
    assert!(!cron.is_fixed_time());
    let cron = CronExpression::parse("0-59 2 * * *").unwrap();
    assert!(cron.is_fixed_time());
    let zone: TimeZone = "Europe/Berlin".parse().unwrap();
    let fire = next(&cron, zone, "2026-10-25T01:05:00Z".parse().unwrap()).unwrap();
    assert_eq!(fire.to_string(), "2026-10-26 01:00:00 UTC");
}

#[test]
fn lord_howe_changes_by_half_an_hour() {
    let check = |pattern, after, until, expected: &[&str]| {
        check(pattern, "Australia/Lord_Howe", after, until, expected);
    };
    // Gap 02:00 to 02:30 in October, overlap 01:30 to 02:00 in April.
    let (spring, after_spring) = ("2026-10-03T15:00:00Z", "2026-10-03T16:00:00Z");
    check("15 2 * * *", spring, after_spring, &["10-04 02:30 +1100"]);
    check(
        "*/15 2 * * *",
        spring,
        after_spring,
        &["10-04 02:30 +1100", "10-04 02:45 +1100"],
    );
    let (autumn, after_autumn) = ("2026-04-04T13:30:00Z", "2026-04-04T15:45:00Z");
    check("45 1 * * *", autumn, after_autumn, &["04-05 01:45 +1100"]);
    check(
        "*/45 1 * * *",
        autumn,
        after_autumn,
        &[
            "04-05 01:00 +1100",
            "04-05 01:45 +1100",
            "04-05 01:45 +1030",
        ],
    );
}

#[test]
fn apia_skipped_a_whole_day() {
    // Friday, 30 December 2011 did not exist: too long a gap to make up for.
    check(
        "0 12 * * *",
        "Pacific/Apia",
        "2011-12-29T00:00:00Z",
        "2011-12-31T12:00:00Z",
        &["12-29 12:00 -1000", "12-31 12:00 +1400"],
    );
    check(
        "0 12 30 12 *",
        "Pacific/Apia",
        "2011-12-01T00:00:00Z",
        "2012-12-01T00:00:00Z",
        &[],
    );
}

#[test]
fn casey_skipped_three_hours_which_are_not_too_many() {
    check(
        "30 1 * * *",
        "Antarctica/Casey",
        "2020-10-03T12:00:00Z",
        "2020-10-03T17:00:00Z",
        &["10-04 03:01 +1100"],
    );
}

#[test]
fn troll_changes_by_two_hours() {
    let zone = "Antarctica/Troll";
    check(
        "30 1,2 * * *",
        zone,
        "2026-03-29T00:00:00Z",
        "2026-03-29T02:00:00Z",
        &["03-29 03:00 +0200"],
    );
    check(
        "0 1,2 * * *",
        zone,
        "2026-10-24T20:00:00Z",
        "2026-10-25T04:00:00Z",
        &["10-25 01:00 +0200", "10-25 02:00 +0200"],
    );
    check(
        "0 */1 * * *",
        zone,
        "2026-10-24T22:30:00Z",
        "2026-10-25T02:30:00Z",
        &[
            "10-25 01:00 +0200",
            "10-25 02:00 +0200",
            "10-25 01:00 +0000",
            "10-25 02:00 +0000",
        ],
    );
}

#[test]
fn gap_across_midnight_moves_the_fire_to_the_next_day() {
    // Greenland skipped 23:00 to 24:00 on Saturday, and Cairo 00:00 to 01:00 on Friday.
    check(
        "30 23 * * SAT",
        "America/Nuuk",
        "2024-03-30T12:00:00Z",
        "2024-03-31T12:00:00Z",
        &["03-31 00:00 -0100"],
    );
    check(
        "30 0 * * FRI",
        "Africa/Cairo",
        "2026-04-23T12:00:00Z",
        "2026-04-24T12:00:00Z",
        &["04-24 01:00 +0300"],
    );
}

#[test]
fn nothing_fires_before_1970() {
    let cron = CronExpression::parse("0 0 * * *").unwrap();
    let fire = next(
        &cron,
        TimeZone::UTC,
        "1919-03-30T12:00:00Z".parse().unwrap(),
    )
    .unwrap();
    assert_eq!(fire.to_string(), "1970-01-01 00:00:00 UTC");
}

#[test]
fn fraction_of_a_second_counts_as_before_the_next_second() {
    let cron = CronExpression::parse("* * * * * *").unwrap();
    let fire = next(
        &cron,
        TimeZone::UTC,
        "2026-01-01T00:00:00.999Z".parse().unwrap(),
    )
    .unwrap();
    assert_eq!(fire.to_string(), "2026-01-01 00:00:01 UTC");
    let fire = next(&cron, TimeZone::UTC, fire).unwrap();
    assert_eq!(fire.to_string(), "2026-01-01 00:00:02 UTC");
}

#[test]
fn search_ends_with_the_last_year() {
    let cron = CronExpression::parse("0 0 0 1 1 * 2027").unwrap();
    let fires = fires_after(
        &cron,
        TimeZone::UTC,
        "2026-06-01T00:00:00Z".parse().unwrap(),
    );
    assert_eq!(fires.count(), 1);
    let cron = CronExpression::parse("@daily").unwrap();
    assert_eq!(
        next(
            &cron,
            TimeZone::UTC,
            "9999-12-31T00:00:00Z".parse().unwrap()
        ),
        None
    );
    assert_eq!(next(&cron, TimeZone::UTC, DateTime::<Utc>::MAX_UTC), None);
    assert!(next(&cron, TimeZone::UTC, DateTime::<Utc>::MIN_UTC).is_some());
    let berlin = "Europe/Berlin".parse().unwrap();
    assert_eq!(next(&cron, berlin, DateTime::<Utc>::MAX_UTC), None);
    assert!(next(&cron, berlin, DateTime::<Utc>::MIN_UTC).is_some());
}
