//! Reads the keys that say when: a cron expression, `timezone` and `activeHours`.
//!
//! Shared by triggers and heartbeats; knows neither.

use std::str::FromStr;

use serde_json::Value;

use super::fields::{Field, Fields};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report, describe};
use crate::schedule::{ActiveHours, ActiveHoursError, CronExpression, TimeOfDayError, TimeZone};
use crate::shape::timing::ACTIVE_HOURS;

/// A cron expression at an address, with what may surprise its author.
pub(crate) fn cron(text: &str, at: &Pointer, report: &mut Report) -> Option<CronExpression> {
    match CronExpression::parse_all(text) {
        Ok(cron) => {
            for warning in cron.warnings() {
                report.push(
                    Diagnostic::new(
                        Code::CronHint,
                        Place::inside(at, warning.span()),
                        warning.message().to_owned(),
                    )
                    .help(warning.help()),
                );
            }
            Some(cron)
        }
        Err(errors) => {
            for error in errors {
                report.push(
                    Diagnostic::new(
                        Code::BadCron,
                        Place::inside(at, error.span()),
                        format!("`{at}` is no cron expression: {}", error.message()),
                    )
                    .help(error.help()),
                );
            }
            None
        }
    }
}

/// The time zone of a mapping, if its key is there.
pub(crate) fn zone(fields: &mut Fields<'_, '_>) -> Option<TimeZone> {
    let (name, at) = fields.string("timezone")?;
    match name.parse::<TimeZone>() {
        Ok(zone) => Some(zone),
        Err(error) => {
            let mut diagnostic = Diagnostic::new(
                Code::BadZone,
                Place::value(&at),
                format!("`{at}` is `{name}`, which is no time zone"),
            )
            .label("not in the IANA database")
            .help(error.help());
            if let Some(near) = error.suggestion() {
                diagnostic = diagnostic.fix(near);
            }
            fields.report.push(diagnostic);
            None
        }
    }
}

/// The active hours of a mapping with their address, if their key is there.
pub(crate) fn active_hours(fields: &mut Fields<'_, '_>) -> Option<(ActiveHours, Pointer)> {
    let Field { value, at } = fields.take("activeHours")?;
    if matches!(value, Value::String(_)) {
        fields.report.push(
            Diagnostic::new(
                Code::WrongType,
                Place::value(&at),
                format!("`{at}` is {}, expected a mapping", describe(value)),
            )
            .label("expected a mapping")
            .help("write {start: \"09:00\", end: \"17:00\"}"),
        );
        return None;
    }
    let mut inner = Fields::open(value, &at, &ACTIVE_HOURS, fields.report)?;
    let start = time(&mut inner, "start");
    let end = time(&mut inner, "end");
    let days = days(&mut inner);
    let end_at = inner.at().key("end");
    let hours = start.zip(end).and_then(|(start, end)| {
        ActiveHours::every_day(start, end)
            .map_err(|error| refuse(inner.report, &end_at, &error))
            .ok()
    });
    inner.finish();
    let hours = match days? {
        Days::Every => hours?,
        // Each day was checked, and there is at least one.
        Days::Some(days) => hours?.on_days(&days).ok()?,
    };
    Some((hours, at))
}

/// A time of day that must be there.
fn time<T>(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<T>
where
    T: FromStr<Err = TimeOfDayError>,
{
    let field = fields.require(name)?;
    if let Some(hour) = field.value.as_u64().filter(|hour| *hour <= 24) {
        let help = format!("write the time in quotes, with minutes: \"{hour:02}:00\"");
        fields.report.push(
            Diagnostic::new(
                Code::WrongType,
                Place::value(&field.at),
                format!(
                    "`{}` is the number {hour}, expected a time of day",
                    field.at
                ),
            )
            .help(help)
            .fix(format!("\"{hour:02}:00\"")),
        );
        return None;
    }
    let (text, at) = fields.as_string(&field)?;
    text.parse()
        .map_err(|error: TimeOfDayError| {
            fields.report.push(
                Diagnostic::new(
                    Code::BadActiveHours,
                    Place::value(&at),
                    format!("`{at}` is no time of day: {error}"),
                )
                .help("write hours and minutes with two digits each, as \"09:00\" or \"17:30\""),
            );
        })
        .ok()
}

/// The days on which a window opens.
enum Days {
    /// The author named none.
    Every,
    /// At least one, each from 1 (Monday) to 7 (Sunday).
    Some(Vec<i64>),
}

/// The days of a window; none if one of them is wrong.
fn days(fields: &mut Fields<'_, '_>) -> Option<Days> {
    let Some(field) = fields.take("daysOfWeek") else {
        return Some(Days::Every);
    };
    let Some(items) = field.value.as_array() else {
        let expected = "a list of days, 1 (Monday) to 7 (Sunday)";
        fields.report.wrong_type(&field.at, expected, field.value);
        return None;
    };
    if items.is_empty() {
        refuse(fields.report, &field.at, &ActiveHoursError::NoDays);
        return None;
    }
    let days: Vec<Option<i64>> = items
        .iter()
        .enumerate()
        .map(|(index, value)| day(value, &field.at.index(index), fields.report))
        .collect();
    days.into_iter().collect::<Option<_>>().map(Days::Some)
}

fn day(value: &Value, at: &Pointer, report: &mut Report) -> Option<i64> {
    let Some(day) = value.as_i64() else {
        match value.as_str().and_then(day_of_name) {
            Some(day) => report.push(
                Diagnostic::new(
                    Code::WrongType,
                    Place::value(at),
                    format!("`{at}` is the name of a day, expected its number"),
                )
                .help(format!("write {day}; 1 is Monday, 7 is Sunday"))
                .fix(day.to_string()),
            ),
            None => report.wrong_type(at, "a day, 1 (Monday) to 7 (Sunday)", value),
        }
        return None;
    };
    ActiveHours::check_day(day)
        .map_err(|error| refuse(report, at, &error))
        .ok()?;
    Some(day)
}

/// The number of a day that is written in English, short or long.
fn day_of_name(name: &str) -> Option<i64> {
    const NAMES: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let name = name.to_ascii_lowercase();
    let days = (1..).zip(NAMES);
    days.into_iter()
        .find(|(_, long)| name.len() >= 3 && long.starts_with(&name))
        .map(|(day, _)| day)
}

fn refuse(report: &mut Report, at: &Pointer, error: &ActiveHoursError) {
    report.push(Diagnostic::new(
        Code::BadActiveHours,
        Place::value(at),
        format!("`{at}` is not valid: {error}"),
    ));
}
