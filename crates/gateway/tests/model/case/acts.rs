//! What people do, in the words of the gateway and in those of the reference.

use gateway::workflow_types::approval::{Decision, GateState, Resolution, ResolvedBy, Vote};
use gateway::workflow_types::definition::DefinitionDigest;
use gateway::workflow_types::execution::{Cancellation, TriggeredBy};
use gateway::workflow_types::id::{ExecutionId, GateId};
use gateway::{Cancelled, Decided, RetryRequest, StartRequest};
use serde_json::Value;

use super::Case;
use crate::compare::Difference;
use crate::plan::{Act, Reply};
use crate::reference::{Answer, Begin, Reference, Repeat};
use crate::seen::{self, key_text};

/// A gate, by its execution and its place among the gates of that.
type At = (usize, usize);

impl Case<'_> {
    pub(super) fn act(&mut self, act: &Act) -> Result<(), Difference> {
        match act.clone() {
            Act::Start {
                flow,
                input,
                key,
                by,
            } => self.start((flow, key, by), &input),
            Act::Vote {
                gate,
                decision,
                actor,
            } => match self.reference.gate(gate) {
                Some(at) => self.vote(at, decision, actor),
                None => Ok(()),
            },
            Act::Resolve {
                gate,
                resolution,
                actor,
            } => match self.reference.gate(gate) {
                Some(at) => self.resolve(at, resolution, actor),
                None => Ok(()),
            },
            Act::Cancel { execution, actor } => match self.reference.newest(execution) {
                Some(run) => self.cancel(run, actor),
                None => Ok(()),
            },
            Act::Retry {
                execution,
                from,
                key,
            } => match self.reference.newest(execution) {
                Some(origin) => self.retry(origin, from, key),
                None => Ok(()),
            },
            Act::LetGo { call, answer } => self.let_go(call, &answer),
            Act::Pass { ms } => self.pass(ms),
            Act::Due => self.pass_to_what_is_due(),
            Act::Jump { ms } => self.jump(ms),
            Act::Edit { flow } => self.edit(flow),
            Act::Drain => self.drain(),
            Act::Kill => self.kill(),
        }
    }

    pub(super) fn edit(&mut self, flow: usize) -> Result<(), Difference> {
        let registered = &self.reference.flows[flow];
        let next = registered.versions.min(registered.flow.editions.len() - 1);
        let definition = registered.flow.editions[next].definition.clone();
        let id = registered.flow.id.parse().unwrap();
        self.operate(
            |gateway| async move {
                gateway
                    .register_definition(id, definition, "a case")
                    .await?;
                Ok(Answer::Done)
            },
            |reference, _| reference.edit(flow),
        )
    }

    fn start(
        &mut self,
        (flow, key, by): (usize, Option<u8>, TriggeredBy),
        input: &Value,
    ) -> Result<(), Difference> {
        // Of two starts at one instant, nobody says which is the first.
        self.pass(1)?;
        let id = self.plan.flows[flow].id.parse().unwrap();
        let mut request = StartRequest::new(id, input.clone()).triggered_by(by);
        if let Some(key) = key {
            request = request.idempotency_key(key_text(key).parse().unwrap());
        }
        self.operate(
            |gateway| async move { Ok(Answer::Started(gateway.start_with(request).await?.id)) },
            |reference, id| {
                reference.start(Begin {
                    flow,
                    input: input.clone(),
                    key,
                    by,
                    id: id.unwrap_or_else(nobody),
                })
            },
        )
    }

    fn retry(
        &mut self,
        origin: usize,
        from: Option<usize>,
        key: Option<u8>,
    ) -> Result<(), Difference> {
        self.pass(1)?;
        let id = self.reference.runs[origin].id;
        let from = from.map(|step| format!("s{step}").parse().unwrap());
        let mut request = RetryRequest::new();
        if let Some(step) = &from {
            request = request.from(Clone::clone(step));
        }
        if let Some(key) = key {
            request = request.idempotency_key(key_text(key).parse().unwrap());
        }
        self.operate(
            |gateway| async move { Ok(Answer::Started(gateway.retry(id, request).await?.id)) },
            |reference, id| {
                reference.retry(&Repeat {
                    origin,
                    from: from.clone(),
                    key,
                    id: id.unwrap_or_else(nobody),
                })
            },
        )
    }

    pub(super) fn cancel(&mut self, run: usize, actor: &str) -> Result<(), Difference> {
        let id = self.reference.runs[run].id;
        let asked = Cancellation {
            actor: actor.parse().unwrap(),
            at: self.reference.now,
            reason: None,
        };
        let actor = asked.actor.clone();
        self.operate(
            |gateway| async move {
                Ok(match gateway.cancel(id, actor, None).await? {
                    Cancelled::Requested(_) => Answer::Requested,
                    Cancelled::Repeated(_) => Answer::Repeated,
                    other => panic!("it is not known: {other:?}"),
                })
            },
            |reference, _| reference.cancel(run, asked.clone()),
        )
    }

    pub(super) fn vote(
        &mut self,
        at: At,
        decision: Decision,
        actor: &str,
    ) -> Result<(), Difference> {
        let gate = self.gate_id(at);
        let vote = Vote {
            decision,
            actor: actor.parse().unwrap(),
            at: self.reference.now,
            reason: None,
        };
        let actor = vote.actor.clone();
        self.operate(
            |gateway| async move {
                let decided = match decision {
                    Decision::Approve => gateway.approve(gate, actor, None).await,
                    Decision::Deny => gateway.deny(gate, actor, None).await,
                };
                Ok(decided_as(&decided?))
            },
            |reference, _| reference.vote(at, vote.clone()),
        )
    }

    pub(super) fn resolve(
        &mut self,
        at: At,
        resolution: Resolution,
        actor: &str,
    ) -> Result<(), Difference> {
        let gate = self.gate_id(at);
        let by = ResolvedBy {
            resolution,
            actor: actor.parse().unwrap(),
            at: self.reference.now,
            reason: None,
        };
        let (resolution, actor) = (by.resolution.clone(), by.actor.clone());
        self.operate(
            |gateway| async move {
                let resolved = gateway.resolve(gate, resolution, actor, None).await?;
                Ok(decided_as(&resolved))
            },
            |reference, _| reference.resolve(at, by.clone()),
        )
    }

    fn let_go(&mut self, call: usize, answer: &Reply) -> Result<(), Difference> {
        let runs = self.reference.runs.iter().enumerate().rev();
        let hanging: Vec<_> = runs
            .filter_map(|(run, it)| Some((run, it.hanging()?)))
            .collect();
        if hanging.is_empty() {
            return Ok(());
        }
        let (run, key) = hanging[call % hanging.len()].clone();
        if !self.ledger.let_go(&key, answer.clone()) {
            return Err(Difference(format!("the call {key} does not hang")));
        }
        self.reference.runs[run].let_go(answer.clone());
        self.life.settle();
        self.settled()
    }

    /// The id of a gate of the reference, which the engine has given it.
    fn gate_id(&self, (run, gate): At) -> GateId {
        let run = self.reference.runs[run].id;
        let seen = self.life.read(seen::read(&*self.life.reads, run));
        seen.expect("it was compared").gates[gate].gate.id
    }
}

fn decided_as(decided: &Decided) -> Answer {
    match decided {
        Decided::Settled => Answer::Settled,
        Decided::Counted => Answer::Counted,
        Decided::Repeated => Answer::Repeated,
        other => panic!("it is not known: {other:?}"),
    }
}

/// The id of an execution that was not stored.
fn nobody() -> ExecutionId {
    "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()
}

impl Reference {
    /// An execution by its place from the newest on.
    fn newest(&self, place: usize) -> Option<usize> {
        let last = self.runs.len().checked_sub(1)?;
        Some(last - place % self.runs.len())
    }

    /// A gate: those that wait come first, then the newest.
    fn gate(&self, place: usize) -> Option<At> {
        let of = |(at, run): (usize, &crate::reference::Run)| {
            (0..run.gates.len())
                .map(move |gate| (at, gate))
                .collect::<Vec<_>>()
        };
        let mut gates: Vec<At> = self.runs.iter().enumerate().flat_map(of).collect();
        gates.reverse();
        gates.sort_by_key(|at| !self.waits(*at));
        (!gates.is_empty()).then(|| gates[place % gates.len()])
    }

    pub(super) fn waits(&self, (run, gate): At) -> bool {
        self.runs[run].gates[gate].gate.state == GateState::Waiting
    }

    /// The workflows are registered as they are in the store.
    pub(super) fn registered(&self, found: &[Option<DefinitionDigest>]) -> Result<(), Difference> {
        let expected = self.flows.iter().map(|registered| {
            let newest = registered.versions.checked_sub(1)?;
            Some(registered.flow.editions[newest].digest.clone())
        });
        let expected: Vec<_> = expected.collect();
        Difference::unless("the workflows", expected.as_slice(), found)
    }
}
