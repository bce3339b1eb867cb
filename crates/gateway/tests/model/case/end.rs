//! Brings a case to its end: every execution has to come to one.

use gateway::workflow_types::approval::{Decision, GateKind, Resolution};

use super::Case;
use crate::compare::Difference;

/// After so many turns, what still goes on is cancelled.
const PATIENCE: usize = 30;

impl Case<'_> {
    /// Answers whatever asks, and lets time pass, until every execution has ended.
    pub(super) fn finish(&mut self) -> Result<(), Difference> {
        for turn in 0..10 * PATIENCE {
            let unfinished = self
                .reference
                .runs
                .iter()
                .position(|run| !run.is_finished());
            let Some(run) = unfinished else {
                return Ok(());
            };
            if turn > PATIENCE && self.reference.runs[run].cancelled.is_none() {
                self.cancel(run, "ann")?;
            } else if !self.answer()? {
                self.pass_to_what_is_due()?;
            }
        }
        Err(Difference("an execution does not end".to_owned()))
    }

    /// Answers one gate that waits; whether there was one.
    fn answer(&mut self) -> Result<bool, Difference> {
        for run in 0..self.reference.runs.len() {
            let Some(gate) = self.reference.runs[run].gates.len().checked_sub(1) else {
                continue;
            };
            let at = (run, gate);
            if !self.reference.waits(at) {
                continue;
            }
            let asked = &self.reference.runs[run].gates[gate];
            // Some of those that expire are left to do so.
            if asked.gate.expiry.is_some() && asked.gate.visit.is_multiple_of(2) {
                continue;
            }
            let has_voted = |who: &&str| asked.votes.iter().any(|it| it.actor.as_ref() == *who);
            let actor = ["ann", "bob"].into_iter().find(|who| !has_voted(who));
            match asked.gate.kind {
                GateKind::Approval => {
                    self.vote(at, Decision::Approve, actor.unwrap_or("cid"))?;
                }
                GateKind::Interrupted => self.resolve(at, Resolution::Fail, "ann")?,
            }
            return Ok(true);
        }
        Ok(false)
    }
}
