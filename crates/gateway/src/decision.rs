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
        let reason = match reason {
            None => None,
            Some(_) => {
                let gate = self.reader.gate(id).await?;
                self.engine.said(gate.execution_id, reason).await
            }
        };
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
                Judgement::Settles => {
                    engine.just_passed(voted.gate.execution_id);
                    // What it held up is so no more.
                    engine.alerts.look();
                }
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
    ///
    /// An output is stored without the values of the secrets that the workflow names. Fails with
    /// [`ErrorKind::Invalid`], or [`ErrorKind::Unavailable`] if trying again may help, where one of
    /// them cannot be had: what was typed may hold it.
    pub async fn resolve(
        &self,
        id: GateId,
        resolution: Resolution,
        actor: Actor,
        reason: Option<String>,
    ) -> Result<Decided, Error> {
        let gate = self.reader.gate(id).await?;
        let resolution = self.screened(&gate, resolution).await?;
        let reason = self.engine.said(gate.execution_id, reason).await;
        let by = ResolvedBy {
            resolution,
            actor,
            at: self.engine.clock.now(),
            reason,
        };
        let (engine, execution) = (Arc::clone(&self.engine), gate.execution_id);
        let resolving = async move {
            let resolved = engine.store.resolve(id, by).await;
            let resolved = resolved.during("resolving an interrupted step")?;
            match resolved {
                // Whoever said the same before may be gone without having carried it on.
                Resolved::Settled | Resolved::Repeated => {
                    engine.passed(execution);
                    // What it held up is so no more.
                    engine.alerts.look();
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

    /// A resolution as it is stored.
    async fn screened(&self, gate: &Gate, resolution: Resolution) -> Result<Resolution, Error> {
        let Resolution::Done { output } = resolution else {
            return Ok(resolution);
        };
        let refused = |problem| Err(Error::new(ErrorKind::Invalid, problem));
        if let Some(problem) = self.engine.too_large(&output) {
            return refused(problem);
        }
        let output = self.engine.typed(gate.execution_id, output).await?;
        // The name of a secret may be longer than its value.
        match self.engine.too_large(&output) {
            Some(problem) => refused(problem),
            None => Ok(Resolution::Done { output }),
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
