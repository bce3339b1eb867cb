//! `agentspace schedules pause`, `resume` and `rm`: whether a schedule fires, and whether there is
//! one.

use gateway::Gateway;
use gateway::workflow_types::id::ScheduleId;
use serde_json::json;

use crate::cli::Global;
use crate::exit::Exit;
use crate::output;

pub(super) async fn pause(global: &Global, id: &ScheduleId) -> anyhow::Result<Exit> {
    let work = async |gateway: &Gateway| Ok(gateway.schedules().pause(id).await?);
    let schedule = super::with_gateway(global, work).await?;
    super::show(global, &schedule);
    Ok(Exit::Ok)
}

pub(super) async fn resume(global: &Global, id: &ScheduleId) -> anyhow::Result<Exit> {
    let work = async |gateway: &Gateway| Ok(gateway.schedules().resume(id).await?);
    let schedule = super::with_gateway(global, work).await?;
    super::show(global, &schedule);
    Ok(Exit::Ok)
}

pub(super) async fn remove(global: &Global, id: &ScheduleId) -> anyhow::Result<Exit> {
    let work = async |gateway: &Gateway| Ok(gateway.schedules().delete(id).await?);
    super::with_gateway(global, work).await?;
    if global.json {
        output::envelope("schedule.deleted", &json!({"id": id}));
    } else {
        output::data(&format!("deleted schedule {id} with its history"));
    }
    Ok(Exit::Ok)
}
