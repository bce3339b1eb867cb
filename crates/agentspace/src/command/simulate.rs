//! `agentspace simulate`: what the triggers of workflow files and the heartbeats would fire when.
//!
//! The scheduler itself runs, on a clock that is moved from fire to fire and on a database of its
//! own that is thrown away. Each workflow has one step that does nothing in the place of its own, and
//! no heartbeat checks anything.

mod stand_in;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::id::ScheduleId;
use gateway::workflow_types::schedule::{FireOutcome, FireRecord, Keeper, Schedule, TimeZone};
use gateway::{
    Clock as _, Durability, Gateway, GatewayBuilder, ManualClock, ScheduleEvent, ScheduleEvents,
    Scheduling, SystemClock,
};
use serde_json::{Value, json};

use crate::cli::{Global, Simulate};
use crate::exit::Exit;
use crate::output;
use crate::view::schedule as view;

use stand_in::{StandIns, file_of};

/// Schedules that are read at once; a simulation has no more.
const MOST: usize = 10_000;
/// How long the scheduler may take for one fire, in real time.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) async fn run(global: &Global, args: Simulate) -> anyhow::Result<Exit> {
    let from = args.from.unwrap_or_else(|| SystemClock.now());
    let until = from.saturating_add(Duration::from_hours(24 * u64::from(args.days)));
    let zone = args.zone.unwrap_or(global.zone);
    let Some(all) = StandIns::gather(global, &args.files, (from, zone)).await? else {
        return Ok(Exit::Usage);
    };
    let place = tempfile::Builder::new()
        .prefix("agentspace-simulation-")
        .tempdir()
        .context("making a directory for the simulation failed")?;
    all.write(place.path())?;
    let mut simulation = Simulation::start(place.path(), &all, (from, zone)).await?;
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

/// A gateway on simulated time.
struct Simulation {
    gateway: Gateway,
    clock: ManualClock,
    events: ScheduleEvents,
    /// The schedules by when they are looked at next, which is the order of all that happens.
    due: BTreeMap<(Timestamp, ScheduleId), TimeZone>,
}

impl Simulation {
    async fn start(
        place: &Path,
        all: &StandIns,
        (from, zone): (Timestamp, TimeZone),
    ) -> anyhow::Result<Self> {
        let clock = ManualClock::new(from);
        let builder = || {
            let builder = Gateway::builder()
                .database(place.join("simulation.db"))
                .durability(Durability::Normal)
                .clock(clock.clone())
                .timezone(zone);
            let names = all.heartbeats.keys();
            names.fold(builder, |builder, name| {
                builder.heartbeat(name.as_ref(), file_of(place, name))
            })
        };
        if !all.heartbeats.is_empty() {
            create(builder(), all, (&clock, from)).await?;
        }
        let gateway = builder()
            .workflows(place)
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
                let schedule = self.gateway.schedules().show(&id).await?;
                if let Some(fire) = fires.get(&id) {
                    let line =
                        format!("{}  {id}  {}", view::both(fire.fire_time, zone), word(fire));
                    if !global.json {
                        output::data(&line);
                    }
                    shown.push(json!({
                        "scheduleId": id,
                        "heartbeat": match &schedule.keeper {
                            Keeper::Heartbeat(name) => Some(name),
                            Keeper::People | Keeper::Trigger(_) => None,
                        },
                        "utc": view::utc(fire.fire_time),
                        "local": view::local(fire.fire_time, zone),
                        "outcome": fire.outcome.word(),
                    }));
                }
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

/// Creates each heartbeat when it was created, and has its runs begin with the simulated time:
/// nothing that lies between is missed.
async fn create(
    builder: GatewayBuilder,
    all: &StandIns,
    (clock, from): (&ManualClock, Timestamp),
) -> anyhow::Result<()> {
    let gateway = builder.scheduling(Scheduling::Rest).start().await?;
    let mut schedules = Vec::new();
    for (name, beat) in &all.heartbeats {
        clock.set(beat.created);
        gateway.heartbeats().reload(name).await?;
        let kept = gateway.reader().heartbeat(name).await?;
        if let Some(schedule) = kept.and_then(|(_, schedule)| schedule) {
            gateway.schedules().pause(&schedule.spec.id).await?;
            schedules.push(schedule.spec.id);
        }
    }
    clock.set(from);
    for schedule in &schedules {
        gateway.schedules().resume(schedule).await?;
    }
    Ok(gateway.shutdown().await?)
}

fn word(fire: &FireRecord) -> &'static str {
    fire.outcome.word().as_str()
}
