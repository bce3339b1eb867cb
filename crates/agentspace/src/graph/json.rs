//! The model of a picture as stable JSON, for those who draw it themselves.

use gateway::workflow_types::definition::picture::{Edge, EdgeKind, Node, Picture};
use gateway::workflow_types::duration;
use serde_json::{Value, json};

use super::Marks;

/// The nodes and ways of a picture with their marks.
pub(crate) fn to_json(picture: &Picture, marks: &Marks) -> Value {
    let nodes: Vec<Value> = picture.nodes().iter().map(|one| node(one, marks)).collect();
    let edges: Vec<Value> = picture
        .edges()
        .iter()
        .enumerate()
        .map(|(position, one)| edge(one, marks.is_taken(position)))
        .collect();
    json!({
        "name": picture.name(),
        "description": picture.description(),
        "nodes": nodes,
        "edges": edges,
    })
}

fn node(node: &Node, marks: &Marks) -> Value {
    let id = node.id();
    let mut shown = json!({"id": id.to_string()});
    match node {
        Node::Start => shown["kind"] = json!("start"),
        Node::End => shown["kind"] = json!("end"),
        Node::Fail => shown["kind"] = json!("fail"),
        Node::Step(step) => {
            shown["kind"] = json!("step");
            shown["description"] = json!(step.description);
            shown["action"] = json!(step.action.kind());
            shown["calls"] = json!(step.action.name());
            shown["needsApproval"] = json!(step.needs_approval);
            shown["maxAttempts"] = json!(step.max_attempts);
            shown["timeout"] = json!(step.timeout.map(duration::format));
        }
    }
    if let Some(mark) = marks.of_node(&id) {
        shown["mark"] = json!(mark.as_str());
    }
    shown
}

fn edge(edge: &Edge, taken: bool) -> Value {
    let mut shown = json!({
        "from": edge.from.to_string(),
        "to": edge.to.to_string(),
        "kind": edge.kind.as_str(),
        "otherwise": edge.otherwise,
    });
    if let EdgeKind::Branch { order, condition } = &edge.kind {
        shown["order"] = json!(order);
        shown["condition"] = json!(condition);
    }
    if taken {
        shown["taken"] = json!(true);
    }
    shown
}
