//! A process of its own that opens a database with schedules, waits until one of them runs, and
//! then has nothing to do.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use gateway::{Clock as _, Durability, SystemClock};
use serde_json::{Value, json};

use super::stamp::Stamps;
use super::store;
use crate::engine;
use crate::measure::{self, Watch, memory};
use crate::paused::{self, runtime};

/// What opening a database took.
pub(super) struct Opened {
    /// Seconds from the start until the one schedule ran that was due.
    pub(super) until_known: f64,
    /// Bytes of memory afterwards.
    pub(super) resident: f64,
    /// Seconds of processor time in a second of rest.
    pub(super) idle: f64,
}

/// Opens a database in a process of its own.
pub(super) fn in_a_process(directory: &Path) -> Result<Opened> {
    let soon = SystemClock.now().saturating_add(Duration::from_millis(1));
    store::at(directory, &[soon])?;
    let printed = paused::in_a_process("open-schedules", directory)?;
    let value: Value = serde_json::from_str(&printed)?;
    let figure = |name: &str| value[name].as_f64().context("a figure is missing");
    Ok(Opened {
        until_known: figure("untilKnown")?,
        resident: figure("resident")?,
        idle: figure("idle")?,
    })
}

/// Opens a database in this process and prints what that took.
#[expect(
    clippy::disallowed_methods,
    reason = "real time passes while nothing is done"
)]
pub(crate) fn open(directory: &Path) -> Result<()> {
    const SETTLE: Duration = Duration::from_millis(500);
    const REST: Duration = Duration::from_secs(4);
    let stamps = Stamps::default();
    let opened = runtime()?.block_on(async {
        let watch = Watch::start();
        let builder = engine::builder(directory, Durability::Full)?;
        let gateway = builder.tool(stamps.tool()?).start().await?;
        stamps.wait(1, Duration::from_secs(30)).await?;
        let until_known = watch.taken().wall.as_secs_f64();
        tokio::time::sleep(SETTLE).await;
        let before = measure::processor_time();
        tokio::time::sleep(REST).await;
        let idle = measure::processor_time().saturating_sub(before);
        let opened = json!({
            "untilKnown": until_known,
            "resident": memory()?.resident,
            "idle": idle.as_secs_f64() / REST.as_secs_f64(),
        });
        gateway.shutdown().await?;
        anyhow::Ok(opened)
    })?;
    println!("{opened}");
    Ok(())
}
