//! `agentspace schedules edit`: changes what is named, and leaves the rest.

use gateway::workflow_types::schedule::{ActiveHours, Schedule};
use gateway::{Gateway, ScheduleEdit};

use super::{add, rule};
use crate::cli::Global;
use crate::cli::schedules::EditSchedule;
use crate::command::input::Typed;
use crate::command::run::check_input;
use crate::exit::{Exit, UsageError};
use crate::host;

pub(super) async fn run(global: &Global, args: EditSchedule) -> anyhow::Result<Exit> {
    let when = match &args.rule {
        None => None,
        Some(rule) => match rule::read(global, rule)? {
            None => return Ok(Exit::Usage),
            when => when,
        },
    };
    let before = host::reader(global).await?.schedule(&args.id).await?;
    let mut policies = super::policies(&args.policies, &before.spec.policies);
    if args.no_max_runs {
        policies.max_runs = None;
    }
    let mut edit = ScheduleEdit::new().policies(policies);
    if let Some(when) = &when {
        edit = edit.when(when.clone());
    }
    if let Some(name) = args.name.clone() {
        edit = edit.name(name);
    }
    if let Some(zone) = args.zone {
        edit = edit.zone(zone);
    }
    if args.always {
        edit = edit.active_hours(None);
    } else if let Some(hours) = window(&args, &before)? {
        edit = edit.active_hours(Some(hours));
    }
    let work = async |gateway: &Gateway| change(gateway, &args, &before, edit).await;
    let schedule = super::with_gateway(global, work).await?;
    add::show(global, &schedule, &schedule.spec.timing.when());
    Ok(Exit::Ok)
}

/// The window afterwards: of hours and days, what is not named stays. None if neither is.
fn window(args: &EditSchedule, before: &Schedule) -> anyhow::Result<Option<ActiveHours>> {
    let Some(asked) = super::window(&args.window)? else {
        return Ok(None);
    };
    let Some(old) = before.spec.timing.hours() else {
        return Ok(Some(asked));
    };
    let hours = match args.window.active_hours {
        Some(_) => asked.clone(),
        None => ActiveHours::every_day(old.start(), old.end())?,
    };
    let days = match args.window.active_days {
        Some(_) => asked.days_of_week(),
        None => old.days_of_week(),
    };
    Ok(Some(match days {
        Some(days) => hours.on_days(&days)?,
        None => hours,
    }))
}

async fn change(
    gateway: &Gateway,
    args: &EditSchedule,
    before: &Schedule,
    mut edit: ScheduleEdit,
) -> anyhow::Result<Schedule> {
    let workflow = args.workflow.clone().or(before.spec.workflow.clone());
    if args.workflow.is_some() {
        edit = edit.workflow(workflow.clone());
    }
    if args.input.is_given() {
        let typed = Typed::read(args.input.document.as_deref(), args.input.input.clone())?;
        let Some(workflow) = workflow else {
            let message = "an input is for a workflow, and the schedule starts none; name one \
                           with --workflow";
            return Err(UsageError(message.to_owned()).into());
        };
        let definition = gateway.definition(&workflow).await?;
        let input = typed.fitting(&definition);
        check_input(&workflow, &definition, input.clone())?;
        edit = edit.input(input);
    }
    Ok(gateway.schedules().edit(&args.id, edit).await?)
}
