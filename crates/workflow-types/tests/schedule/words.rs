//! Patterns in words, and `saffron` against our own evaluation.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::sample::select;
use saffron::Cron;
use workflow_types::schedule::{CronExpression, TimeZone, fires_after};

#[test]
fn words_say_when_it_fires() {
    for (pattern, words) in [
        ("* * * * *", "Every minute"),
        ("* * * * * *", "Every second"),
        ("*/20 * * * * *", "Every 20 seconds"),
        (
            "*/20 * 9-17 * * *",
            "Every 20 seconds between 09:00 and 17:59",
        ),
        ("0 9 * * MON-FRI", "At 09:00 on Monday through Friday"),
        ("0 9 * * 1-5", "At 09:00 on Monday through Friday"),
        ("@hourly", "Every hour"),
        ("@weekly", "At 00:00 on Sunday"),
        ("@yearly", "At 00:00 on the 1st of January"),
        ("30 0 9 * * *", "At second 30, at 09:00"),
        ("15,45 10 9 * * *", "At seconds 15 and 45, at 09:10"),
        ("0 0 L * *", "At 00:00 on the last day of every month"),
        (
            "0 0 LW 3,6 *",
            "At 00:00 on the last weekday of March and June",
        ),
        (
            "0 0 L-3,15W * *",
            "At 00:00 on the weekday nearest the 15th and 3 days before the last day of every month",
        ),
        (
            "0 0 */2 * FRI",
            "At 00:00 on every 2nd day from the 1st to the 31st or on Friday of every month",
        ),
        (
            "0 0 13 * FRI",
            "At 00:00 on the 13th or on Friday of every month",
        ),
        (
            "0 0 13 * +FRI",
            "At 00:00 on the 13th, but only on Friday, of every month",
        ),
        (
            "0 9 * * MON#1,FRI#L",
            "At 09:00 on the 1st Monday and the last Friday of every month",
        ),
        (
            "0 0 0 1 1 * 2027-2030",
            "At 00:00 on the 1st of January in 2027 to 2030",
        ),
        (
            "0 0 0 1 1 * 2027,2024-2034/2",
            "At 00:00 on the 1st of January in 2027 and every 2nd year from 2024 to 2034",
        ),
    ] {
        assert_eq!(
            CronExpression::parse(pattern).unwrap().describe(),
            words,
            "{pattern}"
        );
    }
}

/// Patterns of the grammar that `saffron` shares with us; both day fields never restrict
/// at once. `31W` is left out: `saffron` moves it into months of 30 days (rule P3).
fn shared_pattern() -> impl Strategy<Value = String> {
    let minutes = select(vec![
        "*", "0", "30", "*/15", "*/7", "5-50/5", "1,2,3", "0,10-20", "59",
    ]);
    let hours = select(vec![
        "*", "0", "9-17", "*/2", "8-20/3", "23", "0,12", "1-3,5",
    ]);
    let days = select(vec![
        "* * *",
        "1 * *",
        "31 * *",
        "1,15 * *",
        "*/2 * *",
        "10-20/3 * *",
        "L * *",
        "LW * *",
        "15W * *",
        "1W * *",
        "L-3 * *",
        "29 2 *",
        "* 1-3 *",
        "* */4 *",
        "28-31 6,9 *",
    ]);
    let weekdays = select(vec![
        "* * MON",
        "* * 1-5",
        "* * FRI-SUN",
        "* * SAT,SUN",
        "* 3 0",
        "* * 7",
        "* * MON#2",
        "* * FRI#L",
        "* * WED#5",
    ]);
    (minutes, hours, prop_oneof![days, weekdays])
        .prop_map(|(minute, hour, days)| format!("{minute} {hour} {days}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn saffron_evaluates_the_shared_grammar_alike(
        pattern in shared_pattern(), seconds in 1_000_000_000_i64..2_000_000_000,
    ) {
        let ours = CronExpression::parse(&pattern).unwrap();
        let theirs: Cron = ours.normalised().replace("#L", "L").parse().unwrap();
        let after: DateTime<Utc> = DateTime::from_timestamp(seconds, 0).unwrap();
        let expected: Vec<DateTime<Utc>> = theirs.iter_after(after).take(10).collect();
        let found: Vec<DateTime<Utc>> = fires_after(&ours, TimeZone::UTC, after)
            .take(10)
            .map(|fire| fire.instant())
            .collect();
        prop_assert_eq!(found, expected, "{} as {}", pattern, ours.normalised());
    }
}
