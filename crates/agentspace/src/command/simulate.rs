//! `agentspace simulate`: what the triggers of workflow files would fire when.
//!
//! The scheduler itself runs, on a clock that is moved from fire to fire and on a database of its
//! own that is thrown away. Each workflow has one step that does nothing in the place of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::definition::{StoredDefinition, Trigger};
use gateway::workflow_types::id::{ScheduleId, WorkflowId};
use gateway::workflow_types::schedule::{FireOutcome, FireRecord, Schedule, TimeZone};
use gateway::{
    Clock as _, Durability, Gateway, ManualClock, ScheduleEvent, ScheduleEvents, Scheduling,
    SystemClock,
};
use serde_json::{Value, json};

use crate::cli::{Format, Global, Simulate};
use crate::exit::{Exit, UsageError};
use crate::host::{self, Trusted};
use crate::view::schedule as view;
use crate::{diagnostics, output};

/// Schedules that are read at once; a simulation has no more.
const MOST: usize = 10_000;
/// How long the scheduler may take for one fire, in real time.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) async fn run(global: &Global, args: Simulate) -> anyhow::Result<Exit> {
    let paths = if args.files.is_empty() {
        vec![global.workflows.clone()]
    } else {
        args.files
    };
    let Some(workflows) = workflows(global, &paths)? else {
        return Ok(Exit::Usage);
    };
    let from = args.from.unwrap_or_else(|| SystemClock.now());
    let until = from.saturating_add(Duration::from_hours(24 * u64::from(args.days)));
    let place = tempfile::Builder::new()
        .prefix("agentspace-simulation-")
        .tempdir()
        .context("making a directory for the simulation failed")?;
    for (id, stand_in) in &workflows {
        let path = place.path().join(format!("{id}.json"));
        std::fs::write(&path, stand_in.to_string())
            .with_context(|| format!("writing {} failed", path.display()))?;
    }
    let zone = args.zone.unwrap_or(global.zone);
    let mut simulation = Simulation::start(place.path(), from, zone).await?;
    let told = simulation.run(global, until).await;
    simulation.gateway.shutdown().await?;
    let fires = told?;
    if global.json {
        let shown = json!({"from": view::utc(from), "until": view::utc(until), "fires": fires});
        output::envelope("simulation", &shown);
    } else {
        output::talk(&format!(
            "{} fires from {} until {}",
            fires.len(),
            view::utc(from),
            view::utc(until)
        ));
    }
    Ok(Exit::Ok)
}

/// Workflows that start themselves, each as a definition with its trigger and one step that does
/// nothing; none if a file was refused, which has been shown.
fn workflows(
    global: &Global,
    paths: &[PathBuf],
) -> anyhow::Result<Option<BTreeMap<WorkflowId, Value>>> {
    let builder = host::builder(global, &Trusted::default());
    let mut reports = Vec::new();
    for path in paths {
        if path.is_dir() {
            let found = builder.check_directory(path).map_err(|error| {
                let path = path.display();
                UsageError(format!("the directory {path} cannot be read: {error}"))
            })?;
            reports.extend(found);
        } else {
            reports.push(host::check_file(&builder, path));
        }
    }
    let (mut found, mut refused) = (BTreeMap::new(), false);
    for report in reports {
        if report.is_refused() {
            diagnostics::show(&report, Format::Human);
            refused = true;
        }
        let (Some(id), Some(definition)) = (report.id, report.definition) else {
            continue;
        };
        if *definition.trigger() == Trigger::Manual {
            output::talk(&format!("`{id}` has no trigger: it starts only on request"));
            continue;
        }
        let canonical: Value = serde_json::from_str(StoredDefinition::new(&definition).json())?;
        let stand_in = json!({
            "name": definition.name(),
            "trigger": canonical["definition"]["trigger"],
            "steps": [{"id": "simulated", "action": "noop"}],
        });
        if found.insert(id.clone(), stand_in).is_some() {
            return Err(UsageError(format!("two files are workflow `{id}`; name one")).into());
        }
    }
    Ok((!refused).then_some(found))
}

/// A gateway on simulated time.
struct Simulation {
    gateway: Gateway,
    clock: ManualClock,
    events: ScheduleEvents,
    /// The schedules by when they are looked at next, which is the order of all that happens.
    due: BTreeMap<(Timestamp, ScheduleId), TimeZone>,
}

impl Simulation {
    async fn start(place: &Path, from: Timestamp, zone: TimeZone) -> anyhow::Result<Self> {
        let clock = ManualClock::new(from);
        let gateway = Gateway::builder()
            .database(place.join("simulation.db"))
            .durability(Durability::Normal)
            .clock(clock.clone())
            .workflows(place)
            .timezone(zone)
            .scheduling(Scheduling::Fire)
            .start()
            .await?;
        let events = gateway.schedules().watch();
        let all = gateway.schedules().list(None, None, MOST).await?.items;
        let mut simulation = Self {
            gateway,
            clock,
            events,
            due: BTreeMap::new(),
        };
        for schedule in &all {
            simulation.expect(schedule);
        }
        Ok(simulation)
    }

    /// Remembers when a schedule is looked at next.
    fn expect(&mut self, schedule: &Schedule) {
        if let Some(next) = schedule.next() {
            let id = schedule.spec.id.clone();
            self.due
                .insert((next.due_at, id), schedule.spec.timing.zone());
        }
    }

    /// Moves the clock from fire to fire; what happened until the end.
    async fn run(&mut self, global: &Global, until: Timestamp) -> anyhow::Result<Vec<Value>> {
        let mut shown = Vec::new();
        while let Some((at, _)) = self.due.first_key_value().map(|(key, _)| key.clone())
            && at <= until
        {
            let mut now = BTreeMap::new();
            while let Some(first) = self.due.first_entry()
                && first.key().0 == at
            {
                let ((_, id), zone) = first.remove_entry();
                now.insert(id, zone);
            }
            self.clock.set(at);
            let fires = self.fires(now.len()).await?;
            for (id, zone) in now {
                if let Some(fire) = fires.get(&id) {
                    let line =
                        format!("{}  {id}  {}", view::both(fire.fire_time, zone), word(fire));
                    if !global.json {
                        output::data(&line);
                    }
                    shown.push(json!({
                        "scheduleId": id,
                        "utc": view::utc(fire.fire_time),
                        "local": view::local(fire.fire_time, zone),
                        "outcome": fire.outcome.word(),
                    }));
                }
                let schedule = self.gateway.schedules().show(&id).await?;
                self.expect(&schedule);
            }
        }
        Ok(shown)
    }

    /// What becomes of so many schedules that are due, once their executions are at rest.
    async fn fires(&mut self, count: usize) -> anyhow::Result<BTreeMap<ScheduleId, FireRecord>> {
        let mut fires = BTreeMap::new();
        while fires.len() < count {
            let patience = SystemClock.now().saturating_add(PATIENCE);
            let event = tokio::select! {
                event = self.events.next() => event.context("the scheduler has ended")?,
                () = SystemClock.sleep_until(patience) => {
                    anyhow::bail!("the scheduler did not fire what is due");
                }
            };
            if let ScheduleEvent::Fired(fire) = event {
                if let FireOutcome::Started {
                    execution: Some(execution),
                } = fire.outcome
                {
                    self.gateway.wait(execution).await?;
                }
                fires.insert(fire.schedule.clone(), fire);
            }
        }
        Ok(fires)
    }
}

fn word(fire: &FireRecord) -> &'static str {
    fire.outcome.word().as_str()
}
