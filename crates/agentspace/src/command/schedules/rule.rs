//! When something fires, as a person types it: read, explained, and shown as fire times.

use std::path::Path;

use gateway::workflow_types::diagnostic::{Code, Diagnostic, Place};
use gateway::workflow_types::schedule::{
    CronError, CronExpression, CronWarning, Interval, TimeZone, Timing, When,
};
use gateway::workflow_types::{SourceMap, Timestamp};
use serde_json::{Value, json};

use crate::cli::Global;
use crate::exit::UsageError;
use crate::view::schedule as view;
use crate::{diagnostics, output};

/// What stands for a file where a diagnostic of a pattern is shown.
const NAME: &str = "pattern";

/// Reads a rule: a pattern, `every 30m` or `at` an instant, the last two also with an `@` before
/// them; none if it is a pattern that was refused, which has been shown.
pub(super) fn read(global: &Global, text: &str) -> Result<Option<When>, UsageError> {
    let text = text.trim();
    let bare = text.strip_prefix('@').unwrap_or(text);
    if let Some(length) = bare.strip_prefix("every ") {
        match length.trim().parse::<Interval>() {
            Ok(interval) => return Ok(Some(When::Every(interval))),
            // `every monday` asks for a pattern, which is the remedy then.
            Err(error) if text.starts_with('@') => return Err(UsageError(error.to_string())),
            Err(_) => {}
        }
    }
    if let Some(at) = bare.strip_prefix("at ") {
        let at = at.parse();
        return at
            .map(|at| Some(When::At(at)))
            .map_err(|error| UsageError(format!("{error}")));
    }
    match CronExpression::parse_all(text) {
        Ok(cron) => Ok(Some(When::Cron(cron))),
        Err(errors) => {
            refuse(global, text, &errors);
            Ok(None)
        }
    }
}

/// Shows what is wrong with a pattern.
fn refuse(global: &Global, text: &str, errors: &[CronError]) {
    let of = |error: &CronError| {
        Diagnostic::new(
            Code::BadCron,
            Place::Text(error.span()),
            error.message().to_owned(),
        )
        .help(error.help())
    };
    let all: Vec<Diagnostic> = errors.iter().map(of).collect();
    let map = SourceMap::of_nodes(text, []);
    if global.json {
        output::envelope("diagnostics", &to_json(&all, &map));
    } else {
        show(&all, &map);
    }
}

fn show(all: &[Diagnostic], map: &SourceMap) {
    for diagnostic in all {
        output::talk(&diagnostics::human(diagnostic, map, Path::new(NAME)));
    }
    let codes = all.iter().map(|diagnostic| diagnostic.code).collect();
    if let Some(more) = diagnostics::explained(codes) {
        output::talk(&more);
    }
}

fn to_json(all: &[Diagnostic], map: &SourceMap) -> Value {
    let all = all.iter();
    all.map(|diagnostic| diagnostics::one_to_json(diagnostic, map))
        .collect()
}

/// What may surprise the author of a rule; as JSON, and shown unless programs listen. None if there
/// is nothing.
pub(super) fn warn(global: &Global, when: &When, zone: TimeZone, now: Timestamp) -> Option<Value> {
    let When::Cron(cron) = when else {
        return None;
    };
    let of = |warning: CronWarning| {
        Diagnostic::new(
            Code::CronHint,
            Place::Text(warning.span()),
            warning.message().to_owned(),
        )
        .help(warning.help())
    };
    let warnings = cron.warnings().into_iter();
    let all: Vec<Diagnostic> = warnings
        .chain(cron.gap_warnings(zone, now.to_utc()))
        .map(of)
        .collect();
    if all.is_empty() {
        return None;
    }
    let map = SourceMap::of_nodes(cron.as_str(), []);
    if !global.json {
        show(&all, &map);
    }
    Some(to_json(&all, &map))
}

/// The fire times of a timing, each in UTC and on the wall of the zone.
pub(in crate::command) fn fires_of(zone: TimeZone, times: &[Timestamp]) -> Vec<Value> {
    let of = |time: &Timestamp| json!({"utc": view::utc(*time), "local": view::local(*time, zone)});
    times.iter().map(of).collect()
}

/// A timing in words, with its zone and its window, and these fire times of it.
pub(super) fn show_fires(timing: &Timing, times: &[Timestamp]) {
    output::data(&view::words(timing));
    output::data(&view::zone_and_window(timing));
    output::data("");
    for time in times {
        output::data(&view::both(*time, timing.zone()));
    }
}
