//! What people say to a gateway: approve, deny, or resolve an interrupted step.

use std::sync::Arc;

use workflow_types::approval::{
    Decision, Gate, GateState, Judgement, Resolution, Resolved, ResolvedBy, Vote,
};
use workflow_types::id::{Actor, GateId};

use crate::error::{During as _, Error, ErrorKind};
use crate::gateway::Gateway;

/// What became of a decision.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Decided {
    /// The gate is settled; the execution goes on.
    Settled,
    /// It counts; more approvals are needed.
    Counted,
    /// The same had been decided before; nothing changed.
    Repeated,
}

impl Gateway {
    /// Approves a gate: its step then runs, exactly as it was shown.
    pub async fn approve(
        &self,
        gate: GateId,
        actor: Actor,
        reason: Option<String>,
    ) -> Result<Decided, Error> {
        self.vote(gate, Decision::Approve, actor, reason).await
    }

    /// Denies a gate: its step fails with kind `denied`, and `onFailure` applies.
    pub async fn deny(
        &self,
        gate: GateId,
        actor: Actor,
        reason: Option<String>,
    ) -> Result<Decided, Error> {
        self.vote(gate, Decision::Deny, actor, reason).await
    }

    async fn vote(
        &self,
        id: GateId,
        decision: Decision,
        actor: Actor,
        reason: Option<String>,
    ) -> Result<Decided, Error> {
        let at = self.engine.clock.now();
        let vote = Vote {
            decision,
            actor,
            at,
            reason,
        };
        let (engine, cast) = (Arc::clone(&self.engine), vote.clone());
        let voting = async move {
            let voted = engine.store.vote(id, cast).await;
            let voted = voted.during("deciding an approval")?;
            match voted.judgement {
                Judgement::Settles => engine.just_passed(voted.gate.execution_id),
                // Whoever said the same before may be gone without having carried it on.
                Judgement::Repeats => engine.passed(voted.gate.execution_id),
                Judgement::Counts => engine.changes.tell(voted.gate.execution_id),
                Judgement::Conflicts(_) | Judgement::NotEntitled => {}
            }
            Ok(voted)
        };
        let voted = self.engine.whole(voting).await?;
        match voted.judgement {
            Judgement::Settles => Ok(Decided::Settled),
            Judgement::Counts => Ok(Decided::Counted),
            Judgement::Repeats => Ok(Decided::Repeated),
            Judgement::Conflicts(state) => Err(conflict(&voted.gate, &state)),
            Judgement::NotEntitled => Err(Error::new(
                ErrorKind::Forbidden,
                format!("{} may not decide approval {id}", vote.actor),
            )),
        }
    }

    /// Says what became of an interrupted step: run it again, record it as done, or fail it.
    pub async fn resolve(
        &self,
        id: GateId,
        resolution: Resolution,
        actor: Actor,
        reason: Option<String>,
    ) -> Result<Decided, Error> {
        let by = ResolvedBy {
            resolution,
            actor,
            at: self.engine.clock.now(),
            reason,
        };
        if let Resolution::Done { output } = &by.resolution
            && let Some(problem) = self.engine.too_large(output)
        {
            return Err(Error::new(ErrorKind::Invalid, problem));
        }
        let gate = self.reader.gate(id).await?;
        let (engine, execution) = (Arc::clone(&self.engine), gate.execution_id);
        let resolving = async move {
            let resolved = engine.store.resolve(id, by).await;
            let resolved = resolved.during("resolving an interrupted step")?;
            match resolved {
                // Whoever said the same before may be gone without having carried it on.
                Resolved::Settled | Resolved::Repeated => {
                    engine.passed(execution);
                }
                Resolved::Conflicts(_) => {}
            }
            Ok(resolved)
        };
        match self.engine.whole(resolving).await? {
            Resolved::Settled => Ok(Decided::Settled),
            Resolved::Repeated => Ok(Decided::Repeated),
            Resolved::Conflicts(state) => Err(conflict(&gate, &state)),
        }
    }
}

/// Who decided what, when: the answer to a decision that comes too late.
fn conflict(gate: &Gate, state: &GateState) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!(
            "approval {} of step `{}` is settled already: {state}",
            gate.id, gate.step
        ),
    )
}
