//! `agentspace schedules`: what fires when, and everything that is done to it.

mod add;
mod edit;
mod fire;
mod history;
mod next;
mod rule;
mod stand;

use gateway::workflow_types::schedule::{ActiveHours, Policies, Schedule};
use gateway::{Clock as _, Gateway, Reader, SystemClock};
use serde_json::Value;

use crate::cli::Global;
use crate::cli::schedules::{ListSchedules, PolicyArgs, Schedules, WindowArgs};
use crate::exit::{Exit, UsageError};
use crate::host::{self, Trusted};
use crate::output;
use crate::view::{held, schedule as view};

pub(super) use rule::fires_of;

pub(super) async fn run(global: &Global, command: Schedules) -> anyhow::Result<Exit> {
    match command {
        Schedules::Add(args) => add::run(global, *args).await,
        Schedules::Ls(args) => list(global, args).await,
        Schedules::Show { id } => history::show(global, &id).await,
        Schedules::Edit(args) => edit::run(global, *args).await,
        Schedules::Pause { id } => stand::pause(global, &id).await,
        Schedules::Resume { id } => stand::resume(global, &id).await,
        Schedules::Rm { id } => stand::remove(global, &id).await,
        Schedules::Trigger { id, input, actor } => fire::trigger(global, &id, input, &actor).await,
        Schedules::Next(args) => next::run(global, args).await,
        Schedules::Backfill {
            id,
            from,
            to,
            dry_run,
        } => {
            let to = to.unwrap_or_else(|| SystemClock.now());
            fire::backfill(global, &id, (from, to), dry_run).await
        }
        Schedules::History { id, before, limit } => {
            history::run(global, &id, before, limit.get()).await
        }
    }
}

async fn list(global: &Global, args: ListSchedules) -> anyhow::Result<Exit> {
    let reader: Reader = host::reader(global).await?;
    let listed = reader
        .schedules(args.workflow, args.after, args.limit.get())
        .await?;
    let held = held::by_schedule(reader.held_up(&listed.items).await?);
    if global.json {
        let shown = listed.items.iter().map(|schedule| {
            let mut shown = view::schedule(schedule);
            shown["heldUp"] = held::held_up(held.get(schedule.spec.id.as_ref()));
            shown
        });
        let all: Vec<Value> = shown.collect();
        output::list("schedules", &all, &listed.damaged);
        return Ok(Exit::Ok);
    }
    if listed.items.is_empty() && listed.damaged.is_empty() {
        output::talk("there are no schedules; `agentspace schedules add` makes one");
    }
    let now = SystemClock.now();
    for schedule in &listed.items {
        match held.get(schedule.spec.id.as_ref()) {
            Some(by) => (held::line(schedule, by, now).iter()).for_each(|line| output::data(line)),
            None => output::data(&view::line(schedule, now)),
        }
    }
    output::damaged(&listed.damaged);
    if listed.items.len() == args.limit.get()
        && let Some(last) = listed.items.last()
    {
        output::talk(&format!(
            "there may be more: --after {} shows them",
            last.spec.id
        ));
    }
    Ok(Exit::Ok)
}

/// Does something with a gateway that rests otherwise, and shuts it down.
async fn with_gateway<T>(
    global: &Global,
    work: impl AsyncFnOnce(&Gateway) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let hosted = host::start(host::builder(global, &Trusted::default())).await?;
    let done = work(&hosted.gateway).await;
    hosted.shutdown().await?;
    done
}

/// A schedule as it stands after something was done to it.
fn show(global: &Global, schedule: &Schedule) {
    if global.json {
        output::envelope("schedule", &view::whole(schedule));
        return;
    }
    for line in view::lines(schedule, SystemClock.now()) {
        output::data(&line);
    }
}

/// The window that was asked for; days without hours are whole days.
fn window(args: &WindowArgs) -> anyhow::Result<Option<ActiveHours>> {
    let hours = match (&args.active_hours, &args.active_days) {
        (None, None) => return Ok(None),
        (Some(hours), _) => ActiveHours::every_day(hours.start, hours.end)?,
        (None, Some(_)) => {
            // Constants that are a whole day.
            ActiveHours::every_day("00:00".parse()?, "24:00".parse()?)?
        }
    };
    let hours = match &args.active_days {
        Some(days) => hours.on_days(&days.0)?,
        None => hours,
    };
    Ok(Some(hours))
}

/// Policies with what was given in the place of what they had.
fn policies(args: &PolicyArgs, before: &Policies) -> Policies {
    Policies {
        misfire: args.misfire.unwrap_or(before.misfire),
        catch_up: args.catch_up.or(before.catch_up),
        overlap: args.overlap.unwrap_or(before.overlap),
        overlap_ignores_paused: args
            .overlap_ignores_paused
            .unwrap_or(before.overlap_ignores_paused),
        jitter: args.jitter.unwrap_or(before.jitter),
        max_runs: args.max_runs.or(before.max_runs),
        pause_after_failures: args.pause_after_failures.or(before.pause_after_failures),
    }
}

/// A mistake in what was typed, in the words of the type that refused it.
fn usage(error: impl std::fmt::Display) -> UsageError {
    UsageError(error.to_string())
}
