//! `agentspace schedules trigger` and `backfill`: what a schedule starts because somebody asks.

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::execution::{Execution, ExecutionStatus};
use gateway::workflow_types::id::{ExecutionId, ScheduleId};
use gateway::workflow_types::schedule::{FireOutcome, FireRecord};
use gateway::{Backfill, Backfilled, Gateway};
use serde_json::{Value, json};

use crate::cli::schedules::InputArgs;
use crate::cli::{ActorArg, Global};
use crate::command::input::Typed;
use crate::command::run;
use crate::exit::{Exit, UsageError};
use crate::host::{self, Hosted, Trusted};
use crate::view::schedule as view;
use crate::{command, output};

pub(super) async fn trigger(
    global: &Global,
    id: &ScheduleId,
    input: InputArgs,
    actor: &ActorArg,
) -> anyhow::Result<Exit> {
    let consent = command::no_consent(host::actor(actor)?);
    let schedule = host::reader(global).await?.schedule(id).await?;
    let is_given = input.is_given();
    let typed = Typed::read(input.document.as_deref(), input.input)?;
    let mut trusted = Trusted::default();
    trusted.add(&typed.all());
    trusted.add(&schedule.spec.input);
    let hosted = host::start(host::builder(global, &trusted)).await?;
    let typed = is_given.then_some(&typed);
    let started = start(&hosted.gateway, id, typed).await;
    let execution = match started {
        Ok(execution) => execution,
        Err(error) => {
            hosted.shutdown().await?;
            return Err(error);
        }
    };
    output::talk(&format!(
        "execution {} of `{}`, for schedule {id}",
        execution.id, execution.workflow_id
    ));
    if execution.queued {
        return run::wait_for_turn(global, hosted, &execution).await;
    }
    command::finish(global, hosted, &execution, 1, &consent).await
}

async fn start(
    gateway: &Gateway,
    id: &ScheduleId,
    typed: Option<&Typed>,
) -> anyhow::Result<Execution> {
    let input = match typed {
        None => None,
        Some(typed) => {
            let schedule = gateway.schedules().show(id).await?;
            let Some(workflow) = schedule.spec.workflow else {
                let message = format!("schedule `{id}` starts no workflow that takes an input");
                return Err(UsageError(message).into());
            };
            let definition = gateway.definition(&workflow).await?;
            Some(typed.fitting(&definition))
        }
    };
    Ok(gateway.schedules().trigger_now(id, input).await?)
}

pub(super) async fn backfill(
    global: &Global,
    id: &ScheduleId,
    (from, to): (Timestamp, Timestamp),
    is_dry: bool,
) -> anyhow::Result<Exit> {
    let schedule = host::reader(global).await?.schedule(id).await?;
    let mut trusted = Trusted::default();
    trusted.add(&schedule.spec.input);
    let hosted = host::start(host::builder(global, &trusted)).await?;
    let mode = if is_dry {
        Backfill::DryRun
    } else {
        Backfill::Run
    };
    let filled = hosted
        .gateway
        .schedules()
        .backfill(id, from, to, mode)
        .await;
    let exit = match &filled {
        Ok(filled) => at_rest(&hosted, filled).await,
        Err(_) => Ok(Exit::Ok),
    };
    hosted.shutdown().await?;
    let filled = filled?;
    let zone = schedule.spec.timing.zone();
    if global.json {
        let fires: Vec<Value> = filled.fires.iter().map(view::fire).collect();
        let shown = json!({
            "dryRun": is_dry,
            "times": super::fires_of(zone, &filled.times),
            "fires": fires,
            "leftAlone": filled.left_alone,
        });
        output::envelope("schedule.backfill", &shown);
        return exit;
    }
    if is_dry {
        for time in &filled.times {
            output::data(&view::both(*time, zone));
        }
    }
    for fire in &filled.fires {
        output::data(&view::fire_line(fire, zone));
    }
    let count = filled.times.len();
    let verb = if is_dry { "would be" } else { "were" };
    output::talk(&format!(
        "{count} {verb} started, {} had run before",
        filled.left_alone
    ));
    exit
}

/// Waits until all that was started is at rest; the worst outcome is the answer.
async fn at_rest(hosted: &Hosted, filled: &Backfilled) -> anyhow::Result<Exit> {
    let started = |fire: &FireRecord| -> Option<ExecutionId> {
        match fire.outcome {
            FireOutcome::Started { execution } => execution,
            FireOutcome::SkippedOverlap { .. }
            | FireOutcome::Missed
            | FireOutcome::Buffered
            | FireOutcome::FailedToStart { .. } => None,
        }
    };
    let (mut failed, mut waiting) = (false, false);
    for fire in &filled.fires {
        let Some(id) = started(fire) else {
            failed = true;
            continue;
        };
        let execution = tokio::select! {
            execution = hosted.gateway.wait(id) => execution?,
            // Its turn does not come before somebody has decided about another one.
            held_up = hosted.gateway.wait_until_held_up() => {
                held_up?;
                hosted.gateway.reader().execution(id).await?
            }
            () = hosted.stop.asked() => return Ok(Exit::Interrupted),
        };
        match execution.state.status() {
            ExecutionStatus::Failed => failed = true,
            ExecutionStatus::Paused | ExecutionStatus::Running => waiting = true,
            ExecutionStatus::Completed => {}
        }
    }
    Ok(match (failed, waiting) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Waiting,
        (false, false) => Exit::Ok,
    })
}
