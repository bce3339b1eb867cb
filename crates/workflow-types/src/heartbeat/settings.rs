//! Reads the settings of a heartbeat from its front matter.

use std::num::NonZeroU32;

use serde_json::Value;

use super::DEFAULT_UNKNOWN_AFTER;
use crate::definition::fields::{Field, Fields};
use crate::definition::{timing, without_approval};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Remedy, Report};
use crate::duration;
use crate::id::{ModelName, ToolName};
use crate::schedule::{ActiveHours, HeartbeatConfig, HeartbeatInterval, LONGEST_INTERVAL};
use crate::shape::heartbeat::HEARTBEAT;

const MINUTES_OF_DAY: i64 = 24 * 60;

/// What the front matter says.
pub(super) struct Settings {
    pub(super) config: HeartbeatConfig,
    pub(super) model: Option<ModelName>,
    pub(super) tools: Vec<ToolName>,
    pub(super) without_approval: Vec<ToolName>,
    pub(super) enabled: bool,
    pub(super) unknown_after: NonZeroU32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: HeartbeatConfig::default(),
            model: None,
            tools: Vec::new(),
            without_approval: Vec::new(),
            enabled: true,
            unknown_after: DEFAULT_UNKNOWN_AFTER,
        }
    }
}

/// Whether a word is a key of the settings, in camelCase or `snake_case`.
pub(super) fn is_key(word: &str) -> bool {
    HEARTBEAT.knows(word)
}

/// Reads the settings; none if they are no mapping. Mistakes are in the report, and what they
/// concern has its default.
pub(super) fn read(document: &Value, report: &mut Report) -> Option<Settings> {
    let mut fields = Fields::open(document, &Pointer::root(), &HEARTBEAT, report)?;
    let interval = interval(&mut fields);
    let timezone = timing::zone(&mut fields);
    let hours = timing::active_hours(&mut fields);
    let model = fields.parsed("model");
    let tools = fields.parsed_list("tools");
    let without_approval = without_approval("the heartbeat", &tools, &mut fields);
    let enabled = fields.boolean("enabled").unwrap_or(true);
    let unknown_after = fields.positive("unknownAfter");
    fields.finish();
    if let (Some(interval), Some((hours, at))) = (interval, &hours) {
        check_window(interval, hours, at, report);
    }
    let config = HeartbeatConfig {
        interval: interval.unwrap_or_default(),
        timezone,
        active_hours: hours.map(|(hours, _)| hours),
    };
    Some(Settings {
        config,
        model,
        tools,
        without_approval,
        enabled,
        unknown_after: unknown_after.map_or(DEFAULT_UNKNOWN_AFTER, |(count, _)| count),
    })
}

/// Minutes as a number, or a text such as `2h`; the default if the key is absent, and none if its
/// value is wrong.
fn interval(fields: &mut Fields<'_, '_>) -> Option<HeartbeatInterval> {
    let Some(field) = fields.take("interval") else {
        return Some(HeartbeatInterval::default());
    };
    let report = &mut *fields.report;
    let minutes = match field.value {
        Value::Number(number) => match number.as_i64() {
            Some(minutes) => minutes,
            None => return refuse(&field, number, report),
        },
        Value::String(text) => match duration::parse(text) {
            Ok(duration) => match whole_minutes(duration) {
                Some(minutes) => minutes,
                None => return refuse(&field, text, report),
            },
            Err(error) => {
                let meant = duration::meant(text)
                    .filter(|meant| whole_minutes(*meant).is_some_and(|minutes| minutes > 0))
                    .map(duration::format);
                let remedy = match meant {
                    Some(meant) => Remedy::put(format!("write {meant}"), meant),
                    None => Remedy::told(
                        "write whole minutes as a number, or a text such as \"30m\" or \"2h\"",
                    ),
                };
                report.push(remedy.of(bad(&field, error)));
                return None;
            }
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            let expected = "minutes, or a text such as \"2h\"";
            report.wrong_type(&field.at, expected, field.value);
            return None;
        }
    };
    HeartbeatInterval::try_new(minutes)
        .map_err(|error| report.push(bad(&field, error)))
        .ok()
}

fn whole_minutes(duration: std::time::Duration) -> Option<i64> {
    let milliseconds = duration.as_millis();
    let whole = milliseconds.is_multiple_of(60_000);
    whole.then(|| i64::try_from(milliseconds / 60_000).unwrap_or(i64::MAX))
}

/// Reports a length of time that is no number of whole minutes.
fn refuse(
    field: &Field<'_>,
    found: impl std::fmt::Display,
    report: &mut Report,
) -> Option<HeartbeatInterval> {
    let reason =
        format!("found `{found}`, expected whole minutes, 1 to {LONGEST_INTERVAL} (a week)");
    report.push(bad(field, reason).help("round it to minutes"));
    None
}

fn bad(field: &Field<'_>, reason: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(
        Code::BadInterval,
        Place::value(&field.at),
        format!("`{}` is no interval: {reason}", field.at),
    )
}

/// Refuses a window in which no run can lie, as a daily run at midnight between 9 and 17 o'clock.
///
/// Only intervals that divide a day have the same times every day; the others move through it.
fn check_window(
    interval: HeartbeatInterval,
    hours: &ActiveHours,
    at: &Pointer,
    report: &mut Report,
) {
    let minutes = interval.into_inner();
    if MINUTES_OF_DAY % minutes != 0 || hours.meets_every(minutes) {
        return;
    }
    report.push(
        Diagnostic::new(
            Code::BadActiveHours,
            Place::key(at),
            format!("a run every {minutes} minutes from midnight on never lies in {hours}"),
        )
        .label("no run lies in this window")
        .help("widen the hours, or choose a shorter interval"),
    );
}
