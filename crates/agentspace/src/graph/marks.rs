//! What is to be seen in a picture besides the workflow: the way that an execution took.

use std::collections::{HashMap, HashSet};

use gateway::workflow_types::definition::picture::{Edge, EdgeKind, NodeId, Picture};
use gateway::workflow_types::execution::{ExecutionState, Outcome, Visit, VisitState};

/// The look of a node that an execution came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// It was passed.
    Passed,
    /// It failed, when it was visited last.
    Failed,
    /// The execution stands here.
    Here,
}

impl Mark {
    /// Every mark.
    pub(crate) const ALL: [Self; 3] = [Self::Passed, Self::Failed, Self::Here];

    /// The word that is shown, and the class in a drawing.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Here => "here",
        }
    }
}

/// Which nodes and which ways of a picture look different; what is not marked looks plain.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    nodes: HashMap<NodeId, Mark>,
    edges: HashSet<usize>,
}

impl Marks {
    /// The way that an execution took through its own definition, by its journal.
    ///
    /// Where several ways lead from one step to the next one that was visited, and the outcome fits
    /// them all, each is marked: the journal does not say which condition held.
    pub(crate) fn of_execution(
        picture: &Picture,
        journal: &[Visit],
        state: &ExecutionState,
    ) -> Self {
        let mut marks = Self::default();
        marks.node(NodeId::Start, Mark::Passed);
        let mut before = Some((NodeId::Start, true));
        for visit in journal {
            let here = NodeId::Step(visit.step.clone());
            if let Some((from, succeeded)) = before.take() {
                marks.way(picture, &from, &here, succeeded);
            }
            let (mark, succeeded) = outcome(&visit.state);
            marks.node(here.clone(), mark);
            before = succeeded.map(|succeeded| (here, succeeded));
        }
        let last = match state {
            ExecutionState::Running | ExecutionState::Paused { .. } => None,
            ExecutionState::Completed { .. } => Some((NodeId::End, Mark::Passed)),
            ExecutionState::Failed { .. } => Some((NodeId::Fail, Mark::Failed)),
        };
        if let (Some((to, mark)), Some((from, succeeded))) = (last, before)
            && marks.way(picture, &from, &to, succeeded)
        {
            marks.node(to, mark);
        }
        marks
    }

    /// How a node looks.
    pub(crate) fn of_node(&self, node: &NodeId) -> Option<Mark> {
        self.nodes.get(node).copied()
    }

    /// Whether the way at this position of the picture was taken.
    pub(crate) fn is_taken(&self, edge: usize) -> bool {
        self.edges.contains(&edge)
    }

    fn node(&mut self, node: NodeId, mark: Mark) {
        self.nodes.insert(node, mark);
    }

    /// Marks the ways between two nodes that fit an outcome; whether there is one.
    fn way(&mut self, picture: &Picture, from: &NodeId, to: &NodeId, succeeded: bool) -> bool {
        let fits = |edge: &Edge| edge.to == *to && leaves_on_success(&edge.kind) == succeeded;
        let ways: Vec<usize> = picture
            .edges_from(from)
            .filter(|(_, edge)| fits(edge))
            .map(|(position, _)| position)
            .collect();
        self.edges.extend(&ways);
        !ways.is_empty()
    }
}

fn leaves_on_success(kind: &EdgeKind) -> bool {
    match kind {
        EdgeKind::Next | EdgeKind::Success | EdgeKind::Branch { .. } => true,
        EdgeKind::Failure => false,
    }
}

/// How a visit looks, and, if it is over, whether it succeeded.
fn outcome(state: &VisitState) -> (Mark, Option<bool>) {
    match state {
        VisitState::Ready
        | VisitState::Waiting
        | VisitState::Begun
        | VisitState::BackingOff { .. } => (Mark::Here, None),
        VisitState::Done { outcome, .. } => match outcome {
            Outcome::Success { .. } => (Mark::Passed, Some(true)),
            Outcome::Failure(_) => (Mark::Failed, Some(false)),
        },
    }
}
