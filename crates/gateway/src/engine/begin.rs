//! New executions: prepared, stored, and set going.
//!
//! Who stores one, and together with what, is decided by the caller: a start of its own, or a fire of
//! a schedule.

use std::sync::Arc;

use serde_json::Value;
use workflow_types::Timestamp;
use workflow_types::WorkflowDefinition;
use workflow_types::definition::DefinitionDigest;
use workflow_types::execution::{
    Epoch, Execution, ExecutionState, History, Start, Started, TriggeredBy, Visit,
};
use workflow_types::id::{IdempotencyKey, ScheduleId, WorkflowId};

use super::Engine;
use super::admission::{self, Slot};
use super::decide::Situation;
use super::drive::Live;
use super::hold::Hold;
use super::retry::{self, Repeat};
use crate::error::{During as _, Error};

/// A request to start an execution.
#[derive(Debug, Clone)]
pub(crate) struct NewExecution {
    pub(crate) workflow_id: WorkflowId,
    pub(crate) digest: DefinitionDigest,
    pub(crate) definition: Arc<WorkflowDefinition>,
    pub(crate) input: Value,
    pub(crate) triggered_by: TriggeredBy,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// The schedule that it belongs to.
    pub(crate) schedule: Option<ScheduleId>,
    /// The fire time for which it is started.
    pub(crate) scheduled_for: Option<Timestamp>,
    /// What it repeats of another execution.
    pub(crate) repeat: Option<Repeat>,
}

/// An execution that is ready to be stored, with all that is needed to set it going then.
pub(crate) struct Prepared {
    pub(crate) start: Arc<Start>,
    definition: Arc<WorkflowDefinition>,
    history: History,
    open: Option<Visit>,
    /// When the gate at which it waits expires.
    expiry: Option<Timestamp>,
    slot: Option<Slot>,
    /// Taken before it is stored: whoever repeats the start must not take it up in the meantime.
    hold: Option<Hold>,
}

impl Engine {
    /// Starts an execution: stored, and under way, when this returns.
    ///
    /// The same idempotency key answers the execution that it has started before.
    pub(crate) async fn begin(self: &Arc<Self>, new: NewExecution) -> Result<Execution, Error> {
        let engine = Arc::clone(self);
        self.whole(async move { engine.store_new(new).await }).await
    }

    async fn store_new(self: &Arc<Self>, new: NewExecution) -> Result<Execution, Error> {
        self.refuse_while_draining(&new.workflow_id)?;
        let repeat = new.repeat.clone();
        let prepared = self.prepare(new);
        let workflow = prepared.start.execution.workflow_id.clone();
        let started = self.store_start(Start::clone(&prepared.start), repeat.as_ref());
        let started = started
            .await
            .during(format_args!("starting workflow `{workflow}`"))?;
        self.set_going(prepared, started)
    }

    /// Makes everything of a new execution that is stored, and takes a slot for it if one is free.
    pub(crate) fn prepare(self: &Arc<Self>, new: NewExecution) -> Prepared {
        let now = self.clock.now();
        let definition = new.definition;
        let mut execution = Execution {
            id: self.entropy.execution_id(now),
            workflow_id: new.workflow_id,
            definition: new.digest,
            triggered_by: new.triggered_by,
            schedule: new.schedule,
            scheduled_for: new.scheduled_for,
            origin: new.repeat.as_ref().map(|repeat| repeat.origin),
            idempotency_key: new.idempotency_key,
            input: new.input,
            started_at: now,
            queued: false,
            state: ExecutionState::Running,
        };
        let situation = Situation {
            definition: &definition,
            execution: &execution,
            now,
            gate_id: self.entropy.gate_id(now),
        };
        let (history, advance) = retry::begin(situation, new.repeat.as_ref());
        execution.state = advance.state.clone();
        let results = advance.results(&history);
        let open = advance.made.last().cloned();
        let expiry = advance.expiry();
        let (slot, entry) = self.entry(&execution.state, &definition);
        let hold = self.hold(execution.id);
        Prepared {
            start: Arc::new(Start {
                execution,
                visits: advance.made,
                gate: advance.gate,
                results,
                entry,
            }),
            definition,
            history,
            open,
            expiry,
            slot,
            hold,
        }
    }

    /// Lets the end of a heartbeat's execution be noticed.
    fn note_beat(&self, execution: &Execution) {
        if execution.triggered_by == TriggeredBy::Heartbeat {
            self.beats.began(execution.id);
        }
    }

    /// Sets an execution going that was stored.
    pub(crate) fn set_going(
        self: &Arc<Self>,
        prepared: Prepared,
        started: Started,
    ) -> Result<Execution, Error> {
        let Prepared {
            start,
            definition,
            history,
            open,
            expiry,
            slot,
            hold,
        } = prepared;
        let mut execution = Arc::unwrap_or_clone(start).execution;
        match started {
            Started::Existing(existing) => {
                self.found(&existing);
                Ok(*existing)
            }
            Started::Skipped(unfinished) => Err(admission::skipped(&execution, unfinished)),
            Started::Queued => {
                self.own(execution.id);
                self.note_beat(&execution);
                drop(slot);
                self.admission.queued();
                execution.queued = true;
                execution.state = ExecutionState::Running;
                Ok(execution)
            }
            Started::New => {
                self.own(execution.id);
                self.note_beat(&execution);
                self.after_commit(&execution.id, &execution.state);
                self.waits_at(expiry);
                if let (Some(hold), Some(slot), Some(open)) = (hold, slot, open) {
                    let live =
                        Live::new(execution.clone(), Epoch::FIRST, definition, history, open);
                    self.spawn(hold, slot, live);
                }
                Ok(execution)
            }
        }
    }
}
