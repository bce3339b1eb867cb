//! `agentspace schedules next`: when a rule, or a schedule, fires next.

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::id::ScheduleId;
use gateway::workflow_types::schedule::{Standing, Timing, TimingKind};
use gateway::{Clock as _, SystemClock};
use serde_json::json;

use super::rule;
use crate::cli::Global;
use crate::cli::schedules::NextArgs;
use crate::exit::{Exit, UsageError};
use crate::view::schedule as view;
use crate::{host, output};

pub(super) async fn run(global: &Global, args: NextArgs) -> anyhow::Result<Exit> {
    if let Some(id) = id(&args.rule) {
        return of_schedule(global, &id, &args).await;
    }
    let Some(when) = rule::read(global, &args.rule)? else {
        return Ok(Exit::Usage);
    };
    let after = args.after.unwrap_or_else(|| SystemClock.now());
    let zone = args.zone.unwrap_or(global.zone);
    let hours = super::window(&args.window)?;
    let warnings = rule::warn(global, &when, zone, after);
    let timing = Timing::resolve(when, zone, hours, args.anchor.unwrap_or(after));
    let timing = timing.map_err(super::usage)?;
    if args.anchor.is_some() && !matches!(timing.kind(), TimingKind::Every { .. }) {
        let message = "--anchor is where an interval is counted from: leave it out, or write the \
                       rule as \"every 30m\"";
        return Err(UsageError(message.to_owned()).into());
    }
    let times: Vec<Timestamp> = timing.times(after).take(args.count.get()).collect();
    if !global.json {
        rule::show_fires(&timing, &times);
        if times.is_empty() {
            output::talk(&format!("there is no fire time after {after}"));
        }
        return Ok(Exit::Ok);
    }
    let mut shown = json!({
        "words": view::words(&timing),
        "timeZone": zone,
        "fires": rule::fires_of(zone, &times),
    });
    if let Some(hours) = timing.hours() {
        shown["activeHours"] = json!(hours);
    }
    if let Some(warnings) = warnings {
        shown["warnings"] = warnings;
    }
    output::envelope("schedule.next", &shown);
    Ok(Exit::Ok)
}

/// The id that a text is: a rule has blanks in it, or an `@` before it.
fn id(text: &str) -> Option<ScheduleId> {
    ScheduleId::try_new(text).ok()
}

/// The next fire times of a schedule, its limit of runs kept.
async fn of_schedule(global: &Global, id: &ScheduleId, args: &NextArgs) -> anyhow::Result<Exit> {
    let of_a_rule = [
        ("--tz", args.zone.is_some()),
        ("--anchor", args.anchor.is_some()),
        ("--active-hours", args.window.active_hours.is_some()),
        ("--active-days", args.window.active_days.is_some()),
    ];
    if let Some((flag, _)) = of_a_rule.iter().find(|(_, is_given)| *is_given) {
        let message = format!(
            "{flag} is for a rule, and `{id}` is read as the id of a schedule; a pattern has five \
             fields, as \"0 9 * * MON-FRI\""
        );
        return Err(UsageError(message).into());
    }
    let schedule = host::reader(global).await?.schedule(id).await?;
    let timing = &schedule.spec.timing;
    let after = args.after;
    let later = |time: &Timestamp| after.is_none_or(|after| *time > after);
    let times: Vec<Timestamp> = schedule
        .upcoming()
        .filter(later)
        .take(args.count.get())
        .collect();
    if global.json {
        let shown = json!({
            "words": view::words(timing),
            "timeZone": timing.zone(),
            "fires": rule::fires_of(timing.zone(), &times),
        });
        output::envelope("schedule.next", &shown);
        return Ok(Exit::Ok);
    }
    rule::show_fires(timing, &times);
    if let Standing::Off { why, since } = schedule.standing {
        output::talk(&format!(
            "schedule `{id}` does not fire: it is {why} since {since}"
        ));
    }
    Ok(Exit::Ok)
}
