//! Admission: which executions run now, and whose turn it is when one of them leaves.
//!
//! What waits for its turn is a row and nothing here: only slots are counted, and whether somebody
//! may be waiting for one. A slot is held from when an execution's task begins until it is at rest,
//! waits for a retry, or makes way for others. The limit of a workflow is counted by the store,
//! where what is unfinished stands, so that no count can drift from it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use workflow_types::WorkflowDefinition;
use workflow_types::execution::{Admitted, Entry, Execution, ExecutionState, Round, Scope, Turn};
use workflow_types::id::WorkflowId;

use super::Engine;
use crate::error::{During as _, Error, ErrorKind};

/// The most that is taken up in one transaction.
const BATCH: usize = 256;
/// How long admission waits after the database did not answer.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Hands out slots, and knows whether to look for who is next.
pub(crate) struct Admission {
    desk: Mutex<Desk>,
    /// Wakes the task that holds the rounds.
    wake: Notify,
    /// Tells that nobody holds a slot or could have one.
    idle: watch::Sender<()>,
    /// Taken for a round, from its question to the store until all that it has taken up is handed
    /// out; and by who must not be in between: see [`Admission::between_rounds`].
    round: tokio::sync::Mutex<()>,
}

/// What is remembered: four words, whatever waits.
#[derive(Debug)]
struct Desk {
    /// All slots.
    slots: usize,
    /// Slots that nobody holds.
    free: usize,
    /// Something was queued, or a place was made, since the last round began.
    look: bool,
    /// Somebody may be waiting for a slot: then nobody takes one past the queue.
    awaited: bool,
    /// Some may be waiting only because of the limit of their workflow.
    held_up: bool,
}

/// The right of one execution to run; given back when it is dropped.
pub(super) struct Slot(Arc<Admission>);

impl Drop for Slot {
    fn drop(&mut self) {
        let mut desk = self.0.desk();
        desk.free += 1;
        let (is_wanted, is_idle) = (desk.awaited || desk.look, desk.is_idle());
        drop(desk);
        if is_wanted {
            self.0.wake.notify_one();
        }
        if is_idle {
            self.0.idle.send_replace(());
        }
    }
}

impl Admission {
    /// All slots are free, and nobody waits.
    pub(super) fn new(slots: usize) -> Arc<Self> {
        Arc::new(Self {
            desk: Mutex::new(Desk {
                slots,
                free: slots,
                look: false,
                awaited: false,
                held_up: false,
            }),
            wake: Notify::new(),
            idle: watch::Sender::default(),
            round: tokio::sync::Mutex::default(),
        })
    }

    /// A slot, if one is free and nobody waits for it.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Slot> {
        let mut desk = self.desk();
        if desk.free == 0 || desk.awaited {
            return None;
        }
        desk.free -= 1;
        Some(Slot(Arc::clone(self)))
    }

    /// Whether a slot is free that nobody waits for.
    pub(super) fn has_room(&self) -> bool {
        let desk = self.desk();
        desk.free > 0 && !desk.awaited
    }

    /// Whether somebody may be waiting for a slot.
    pub(super) fn is_awaited(&self) -> bool {
        self.desk().awaited
    }

    /// Something waits for its turn: said after it was written, so that the next round finds it.
    pub(super) fn queued(&self) {
        let mut desk = self.desk();
        // Why it waits is for the round to find out. Until then nobody passes it, although a slot
        // may be free by now.
        desk.held_up = true;
        desk.look = true;
        desk.awaited = true;
        drop(desk);
        self.wake.notify_one();
    }

    /// An execution has ended, or a limit may have risen: said after it was written.
    pub(crate) fn made_place(&self) {
        let mut desk = self.desk();
        if !desk.held_up {
            return;
        }
        desk.look_again();
        drop(desk);
        self.wake.notify_one();
    }

    /// Told whenever nobody holds a slot or could have one.
    pub(crate) fn watch_idle(&self) -> watch::Receiver<()> {
        self.idle.subscribe()
    }

    /// Whether nobody holds a slot or could have one.
    pub(crate) fn is_idle(&self) -> bool {
        self.desk().is_idle()
    }

    /// Waits until no round is under way; none begins until the guard is dropped.
    ///
    /// What a round has taken up in the store, and not handed out yet, looks as if nobody carried
    /// it: whoever queued it then would have it taken up a second time, under another epoch.
    pub(super) async fn between_rounds(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.round.lock().await
    }

    /// Slots for the next round; none if none is free, or nobody waits for one.
    fn begin_round(self: &Arc<Self>) -> Option<Vec<Slot>> {
        let mut desk = self.desk();
        let room = desk.free.min(BATCH);
        if room == 0 || !(desk.look || desk.awaited) {
            return None;
        }
        desk.free -= room;
        desk.look = false;
        // Who ends from now on may make a place that the round does not see any more.
        desk.held_up = true;
        drop(desk);
        Some((0..room).map(|_| Slot(Arc::clone(self))).collect())
    }

    /// Notes what a round has found, before its slots are used or given back.
    fn end_round(&self, was_full: bool, held_up: bool) {
        let mut desk = self.desk();
        desk.awaited = was_full;
        desk.held_up = held_up;
        if desk.look {
            // What was written meanwhile may not have been seen.
            desk.held_up = true;
            desk.look_again();
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// A slot for a new execution, if it needs one and there is one, and what follows from that.
    ///
    /// One that is at rest at once takes nobody's turn.
    pub(super) fn entry(
        &self,
        state: &ExecutionState,
        definition: &WorkflowDefinition,
    ) -> (Option<Slot>, Entry) {
        let runs = *state == ExecutionState::Running;
        let slot = runs.then(|| self.admission.enter()).flatten();
        let concurrency = definition.concurrency();
        let entry = Entry {
            turn: if runs && slot.is_none() {
                Turn::Later
            } else {
                Turn::Now
            },
            concurrency,
            behind: concurrency.map_or(Scope::All, |_| self.scope()),
        };
        (slot, entry)
    }
}

impl Desk {
    fn is_idle(&self) -> bool {
        self.free == self.slots && !self.look && !self.awaited
    }

    fn look_again(&mut self) {
        self.look = true;
        // Who would have a slot if there were one has the next that is free.
        self.awaited |= self.free == 0;
    }
}

/// Holds rounds until the engine drains.
pub(super) async fn run(engine: Arc<Engine>) {
    let mut after = None;
    while !engine.is_draining() {
        let Some(slots) = engine.admission.begin_round() else {
            tokio::select! {
                () = engine.admission.wake.notified() => {}
                () = engine.draining.cancelled() => {}
            }
            continue;
        };
        if let Err(error) = round(&engine, slots, &mut after).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "what waits for its turn cannot be taken up"
            );
            let until = engine.clock.now().saturating_add(AFTER_ERROR);
            tokio::select! {
                () = engine.clock.sleep_until(until) => {}
                () = engine.draining.cancelled() => {}
            }
        }
    }
}

/// Takes up those whose turn it is, as many as there are slots.
async fn round(
    engine: &Arc<Engine>,
    slots: Vec<Slot>,
    after: &mut Option<WorkflowId>,
) -> Result<(), Error> {
    let round = Round {
        scope: engine.scope(),
        after: after.clone(),
        room: slots.len(),
    };
    let _under_way = engine.admission.between_rounds().await;
    let admitted = engine.store.admit(round, &engine.owner).await;
    let admitted = admitted
        .during("taking up executions that wait for their turn")
        .inspect_err(|_| {
            engine.admission.desk().look_again();
            engine.admission.end_round(true, true);
        })?;
    let Admitted {
        claimed,
        after: last,
        held_up,
    } = admitted;
    *after = last;
    let was_full = claimed.len() == slots.len();
    engine.admission.end_round(was_full, held_up);
    for (claim, slot) in claimed.into_iter().zip(slots) {
        engine.admitted(claim, slot);
    }
    Ok(())
}

/// The refusal of a start that would be one too many.
pub(super) fn skipped(execution: &Execution, unfinished: u32) -> Error {
    Error::new(
        ErrorKind::Busy,
        format!(
            "workflow `{}` is not started: {unfinished} of its executions {} not finished, and its \
             `concurrency` skips what is more than its limit",
            execution.workflow_id,
            if unfinished == 1 { "is" } else { "are" },
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_passes_what_was_queued_before_a_round_has_looked_at_it() {
        let admission = Admission::new(2);
        drop(admission.enter().unwrap());
        admission.queued();
        assert!(admission.enter().is_none());
        let slots = admission.begin_round().unwrap();
        assert!(admission.enter().is_none());
        admission.end_round(false, false);
        drop(slots);
        assert!(admission.enter().is_some());
    }

    #[test]
    fn a_place_that_is_made_while_a_round_ends_is_looked_for_once_more() {
        let admission = Admission::new(2);
        admission.queued();
        // A round that was full does not say whether a limit holds somebody up.
        let slots = admission.begin_round().unwrap();
        admission.end_round(true, false);
        drop(slots);
        let slots = admission.begin_round().unwrap();
        // The store has found one that waits because of a limit; then a place is made.
        admission.made_place();
        admission.end_round(false, true);
        drop(slots);
        assert!(admission.begin_round().is_some());
    }
}
