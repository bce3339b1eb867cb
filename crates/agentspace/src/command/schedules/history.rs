//! `agentspace schedules show` and `history`: where a schedule stands, and what became of its fire
//! times.

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::id::ScheduleId;
use gateway::workflow_types::schedule::FirePage;
use gateway::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::cli::Global;
use crate::exit::Exit;
use crate::view::{held, schedule as view};
use crate::{host, output};

/// Past fire times that are shown with a schedule.
const LAST: usize = 5;
/// Stretches of missed fire times that are shown.
const GAPS: usize = 20;

pub(super) async fn show(global: &Global, id: &ScheduleId) -> anyhow::Result<Exit> {
    let reader = host::reader(global).await?;
    let schedule = reader.schedule(id).await?;
    let page = FirePage {
        before: None,
        limit: LAST,
    };
    let fires = reader.fires(id, page).await?;
    let held = reader.held_up(std::slice::from_ref(&schedule)).await?;
    let held = held.first();
    if global.json {
        let mut shown = view::whole(&schedule);
        shown["heldUp"] = held::held_up(held);
        shown["history"] = fires.items.iter().map(view::fire).collect();
        output::envelope("schedule", &shown);
        return Ok(Exit::Ok);
    }
    let now = SystemClock.now();
    let lines = match held {
        Some(by) => held::lines(&schedule, by, now),
        None => view::lines(&schedule, now),
    };
    for line in lines {
        output::data(&line);
    }
    for fire in &fires.items {
        let line = view::fire_line(fire, schedule.spec.timing.zone());
        output::data(&format!("  past       {line}"));
    }
    output::damaged(&fires.damaged);
    Ok(Exit::Ok)
}

pub(super) async fn run(
    global: &Global,
    id: &ScheduleId,
    before: Option<Timestamp>,
    limit: usize,
) -> anyhow::Result<Exit> {
    let reader = host::reader(global).await?;
    let schedule = reader.schedule(id).await?;
    let fires = reader.fires(id, FirePage { before, limit }).await?;
    let gaps = reader.gaps(id, GAPS).await?;
    if global.json {
        let items: Vec<Value> = fires.items.iter().map(view::fire).collect();
        let gaps: Vec<Value> = gaps.iter().map(view::gap).collect();
        let mut shown = json!({"fires": items, "gaps": gaps});
        if !fires.damaged.is_empty() {
            let named = fires.damaged.iter();
            shown["damaged"] = named
                .map(|one| json!({"id": one.id, "reason": one.reason}))
                .collect();
        }
        output::envelope("schedule.history", &shown);
        return Ok(Exit::Ok);
    }
    if fires.items.is_empty() && gaps.is_empty() && fires.damaged.is_empty() {
        output::talk("nothing has fired yet");
    }
    for fire in &fires.items {
        output::data(&view::fire_line(fire, schedule.spec.timing.zone()));
    }
    for gap in &gaps {
        output::data(&view::gap_line(gap));
    }
    output::damaged(&fires.damaged);
    if fires.items.len() == limit
        && let Some(last) = fires.items.last()
    {
        output::talk(&format!(
            "there may be more: --before {} shows them",
            last.fire_time
        ));
    }
    Ok(Exit::Ok)
}
