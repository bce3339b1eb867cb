//! Executions that wait, and gateways that have nothing to do: time and memory of a start.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use gateway::{Durability, Gateway};
use serde_json::json;

use crate::engine;
use crate::measure::{self, Place, Watch, median, megabytes, memory, milliseconds};
use crate::steps::stop;

/// Decisions that are under way at once.
const DECIDERS: usize = 256;

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// Ten thousand executions at gates: found after a restart, all approved, all completed.
pub(crate) fn ten_thousand(place: &Place) -> Result<()> {
    let count = place.amount(10_000);
    let (mut known, mut completed) = (Vec::new(), Vec::new());
    for _ in 0..place.rounds {
        let directory = place.fresh()?;
        runtime()?.block_on(wait_at_gates(directory.path(), count))?;
        let (start, all) = runtime()?.block_on(approve_all(directory.path(), count))?;
        known.push(milliseconds(start));
        completed.push(milliseconds(all));
    }
    println!(
        "{count} paused, FULL: restart until known {:.1} ms, all approved and completed {:.0} ms",
        median(known),
        median(completed)
    );
    Ok(())
}

/// A hundred thousand executions at gates: a process of its own opens them.
pub(crate) fn crowd(place: &Place) -> Result<()> {
    let count = place.amount(100_000);
    let directory = place.fresh()?;
    runtime()?.block_on(wait_at_gates(directory.path(), count))?;
    println!(
        "{count} paused: {}",
        in_a_process("open", directory.path())?
    );
    Ok(())
}

/// An empty database: a process of its own opens it and has nothing to do.
pub(crate) fn idle(place: &Place) -> Result<()> {
    let directory = place.fresh()?;
    runtime()?.block_on(async {
        let gateway = engine::start(directory.path(), Durability::Full).await?;
        gateway.shutdown().await?;
        anyhow::Ok(())
    })?;
    println!("idle: {}", in_a_process("open-and-idle", directory.path())?);
    Ok(())
}

/// Runs a part in a process of its own, and answers what it printed.
pub(crate) fn in_a_process(part: &str, directory: &Path) -> Result<String> {
    let program = std::env::current_exe()?;
    let output = Command::new(program)
        .arg(part)
        .arg("--directory")
        .arg(directory)
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Opens a database in this process and says what it took.
pub(crate) fn open(directory: &Path) -> Result<()> {
    let watch = Watch::start();
    runtime()?.block_on(async {
        let gateway = engine::start(directory, Durability::Full).await?;
        let taken = watch.taken();
        let memory = memory()?;
        println!(
            "started in {:.1} ms, {:.1} MB of memory ({:.1} MB its own, highest {:.1} MB)",
            milliseconds(taken.wall),
            megabytes(memory.resident),
            megabytes(memory.own),
            megabytes(memory.highest)
        );
        gateway.shutdown().await?;
        anyhow::Ok(())
    })
}

/// Opens a database in this process, does nothing for a while, and says what that took.
#[expect(
    clippy::disallowed_methods,
    reason = "real time passes while nothing is done"
)]
pub(crate) fn open_and_idle(directory: &Path) -> Result<()> {
    /// What is still done of the start belongs to it: it is over long before.
    const SETTLED: Duration = Duration::from_secs(1);
    const WHILE: Duration = Duration::from_secs(5);
    open(directory)?;
    runtime()?.block_on(async {
        let gateway = engine::start(directory, Durability::Full).await?;
        tokio::time::sleep(SETTLED).await;
        let before = measure::processor_time();
        tokio::time::sleep(WHILE).await;
        let spent = measure::processor_time().saturating_sub(before);
        println!(
            "{:.1} MB while idle, {:.3} ms of processor per second",
            megabytes(memory()?.resident),
            milliseconds(spent) / WHILE.as_secs_f64()
        );
        gateway.shutdown().await?;
        anyhow::Ok(())
    })
}

async fn wait_at_gates(directory: &Path, count: usize) -> Result<()> {
    let gateway = Arc::new(engine::start(directory, Durability::Normal).await?);
    let workflow = engine::register_gated(&gateway).await?;
    let mut tasks = Vec::new();
    for client in 0..DECIDERS {
        let (gateway, workflow) = (Arc::clone(&gateway), workflow.clone());
        tasks.push(tokio::spawn(async move {
            let mine = (client..count).step_by(DECIDERS);
            for _ in mine {
                gateway.start(&workflow, json!({})).await?;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    stop(gateway).await
}

/// How long the start took, and approving and completing all.
async fn approve_all(directory: &Path, count: usize) -> Result<(Duration, Duration)> {
    let watch = Watch::start();
    let gateway = engine::start(directory, Durability::Full).await?;
    let started = watch.taken().wall;
    let gates = gateway.reader().waiting_gates().await?.items;
    anyhow::ensure!(
        gates.len() == count,
        "{} gates wait, not {count}",
        gates.len()
    );
    let gateway = Arc::new(gateway);
    let watch = Watch::start();
    let mut tasks = Vec::new();
    for mine in gates.chunks(count.div_ceil(DECIDERS)) {
        let mine: Vec<_> = mine
            .iter()
            .map(|gate| (gate.id, gate.execution_id))
            .collect();
        let gateway = Arc::clone(&gateway);
        tasks.push(tokio::spawn(async move { approve(&gateway, mine).await }));
    }
    for task in tasks {
        task.await??;
    }
    let all = watch.taken().wall;
    stop(gateway).await?;
    Ok((started, all))
}

async fn approve(
    gateway: &Gateway,
    gates: Vec<(
        gateway::workflow_types::id::GateId,
        gateway::workflow_types::id::ExecutionId,
    )>,
) -> Result<()> {
    for (gate, _) in &gates {
        gateway.approve(*gate, "bench".parse()?, None).await?;
    }
    for (_, execution) in gates {
        let done = gateway
            .wait(execution)
            .await
            .context("waiting for an approved execution")?;
        anyhow::ensure!(
            done.state.status().is_finished(),
            "an execution waits again"
        );
    }
    Ok(())
}
