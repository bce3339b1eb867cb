//! Pictures in the language of Graphviz.

use std::fmt::Write as _;

use gateway::workflow_types::action::ActionKind;
use gateway::workflow_types::definition::picture::{Edge, EdgeKind, Node, Picture, StepNode};

use super::marks::{Mark, Marks};
use super::words;

/// The picture as a `digraph`, whose nodes are called as the steps are.
pub(super) fn draw(picture: &Picture, marks: &Marks) -> String {
    let name = quoted(&words::one_line(picture.name()));
    let mut text = format!(
        "digraph {name} {{\n  rankdir=TB;\n  node [fontname=\"Helvetica\"];\n  edge [fontname=\"Helvetica\", fontsize=10];\n"
    );
    for one in picture.nodes() {
        let id = one.id();
        let mut attributes = node(one);
        if let Some(mark) = marks.of_node(&id) {
            let _ = write!(attributes, ", {}", marked(mark));
        }
        let _ = writeln!(text, "  {} [{attributes}];", quoted(&id.to_string()));
    }
    for (position, one) in picture.edges().iter().enumerate() {
        let (from, to) = (quoted(&one.from.to_string()), quoted(&one.to.to_string()));
        let mut attributes = edge(one);
        if marks.is_taken(position) {
            attributes.push("penwidth=3".to_owned());
        }
        let attributes = if attributes.is_empty() {
            String::new()
        } else {
            format!(" [{}]", attributes.join(", "))
        };
        let _ = writeln!(text, "  {from} -> {to}{attributes};");
    }
    text.push_str("}\n");
    text
}

fn node(node: &Node) -> String {
    match node {
        Node::Start => "label=\"start\", shape=circle".to_owned(),
        Node::End => "label=\"end\", shape=doublecircle".to_owned(),
        Node::Fail => "label=\"fail\", shape=doublecircle, color=red".to_owned(),
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
    let shape = match step.action.kind() {
        ActionKind::Tool => "shape=box, style=rounded",
        ActionKind::Model => "shape=hexagon",
        ActionKind::Noop => "shape=ellipse",
    };
    let gate = if step.needs_approval {
        ", peripheries=2"
    } else {
        ""
    };
    let tooltip = step.description.as_ref().map_or(String::new(), |text| {
        format!(", tooltip={}", quoted(&words::one_line(text)))
    });
    // `\n` is Graphviz' own sign for a new line, so it is not escaped.
    format!("label=\"{}\", {shape}{gate}{tooltip}", lines.join("\\n"))
}

fn edge(edge: &Edge) -> Vec<String> {
    let mut attributes = Vec::new();
    if let Some(label) = words::on_edge(edge) {
        attributes.push(format!("label={}", quoted(&label)));
    }
    match &edge.kind {
        EdgeKind::Failure => attributes.push("style=dashed, color=red".to_owned()),
        EdgeKind::Next | EdgeKind::Success | EdgeKind::Branch { .. } => {}
    }
    attributes
}

fn marked(mark: Mark) -> &'static str {
    match mark {
        Mark::Passed => "penwidth=3, color=darkgreen",
        Mark::Failed => "penwidth=3, color=red",
        Mark::Here => "penwidth=3, color=orange",
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// Graphviz reads backslashes, quotes and HTML entities in a quoted text; nothing else.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('&', "&amp;")
}
