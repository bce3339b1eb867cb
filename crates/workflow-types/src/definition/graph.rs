//! The workflow as a graph: which steps can be reached, and which can have run before another.

use std::collections::HashMap;

use super::step::StepDraft;
use super::{Step, Target};
use crate::diagnostic::{Code, Diagnostic, Place, Report};
use crate::id::StepId;

/// The ways between the steps of a workflow, by position.
pub(super) struct Graph {
    next: Vec<Vec<usize>>,
    ends: Vec<bool>,
}

impl Graph {
    /// Every way that the walk could take: branches, `onSuccess` or the next step, `onFailure`.
    pub(super) fn new<'s>(
        steps: impl ExactSizeIterator<Item = &'s Step>,
        positions: &HashMap<StepId, usize>,
    ) -> Self {
        let count = steps.len();
        let mut graph = Self {
            next: vec![Vec::new(); count],
            ends: vec![false; count],
        };
        for (position, step) in steps.enumerate() {
            let after = position + 1;
            match step.on_success() {
                Some(target) => graph.connect(position, target, positions),
                None if after < count => graph.next[position].push(after),
                None => graph.ends[position] = true,
            }
            for branch in step.branches() {
                graph.connect(position, branch.goto(), positions);
            }
            // Without `onFailure` a failure ends the execution; that is no way out of a loop that
            // its author meant.
            if let Some(target) = step.on_failure() {
                graph.connect(position, target, positions);
            }
        }
        graph
    }

    fn connect(&mut self, from: usize, target: &Target, positions: &HashMap<StepId, usize>) {
        match target {
            Target::Step(id) => {
                if let Some(to) = positions.get(id) {
                    self.next[from].push(*to);
                }
            }
            Target::End | Target::Fail => self.ends[from] = true,
        }
    }

    /// Which steps the walk can come to from one, the one itself only if it lies on a loop.
    pub(super) fn reachable_from(&self, start: usize) -> Vec<bool> {
        let mut seen = vec![false; self.next.len()];
        let mut open = self.next[start].clone();
        while let Some(position) = open.pop() {
            if !std::mem::replace(&mut seen[position], true) {
                open.extend(&self.next[position]);
            }
        }
        seen
    }

    /// Which steps can have run before one, the one itself only if it lies on a loop.
    pub(super) fn before(&self, step: usize) -> Vec<bool> {
        let mut previous = vec![Vec::new(); self.next.len()];
        for (from, targets) in self.next.iter().enumerate() {
            for to in targets {
                previous[*to].push(from);
            }
        }
        let reversed = Self {
            next: previous,
            ends: Vec::new(),
        };
        reversed.reachable_from(step)
    }

    fn can_end_from(&self, start: usize) -> bool {
        let reachable = self.reachable_from(start);
        self.ends[start]
            || reachable
                .iter()
                .zip(&self.ends)
                .any(|(seen, ends)| *seen && *ends)
    }
}

/// Warns of steps that nothing leads to, loops without a way out, and gates on a loop.
pub(super) fn check(
    drafts: &[StepDraft<'_>],
    positions: &HashMap<StepId, usize>,
    report: &mut Report,
) {
    if drafts.is_empty() || report.has_errors() {
        // With a step or a target missing, what can be reached is anybody's guess.
        return;
    }
    let graph = Graph::new(drafts.iter().map(|draft| &draft.step), positions);
    let reachable = graph.reachable_from(0);
    for (position, draft) in drafts.iter().enumerate() {
        let id = draft.step.id();
        let place = Place::value(&draft.at.key("id"));
        if position != 0 && !reachable[position] {
            report.push(
                Diagnostic::new(
                    Code::Unreachable,
                    place,
                    format!("the step `{id}` can never be reached"),
                )
                .help("lead to it with `onSuccess`, `onFailure` or a branch, or remove it"),
            );
            continue;
        }
        if !graph.can_end_from(position) {
            report.push(
                Diagnostic::new(
                    Code::EndlessLoop,
                    place,
                    format!("from the step `{id}` the workflow can never end"),
                )
                .help("add a branch with a way out, for example to $end"),
            );
        } else if draft.step.approval().is_some() && graph.reachable_from(position)[position] {
            report.push(
                Diagnostic::new(
                    Code::GateInLoop,
                    place,
                    format!("the step `{id}` stands on a loop, so its approval is asked for on every lap"),
                )
                .help("move the gate out of the loop if one approval is enough"),
            );
        }
    }
}
