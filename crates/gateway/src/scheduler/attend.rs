//! What the end of an execution means to its schedule: buffered fires start, failures are counted.
//!
//! Both follow from what is stored; a wake-up only says where to look.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use workflow_types::id::{ExecutionId, ScheduleId};
use workflow_types::schedule::Slot;

use super::{BATCH, ScheduleEvent, Scheduler, act};
use crate::engine::Engine;
use crate::error::{During as _, Error};

impl Scheduler {
    /// A fire was buffered: from now on the end of an execution may start it.
    pub(super) fn buffered(&self) {
        self.has_buffers.store(true, Ordering::Release);
        // What stood in its way may have ended meanwhile.
        self.wake.notify_one();
    }

    /// The failures of a schedule count from now on.
    pub(super) fn watched(&self) {
        self.has_watched.store(true, Ordering::Release);
    }
}

/// Looks at all schedules, as after a start: what ended may not have been noticed.
pub(super) async fn all(engine: &Arc<Engine>) -> Result<(), Error> {
    let known = &engine.scheduler.has_watched;
    engine.scheduler.has_buffers.store(true, Ordering::Release);
    // Said before it is read, so that a schedule that is added meanwhile says otherwise. What ends
    // before the truth is said again is counted below.
    known.store(false, Ordering::Release);
    let watched = engine.reads.watched_schedules().await;
    let watched = watched.during("reading which schedules are watched");
    if !watched.as_ref().is_ok_and(Vec::is_empty) {
        known.store(true, Ordering::Release);
    }
    let watched = watched?;
    for id in watched {
        count_failures(engine, id).await?;
    }
    Ok(())
}

/// Looks at what the executions mean that came to rest since the last look.
pub(super) async fn those_at_rest(engine: &Arc<Engine>) -> Result<(), Error> {
    let (at_rest, overflowed) = {
        let mut desk = engine.scheduler.desk();
        let overflowed = std::mem::take(&mut desk.overflowed);
        (std::mem::take(&mut desk.at_rest), overflowed)
    };
    if overflowed {
        all(engine).await?;
    }
    for id in at_rest {
        if let Some(schedule) = schedule_of(engine, id).await? {
            count_failures(engine, schedule).await?;
        }
    }
    if engine.scheduler.has_buffers.load(Ordering::Acquire) && has_buffers(engine).await? {
        release(engine).await?;
    }
    Ok(())
}

/// Whether any fire is buffered; if none is, the end of an execution is not looked at any more.
///
/// Without this, every execution that ends would wake the scheduler for nothing.
async fn has_buffers(engine: &Engine) -> Result<bool, Error> {
    let known = &engine.scheduler.has_buffers;
    // Said before it is read, so that a fire that is buffered meanwhile says otherwise. What ends
    // before the truth is said again wakes nobody, but is seen by the look that follows.
    known.store(false, Ordering::Release);
    let found = engine.reads.has_buffered().await;
    let found = found.during("reading whether fires are buffered");
    if !matches!(found, Ok(false)) {
        known.store(true, Ordering::Release);
    }
    found
}

async fn schedule_of(engine: &Engine, id: ExecutionId) -> Result<Option<ScheduleId>, Error> {
    let found = engine.reads.execution(id).await;
    let found = found.during("reading an execution")?;
    Ok(found.and_then(|execution| execution.schedule))
}

/// Pauses a schedule whose executions fail one after the other.
async fn count_failures(engine: &Engine, id: ScheduleId) -> Result<(), Error> {
    let now = engine.clock.now();
    let paused = engine.store.pause_failing(id, now).await;
    let Some(schedule) = paused.during("counting the failures of a schedule")? else {
        return Ok(());
    };
    let failures = schedule.spec.policies.pause_after_failures;
    let failures = failures.map_or(0, std::num::NonZeroU32::get);
    let id = schedule.spec.id;
    tracing::warn!(
        schedule.id = %id,
        failures,
        "schedule `{id}` is paused: its last {failures} executions failed"
    );
    engine.alerts.look();
    engine.scheduler.tell(ScheduleEvent::Failing {
        schedule: id,
        failures,
    });
    Ok(())
}

/// Starts buffered fires of which nothing is in the way any more, one of each schedule at a time.
async fn release(engine: &Arc<Engine>) -> Result<(), Error> {
    loop {
        let free = engine.reads.releasable(BATCH).await;
        let free = free.during("reading which fires are buffered")?;
        let mut progress = false;
        for (id, fire_time) in free {
            let found = engine.reads.schedule(&id).await;
            let Some(schedule) = found.during("reading a schedule")? else {
                continue;
            };
            let fired = act::fire(engine, &schedule, fire_time, Slot::Buffered).await?;
            progress |= fired.is_some_and(|fired| fired.is_new);
        }
        if !progress || engine.is_draining() {
            return Ok(());
        }
    }
}
