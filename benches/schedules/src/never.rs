//! How soon it is proved that a pattern never fires, and the longest search for one that does.

use std::time::Duration;

use workflow_types::schedule::{CronExpression, TimeZone, next};

use crate::stopwatch;
use crate::table::{Table, time, verdict};

const GOAL: Duration = Duration::from_micros(100);

/// Patterns without a day; the last ones name years only for the work that they make.
fn never() -> Vec<(&'static str, String)> {
    let odd = |count: usize| vec!["1971-9999/2"; count].join(",");
    vec![
        ("a day that no month has", "0 0 31 2 *".to_owned()),
        ("days of many months", "0 0 31 2,4,6,9,11 *".to_owned()),
        ("workdays", "0 0 30W,31W 2 *".to_owned()),
        ("two day fields", "0 0 1-7 * +MON#2".to_owned()),
        ("a leap day in one year", "0 0 0 29 2 * 2025".to_owned()),
        (
            "a leap day in every odd year",
            format!("0 0 0 29 2 * {}", odd(1)),
        ),
        (
            "the same, eighty times",
            format!("0 0 0 29 2 * {}", odd(80)),
        ),
    ]
}

/// Patterns that fire, seldom.
const SELDOM: [&str; 4] = [
    "0 0 29 2 +MON",
    "0 0 31 12 +SUN#5",
    "0 0 0 29 2 +SAT#5 2001-9999",
    "59 59 23 31 12 * 9999",
];

pub fn measure() {
    let mut table = Table::new(
        "Proving that a pattern never fires, its reading and the error included (goal: <= 100 µs)",
        &["pattern", "bytes", "time", ""],
    );
    for (name, pattern) in never() {
        assert!(CronExpression::parse(&pattern).is_err(), "{pattern}");
        let spent = stopwatch::median(|| CronExpression::parse(&pattern));
        table.row([
            name.to_owned(),
            pattern.len().to_string(),
            time(spent),
            verdict(spent <= GOAL),
        ]);
    }
    table.print();

    let mut table = Table::new(
        "The next fire of patterns that fire seldom",
        &["pattern", "reading", "next fire"],
    );
    let after = "2026-03-01T00:00:00Z".parse().expect("an instant");
    let zone: TimeZone = "Europe/Berlin".parse().expect("a zone");
    for pattern in SELDOM {
        let cron = CronExpression::parse(pattern).expect("a pattern");
        assert!(next(&cron, zone, after).is_some(), "{pattern}");
        table.row([
            pattern.to_owned(),
            time(stopwatch::median(|| CronExpression::parse(pattern))),
            time(stopwatch::median(|| next(&cron, zone, after))),
        ]);
    }
    table.print();
}
