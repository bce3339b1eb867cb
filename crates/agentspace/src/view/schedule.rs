//! How schedules and fire times are shown.

use std::time::Duration;

use chrono::SecondsFormat;
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::duration;
use gateway::workflow_types::schedule::{
    FireOutcome, FireRecord, Gap, Keeper, Off, Policies, Schedule, Standing, TimeZone, Timing,
    TimingKind,
};
use serde_json::{Value, json};

use crate::host::span;
use crate::output::{DIM, GREEN, RED, YELLOW, paint, plain};

/// Fire times that are named when a schedule is shown.
pub(crate) const NEXT: usize = 5;

/// An instant in UTC.
pub(crate) fn utc(time: Timestamp) -> String {
    time.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// An instant as the clock of a zone shows it, with its offset.
pub(crate) fn local(time: Timestamp, zone: TimeZone) -> String {
    let local = time.to_utc().with_timezone(&zone.tz());
    local.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// An instant for people: on the wall of a zone, and in UTC.
pub(crate) fn both(time: Timestamp, zone: TimeZone) -> String {
    let local = time.to_utc().with_timezone(&zone.tz());
    let local = local.format("%a %Y-%m-%d %H:%M:%S%.f %:z");
    format!("{local}  {}", paint(DIM, &utc(time)))
}

/// A timing in words.
pub(crate) fn words(timing: &Timing) -> String {
    match timing.kind() {
        TimingKind::Cron(pattern) => pattern.describe(),
        TimingKind::Every { interval, .. } => format!("Every {}", length(interval.duration())),
        TimingKind::At(at) => {
            let local = at.to_utc().with_timezone(&timing.zone().tz());
            format!("Once, at {}", local.format("%H:%M:%S%.f on %a %Y-%m-%d"))
        }
    }
}

/// A length of time as `30 minutes`; `day` for one of a unit.
fn length(duration: Duration) -> String {
    let text = duration::format(duration);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => "millisecond",
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        _ => "day",
    };
    match count {
        "1" => unit.to_owned(),
        count => format!("{count} {unit}s"),
    }
}

/// Where a timing is read, and when it may fire.
pub(crate) fn zone_and_window(timing: &Timing) -> String {
    let anchor = match timing.kind() {
        TimingKind::Every { anchor, .. } => format!(", counted from {}", utc(*anchor)),
        TimingKind::Cron(_) | TimingKind::At(_) => String::new(),
    };
    let window = timing.hours();
    let window = window.map_or_else(String::new, |hours| format!(", within {hours}"));
    format!("in {}{anchor}{window}", timing.zone())
}

/// A schedule as JSON.
pub(crate) fn schedule(schedule: &Schedule) -> Value {
    let spec = &schedule.spec;
    let timing = &spec.timing;
    let mut shown = json!({
        "id": spec.id,
        "name": spec.name,
        "workflowId": spec.workflow,
        "rule": timing.kind().to_string(),
        "words": words(timing),
        "timeZone": timing.zone(),
        "activeHours": timing.hours(),
        "enabled": schedule.is_active(),
        "nextRun": schedule.next().map(|next| next.fire_time),
        "runs": schedule.runs,
        "maxRuns": spec.policies.max_runs,
        "lastRunAt": schedule.last_run_at,
    });
    if let TimingKind::Every { anchor, .. } = timing.kind() {
        shown["anchor"] = json!(anchor);
    }
    if let Standing::Off { why, since } = schedule.standing {
        shown["offReason"] = json!(why);
        shown["offSince"] = json!(since);
    }
    match &schedule.keeper {
        Keeper::People => {}
        Keeper::Trigger(workflow) => shown["triggerOf"] = json!(workflow),
        Keeper::Heartbeat(name) => shown["heartbeat"] = json!(name),
    }
    shown
}

/// A schedule as JSON, with its input, its policies and its next fire times.
pub(crate) fn whole(of: &Schedule) -> Value {
    let mut shown = schedule(of);
    let Policies {
        misfire,
        catch_up,
        overlap,
        overlap_ignores_paused,
        jitter,
        max_runs: _,
        pause_after_failures,
    } = &of.spec.policies;
    shown["input"] = of.spec.input.clone();
    shown["misfire"] = json!(misfire);
    shown["catchUp"] = json!(catch_up.map(duration::format));
    shown["overlap"] = json!(overlap);
    shown["overlapIgnoresPaused"] = json!(overlap_ignores_paused);
    shown["jitter"] = json!((!jitter.is_zero()).then(|| duration::format(*jitter)));
    shown["pauseAfterFailures"] = json!(pause_after_failures);
    shown["createdAt"] = json!(of.created_at);
    shown["updatedAt"] = json!(of.updated_at);
    let zone = of.spec.timing.zone();
    shown["fires"] = next_times(of)
        .into_iter()
        .map(|time| json!({"utc": utc(time), "local": local(time, zone)}))
        .collect();
    shown
}

fn next_times(schedule: &Schedule) -> Vec<Timestamp> {
    schedule.upcoming().take(NEXT).collect()
}

/// A schedule on one line.
pub(crate) fn line(schedule: &Schedule, now: Timestamp) -> String {
    line_as(schedule, &standing_word(schedule), now)
}

/// A schedule on one line, with a word for where it stands.
pub(super) fn line_as(schedule: &Schedule, word: &str, now: Timestamp) -> String {
    let spec = &schedule.spec;
    let workflow = spec.workflow.as_ref().map_or("-", AsRef::as_ref);
    format!(
        "{}  {word}  {workflow}  {} in {}  {}",
        spec.id,
        plain(&spec.timing.kind().to_string()),
        spec.timing.zone(),
        next_words(schedule, now),
    )
}

fn standing_word(schedule: &Schedule) -> String {
    match schedule.standing {
        Standing::Active(_) => paint(GREEN, "active   "),
        Standing::Off { why, .. } => {
            let style = match why {
                Off::Paused | Off::Detached => YELLOW,
                Off::Completed => DIM,
                Off::Failing => RED,
            };
            paint(style, &format!("{:9}", why.as_str()))
        }
    }
}

fn next_words(schedule: &Schedule, now: Timestamp) -> String {
    match schedule.standing {
        Standing::Active(next) if next.fire_time <= now => "due now".to_owned(),
        Standing::Active(next) => format!("next in {}", far(next.fire_time.since(now))),
        Standing::Off { since, .. } => format!("since {since}"),
    }
}

/// A length of time that may be days.
fn far(duration: Duration) -> String {
    const DAY: u64 = 86_400;
    match duration.as_secs() {
        seconds if seconds >= 2 * DAY => format!("{}d", seconds / DAY),
        _ => span(duration),
    }
}

/// A schedule on a few lines, with its next fire times.
pub(crate) fn lines(schedule: &Schedule, now: Timestamp) -> Vec<String> {
    lines_as(schedule, &standing_word(schedule), now)
}

/// A schedule on a few lines, with a word for where it stands.
pub(super) fn lines_as(schedule: &Schedule, word: &str, now: Timestamp) -> Vec<String> {
    let spec = &schedule.spec;
    let timing = &spec.timing;
    let name = match spec.name.as_ref() {
        name if name == spec.id.as_ref() => String::new(),
        name => format!("  {}", plain(name)),
    };
    let mut lines = vec![
        format!(
            "{}{name}  {}  {}",
            spec.id,
            word.trim_end(),
            next_words(schedule, now)
        ),
        format!("  rule       {}", plain(&timing.kind().to_string())),
        format!("  in words   {}", words(timing)),
        format!("  where      {}", zone_and_window(timing)),
    ];
    let workflow = spec.workflow.as_ref();
    lines.push(match workflow {
        Some(workflow) => format!("  starts     {workflow}"),
        None => "  starts     nothing".to_owned(),
    });
    if spec
        .input
        .as_object()
        .is_some_and(|input| !input.is_empty())
    {
        lines.push(format!("  input      {}", super::value(&spec.input)));
    }
    match &schedule.keeper {
        Keeper::People => {}
        Keeper::Trigger(workflow) => {
            lines.push(format!("  follows    the trigger of `{workflow}`"));
        }
        Keeper::Heartbeat(name) => {
            lines.push(format!("  follows    the file of the heartbeat `{name}`"));
        }
    }
    let runs = match spec.policies.max_runs {
        Some(most) => format!("{} of {most}", schedule.runs),
        None => schedule.runs.to_string(),
    };
    let last = schedule.last_run_at;
    let last = last.map_or_else(String::new, |last| format!(", the last one at {last}"));
    lines.push(format!("  runs       {runs}{last}"));
    lines.push(format!("  policies   {}", policies(&spec.policies)));
    let times = next_times(schedule);
    let times = times.iter().map(|time| both(*time, timing.zone()));
    lines.extend(times.map(|time| format!("  next       {time}")));
    lines
}

fn policies(policies: &Policies) -> String {
    let mut parts = vec![
        format!("misfire {}", policies.misfire),
        format!("overlap {}", policies.overlap),
    ];
    if policies.overlap_ignores_paused {
        parts.push("ignoring what waits for approval".to_owned());
    }
    if let Some(catch_up) = policies.catch_up {
        parts.push(format!("catch up {}", duration::format(catch_up)));
    }
    if !policies.jitter.is_zero() {
        parts.push(format!("jitter {}", duration::format(policies.jitter)));
    }
    if let Some(failures) = policies.pause_after_failures {
        parts.push(format!("paused after {failures} failures"));
    }
    parts.join(", ")
}

/// What became of a fire time, as JSON.
pub(crate) fn fire(fire: &FireRecord) -> Value {
    let mut shown = json!({
        "scheduleId": fire.schedule,
        "fireTime": fire.fire_time,
        "outcome": fire.outcome.word(),
        "cause": fire.cause,
        "at": fire.at,
    });
    match &fire.outcome {
        FireOutcome::Started { execution } => shown["executionId"] = json!(execution),
        FireOutcome::SkippedOverlap { reason } | FireOutcome::FailedToStart { reason } => {
            shown["reason"] = json!(reason);
        }
        FireOutcome::Missed | FireOutcome::Buffered => {}
    }
    shown
}

/// What became of a fire time, on one line.
pub(crate) fn fire_line(fire: &FireRecord, zone: TimeZone) -> String {
    format!("{}  {}", both(fire.fire_time, zone), became(fire))
}

/// What became of a fire time of any schedule, on one line.
pub(crate) fn fire_line_of_any(fire: &FireRecord) -> String {
    format!(
        "{}  {}  {}",
        utc(fire.fire_time),
        fire.schedule,
        became(fire)
    )
}

fn became(fire: &FireRecord) -> String {
    let (style, detail) = match &fire.outcome {
        FireOutcome::Started {
            execution: Some(id),
        } => (GREEN, format!("  execution {id}")),
        FireOutcome::Started { execution: None } => {
            (GREEN, "  an execution that was deleted".to_owned())
        }
        FireOutcome::SkippedOverlap { reason } => (YELLOW, format!("  {}", plain(reason))),
        FireOutcome::FailedToStart { reason } => (RED, format!("  {}", plain(reason))),
        FireOutcome::Missed | FireOutcome::Buffered => (YELLOW, String::new()),
    };
    let word = fire.outcome.word();
    format!("{}{detail}", paint(style, word.as_str()))
}

/// A stretch of missed fire times, as JSON.
pub(crate) fn gap(gap: &Gap) -> Value {
    json!({"first": gap.first, "before": gap.before})
}

/// A stretch of missed fire times, on one line.
pub(crate) fn gap_line(gap: &Gap) -> String {
    let word = paint(YELLOW, "missed");
    format!("{word}  all from {} on, before {}", gap.first, gap.before)
}
