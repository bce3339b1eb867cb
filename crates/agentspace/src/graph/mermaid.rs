//! Pictures in the language of Mermaid, which forges and editors draw.

use std::fmt::Write as _;

use gateway::workflow_types::action::ActionKind;
use gateway::workflow_types::definition::picture::{EdgeKind, Node, NodeId, Picture, StepNode};

use super::marks::{Mark, Marks};
use super::words;

/// The picture as a flowchart.
///
/// Its nodes are called `n0`, `n1` and so on, because a step may be called `end` or `style`, which
/// mean something to Mermaid.
pub(super) fn draw(picture: &Picture, marks: &Marks) -> String {
    let mut text = "flowchart TD\n".to_owned();
    let ids: Vec<NodeId> = picture.nodes().iter().map(Node::id).collect();
    for (position, one) in picture.nodes().iter().enumerate() {
        let _ = writeln!(text, "  n{position}{}", node(one));
    }
    let positions: std::collections::HashMap<&NodeId, usize> =
        ids.iter().enumerate().map(|(at, id)| (id, at)).collect();
    for edge in picture.edges() {
        let arrow = match &edge.kind {
            EdgeKind::Failure => "-.->",
            EdgeKind::Next | EdgeKind::Success | EdgeKind::Branch { .. } => "-->",
        };
        let label = words::on_edge(edge)
            .map_or(String::new(), |label| format!("|\"{}\"|", escaped(&label)));
        let (from, to) = (positions[&edge.from], positions[&edge.to]);
        let _ = writeln!(text, "  n{from} {arrow}{label} n{to}");
    }
    text.push_str(&marked(picture, &ids, marks));
    text
}

fn node(node: &Node) -> String {
    match node {
        Node::Start => "([\"start\"])".to_owned(),
        Node::End => "([\"end\"])".to_owned(),
        Node::Fail => "([\"fail\"])".to_owned(),
        Node::Step(step) => self::step(step),
    }
}

fn step(step: &StepNode) -> String {
    let mut lines = vec![step.id.to_string(), words::action(step)];
    if step.needs_approval {
        lines.push("needs approval".to_owned());
    }
    lines.extend(words::bounds(step));
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    let label = lines.join("<br/>");
    match step.action.kind() {
        ActionKind::Tool => format!("[\"{label}\"]"),
        ActionKind::Model => format!("{{{{\"{label}\"}}}}"),
        ActionKind::Noop => format!("(\"{label}\")"),
    }
}

fn marked(picture: &Picture, ids: &[NodeId], marks: &Marks) -> String {
    let mut text = String::new();
    for mark in Mark::ALL {
        let of_mark = |id: &&NodeId| marks.of_node(id) == Some(mark);
        let nodes: Vec<String> = (0..ids.len())
            .filter(|position| of_mark(&&ids[*position]))
            .map(|position| format!("n{position}"))
            .collect();
        if !nodes.is_empty() {
            let (class, look) = (mark.as_str(), look(mark));
            let _ = writeln!(text, "  classDef {class} stroke-width:3px,stroke:{look}");
            let _ = writeln!(text, "  class {} {class}", nodes.join(","));
        }
    }
    let taken: Vec<String> = (0..picture.edges().len())
        .filter(|position| marks.is_taken(*position))
        .map(|position| position.to_string())
        .collect();
    if !taken.is_empty() {
        let _ = writeln!(text, "  linkStyle {} stroke-width:3px", taken.join(","));
    }
    text
}

fn look(mark: Mark) -> &'static str {
    match mark {
        Mark::Passed => "green",
        Mark::Failed => "red",
        Mark::Here => "orange",
    }
}

/// Mermaid reads quotes, bars, markdown, HTML, directives and entities in a label, and looks for
/// styles by their colon before it parses anything: all but a few signs become entities.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let characters: Vec<char> = text.chars().collect();
    let is_letter = |at: Option<usize>| {
        at.and_then(|at| characters.get(at))
            .is_some_and(|c| c.is_alphanumeric())
    };
    for (at, character) in characters.iter().enumerate() {
        // Between letters it is no emphasis.
        let inside = is_letter(at.checked_sub(1)) && is_letter(Some(at + 1));
        let safe = character.is_alphanumeric()
            || " -.,=()/+?!'".contains(*character)
            || (*character == '_' && inside);
        if safe {
            escaped.push(*character);
        } else {
            let _ = write!(escaped, "#{};", u32::from(*character));
        }
    }
    escaped
}
