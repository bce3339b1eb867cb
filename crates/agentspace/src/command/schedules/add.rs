//! `agentspace schedules add`: makes a schedule, and says when it fires.

use gateway::workflow_types::id::WorkflowId;
use gateway::workflow_types::schedule::{Policies, Schedule, Timing, When};
use gateway::{Clock as _, Gateway, ScheduleRequest, SystemClock};
use serde_json::Value;

use super::rule;
use crate::cli::Global;
use crate::cli::schedules::AddSchedule;
use crate::command::input::Typed;
use crate::command::run::{Subject, check_input, registered, subject};
use crate::exit::Exit;
use crate::host::{self, Trusted};
use crate::output;
use crate::view::schedule as view;

pub(super) async fn run(global: &Global, args: AddSchedule) -> anyhow::Result<Exit> {
    let Some(when) = rule::read(global, &args.rule)? else {
        return Ok(Exit::Usage);
    };
    let zone = args.zone.unwrap_or(global.zone);
    let hours = super::window(&args.window)?;
    let now = SystemClock.now();
    // Before the database is opened for writing, so that a mistake here stores nothing.
    Timing::resolve(when.clone(), zone, hours.clone(), now).map_err(super::usage)?;
    let typed = Typed::read(args.input.document.as_deref(), args.input.input)?;
    let builder = host::builder(global, &Trusted::default());
    let Some(subject) = subject(global, &builder, &args.workflow)? else {
        return Ok(Exit::Usage);
    };
    check(global, &subject, &typed).await?;
    let mut request = ScheduleRequest::new(args.id, when.clone())
        .zone(zone)
        .policies(super::policies(&args.policies, &Policies::default()));
    if let Some(name) = args.name {
        request = request.name(name);
    }
    if let Some(hours) = hours {
        request = request.active_hours(hours);
    }
    let work = async |gateway: &Gateway| add(gateway, subject, &typed, request).await;
    let schedule = super::with_gateway(global, work).await?;
    show(global, &schedule, &when);
    Ok(Exit::Ok)
}

/// Refuses a workflow that there is not, and an input that it does not take.
async fn check(global: &Global, subject: &Subject, typed: &Typed) -> anyhow::Result<()> {
    match subject {
        Subject::File(_, id, definition) => check_input(id, definition, typed.fitting(definition)),
        Subject::Registered(id) => match registered(global, id).await? {
            Some(definition) => check_input(id, &definition, typed.fitting(&definition)),
            None => Ok(()),
        },
    }
}

async fn add(
    gateway: &Gateway,
    subject: Subject,
    typed: &Typed,
    request: ScheduleRequest,
) -> anyhow::Result<Schedule> {
    let workflow: WorkflowId = match subject {
        Subject::Registered(id) => id,
        Subject::File(path, id, _) => {
            gateway.register_file(&path).await?;
            id
        }
    };
    let definition = gateway.definition(&workflow).await?;
    let input = typed.fitting(&definition);
    check_input(&workflow, &definition, input.clone())?;
    let request = request.starting(workflow).input(input);
    Ok(gateway.schedules().add(request).await?)
}

/// The new schedule, with what may surprise its author.
pub(super) fn show(global: &Global, schedule: &Schedule, when: &When) {
    let now = SystemClock.now();
    let of_rule = rule::warn(global, when, schedule.spec.timing.zone(), now);
    let of_policies = rule::warn_of_policies(global, schedule);
    if !global.json {
        super::show(global, schedule);
        return;
    }
    let mut shown = view::whole(schedule);
    let warnings: Vec<Value> = [of_rule, of_policies]
        .into_iter()
        .flatten()
        .filter_map(|warnings| warnings.as_array().cloned())
        .flatten()
        .collect();
    if !warnings.is_empty() {
        shown["warnings"] = Value::from(warnings);
    }
    output::envelope("schedule", &shown);
}
