//! Acts on many schedules at once, so that they share commits, and none waits for another.
//!
//! Most have nothing to be done but to be fired: these share one call of the store. If that fails
//! because of one of them, each is acted on alone, as are all others.

use std::sync::Arc;

use workflow_types::Timestamp;
use workflow_types::schedule::{Schedule, Slot};

use super::act::{self, Acted};
use crate::engine::Engine;
use crate::error::{During as _, Error};

/// A schedule that is to be fired now, and the fire time.
type Simple = (Arc<Schedule>, Timestamp);

/// Acts on schedules that are due; answers how many could not.
pub(super) async fn act(engine: &Arc<Engine>, due: Vec<Schedule>) -> usize {
    let now = engine.clock.now();
    let (mut simple, mut others) = (Vec::new(), Vec::new());
    for schedule in due.into_iter().map(Arc::new) {
        match act::simply_fires(&schedule, now) {
            Some(fire_time) => simple.push((schedule, fire_time)),
            None => others.push(schedule),
        }
    }
    let (alone, together) = tokio::join!(each_alone(engine, others), fire(engine, simple));
    alone + together
}

/// Fires schedules in one call of the store, or, if that cannot be, each alone; answers how many
/// could not.
async fn fire(engine: &Arc<Engine>, simple: Vec<Simple>) -> usize {
    if simple.is_empty() || engine.is_draining() {
        return 0;
    }
    let count = simple.len();
    let firing = {
        let (engine, simple) = (Arc::clone(engine), simple.clone());
        async move { fire_whole(&engine, &simple).await }
    };
    match engine.whole(firing).await {
        Ok(()) => 0,
        Err(error) if error.is_transient() => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, count, "schedules cannot fire");
            count
        }
        Err(_) => {
            let alone = simple.into_iter().map(|(schedule, _)| schedule);
            each_alone(engine, alone.collect()).await
        }
    }
}

async fn fire_whole(engine: &Arc<Engine>, simple: &[Simple]) -> Result<(), Error> {
    let mut all_ready = Vec::with_capacity(simple.len());
    let mut firings = Vec::with_capacity(simple.len());
    for (schedule, fire_time) in simple {
        let ready = act::ready(engine, schedule, *fire_time).await?;
        firings.push(act::firing(
            engine,
            schedule,
            (*fire_time, Slot::Due),
            &ready,
        ));
        all_ready.push(ready);
    }
    let fired = engine.store.fire(firings, &engine.owner).await;
    let fired = fired.during("firing schedules")?;
    // What was stored is set going, whatever becomes of its neighbours.
    let each = fired.into_iter().zip(all_ready);
    let each = each.map(|(fired, ready)| act::after(engine, fired, ready).map(drop));
    each.fold(Ok(()), Result::and)
}

/// Acts on each schedule in a task of its own; answers how many could not.
async fn each_alone(engine: &Arc<Engine>, due: Vec<Arc<Schedule>>) -> usize {
    let now = engine.clock.now();
    let acting: Vec<_> = due
        .into_iter()
        .map(|schedule| {
            let engine_of_task = Arc::clone(engine);
            engine.task(async move { act::act(&engine_of_task, schedule).await })
        })
        .collect();
    let mut acted = Acted::default();
    let mut failures = 0;
    for task in acting {
        match task.await {
            Ok(Ok(one)) => acted.add(one),
            Ok(Err(error)) => {
                failures += 1;
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a schedule cannot act");
            }
            // The panic is logged by the runtime's hook; the schedule is looked at again.
            Err(_) => failures += 1,
        }
    }
    acted.report(engine, now);
    failures
}
