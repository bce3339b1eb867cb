//! Schedules, put into a database faster than any gateway would.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use db::{Connection, Durability};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::schedule::{
    Interval, Keeper, Policies, Schedule, ScheduleSpec, TimeZone, Timing, TimingKind,
};
use gateway::{Clock as _, SystemClock};
use serde_json::json;

use super::stamp::{Stamps, WORKFLOW};
use crate::engine;
use crate::paused::runtime;

/// Schedules that are stored in one transaction.
const BATCH: usize = 10_000;
/// An interval so long that nothing of the crowd is due meanwhile.
const LONG: Duration = Duration::from_hours(30 * 24);

/// Makes a database with the workflow, and so many schedules that are not due for long.
pub(super) fn fill(directory: &Path, count: usize) -> Result<()> {
    runtime()?.block_on(async {
        let builder = engine::builder(directory, gateway::Durability::Normal)?;
        let gateway = builder.tool(Stamps::default().tool()?).start().await?;
        engine::add(&gateway, "stamp", WORKFLOW).await?;
        gateway.shutdown().await?;
        anyhow::Ok(())
    })?;
    let now = SystemClock.now();
    let crowd = (0..count).map(|number| {
        let kind = if number.is_multiple_of(2) {
            // The anchor itself would be a fire time if it were still to come.
            let ago = i64::try_from(number)? * 1_000;
            TimingKind::Every {
                interval: Interval::try_new(LONG)?,
                anchor: Timestamp::from_millis(now.as_millis() - ago)?,
            }
        } else {
            let (minute, hour) = (number % 60, number / 60 % 24);
            TimingKind::Cron(format!("{minute} {hour} 29 2 *").parse()?)
        };
        schedule(&format!("crowd-{number}"), kind, now, now)
    });
    add(directory, crowd)
}

/// Adds schedules that fire once, at these instants.
pub(super) fn at(directory: &Path, times: &[Timestamp]) -> Result<Vec<Schedule>> {
    let now = SystemClock.now();
    let schedules: Vec<Schedule> = times
        .iter()
        .enumerate()
        .map(|(number, at)| {
            let id = format!("due-{}-{number}", now.as_millis());
            schedule(&id, TimingKind::At(*at), *at, now)
        })
        .collect::<Result<_>>()?;
    add(directory, schedules.iter().cloned().map(Ok))?;
    Ok(schedules)
}

fn add(directory: &Path, schedules: impl Iterator<Item = Result<Schedule>>) -> Result<()> {
    let path = directory.join("agentspace.db");
    let mut connection = Connection::open_writer(&path, Durability::Normal)?.connection;
    let mut schedules = schedules.peekable();
    while schedules.peek().is_some() {
        let batch: Vec<Schedule> = schedules.by_ref().take(BATCH).collect::<Result<_>>()?;
        connection.write(|connection| {
            for schedule in &batch {
                db::schedule::add(connection, schedule)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn schedule(id: &str, kind: TimingKind, fire: Timestamp, now: Timestamp) -> Result<Schedule> {
    let spec = ScheduleSpec {
        id: id.parse()?,
        name: id.parse()?,
        workflow: Some("stamp".parse()?),
        input: json!({"at": fire.as_millis()}),
        timing: Timing::try_new(kind, TimeZone::UTC, None)?,
        policies: Policies::default(),
    };
    Ok(Schedule::create(spec, Keeper::People, now)?)
}
