//! `gates` and `gate_votes`: what waits for a person, and what became of it.
//!
//! Whatever passes a gate lets its execution run again in the same transaction; the engine goes on
//! from there. What a vote amounts to is judged by the domain type.

mod expiry;
mod row;

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use workflow_types::Timestamp;
use workflow_types::approval::{
    Gate, GateKind, GateState, Judgement, Resolved, ResolvedBy, Vote, Voted,
};
use workflow_types::damage::Listed;
use workflow_types::id::{Actor, ExecutionId, GateId};

use crate::column::{listed, literal_condition};
use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::schema::{gate_votes, gates, workflow_executions};
use crate::statement::{self, kept, kept_update};
use crate::{execution, schedule};

pub use expiry::expire_due;
pub(crate) use expiry::next_expiry;
use row::{Found, GateRow, StateColumns, VoteRow};

literal_condition!(
    /// The gate waits.
    IsWaiting,
    gates,
    "state = 'waiting'"
);

/// One gate.
pub fn find(connection: &mut Connection, id: &GateId) -> Result<Option<Gate>, Error> {
    gates::table
        .inner_join(workflow_executions::table)
        .filter(gates::id.eq(id.to_string()))
        .select((GateRow::as_select(), workflow_executions::workflow_id))
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("loading gate {id} failed"))?
        .map(GateRow::gate)
        .transpose()
}

/// The latest gate of a visit.
pub fn at(
    connection: &mut Connection,
    execution: &ExecutionId,
    visit: u32,
) -> Result<Option<Gate>, Error> {
    gates::table
        .inner_join(workflow_executions::table)
        .filter(gates::execution_id.eq(execution.to_string()))
        .filter(gates::visit.eq(i64::from(visit)))
        .order((gates::requested_at.desc(), gates::id.desc()))
        .select((GateRow::as_select(), workflow_executions::workflow_id))
        .first(&mut connection.raw)
        .optional()
        .context(|| format!("loading the gate of visit {visit} of execution {execution} failed"))?
        .map(GateRow::gate)
        .transpose()
}

/// Every gate that waits, oldest first; a damaged one is named beside the others.
pub fn waiting(connection: &mut Connection) -> Result<Listed<Gate>, Error> {
    let rows: Vec<Found> = gates::table
        .inner_join(workflow_executions::table)
        .filter(IsWaiting)
        .order((gates::requested_at, gates::id))
        .select((GateRow::as_select(), workflow_executions::workflow_id))
        .load(&mut connection.raw)
        .context(|| "listing the gates that wait failed")?;
    Ok(listed(rows, |(row, _)| row.id.clone(), GateRow::gate))
}

/// Every gate of an execution, in the order of its visits.
pub fn of(connection: &mut Connection, execution: &ExecutionId) -> Result<Vec<Gate>, Error> {
    let rows: Vec<Found> = gates::table
        .inner_join(workflow_executions::table)
        .filter(gates::execution_id.eq(execution.to_string()))
        .order((gates::visit, gates::requested_at, gates::id))
        .select((GateRow::as_select(), workflow_executions::workflow_id))
        .load(&mut connection.raw)
        .context(|| format!("listing the gates of execution {execution} failed"))?;
    rows.into_iter().map(GateRow::gate).collect()
}

/// The gates of some visits of an execution, those of a visit in the order in which they opened.
pub(crate) fn between(
    connection: &mut Connection,
    execution: &ExecutionId,
    (first, last): (u32, u32),
) -> Result<Vec<Gate>, Error> {
    let rows: Vec<Found> = gates::table
        .inner_join(workflow_executions::table)
        .filter(gates::execution_id.eq(execution.to_string()))
        .filter(gates::visit.between(i64::from(first), i64::from(last)))
        .order((gates::visit, gates::requested_at, gates::id))
        .select((GateRow::as_select(), workflow_executions::workflow_id))
        .load(&mut connection.raw)
        .context(|| format!("reading the gates of execution {execution} failed"))?;
    rows.into_iter().map(GateRow::gate).collect()
}

/// The votes that were counted for a gate, in their order.
pub fn votes(connection: &mut Connection, id: &GateId) -> Result<Vec<Vote>, Error> {
    let rows: Vec<VoteRow> = gate_votes::table
        .filter(gate_votes::gate_id.eq(id.to_string()))
        .order((gate_votes::place, gate_votes::actor))
        .select(VoteRow::as_select())
        .load(&mut connection.raw)
        .context(|| format!("loading the votes on gate {id} failed"))?;
    rows.into_iter().map(Vote::try_from).collect()
}

/// Counts a vote; if it settles the gate, the execution runs again in the same transaction.
///
/// The visit stays as it is: the engine goes on from there. A vote after the gate's expiry
/// conflicts with the expiry, whether or not [`expire_due`] has noticed it yet. Fails with
/// [`ErrorKind::NotFound`] if there is no such gate, and with [`ErrorKind::Conflict`] if it asks
/// what became of an interrupted step, which a vote cannot answer.
pub fn vote(connection: &mut Connection, id: &GateId, vote: &Vote) -> Result<Voted, Error> {
    connection.write(|connection| {
        let mut gate = of_kind(connection, *id, GateKind::Approval)?;
        if let Some(expired) = overdue(&gate, vote.at) {
            let judgement = Judgement::Conflicts(Box::new(expired));
            return Ok(Voted { judgement, gate });
        }
        let earlier = votes(connection, id)?;
        let judgement = gate.judge(&earlier, vote);
        match &judgement {
            Judgement::Settles => {
                insert_vote(connection, *id, vote, earlier.len())?;
                gate.state = GateState::Decided(vote.clone());
                settle(connection, &gate)?;
            }
            Judgement::Counts => insert_vote(connection, *id, vote, earlier.len())?,
            Judgement::Repeats | Judgement::Conflicts(_) | Judgement::NotEntitled => {}
        }
        Ok(Voted { judgement, gate })
    })
}

/// Says what became of an interrupted step; the execution runs again in the same transaction.
///
/// Fails with [`ErrorKind::NotFound`] if there is no such gate, and with [`ErrorKind::Conflict`] if
/// it asks for an approval, or if the actor is not among those who may decide.
pub fn resolve(
    connection: &mut Connection,
    id: &GateId,
    resolved: &ResolvedBy,
) -> Result<Resolved, Error> {
    connection.write(|connection| {
        let mut gate = of_kind(connection, *id, GateKind::Interrupted)?;
        let state = overdue(&gate, resolved.at).unwrap_or_else(|| gate.state.clone());
        match state {
            GateState::Waiting => {}
            GateState::Resolved(earlier) if earlier.resolution == resolved.resolution => {
                return Ok(Resolved::Repeated);
            }
            settled @ (GateState::Decided(_)
            | GateState::Resolved(_)
            | GateState::Expired { .. }
            | GateState::Withdrawn { .. }) => return Ok(Resolved::Conflicts(settled)),
        }
        entitle(&gate, &resolved.actor)?;
        gate.state = GateState::Resolved(resolved.clone());
        settle(connection, &gate)?;
        Ok(Resolved::Settled)
    })
}

/// Stores a gate; fails with [`ErrorKind::Conflict`] if its execution waits at another one.
pub(crate) fn insert(connection: &mut Connection, gate: &Gate) -> Result<(), Error> {
    kept::<statement::InsertGate, _>(
        diesel::insert_into(gates::table).values(&GateRow::from(gate)),
    )
    .execute(&mut connection.raw)
    .context(|| format!("storing gate {} failed", gate.id))?;
    Ok(())
}

/// Withdraws the gate at which an execution waits, because the execution has ended.
pub(crate) fn withdraw(
    connection: &mut Connection,
    execution: ExecutionId,
    at: Timestamp,
) -> Result<(), Error> {
    let waiting = gates::execution_id.eq(execution.to_string()).and(IsWaiting);
    let state = GateState::Withdrawn { at };
    let withdrawn = StateColumns::from(&state);
    let count = kept_update::<statement::WithdrawGate, _, _, _>(gates::table, waiting, withdrawn)
        .execute(&mut connection.raw)
        .context(|| format!("withdrawing the gate of execution {execution} failed"))?;
    // Most executions end without one, and hold nothing up.
    if count > 0 {
        schedule::answered(connection, execution, &state)?;
    }
    Ok(())
}

/// Writes what became of a gate that waited, and lets its execution run again.
fn settle(connection: &mut Connection, gate: &Gate) -> Result<(), Error> {
    let waiting = gates::id.eq(gate.id.to_string()).and(IsWaiting);
    let settled = StateColumns::from(&gate.state);
    kept_update::<statement::SettleGate, _, _, _>(gates::table, waiting, settled)
        .execute(&mut connection.raw)
        .context(|| format!("settling gate {} failed", gate.id))?;
    schedule::answered(connection, gate.execution_id, &gate.state)?;
    execution::wake(connection, gate.execution_id)
}

fn insert_vote(
    connection: &mut Connection,
    id: GateId,
    vote: &Vote,
    earlier: usize,
) -> Result<(), Error> {
    let place = i64::try_from(earlier).unwrap_or(i64::MAX).saturating_add(1);
    kept::<statement::InsertVote, _>(
        diesel::insert_into(gate_votes::table).values(&VoteRow::new(id, vote, place)),
    )
    .execute(&mut connection.raw)
    .context(|| format!("counting a vote on gate {id} failed"))?;
    Ok(())
}

fn of_kind(connection: &mut Connection, id: GateId, kind: GateKind) -> Result<Gate, Error> {
    let Some(gate) = find(connection, &id)? else {
        let message = format!("there is no gate {id}");
        return Err(Error::new(ErrorKind::NotFound, message));
    };
    if gate.kind != kind {
        let message = match gate.kind {
            GateKind::Approval => format!("gate {id} asks for an approval: approve or deny it"),
            GateKind::Interrupted => {
                format!("gate {id} asks what became of an interrupted step: resolve it")
            }
        };
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    Ok(gate)
}

/// The state of a gate that waits although its time has come.
fn overdue(gate: &Gate, now: Timestamp) -> Option<GateState> {
    let expiry = gate.expiry.filter(|expiry| expiry.at <= now)?;
    (gate.state == GateState::Waiting).then_some(GateState::Expired { at: expiry.at })
}

fn entitle(gate: &Gate, actor: &Actor) -> Result<(), Error> {
    if gate.approvers.is_empty() || gate.approvers.contains(actor) {
        return Ok(());
    }
    let message = format!("{actor} may not decide about gate {}", gate.id);
    Err(Error::new(ErrorKind::Conflict, message))
}
