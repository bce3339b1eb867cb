//! Steps per second: one execution at a time, many at once, and one that is long.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use gateway::workflow_types::execution::VisitState;
use gateway::{Durability, Gateway};
use serde_json::json;

use crate::bare::{self, Sync};
use crate::engine;
use crate::measure::{Place, Taken, Watch, median, processor_each, rate};

/// Steps of one execution.
const STEPS: usize = 10;

/// One execution after the other.
pub(crate) fn alone(place: &Place) -> Result<()> {
    for (name, sync, durability, executions) in [
        ("alone, FULL", Sync::Full, Durability::Full, 400),
        ("alone, NORMAL", Sync::Normal, Durability::Normal, 1_500),
    ] {
        let executions = place.amount(executions);
        let steps = executions * STEPS;
        let mut figures = Figures::default();
        for _ in 0..place.rounds {
            figures.bare(steps, bare::alone(place, steps, sync)?);
            figures.ours(steps, one_after_another(place, executions, durability)?);
        }
        figures.print(name);
    }
    Ok(())
}

/// Many executions at once.
pub(crate) fn together(place: &Place) -> Result<()> {
    for clients in [64, 256] {
        let steps = place.amount(40_000) / (clients * STEPS) * (clients * STEPS);
        let steps = steps.max(clients * STEPS);
        let mut figures = Figures::default();
        for _ in 0..place.rounds {
            figures.bare(steps, bare::together(place, steps, clients)?);
            figures.ours(steps, at_once(place, steps / STEPS, clients)?);
        }
        figures.print(&format!("{clients} at once, FULL"));
    }
    Ok(())
}

/// One execution of many steps: what its last tenth costs beside its first.
pub(crate) fn long(place: &Place) -> Result<()> {
    let steps = place.amount(5_000);
    let (mut ratios, mut seconds) = (Vec::new(), Vec::new());
    for _ in 0..place.rounds {
        let (first, last, all) = runtime()?.block_on(one_long(place, steps))?;
        ratios.push(last / first);
        seconds.push(all);
    }
    println!(
        "one execution of {steps} steps, NORMAL: {:.2} s, last tenth / first tenth {:.2}",
        median(seconds),
        median(ratios)
    );
    Ok(())
}

#[derive(Default)]
struct Figures {
    bare: Vec<(f64, f64)>,
    ours: Vec<(f64, f64)>,
}

impl Figures {
    fn bare(&mut self, steps: usize, taken: Taken) {
        self.bare
            .push((rate(steps, taken), processor_each(steps, taken)));
    }

    fn ours(&mut self, steps: usize, taken: Taken) {
        self.ours
            .push((rate(steps, taken), processor_each(steps, taken)));
    }

    fn print(&self, name: &str) {
        let ratios = self
            .ours
            .iter()
            .zip(&self.bare)
            .map(|(ours, bare)| ours.0 / bare.0)
            .collect();
        let middle = |list: &[(f64, f64)], pick: fn(&(f64, f64)) -> f64| {
            median(list.iter().map(pick).collect())
        };
        println!(
            "{name}: limit {:.0} steps/s ({:.1} us of processor each), ours {:.0} ({:.1} us), ratio {:.3}",
            middle(&self.bare, |pair| pair.0),
            middle(&self.bare, |pair| pair.1),
            middle(&self.ours, |pair| pair.0),
            middle(&self.ours, |pair| pair.1),
            median(ratios),
        );
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

fn one_after_another(place: &Place, executions: usize, durability: Durability) -> Result<Taken> {
    let directory = place.fresh()?;
    runtime()?.block_on(async {
        let gateway = engine::start(directory.path(), durability).await?;
        let workflow = engine::register(&gateway, STEPS).await?;
        let watch = Watch::start();
        for _ in 0..executions {
            let execution = gateway.start(&workflow, json!({})).await?;
            gateway.wait(execution.id).await?;
        }
        let taken = watch.taken();
        gateway.shutdown().await?;
        Ok(taken)
    })
}

fn at_once(place: &Place, executions: usize, clients: usize) -> Result<Taken> {
    let directory = place.fresh()?;
    runtime()?.block_on(run_at_once(directory.path(), executions, clients))
}

async fn run_at_once(directory: &Path, executions: usize, clients: usize) -> Result<Taken> {
    let gateway = Arc::new(engine::start(directory, Durability::Full).await?);
    let workflow = engine::register(&gateway, STEPS).await?;
    let watch = Watch::start();
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let (gateway, workflow) = (Arc::clone(&gateway), workflow.clone());
        tasks.push(tokio::spawn(async move {
            for _ in 0..executions / clients {
                let execution = gateway.start(&workflow, json!({})).await?;
                gateway.wait(execution.id).await?;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let taken = watch.taken();
    stop(gateway).await?;
    Ok(taken)
}

/// Shuts down a gateway that was shared.
pub(crate) async fn stop(gateway: Arc<Gateway>) -> Result<()> {
    let gateway = Arc::into_inner(gateway).context("somebody still holds the gateway")?;
    gateway.shutdown().await?;
    Ok(())
}

/// Seconds of the first and of the last tenth of the visits, and of all.
async fn one_long(place: &Place, steps: usize) -> Result<(f64, f64, f64)> {
    let directory = place.fresh()?;
    let gateway = engine::start(directory.path(), Durability::Normal).await?;
    let workflow = engine::register(&gateway, steps.max(1_001)).await?;
    let watch = Watch::start();
    let execution = gateway.start(&workflow, json!({})).await?;
    gateway.wait(execution.id).await?;
    let all = watch.taken().wall.as_secs_f64();
    let tenth = u32::try_from(steps / 10)?;
    let between = async |from: u32, to: u32| {
        let mut ends = Vec::new();
        for number in [from, to] {
            let visit = gateway.reader().journal(execution.id, number, 1).await?;
            let at = match visit.first().map(|visit| &visit.state) {
                Some(VisitState::Done { at, .. }) => *at,
                _ => anyhow::bail!("visit {number} is not done"),
            };
            ends.push(at);
        }
        Ok(ends[1].since(ends[0]).as_secs_f64())
    };
    let last = u32::try_from(steps)?;
    let figures = (
        between(1, tenth).await?,
        between(last - tenth, last - 1).await?,
        all,
    );
    gateway.shutdown().await?;
    Ok(figures)
}
