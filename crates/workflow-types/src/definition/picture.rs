//! A workflow as a picture has it: what stands in it, and the ways between.
//!
//! This is the walk of an execution, drawn: branches in their order, then `onSuccess` or the next
//! step of the list, after the last one the end; `onFailure` where an author wrote it. It knows
//! neither a form of drawing nor where anything stands on the paper.

use std::fmt;
use std::time::Duration;

use super::{Step, Target, WorkflowDefinition};
use crate::action::{Action, ActionKind};
use crate::id::{ModelName, StepId, ToolName};

/// What a picture of a workflow shows.
///
/// A step whose failure fails the execution, because it has no `onFailure`, has no way for that:
/// it would lead from every step to the same place and say nothing. `$end` and `$fail` stand in the
/// picture only if a way leads to them.
///
/// ```
/// use workflow_types::definition::picture::{EdgeKind, NodeId};
/// use workflow_types::{SourceFormat, WorkflowDefinition};
///
/// let text = "name: Greet\nsteps:\n  - id: hello\n    action: noop\n";
/// let definition = WorkflowDefinition::parse(text.as_bytes(), SourceFormat::Yaml)?;
/// let picture = definition.picture();
/// assert_eq!(picture.nodes().len(), 3); // the start, `hello` and the end
/// assert_eq!(picture.edges()[1].to, NodeId::End);
/// assert_eq!(picture.edges()[1].kind, EdgeKind::Next);
/// # Ok::<(), workflow_types::Diagnostics>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    name: String,
    description: Option<String>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

impl Picture {
    /// What the workflow is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the workflow is for.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The start, every step in the order of the text, then the end and the failure if a way leads
    /// to them.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The ways, those of one node together, in the order in which the walk looks at them;
    /// `onFailure` comes last.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The ways that leave a node, with their positions in [`Picture::edges`].
    pub fn edges_from<'a>(
        &'a self,
        node: &'a NodeId,
    ) -> impl Iterator<Item = (usize, &'a Edge)> + 'a {
        self.edges
            .iter()
            .enumerate()
            .filter(move |(_, edge)| edge.from == *node)
    }
}

/// What a node of a picture is, and how the ends of its ways name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeId {
    /// Where every execution begins.
    Start,
    /// A step.
    Step(StepId),
    /// Where an execution completes.
    End,
    /// Where `$fail` leads.
    Fail,
}

impl fmt::Display for NodeId {
    /// `$start`, the id of a step, `$end`, `$fail`; different for different nodes, because no step
    /// may be called so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("$start"),
            Self::Step(id) => id.fmt(f),
            Self::End => f.write_str("$end"),
            Self::Fail => f.write_str("$fail"),
        }
    }
}

impl From<&Target> for NodeId {
    fn from(target: &Target) -> Self {
        match target {
            Target::Step(id) => Self::Step(id.clone()),
            Target::End => Self::End,
            Target::Fail => Self::Fail,
        }
    }
}

/// One node of a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Where every execution begins.
    Start,
    /// A step, with what is worth showing of it.
    Step(StepNode),
    /// Where an execution completes.
    End,
    /// Where `$fail` leads.
    Fail,
}

impl Node {
    /// How the ends of ways name it.
    pub fn id(&self) -> NodeId {
        match self {
            Self::Start => NodeId::Start,
            Self::Step(step) => NodeId::Step(step.id.clone()),
            Self::End => NodeId::End,
            Self::Fail => NodeId::Fail,
        }
    }
}

/// What a picture says of a step.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StepNode {
    /// Its id.
    pub id: StepId,
    /// What it is for.
    pub description: Option<String>,
    /// What it does.
    pub action: NodeAction,
    /// Whether a person must approve it before it runs.
    pub needs_approval: bool,
    /// How often it is tried at most.
    pub max_attempts: u32,
    /// How long one attempt may take, where the author says so.
    pub timeout: Option<Duration>,
}

/// What a step does, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeAction {
    /// It calls this tool.
    Tool(ToolName),
    /// It asks this model; none stands for the host's default.
    Model(Option<ModelName>),
    /// It does nothing.
    Noop,
}

impl NodeAction {
    /// What such an action is called in a definition.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Tool(_) => ActionKind::Tool,
            Self::Model(_) => ActionKind::Model,
            Self::Noop => ActionKind::Noop,
        }
    }

    /// The tool or the model, where one is named.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Tool(tool) => Some(tool.as_ref()),
            Self::Model(model) => model.as_ref().map(AsRef::as_ref),
            Self::Noop => None,
        }
    }
}

/// One way from a node to another, or to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Where it begins.
    pub from: NodeId,
    /// Where it leads.
    pub to: NodeId,
    /// When it is taken.
    pub kind: EdgeKind,
    /// Whether branches are looked at first, so that it is taken only if none of them holds.
    pub otherwise: bool,
}

/// When a way is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EdgeKind {
    /// On success, because nothing else is written: to the next step of the list, or to the end.
    Next,
    /// On success, by `onSuccess`.
    Success,
    /// On failure, by `onFailure`.
    Failure,
    /// On success, if a condition holds and none of an earlier branch does.
    Branch {
        /// Its place among the branches of its step, from 1.
        order: usize,
        /// The condition as its author wrote it.
        condition: String,
    },
}

impl EdgeKind {
    /// The word for programs: `next`, `success`, `failure` or `branch`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Branch { .. } => "branch",
        }
    }
}

impl WorkflowDefinition {
    /// What a picture of this workflow shows.
    pub fn picture(&self) -> Picture {
        let mut edges = vec![Edge {
            from: NodeId::Start,
            to: NodeId::Step(self.first_step().id().clone()),
            kind: EdgeKind::Next,
            otherwise: false,
        }];
        for (position, step) in self.steps().iter().enumerate() {
            edges.extend(ways(step, self.steps().get(position + 1)));
        }
        let mut nodes = vec![Node::Start];
        nodes.extend(self.steps().iter().map(node));
        for last in [Node::End, Node::Fail] {
            let id = last.id();
            if edges.iter().any(|edge| edge.to == id) {
                nodes.push(last);
            }
        }
        Picture {
            name: self.name().to_owned(),
            description: self.description().map(ToOwned::to_owned),
            nodes,
            edges,
        }
    }
}

/// The ways that leave a step, as the walk looks at them.
fn ways(step: &Step, next: Option<&Step>) -> Vec<Edge> {
    let from = NodeId::Step(step.id().clone());
    let edge = |to, kind, otherwise| Edge {
        from: from.clone(),
        to,
        kind,
        otherwise,
    };
    let mut ways: Vec<Edge> = Vec::new();
    for (index, branch) in step.branches().iter().enumerate() {
        let kind = EdgeKind::Branch {
            order: index + 1,
            condition: branch.condition().source().to_owned(),
        };
        ways.push(edge(branch.goto().into(), kind, false));
    }
    let otherwise = !ways.is_empty();
    let (to, kind) = match (step.on_success(), next) {
        (Some(target), _) => (target.into(), EdgeKind::Success),
        (None, Some(next)) => (NodeId::Step(next.id().clone()), EdgeKind::Next),
        (None, None) => (NodeId::End, EdgeKind::Next),
    };
    ways.push(edge(to, kind, otherwise));
    if let Some(target) = step.on_failure() {
        ways.push(edge(target.into(), EdgeKind::Failure, false));
    }
    ways
}

fn node(step: &Step) -> Node {
    Node::Step(StepNode {
        id: step.id().clone(),
        description: step.description().map(ToOwned::to_owned),
        action: match step.action() {
            Action::Tool(action) => NodeAction::Tool(action.tool().clone()),
            Action::Model(action) => NodeAction::Model(action.model().cloned()),
            Action::Noop => NodeAction::Noop,
        },
        needs_approval: step.approval().is_some(),
        max_attempts: step.retry().max_attempts(),
        timeout: step.timeout.map(crate::action::Timeout::into_inner),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceFormat;

    fn picture(steps: &str) -> Picture {
        let text = format!("name: W\nsteps:\n{steps}");
        WorkflowDefinition::parse(text.as_bytes(), SourceFormat::Yaml)
            .unwrap()
            .picture()
    }

    fn ways(picture: &Picture) -> Vec<String> {
        let one = |edge: &Edge| {
            let otherwise = if edge.otherwise { " otherwise" } else { "" };
            let kind = edge.kind.as_str();
            format!("{} {kind}{otherwise} {}", edge.from, edge.to)
        };
        picture.edges().iter().map(one).collect()
    }

    #[test]
    fn ways_are_those_of_the_walk_in_its_order() {
        let picture = picture(
            "  - {id: a, action: noop, onFailure: $fail, branches: [{condition: 'status === 1', goto: c}, {condition: 'true', goto: a}]}\n  - {id: b, action: noop, onSuccess: $end}\n  - {id: c, action: noop}\n",
        );
        assert_eq!(
            ways(&picture),
            [
                "$start next a",
                "a branch c",
                "a branch a",
                "a next otherwise b",
                "a failure $fail",
                "b success $end",
                "c next $end",
            ]
        );
        let ids: Vec<String> = picture.nodes().iter().map(|n| n.id().to_string()).collect();
        assert_eq!(ids, ["$start", "a", "b", "c", "$end", "$fail"]);
    }

    #[test]
    fn a_place_that_no_way_leads_to_is_not_there_and_a_failure_has_no_way_unless_written() {
        let picture = picture("  - {id: a, action: noop}\n");
        assert_eq!(ways(&picture), ["$start next a", "a next $end"]);
        assert!(!picture.nodes().contains(&Node::Fail));
    }

    #[test]
    fn a_step_is_shown_with_what_its_author_wrote() {
        let picture = picture(
            "  - {id: a, action: tool, tool: t, timeout: 10s, retry: {maxAttempts: 3}, approvalRequired: true}\n  - {id: b, action: model, model: m, prompt: hi}\n",
        );
        let Node::Step(a) = &picture.nodes()[1] else {
            panic!("no step")
        };
        assert!(a.needs_approval);
        assert_eq!(
            (a.max_attempts, a.timeout),
            (3, Some(Duration::from_secs(10)))
        );
        assert_eq!(a.action.name(), Some("t"));
        let Node::Step(b) = &picture.nodes()[2] else {
            panic!("no step")
        };
        assert_eq!((b.action.kind(), b.timeout), (ActionKind::Model, None));
    }
}
