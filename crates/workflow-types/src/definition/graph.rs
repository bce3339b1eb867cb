//! The workflow as a graph: which steps can be reached, and which can have run before another.

mod earlier;

use std::cell::OnceCell;
use std::collections::HashMap;

use earlier::Earlier;

use super::step::StepDraft;
use super::{Step, Target};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Severity, listed};
use crate::id::StepId;

/// The ways between the steps of a workflow, by position.
pub(super) struct Graph {
    next: Vec<Vec<usize>>,
    previous: Vec<Vec<usize>>,
    ends: Vec<bool>,
    earlier: OnceCell<Earlier>,
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
            previous: vec![Vec::new(); count],
            ends: vec![false; count],
            earlier: OnceCell::new(),
        };
        for (position, step) in steps.enumerate() {
            let after = position + 1;
            match step.on_success() {
                Some(target) => graph.connect(position, target, positions),
                None if after < count => graph.lead(position, after),
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
                    self.lead(from, *to);
                }
            }
            Target::End | Target::Fail => self.ends[from] = true,
        }
    }

    fn lead(&mut self, from: usize, to: usize) {
        self.next[from].push(to);
        self.previous[to].push(from);
    }

    /// Which steps can have run before one, the one itself only if it lies on a loop.
    pub(super) fn before(&self, step: usize) -> Vec<bool> {
        let earlier = self.earlier();
        (0..self.next.len())
            .map(|position| earlier.holds(step, position))
            .collect()
    }

    fn lies_on_a_loop(&self, step: usize) -> bool {
        self.earlier().holds(step, step)
    }

    /// The steps of the loop on which one lies, if it is their first and no way leads out of it.
    fn closed_loop(&self, step: usize) -> Option<Vec<usize>> {
        let earlier = self.earlier();
        let together = |other: &usize| earlier.together(step, *other);
        if !self.lies_on_a_loop(step) || (0..step).any(|other| together(&other)) {
            return None;
        }
        let members: Vec<usize> = (step..self.next.len()).filter(together).collect();
        let mut ways = members.iter().flat_map(|member| &self.next[*member]);
        ways.all(together).then_some(members)
    }

    /// The steps that the first one leads to, the first included.
    fn reachable(&self) -> Vec<bool> {
        spread(&self.next, vec![0])
    }

    /// The steps from which there is a way to the end.
    fn ending(&self) -> Vec<bool> {
        let ends = self.ends.iter().enumerate();
        let ends = ends.filter_map(|(position, ends)| ends.then_some(position));
        spread(&self.previous, ends.collect())
    }

    fn earlier(&self) -> &Earlier {
        self.earlier
            .get_or_init(|| Earlier::new(&self.next, &self.previous))
    }
}

/// What `ways` lead to from some steps, these included.
fn spread(ways: &[Vec<usize>], from: Vec<usize>) -> Vec<bool> {
    let mut seen = vec![false; ways.len()];
    let mut open = from;
    while let Some(position) = open.pop() {
        if !std::mem::replace(&mut seen[position], true) {
            open.extend(&ways[position]);
        }
    }
    seen
}

/// Warns of steps that nothing leads to, loops without a way out, and gates on a loop.
pub(super) fn check(
    drafts: &[StepDraft<'_>],
    positions: &HashMap<StepId, usize>,
    report: &mut Report,
) {
    if drafts.is_empty() || report.as_slice().iter().any(hides_a_way) {
        // With a step or a target missing, what can be reached is anybody's guess.
        return;
    }
    let graph = Graph::new(drafts.iter().map(|draft| &draft.step), positions);
    let reachable = graph.reachable();
    let ending = graph.ending();
    for (position, draft) in drafts.iter().enumerate() {
        let id = draft.step.id();
        let place = Place::value(&draft.at.key("id"));
        if !reachable[position] {
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
        if !ending[position]
            && let Some(members) = graph.closed_loop(position)
        {
            report.push(endless(&members, drafts, place.clone()));
        }
        if draft.step.approval().is_some() && graph.lies_on_a_loop(position) {
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

/// One loop is one mistake, however many steps lie on it.
fn endless(members: &[usize], drafts: &[StepDraft<'_>], place: Place) -> Diagnostic {
    let ids: Vec<&str> = members
        .iter()
        .map(|member| drafts[*member].step.id().as_ref())
        .collect();
    let message = match ids.as_slice() {
        [id] => format!("from the step `{id}` the workflow can never end"),
        ids => format!("from the steps {} the workflow can never end", listed(ids)),
    };
    Diagnostic::new(Code::EndlessLoop, place, message)
        .help("add a branch with a way out, for example to $end")
}

/// Whether an error is about a step as a whole, its id, its action or where it leads; other ones
/// leave the ways as they are.
fn hides_a_way(diagnostic: &Diagnostic) -> bool {
    if diagnostic.severity != Severity::Error {
        return false;
    }
    let Place::Node { pointer, .. } = &diagnostic.place else {
        return true;
    };
    let mut parts = pointer.as_str().split('/').skip(1);
    if parts.next() != Some("steps") {
        return false;
    }
    let (_, key, inner) = (parts.next(), parts.next(), parts.next());
    match key {
        None => true,
        // A key that is not known may have been meant for a target.
        Some(_) if diagnostic.code == Code::UnknownKey && inner.is_none() => true,
        Some(
            "id" | "action" | "tool" | "prompt" | "onSuccess" | "on_success" | "onFailure"
            | "on_failure" | "branches",
        ) => diagnostic.code != Code::BadTemplate,
        // Arguments that are no mapping leave no action.
        Some("args") => inner.is_none() && diagnostic.code == Code::WrongType,
        Some(_) => false,
    }
}
