//! What a gateway asks of its database, in the words of the domain.
//!
//! A store keeps; it decides nothing and reads no clock. The engine knows it as [`Store`] and
//! [`ReadStore`] only; [`SqliteStore`] is the one implementation, and whatever passes the
//! contract suite (`contract`, behind the feature `store-contract`) may take its place:
//! see [`GatewayBuilder::store`](crate::GatewayBuilder::store).

mod alerts;
mod commits;
#[cfg(feature = "store-contract")]
pub mod contract;
mod error;
mod heartbeats;
mod read;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use workflow_types::Timestamp;
use workflow_types::approval::{Resolved, ResolvedBy, Vote, Voted};
use workflow_types::execution::{
    Admitted, Cancellation, Cancelling, Claimed, Place, Prune, Pruned, Round, Scope, Start,
    Started, Transition,
};
use workflow_types::id::{ExecutionId, GateId, ScheduleId, WorkflowId};
use workflow_types::registry::{Registered, Registration};
use workflow_types::schedule::{Change, Fired, Firing, Schedule};

pub use alerts::{AlertReads, AlertStore};
pub use commits::Commits;
pub use error::{StoreError, StoreErrorKind};
pub use heartbeats::{HeartbeatReads, HeartbeatStore};
pub use read::ReadStore;
pub(crate) use sqlite::GATEWAY;
pub use sqlite::{Durability, Opened, SqliteReader, SqliteStore};

/// A store that this process owns, and may write.
///
/// Each verb is ONE transaction: all that it says is written, or nothing. It is answered after its
/// commit is durable, and what was answered stays true. Verbs that arrive together may share a
/// commit, but one that fails spares the others. Every verb may be called at any time from any
/// task, and takes effect as if they came one after the other.
///
/// Dropping a future gives up the answer, not the work: whether the verb takes effect is open until
/// it is read, but it does so wholly or not at all, and no later than [`Store::close`] returns.
///
/// Errors by kind, of every verb: [`Busy`](StoreErrorKind::Busy),
/// [`Unavailable`](StoreErrorKind::Unavailable), [`Full`](StoreErrorKind::Full) and
/// [`ReadOnly`](StoreErrorKind::ReadOnly) while the store cannot be written, which may be repeated
/// later; [`Closed`](StoreErrorKind::Closed) after [`Store::close`];
/// [`Corrupt`](StoreErrorKind::Corrupt) if what the verb is about is damaged, with its id in the
/// text. Whatever the error, the verb has written nothing.
#[async_trait]
pub trait Store: Send + Sync {
    /// The read side, which sees every commit that was answered, and does not keep the store open.
    fn reads(&self) -> Arc<dyn ReadStore>;

    /// What can be written about alerts.
    fn alerts(&self) -> &dyn AlertStore;

    /// What can be written about heartbeats.
    fn heartbeats(&self) -> &dyn HeartbeatStore;

    /// Makes definitions the newest of their workflows, and the workflows known; answers, in the
    /// same order, what that did.
    ///
    /// The schedule of each follows its `trigger`, as
    /// [`follow`](workflow_types::schedule::follow) says: the same trigger changes nothing of it.
    /// Its id is that of the workflow, or like it if that is taken. Executions that have started keep theirs. Repeating it changes nothing.
    async fn register(
        &self,
        registrations: Vec<Registration>,
    ) -> Result<Vec<Registered>, StoreError>;

    /// Stores a new execution with its visits and its gate, held by `owner` under the first epoch.
    ///
    /// Its [`Entry`](workflow_types::execution::Entry) says whether it begins. One that has to wait
    /// for its turn is stored without visits, gate and results, and is
    /// [`Queued`](Started::Queued); one that must not wait is not stored, and is
    /// [`Skipped`](Started::Skipped). An entry without a limit asks nothing of the store. An
    /// execution that has begun and is not finished, whether it runs, waits for its turn to go on,
    /// or waits at a gate, counts towards the limit; so does one that has not begun if the next
    /// would be skipped. One that has not begun goes before any that is started later under the
    /// same limit. Repeating a start, by its id or by its idempotency key within the workflow,
    /// changes nothing and answers the execution that there is.
    /// [`NotFound`](StoreErrorKind::NotFound) if the workflow, the definition or the origin is not
    /// known; [`Conflict`](StoreErrorKind::Conflict)
    /// if the id belongs to an execution of another workflow or key;
    /// [`Internal`](StoreErrorKind::Internal) if the parts do not belong together: only a paused
    /// execution has a gate, and only one at rest has results.
    async fn start(&self, start: Start, owner: &str) -> Result<Started, StoreError>;

    /// Starts an execution that repeats its origin from visit `first` on, which is the first one
    /// that it makes itself: the visits of the origin before that, and their failed attempts, are
    /// copied to it, with their idempotency keys and the execution that made them.
    ///
    /// The rest is as with [`Store::start`]; but one that has to wait for its turn has the copies,
    /// too, and its own first visit, ready and without a request. The copies stay when the origin
    /// is deleted.
    /// [`NotFound`](StoreErrorKind::NotFound) if there is no such origin;
    /// [`Conflict`](StoreErrorKind::Conflict) if it has not finished, or has not made these visits.
    async fn retry(&self, start: Start, first: u32, owner: &str) -> Result<Started, StoreError>;

    /// Asks that an execution end. It is recorded once; the first who asks is the one who did.
    ///
    /// One of which no attempt has begun, because it waits at a gate, for its turn or for its next
    /// attempt, ends with it: its open visit is closed as a failure of kind `cancelled`, its gate is
    /// withdrawn, its results are written. Of any other, nothing is written from then on but its
    /// end: [`Store::apply`] refuses what would carry it on.
    /// [`NotFound`](StoreErrorKind::NotFound) if there is no such execution.
    async fn cancel(&self, id: ExecutionId, asked: Cancellation) -> Result<Cancelling, StoreError>;

    /// Deletes a finished execution with all that belongs to it.
    ///
    /// [`NotFound`](StoreErrorKind::NotFound) if there is none;
    /// [`Conflict`](StoreErrorKind::Conflict) if it has not finished.
    async fn delete(&self, id: ExecutionId) -> Result<(), StoreError>;

    /// Deletes at most `limit` finished executions that are not kept, or, if none are left, as many
    /// definitions that nothing refers to; answers what was deleted, nothing when all is done.
    ///
    /// So much as does not keep other writers waiting; repeating it goes on.
    async fn prune(&self, prune: Prune, limit: usize) -> Result<Pruned, StoreError>;

    /// Writes one step forward of an execution: its open visit, the attempt of it that failed, what
    /// it used of a model, the visits made, the gate at which it waits, and where it stands. When it ends, gates that
    /// wait are withdrawn.
    ///
    /// The busiest verb: its cost does not depend on how long the history is.
    /// [`Fenced`](StoreErrorKind::Fenced) if the execution has changed hands;
    /// [`Conflict`](StoreErrorKind::Conflict) if it is finished, if it is paused and not ended by
    /// this, if it is cancelled and does not end as such, or if the open visit is over already: so
    /// a transition that is repeated after its commit is refused, unless all that it writes is an
    /// open visit;
    /// [`NotFound`](StoreErrorKind::NotFound) if there is no such execution;
    /// [`Internal`](StoreErrorKind::Internal) if the parts do not belong together.
    async fn apply(&self, transition: Arc<Transition>) -> Result<(), StoreError>;

    /// Makes every running execution wait for its turn, where it would be if it had waited since
    /// it was started, unless its next attempt is due at some instant. Repeating it changes
    /// nothing.
    async fn queue_running(&self) -> Result<(), StoreError>;

    /// Makes those of some executions wait for their turn that run and do not wait already.
    async fn queue(&self, ids: Vec<ExecutionId>, place: Place) -> Result<(), StoreError>;

    /// Takes up executions that wait for their turn, as many as there is room for: one of each
    /// workflow in turn, in the order of their ids, beginning after the one that had its turn last,
    /// until nobody's turn is left. The epoch of each rises, so that whoever held it before is
    /// fenced off.
    ///
    /// Of each workflow it is the turn of the one that has waited longest; but none begins while as
    /// many of its workflow as the newest definition allows have begun and are not finished. One
    /// that is damaged is logged, left out, and waits no longer.
    async fn admit(&self, round: Round, owner: &str) -> Result<Admitted, StoreError>;

    /// Takes up one execution, whether or not it waits for its turn; its epoch rises. None if it
    /// does not run, or does not exist.
    async fn claim_one(&self, id: ExecutionId, owner: &str) -> Result<Option<Claimed>, StoreError>;

    /// Counts a vote, as [`Gate::judge`](workflow_types::approval::Gate::judge) says. If it
    /// settles the gate, its execution runs again as soon as it is its turn, and waits where it would
    /// be if it had waited since it was started; the visit stays as it is.
    ///
    /// A vote at or after the gate's expiry conflicts with the expiry, whether or not
    /// [`Store::expire_due`] has come by. Repeating a vote is answered as a repetition and changes
    /// nothing. [`NotFound`](StoreErrorKind::NotFound) if there is no such gate;
    /// [`Conflict`](StoreErrorKind::Conflict) if it asks what became of an interrupted step.
    async fn vote(&self, gate: GateId, vote: Vote) -> Result<Voted, StoreError>;

    /// Says what became of an interrupted step; its execution runs again, in the same way.
    ///
    /// Repeating the same resolution is answered as a repetition and changes nothing.
    /// [`NotFound`](StoreErrorKind::NotFound) if there is no such gate;
    /// [`Conflict`](StoreErrorKind::Conflict) if it asks for an approval, or if the actor may not
    /// decide.
    async fn resolve(&self, gate: GateId, by: ResolvedBy) -> Result<Resolved, StoreError>;

    /// Expires at most `limit` gates whose time has come, the longest overdue first; answers the
    /// executions that run again because of it.
    ///
    /// A gate that is damaged, or whose execution is, is logged and passed over. Repeating it
    /// expires the next ones.
    async fn expire_due(
        &self,
        scope: Scope,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ExecutionId>, StoreError>;

    /// Adds a schedule.
    ///
    /// [`Conflict`](StoreErrorKind::Conflict) if its id is taken;
    /// [`NotFound`](StoreErrorKind::NotFound) if its workflow is not known.
    async fn add_schedule(&self, schedule: Schedule) -> Result<(), StoreError>;

    /// Writes a change of a schedule, and the fire times that are missed with it; what is recorded
    /// of one already stands. What is buffered of one that is switched off is missed, too, unless
    /// it completed before its limit.
    ///
    /// At most 1,001 fire times and one stretch at once, so that others are not kept waiting.
    /// [`NotFound`](StoreErrorKind::NotFound) if there is no such schedule;
    /// [`Conflict`](StoreErrorKind::Conflict) if it has been changed since the revision that the
    /// change begins with: so a change that is repeated after its commit is refused.
    async fn change_schedule(&self, change: Change) -> Result<(), StoreError>;

    /// Deletes a schedule with all that is recorded of its fire times; executions that it started
    /// stay, and belong to none. Its alert is over then.
    ///
    /// [`NotFound`](StoreErrorKind::NotFound) if there is none.
    async fn delete_schedule(&self, id: ScheduleId, now: Timestamp) -> Result<(), StoreError>;

    /// Fires: records a fire time, starts its execution for `owner` as [`Store::start`] does, makes
    /// the schedule go on to its next fire time, and counts the run. No fire without its execution,
    /// no execution without its fire, and none twice.
    ///
    /// All that are asked for at once are written in their order, or, if one of them fails, none.
    /// What overlap makes of it ([`overlap`](workflow_types::schedule::overlap)) is decided by the
    /// executions of the schedule that are not finished at that moment; those that it replaces are
    /// cancelled as by [`Store::cancel`]. A buffered fire stays buffered while anything is in its
    /// way. A backfill asks nothing of the schedule, changes nothing of it, and takes only what did
    /// not run. Repeating it changes nothing and answers what is recorded.
    /// [`NotFound`](StoreErrorKind::NotFound) if there is no such schedule, or if what is started
    /// refers to what is not there; [`Conflict`](StoreErrorKind::Conflict) if the schedule has
    /// changed since the revision that was planned with, if it is not the fire time that comes next,
    /// or, of a backfill, if it is still to come; [`Internal`](StoreErrorKind::Internal) if the
    /// parts of the start do not belong together.
    async fn fire(&self, firings: Vec<Firing>, owner: &str) -> Result<Vec<Fired>, StoreError>;

    /// Pauses a schedule of which as many executions have failed in a row as it allows, since it was
    /// resumed or its timing was set; answers it if so, and none if there is no reason. Cancelled
    /// executions do not count. Repeating it changes nothing.
    async fn pause_failing(
        &self,
        id: ScheduleId,
        now: Timestamp,
    ) -> Result<Option<Schedule>, StoreError>;

    /// The definitions of workflows are gone: schedules that follow their triggers are switched off.
    async fn detach_triggers(
        &self,
        workflows: Vec<WorkflowId>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Takes no more verbs, finishes those that it has taken, and gives the store up, so that it
    /// can be opened again.
    ///
    /// If the future is dropped, the store is closed all the same. Repeating it changes nothing.
    async fn close(&self) -> Result<(), StoreError>;
}
