//! Reads what becomes of the times of a trigger that are missed or overlap, and when it ends.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use crate::definition::fields::Fields;
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Remedy};
use crate::duration::unit;
use crate::schedule::{MaxRuns, Misfire, Overlap, Policies, PolicyWarning, check_jitter};

/// The policies of a trigger: the default ones where its author says nothing.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Policies {
    let default = Policies::default();
    let policies = Policies {
        misfire: word(fields, "misfire", Misfire::from_word, missed_elsewhere)
            .unwrap_or(default.misfire),
        catch_up: catch_up(fields),
        overlap: word(fields, "overlap", Overlap::from_word, overlap_elsewhere)
            .unwrap_or(default.overlap),
        overlap_ignores_paused: fields
            .boolean("overlapIgnoresPaused")
            .unwrap_or(default.overlap_ignores_paused),
        jitter: jitter(fields).unwrap_or(default.jitter),
        max_runs: max_runs(fields),
        pause_after_failures: failures(fields),
    };
    doubt(fields, &policies);
    policies
}

/// One of a few words; `elsewhere` knows what other schedulers call them.
fn word<T>(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    from_word: fn(&str) -> Option<T>,
    elsewhere: fn(&str) -> Option<Remedy>,
) -> Option<T> {
    let (text, at) = fields.string(name)?;
    let found = from_word(text);
    if found.is_none() {
        fields.no_word(name, text, &at, elsewhere);
    }
    found
}

/// Small letters alone, as words are compared that are spelt otherwise elsewhere.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphabetic);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

fn missed_elsewhere(text: &str) -> Option<Remedy> {
    let meant = match plain(text).as_str() {
        "last" | "newest" | "once" | "runonce" | "fireonce" | "fireoncenow" | "coalesce"
        | "fireandproceed" => Misfire::Latest,
        "every" | "each" | "runall" | "fireall" | "ignoremisfirepolicy" => Misfire::All,
        "none" | "never" | "ignore" | "donothing" | "drop" | "discard" => Misfire::Skip,
        _ => return None,
    };
    Some(Remedy::meant(meant.as_str()))
}

fn overlap_elsewhere(text: &str) -> Option<Remedy> {
    let meant = match plain(text).as_str() {
        "forbid" | "forbidden" | "none" | "never" | "drop" | "ignore" => Overlap::Skip,
        "buffer" | "wait" | "one" => Overlap::BufferOne,
        "queue" | "enqueue" | "queueall" => Overlap::BufferAll,
        "replace" | "cancel" | "cancelprevious" | "cancelrunning" | "terminateother"
        | "terminate" | "restart" => Overlap::CancelOther,
        "parallel" | "concurrent" | "allowall" | "both" => Overlap::Allow,
        _ => return None,
    };
    Some(Remedy::meant(meant.as_str()))
}

fn catch_up(fields: &mut Fields<'_, '_>) -> Option<Duration> {
    if let Some(flag) = fields.given_boolean("catchUp") {
        // Some schedulers have a switch of this name.
        let field = fields.take("catchUp")?;
        let meant = if flag { Misfire::All } else { Misfire::Skip };
        let help = format!("it is an age, as \"1h\"; write `misfire: {meant}` for `{flag}`");
        let remedy = Some(Remedy::told(help));
        let expected = "an age as \"1h\", or whole milliseconds";
        fields
            .report
            .wrong_type_but(&field.at, expected, field.value, remedy);
        return None;
    }
    length(fields, "catchUp").map(|(age, _)| age)
}

fn jitter(fields: &mut Fields<'_, '_>) -> Option<Duration> {
    let (jitter, at) = length(fields, "jitter")?;
    check_jitter(jitter)
        .map_err(|error| {
            let remedy = Some(Remedy::told("write \"1d\" or less"));
            fields.report.invalid_but(&at, error, remedy);
        })
        .ok()
}

/// A length of time with its place, doubted where a plain number looks like seconds.
fn length(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<(Duration, Pointer)> {
    let (duration, field) = fields.duration(name)?;
    unit::doubt(field.value, &field.at, fields.report);
    Some((duration, field.at))
}

fn max_runs(fields: &mut Fields<'_, '_>) -> Option<MaxRuns> {
    let field = fields.take("maxRuns")?;
    let number = fields.whole("maxRuns", &field)?;
    MaxRuns::try_new(i64::try_from(number).ok()?)
        .map_err(|error| fields.report.invalid(&field.at, error))
        .ok()
}

fn failures(fields: &mut Fields<'_, '_>) -> Option<NonZeroU32> {
    fields
        .positive("pauseAfterFailures")
        .map(|(failures, _)| failures)
}

/// Speaks up where two policies do not go together.
fn doubt(fields: &mut Fields<'_, '_>, policies: &Policies) {
    let Some(warning) = PolicyWarning::of(policies) else {
        return;
    };
    let Some(misfire) = fields.take("misfire") else {
        return;
    };
    let overlap = fields.take("overlap");
    // A word that was refused is not the default that stands for it.
    let is_known = |value: &Value| value.as_str().and_then(Overlap::from_word).is_some();
    if overlap.as_ref().is_some_and(|field| !is_known(field.value)) {
        return;
    }
    let message = warning.to_string();
    let mut diagnostic = Diagnostic::new(
        Code::CatchUpSkips,
        Place::value(&misfire.at),
        format!("`{}` is all, but {message}", misfire.at),
    )
    .label("not all of them run")
    .help(warning.help());
    if let Some(overlap) = overlap {
        diagnostic = diagnostic.related(Place::value(&overlap.at), "by this policy");
    }
    fields.report.push(diagnostic);
}
