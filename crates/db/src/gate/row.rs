//! The rows of gates and votes, and what their columns mean together.
//!
//! Queries are the business of the parent module.

use std::num::NonZeroU32;

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use workflow_types::approval::{
    Decision, Expiry, Gate, GateKind, GateState, OnExpiry, Resolution, ResolvedBy, Vote,
};
use workflow_types::execution::TurnPlace;
use workflow_types::id::{Actor, GateId};

use crate::column::Row;
use crate::error::Error;
use crate::schema::{gate_votes, gates};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(
    table_name = gates,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false
)]
pub(crate) struct GateRow {
    pub(super) id: String,
    kind: String,
    execution_id: String,
    visit: i64,
    step_id: String,
    message: Option<String>,
    request: String,
    requested_at: String,
    expires_at: Option<String>,
    on_expiry: Option<String>,
    approvers: String,
    required_count: i64,
    attempt: i64,
    turn: i64,
    call: i64,
    #[diesel(embed)]
    state: StateColumns,
}

/// The columns that hold what became of a gate.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = gates,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
pub(crate) struct StateColumns {
    state: String,
    decision: Option<String>,
    resolution: Option<String>,
    resolution_output: Option<String>,
    decided_by: Option<String>,
    decided_at: Option<String>,
    reason: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(
    table_name = gate_votes,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false
)]
pub(crate) struct VoteRow {
    gate_id: String,
    actor: String,
    decision: String,
    voted_at: String,
    reason: Option<String>,
    place: i64,
}

impl From<&Gate> for GateRow {
    fn from(gate: &Gate) -> Self {
        let Gate {
            id,
            kind,
            execution_id,
            // The execution knows its workflow.
            workflow_id: _,
            step,
            visit,
            attempt,
            place: TurnPlace { turn, call },
            message,
            request,
            requested_at,
            expiry,
            approvers,
            count,
            state,
        } = gate;
        let approvers: Vec<&str> = approvers.iter().map(AsRef::as_ref).collect();
        Self {
            id: id.to_string(),
            kind: kind.as_str().to_owned(),
            execution_id: execution_id.to_string(),
            visit: i64::from(*visit),
            step_id: step.to_string(),
            message: message.clone(),
            request: request.to_string(),
            requested_at: requested_at.to_string(),
            expires_at: expiry.map(|expiry| expiry.at.to_string()),
            on_expiry: expiry.map(|expiry| expiry.then.as_str().to_owned()),
            approvers: serde_json::Value::from(approvers).to_string(),
            required_count: i64::from(count.get()),
            attempt: i64::from(*attempt),
            turn: i64::from(*turn),
            call: i64::from(*call),
            state: StateColumns::from(state),
        }
    }
}

impl From<&GateState> for StateColumns {
    fn from(state: &GateState) -> Self {
        let mut columns = Self {
            state: String::new(),
            decision: None,
            resolution: None,
            resolution_output: None,
            decided_by: None,
            decided_at: None,
            reason: None,
        };
        let word = match state {
            GateState::Waiting => "waiting",
            GateState::Decided(Vote {
                decision,
                actor,
                at,
                reason,
            }) => {
                columns.decision = Some(decision.as_str().to_owned());
                columns.decided_by = Some(actor.to_string());
                columns.decided_at = Some(at.to_string());
                columns.reason.clone_from(reason);
                "decided"
            }
            GateState::Resolved(ResolvedBy {
                resolution,
                actor,
                at,
                reason,
            }) => {
                columns.resolution = Some(resolution.as_str().to_owned());
                columns.resolution_output = output(resolution);
                columns.decided_by = Some(actor.to_string());
                columns.decided_at = Some(at.to_string());
                columns.reason.clone_from(reason);
                "resolved"
            }
            GateState::Expired { at } => {
                columns.decided_at = Some(at.to_string());
                "expired"
            }
            GateState::Withdrawn { at } => {
                columns.decided_at = Some(at.to_string());
                "withdrawn"
            }
        };
        word.clone_into(&mut columns.state);
        columns
    }
}

fn output(resolution: &Resolution) -> Option<String> {
    match resolution {
        Resolution::Done { output } => Some(output.to_string()),
        Resolution::Rerun | Resolution::Fail => None,
    }
}

impl StateColumns {
    fn state(self, row: Row<'_>) -> Result<GateState, Error> {
        let at = row.parse_maybe("decided_at", self.decided_at.as_deref())?;
        let actor: Option<Actor> = row.parse_maybe("decided_by", self.decided_by.as_deref())?;
        let decision = self.decision.as_deref();
        let decision = decision
            .map(|word| row.word("decision", Decision::from_word, word))
            .transpose()?;
        let resolution = read_resolution(
            row,
            self.resolution.as_deref(),
            self.resolution_output.as_deref(),
        )?;
        let reason = self.reason;
        match (self.state.as_str(), at, actor, decision, resolution) {
            ("waiting", None, None, None, None) => Ok(GateState::Waiting),
            ("decided", Some(at), Some(actor), Some(decision), None) => {
                Ok(GateState::Decided(Vote {
                    decision,
                    actor,
                    at,
                    reason,
                }))
            }
            ("resolved", Some(at), Some(actor), None, Some(resolution)) => {
                Ok(GateState::Resolved(ResolvedBy {
                    resolution,
                    actor,
                    at,
                    reason,
                }))
            }
            ("expired", Some(at), None, None, None) => Ok(GateState::Expired { at }),
            ("withdrawn", Some(at), None, None, None) => Ok(GateState::Withdrawn { at }),
            (..) => Err(row.contradicts("its other columns do not belong to its state")),
        }
    }
}

fn read_resolution(
    row: Row<'_>,
    word: Option<&str>,
    output: Option<&str>,
) -> Result<Option<Resolution>, Error> {
    match (word, output) {
        (None, None) => Ok(None),
        (Some("rerun"), None) => Ok(Some(Resolution::Rerun)),
        (Some("fail"), None) => Ok(Some(Resolution::Fail)),
        (Some("done"), Some(output)) => {
            let output = row.json("resolution_output", output)?;
            Ok(Some(Resolution::Done { output }))
        }
        (Some(_) | None, _) => Err(row.damaged("resolution")),
    }
}

/// A row and the workflow of its execution.
pub(crate) type Found = (GateRow, String);

impl GateRow {
    pub(super) fn gate((found, workflow_id): Found) -> Result<Gate, Error> {
        let Self {
            id,
            kind,
            execution_id,
            visit,
            step_id,
            message,
            request,
            requested_at,
            expires_at,
            on_expiry,
            approvers,
            required_count,
            attempt,
            turn,
            call,
            state,
        } = found;
        let row = Row::new("gate", &id);
        let count = row.number("required_count", required_count)?;
        Ok(Gate {
            id: row.parse("id", &id)?,
            kind: row.word("kind", GateKind::from_word, &kind)?,
            execution_id: row.parse("execution_id", &execution_id)?,
            workflow_id: row.parse("workflow_id", &workflow_id)?,
            step: row.parse("step_id", &step_id)?,
            visit: row.number("visit", visit)?,
            attempt: row.number("attempt", attempt)?,
            place: TurnPlace {
                turn: row.number("turn", turn)?,
                call: row.number("call", call)?,
            },
            message,
            request: row.json("request", &request)?,
            requested_at: row.parse("requested_at", &requested_at)?,
            expiry: read_expiry(row, expires_at.as_deref(), on_expiry.as_deref())?,
            approvers: serde_json::from_str(&approvers).map_err(|_| row.damaged("approvers"))?,
            count: NonZeroU32::new(count).ok_or_else(|| row.damaged("required_count"))?,
            state: state.state(row)?,
        })
    }
}

fn read_expiry(
    row: Row<'_>,
    at: Option<&str>,
    then: Option<&str>,
) -> Result<Option<Expiry>, Error> {
    match (at, then) {
        (None, None) => Ok(None),
        (Some(at), Some(then)) => Ok(Some(Expiry {
            at: row.parse("expires_at", at)?,
            then: row.word("on_expiry", OnExpiry::from_word, then)?,
        })),
        (Some(_), None) | (None, Some(_)) => Err(row.damaged("on_expiry")),
    }
}

impl VoteRow {
    pub(super) fn new(gate: GateId, vote: &Vote, place: i64) -> Self {
        let Vote {
            decision,
            actor,
            at,
            reason,
        } = vote;
        Self {
            gate_id: gate.to_string(),
            actor: actor.to_string(),
            decision: decision.as_str().to_owned(),
            voted_at: at.to_string(),
            reason: reason.clone(),
            place,
        }
    }
}

impl TryFrom<VoteRow> for Vote {
    type Error = Error;

    fn try_from(found: VoteRow) -> Result<Self, Error> {
        let VoteRow {
            gate_id,
            actor,
            decision,
            voted_at,
            reason,
            place: _,
        } = found;
        let row = Row::new("a vote on gate", &gate_id);
        Ok(Self {
            decision: row.word("decision", Decision::from_word, &decision)?,
            actor: row.parse("actor", &actor)?,
            at: row.parse("voted_at", &voted_at)?,
            reason,
        })
    }
}
