//! Laws of cron patterns: refused with places, or fires that come later and match the pattern.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use workflow_types::schedule::{CronExpression, TimeZone, fires_after, next};

/// Where the search begins: before a clock change in spring and one in autumn, and far away.
const STARTS: [&str; 3] = [
    "2026-03-28T23:59:59Z",
    "2027-10-30T20:00:00Z",
    "1999-12-31T00:00:00Z",
];
const ZONES: [&str; 3] = ["UTC", "Europe/Berlin", "Australia/Lord_Howe"];
const FIRES: usize = 4;

pub fn check(bytes: &[u8]) {
    let Ok(pattern) = std::str::from_utf8(bytes) else {
        return;
    };
    match CronExpression::parse_all(pattern) {
        Ok(cron) => accepted(pattern, &cron),
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                super::assert_within(pattern, &error.span(), error.message());
                assert!(
                    !error.message().is_empty() && !error.help().is_empty(),
                    "{error:?}"
                );
            }
        }
    }
}

fn accepted(pattern: &str, cron: &CronExpression) {
    assert_eq!(cron.as_str(), pattern.trim());
    assert_eq!(CronExpression::parse(cron.as_str()).as_ref(), Ok(cron));
    assert!(!cron.describe().is_empty());
    let normal = CronExpression::parse(&cron.normalised())
        .unwrap_or_else(|error| panic!("{pattern} -> {}: {error}", cron.normalised()));
    assert_eq!(normal.normalised(), cron.normalised());
    for warning in cron.warnings() {
        super::assert_within(cron.as_str(), &warning.span(), warning.message());
    }
    for (start, zone) in STARTS.into_iter().zip(ZONES) {
        let after = start.parse().unwrap_or_else(|_| panic!("{start}"));
        let zone = zone.parse().unwrap_or_else(|_| panic!("{zone}"));
        fires(cron, &normal, zone, after);
    }
}

fn fires(cron: &CronExpression, normal: &CronExpression, zone: TimeZone, after: DateTime<Utc>) {
    let mut earlier = after;
    for fire in fires_after(cron, zone, after).take(FIRES) {
        let instant = fire.instant();
        assert!(instant > earlier, "`{cron}`: {instant} after {earlier}");
        assert_eq!(next(cron, zone, earlier), Some(instant), "`{cron}`");
        assert_eq!(
            next(cron, zone, instant - TimeDelta::seconds(1)),
            Some(instant),
            "`{cron}`"
        );
        assert_eq!(
            next(normal, zone, earlier),
            Some(instant),
            "`{cron}` -> `{normal}`"
        );
        matches(&cron.normalised(), fire.nominal());
        earlier = instant;
    }
    let has_year = cron.normalised().split(' ').count() == 7;
    assert!(earlier > after || has_year, "`{cron}` never fires");
}

/// Every field that is plain numbers names the time; written without the crate's own sets.
fn matches(normalised: &str, time: NaiveDateTime) {
    let mut fields: Vec<&str> = normalised.split(' ').collect();
    if fields.len() == 5 {
        fields.insert(0, "0");
    }
    let year = u32::try_from(time.year()).unwrap_or(0);
    let values = [
        (fields.first(), time.second()),
        (fields.get(1), time.minute()),
        (fields.get(2), time.hour()),
        (fields.get(4), time.month()),
        (fields.get(6), year),
    ];
    for (field, value) in values {
        let Some(field) = field else { continue };
        assert_ne!(
            names(field, value),
            Some(false),
            "`{normalised}` does not name {time}"
        );
    }
    let (of_month, of_week) = (fields[3], fields[5]);
    if of_week == "*" {
        assert_ne!(
            names(of_month, time.day()),
            Some(false),
            "`{normalised}`: {time}"
        );
    }
    if of_month == "*" {
        let weekday = time.weekday().number_from_monday();
        assert_ne!(
            names(of_week, weekday),
            Some(false),
            "`{normalised}`: {time}"
        );
    }
}

/// Whether a field names a value; `None` if it says more than numbers, names, ranges and steps.
fn names(field: &str, value: u32) -> Option<bool> {
    let items: Option<Vec<bool>> = field.split(',').map(|item| names_it(item, value)).collect();
    Some(items?.contains(&true))
}

fn names_it(item: &str, value: u32) -> Option<bool> {
    let (range, step) = item.split_once('/').unwrap_or((item, "1"));
    let step: u32 = step.parse().ok()?;
    if range == "*" {
        // Where a field begins, at 0, 1 or a year, is not known here.
        return (step == 1).then_some(true);
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last) = (number(first)?, number(last)?);
    let last = if item.contains('/') && !range.contains('-') {
        u32::MAX
    } else {
        last
    };
    (first <= last)
        .then_some((first..=last).contains(&value) && (value - first).is_multiple_of(step))
}

fn number(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ];
    const DAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
    let named = |names: &[&str]| names.iter().position(|name| *name == word);
    match named(&MONTHS).or_else(|| named(&DAYS)) {
        Some(index) => u32::try_from(index + 1).ok(),
        None => word.parse().ok(),
    }
}
