//! How much later than its fire time a schedule's execution is at work.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::schedule::{FireOutcome, FirePage, Schedule};
use gateway::{Clock as _, Durability, Gateway, SystemClock};

use super::stamp::Stamps;
use super::store;
use crate::engine;
use crate::measure::milliseconds;
use crate::paused::runtime;

/// The time from adding schedules until the first of them is due.
const LEAD: Duration = Duration::from_millis(1_500);
/// The longest that fires may take all together.
const LONGEST: Duration = Duration::from_mins(1);

/// How late fires were, in milliseconds.
pub(super) struct Lags {
    pub(super) median: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
}

/// Lets so many schedules fire once, each `apart` later than the one before.
pub(super) fn measure(directory: &Path, count: usize, apart: Duration) -> Result<Lags> {
    let first = SystemClock.now().saturating_add(LEAD);
    let times: Vec<Timestamp> = (0..count)
        .map(|number| {
            let after = apart * u32::try_from(number)?;
            Ok(first.saturating_add(after))
        })
        .collect::<Result<_>>()?;
    let schedules = store::at(directory, &times)?;
    let stamps = Stamps::default();
    runtime()?.block_on(async {
        let builder = engine::builder(directory, Durability::Full)?;
        let gateway = builder.tool(stamps.tool()?).start().await?;
        anyhow::ensure!(SystemClock.now() < first, "filling took too long");
        stamps.wait(count, LONGEST).await?;
        check(&gateway, &schedules).await?;
        gateway.shutdown().await?;
        anyhow::Ok(())
    })?;
    let keys: HashSet<String> = stamps
        .list()
        .iter()
        .map(|stamp| stamp.key.clone())
        .collect();
    let calls = stamps.list().len();
    anyhow::ensure!(
        (calls, keys.len()) == (count, count),
        "{calls} calls for {} of {count} fires",
        keys.len()
    );
    let mut lags: Vec<f64> = stamps
        .list()
        .iter()
        .map(|stamp| milliseconds(stamp.lag))
        .collect();
    lags.sort_by(f64::total_cmp);
    let at = |share: usize| lags.get((lags.len() - 1) * share / 100).copied();
    let figure = |share| at(share).context("nothing fired");
    Ok(Lags {
        median: figure(50)?,
        p99: figure(99)?,
        max: figure(100)?,
    })
}

/// Each fire has one record, which names an execution of its own.
async fn check(gateway: &Gateway, schedules: &[Schedule]) -> Result<()> {
    let mut executions = HashSet::new();
    for schedule in schedules {
        let page = FirePage {
            before: None,
            limit: 2,
        };
        let fires = gateway.schedules().history(&schedule.spec.id, page).await?;
        let [fire] = fires.items.as_slice() else {
            anyhow::bail!("`{}` has {} fires", schedule.spec.id, fires.items.len());
        };
        let FireOutcome::Started {
            execution: Some(id),
        } = fire.outcome
        else {
            anyhow::bail!("`{}` did not start: {:?}", schedule.spec.id, fire.outcome);
        };
        anyhow::ensure!(executions.insert(id), "{id} was started by two fires");
    }
    Ok(())
}
