//! When something fires, as a person types it: read, explained, and shown as fire times.

use std::path::Path;

use gateway::workflow_types::diagnostic::{Code, Diagnostic, Place};
use gateway::workflow_types::schedule::{
    CronError, CronExpression, CronWarning, Interval, PolicyWarning, Schedule, TimeZone, Timing,
    When,
};
use gateway::workflow_types::{SourceMap, Timestamp};
use serde_json::{Value, json};

use crate::cli::Global;
use crate::exit::UsageError;
use crate::view::schedule as view;
use crate::{diagnostics, output};

/// What stands for a file where a diagnostic of a pattern is shown.
const PATTERN: &str = "pattern";
/// The same of another rule.
const RULE: &str = "rule";
/// The same of policies.
const POLICIES: &str = "policies";

/// Reads a rule: a pattern, `every 30m` or `at` an instant, the last two also with an `@` before
/// them; none if it is a pattern that was refused, which has been shown.
pub(super) fn read(global: &Global, text: &str) -> Result<Option<When>, UsageError> {
    let text = text.trim();
    let bare = text.strip_prefix('@').unwrap_or(text);
    match interval(text) {
        Some(Ok(interval)) => return Ok(Some(When::Every(interval))),
        Some(Err(mistake)) => {
            refuse(global, (RULE, text), &[mistake]);
            return Ok(None);
        }
        None => {}
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
            let all: Vec<Diagnostic> = errors.iter().map(no_pattern).collect();
            refuse(global, (PATTERN, text), &all);
            Ok(None)
        }
    }
}

/// The interval that a rule names; none if it names none, or none that can be one: `every monday`
/// asks for a pattern, which is the remedy then.
fn interval(text: &str) -> Option<Result<Interval, Diagnostic>> {
    let bare = text.strip_prefix('@').unwrap_or(text);
    let length = bare.strip_prefix("every")?;
    if !length.is_empty() && !length.starts_with(char::is_whitespace) {
        return None;
    }
    let read = match Interval::behind_every(length) {
        None if bare.len() < text.len() => length.trim().parse(),
        read => read?,
    };
    let start = text.len() - length.trim_start().len();
    let place = if start == text.len() { 0 } else { start };
    Some(read.map_err(|error| {
        Diagnostic::new(
            Code::BadInterval,
            Place::Text(place..text.len()),
            error.to_string(),
        )
        .help(error.help())
    }))
}

fn no_pattern(error: &CronError) -> Diagnostic {
    Diagnostic::new(
        Code::BadCron,
        Place::Text(error.span()),
        error.message().to_owned(),
    )
    .help(error.help())
}

/// Shows what is wrong with a text.
fn refuse(global: &Global, (name, text): (&str, &str), all: &[Diagnostic]) {
    let map = SourceMap::of_nodes(text, []);
    if global.json {
        output::envelope("diagnostics", &to_json(all, &map));
    } else {
        show(name, all, &map);
    }
}

fn show(name: &str, all: &[Diagnostic], map: &SourceMap) {
    for diagnostic in all {
        output::talk(&diagnostics::human(diagnostic, map, Path::new(name)));
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
        show(PATTERN, &all, &map);
    }
    Some(to_json(&all, &map))
}

/// What may surprise about the policies of a schedule; as [`warn`] tells of its rule.
pub(super) fn warn_of_policies(global: &Global, schedule: &Schedule) -> Option<Value> {
    let policies = &schedule.spec.policies;
    if schedule.spec.timing.is_once() {
        return None;
    }
    let warning = PolicyWarning::of(policies)?;
    // As they would be typed, those that are the default, too.
    let (misfire, overlap) = (policies.misfire, policies.overlap);
    let before = "--misfire ";
    let text = format!("{before}{misfire} --overlap {overlap}");
    let place = Place::Text(before.len()..before.len() + misfire.as_str().len());
    let message = format!("`--misfire` is {misfire}, but {warning}");
    let diagnostic = Diagnostic::new(Code::CatchUpSkips, place, message).help(warning.help());
    let map = SourceMap::of_nodes(&text, []);
    let all = [diagnostic];
    if !global.json {
        show(POLICIES, &all, &map);
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
