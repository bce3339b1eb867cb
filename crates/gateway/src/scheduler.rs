//! The scheduler: one task that sleeps until a schedule is due, and acts as the plan says.
//!
//! What is due, and when the next is, stands in the database: a hundred thousand schedules are one
//! sleeper. What is due next is read before it sleeps, a batch of it; a fire of what has changed
//! meanwhile is refused by its transaction. What a fire time amounts to is decided by the plan
//! ([`plan`](workflow_types::schedule::plan)) and, where executions matter, in the transaction that
//! records it.

mod act;
mod attend;
mod held;
mod operation;
mod request;
mod stagger;
mod together;
pub(crate) mod trigger;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, broadcast};
use workflow_types::Timestamp;
use workflow_types::id::{ExecutionId, ScheduleId};
use workflow_types::schedule::{FireRecord, Schedule, TZ_DATABASE_VERSION, TimeZone, Upcoming};

use crate::builder::Scheduling;
use crate::engine::{Engine, Patience};
use crate::error::{During as _, Error};
pub use operation::Schedules;
pub use request::{Backfill, Backfilled, ScheduleEdit, ScheduleRequest};
use stagger::Stagger;

/// Schedules that are looked at in one go.
const BATCH: usize = 256;
/// Events that wait for a slow listener before it loses the oldest.
const EVENTS: usize = 1_024;
/// Executions that came to rest and are remembered one by one.
const MOST_AT_REST: usize = 4_096;

/// What happens to schedules, for whoever shows them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ScheduleEvent {
    /// A fire time was recorded, other than as missed.
    Fired(FireRecord),
    /// So many schedules are late and catch up one after the other, the last one of them then.
    CatchingUp {
        /// How many wait for their turn.
        waiting: usize,
        /// When the last one has its turn.
        until: Timestamp,
    },
    /// A schedule was paused because so many of its executions failed in a row.
    Failing {
        /// The schedule.
        schedule: ScheduleId,
        /// How many.
        failures: u32,
    },
    /// A schedule was added or changed, by somebody or by itself.
    Changed(ScheduleId),
    /// A schedule was deleted.
    Deleted(ScheduleId),
}

/// Listens to what happens to schedules.
#[derive(Debug)]
pub struct ScheduleEvents(broadcast::Receiver<ScheduleEvent>);

impl ScheduleEvents {
    /// The next event; none when the gateway has ended. Safe to drop at any point.
    ///
    /// A listener that is slow loses the oldest events: the history tells what became of each fire
    /// time.
    pub async fn next(&mut self) -> Option<ScheduleEvent> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// What the scheduler remembers: nothing about any schedule.
pub(crate) struct Scheduler {
    scheduling: Scheduling,
    zone: TimeZone,
    /// Wakes the task when something may be due earlier than it thinks.
    wake: Notify,
    desk: Mutex<Desk>,
    /// Whether some fire may be buffered.
    has_buffers: AtomicBool,
    /// Whether the failures of some schedule may count.
    has_watched: AtomicBool,
    events: broadcast::Sender<ScheduleEvent>,
}

#[derive(Debug, Default)]
struct Desk {
    stagger: Stagger,
    /// Executions that came to rest since they were last looked at.
    at_rest: Vec<ExecutionId>,
    /// So many did that all schedules are looked at.
    overflowed: bool,
}

impl Scheduler {
    pub(crate) fn new(scheduling: Scheduling, zone: TimeZone) -> Self {
        Self {
            scheduling,
            zone,
            wake: Notify::new(),
            desk: Mutex::default(),
            has_buffers: AtomicBool::new(false),
            has_watched: AtomicBool::new(false),
            events: broadcast::Sender::new(EVENTS),
        }
    }

    /// The zone of schedules that name none.
    pub(crate) fn zone(&self) -> TimeZone {
        self.zone
    }

    /// Something may be due: said after it was written.
    pub(crate) fn look(&self) {
        self.wake.notify_one();
    }

    /// An execution has ended, or waits at a gate: said after it was written.
    pub(crate) fn came_to_rest(&self, id: ExecutionId) {
        let counts = self.has_watched.load(Ordering::Acquire);
        if self.scheduling == Scheduling::Rest
            || !(counts || self.has_buffers.load(Ordering::Acquire))
        {
            return;
        }
        if counts {
            let mut desk = self.desk();
            if desk.at_rest.len() < MOST_AT_REST {
                desk.at_rest.push(id);
            } else {
                desk.overflowed = true;
            }
        }
        self.wake.notify_one();
    }

    fn tell(&self, event: ScheduleEvent) {
        // Nobody has to listen.
        let _ = self.events.send(event);
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets schedules fire until the engine drains, unless they rest.
pub(crate) fn start(engine: &Arc<Engine>) {
    if engine.scheduler.scheduling == Scheduling::Fire {
        engine.task(run(Arc::clone(engine)));
    }
}

async fn run(engine: Arc<Engine>) {
    let mut is_new = true;
    let mut patience = Patience::new();
    let mut ahead = None;
    loop {
        let looked = look(&engine, &mut is_new, ahead.take()).await;
        let again = |patience: &mut Patience| {
            let pause = patience.pause();
            tracing::warn!("the scheduler looks again in {pause:?}");
            engine.clock.now().saturating_add(pause)
        };
        let next = match looked {
            Ok(Looked {
                next,
                failed: false,
            }) => {
                patience = Patience::new();
                let at = next.as_ref().map(|next| next.at);
                ahead = next;
                at
            }
            // What failed is tried again later and later; what is due before is not kept waiting.
            Ok(Looked { next, failed: true }) => {
                let again = again(&mut patience);
                Some(next.map_or(again, |next| next.at.min(again)))
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the scheduler cannot read what is due");
                Some(again(&mut patience))
            }
        };
        let due = async {
            match next {
                Some(at) => engine.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            // Something may have changed: what was read ahead may not be what is due.
            () = engine.scheduler.wake.notified() => ahead = None,
            () = engine.draining.cancelled() => return,
        }
    }
}

/// What a look found.
struct Looked {
    /// What is due next, and when.
    next: Option<Upcoming>,
    /// Whether some schedule could not act; it is due still.
    failed: bool,
}

/// Acts on all that is to be acted on; answers when to look again.
async fn look(
    engine: &Arc<Engine>,
    is_new: &mut bool,
    ahead: Option<Upcoming>,
) -> Result<Looked, Error> {
    if *is_new {
        recompute(engine).await?;
        attend::all(engine).await?;
        *is_new = false;
    }
    attend::those_at_rest(engine).await?;
    round(engine, ahead).await
}

/// Acts on what is due, a batch at a time; answers what is next.
///
/// It may have been read ahead, while nothing was due: then an instant costs one read, which comes
/// after its fires. That it has changed meanwhile is noticed by the transaction that would fire it.
async fn round(engine: &Arc<Engine>, ahead: Option<Upcoming>) -> Result<Looked, Error> {
    let (mut due, mut until) = match ahead {
        Some(Upcoming { at, schedules }) if at <= engine.clock.now() => (schedules, at),
        Some(_) | None => due_now(engine).await?,
    };
    loop {
        let count = due.len();
        let failures = together::act(engine, due).await;
        let failed = failures > 0;
        if engine.is_draining() {
            return Ok(Looked { next: None, failed });
        }
        // As long as some can act, those behind them are not kept waiting by others that cannot.
        if count < BATCH || failures == count {
            let next = engine.reads.next_schedules_due(until, BATCH).await;
            let next = next.during("reading which schedules are due next")?;
            let is_due = |next: &Upcoming| next.at <= engine.clock.now();
            if !next.as_ref().is_some_and(is_due) {
                return Ok(Looked { next, failed });
            }
        }
        (due, until) = due_now(engine).await?;
    }
}

/// What is due, a batch at most, and until when.
async fn due_now(engine: &Engine) -> Result<(Vec<Schedule>, Timestamp), Error> {
    let now = engine.clock.now();
    let due = engine.reads.due_schedules(now, BATCH).await;
    let due = due.during("reading which schedules are due")?;
    Ok((due, now))
}

/// Computes the next fire times anew that another release of the tz database has led to.
async fn recompute(engine: &Engine) -> Result<(), Error> {
    loop {
        let reads = &engine.reads;
        let stale = reads.schedules_computed_elsewhere(TZ_DATABASE_VERSION, BATCH);
        let stale = stale.await.during("reading stale fire times")?;
        if stale.items.is_empty() {
            return Ok(());
        }
        let count = stale.items.len();
        for schedule in stale.items {
            let change = schedule.recomputed(engine.clock.now());
            let changed = engine.store.change_schedule(change).await;
            changed.during("computing a fire time anew")?;
        }
        tracing::info!(
            count,
            tz_database = TZ_DATABASE_VERSION,
            "fire times were computed anew"
        );
    }
}
