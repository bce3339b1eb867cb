//! Pictures for a terminal: the steps as a list of boxes, the ways as lines beside them.
//!
//! Only ASCII is drawn, so that a log and a font without lines show it; what authors wrote stands
//! as they wrote it. A way to the next box runs straight down. Every other one says where it leads,
//! and a rail at the side takes it there as long as there is room for rails.

mod rails;

use gateway::workflow_types::definition::picture::{Edge, EdgeKind, Node, NodeId, Picture};

use super::marks::{Mark, Marks};
use super::words::{self, clip, width};
use rails::Rail;

/// How wide a picture may be, unless the ids of its steps are longer than that.
const COLUMNS: usize = 80;
/// Where the line between two boxes runs.
const TRUNK: &str = "    ";
/// Says that something is left out.
const CLIPPED: &str = "...";
/// Below this no text is worth reading.
const NARROWEST: usize = 44;

/// One line of the picture before its rails are drawn.
struct Row {
    text: Line,
    rail: Option<Rail>,
}

/// What stands on the left of a line.
enum Line {
    /// Nothing but itself.
    Plain(String),
    /// The top or bottom of a box.
    Border,
    /// The head of a box: what stands left and right in it.
    Head(String, String),
    /// More words in a box.
    Note(String),
    /// A way: its words and where it leads.
    Way {
        words: String,
        to: String,
        taken: bool,
    },
}

/// The picture as text.
pub(super) fn draw(picture: &Picture, marks: &Marks) -> String {
    let mut rows = Vec::new();
    for (position, node) in picture.nodes().iter().enumerate() {
        let next = picture.nodes().get(position + 1).map(Node::id);
        rows.extend(node_rows(node, marks));
        rows.extend(way_rows(picture, &node.id(), next.as_ref(), marks));
    }
    let most = (COLUMNS - NARROWEST) / rails::WIDTH;
    let rails = rails::lay(
        &rows.iter().map(|row| row.rail.clone()).collect::<Vec<_>>(),
        most,
    );
    let room = COLUMNS - rails.columns();
    let inner = rows.iter().map(|row| row.text.wish(room)).max();
    let inner = inner.unwrap_or(NARROWEST);
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let line = row.text.fit(inner);
        text.push_str(rails.draw(at, &line, inner).trim_end());
        text.push('\n');
    }
    text
}

impl Line {
    /// How many columns it takes, given how many it should take at most.
    fn wish(&self, room: usize) -> usize {
        match self {
            Self::Plain(text) => width(text),
            Self::Border => 0,
            // An id is never clipped, nor is the place where a way leads.
            Self::Head(left, right) => {
                (width(left) + width(right) + 6).min(room.max(width(left) + 4))
            }
            Self::Note(text) => (width(text) + 6).min(room),
            Self::Way { words, to, .. } => {
                let least = TRUNK.len() + 3 + 12 + 5 + to.len();
                let whole = TRUNK.len() + 4 + width(words) + 5 + to.len();
                whole.min(room.max(least))
            }
        }
    }

    /// The line in so many columns.
    fn fit(&self, columns: usize) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Border => format!("+{}+", "-".repeat(columns - 2)),
            Self::Head(left, right) => {
                let right = clip(right, (columns - 6).saturating_sub(width(left)), CLIPPED);
                let gap = (columns - 4).saturating_sub(width(left) + width(&right));
                format!("| {left}{}{right} |", " ".repeat(gap))
            }
            Self::Note(text) => {
                let text = clip(text, columns - 6, CLIPPED);
                let gap = " ".repeat(columns - 6 - width(&text));
                format!("|   {text}{gap} |")
            }
            Self::Way { words, to, taken } => {
                let room = columns.saturating_sub(TRUNK.len() + 4 + 5 + to.len());
                let words = clip(words, room, CLIPPED);
                let (line, arrow) = if *taken {
                    ("+==", "==>")
                } else {
                    ("+--", "-->")
                };
                format!("{TRUNK}{line} {words} {arrow} {to}")
            }
        }
    }
}

fn node_rows(node: &Node, marks: &Marks) -> Vec<Row> {
    let id = node.id();
    let mark = marks.of_node(&id);
    let enter = Some(Rail::Enter(id));
    let round = |word: &str| {
        let text = Line::Plain(format!("  ( {word}{} )", said(mark)));
        vec![Row {
            text,
            rail: enter.clone(),
        }]
    };
    let step = match node {
        Node::Start => return round("start"),
        Node::End => return round("end"),
        Node::Fail => return round("fail"),
        Node::Step(step) => step,
    };
    let border = || Row {
        text: Line::Border,
        rail: None,
    };
    let remark = |text: String| Row {
        text: Line::Note(text),
        rail: None,
    };
    let title = format!("{}{}", step.id, said(mark));
    let head = Row {
        text: Line::Head(title, words::action(step)),
        rail: enter.clone(),
    };
    let mut rows = vec![border(), head];
    if let Some(description) = &step.description {
        rows.push(remark(words::one_line(description)));
    }
    let mut facts = words::bounds(step);
    if step.needs_approval {
        facts.insert(0, "needs approval".to_owned());
    }
    if !facts.is_empty() {
        rows.push(remark(format!("[{}]", facts.join(", "))));
    }
    rows.push(border());
    rows
}

/// The ways that leave a node, below it; the one to the next node comes last, because it goes on.
fn way_rows(picture: &Picture, from: &NodeId, next: Option<&NodeId>, marks: &Marks) -> Vec<Row> {
    let plain = |text: String| Row {
        text: Line::Plain(text),
        rail: None,
    };
    let mut rows = Vec::new();
    let mut down = None;
    for (position, edge) in picture.edges_from(from) {
        let taken = marks.is_taken(position);
        if is_straight(edge) && Some(&edge.to) == next {
            down = Some((edge, taken));
            continue;
        }
        let words = words::on_edge(edge).unwrap_or_else(|| "then".to_owned());
        let to = name(&edge.to);
        rows.push(Row {
            text: Line::Way { words, to, taken },
            rail: Some(Rail::Leave(edge.to.clone())),
        });
    }
    match down {
        Some((edge, taken)) => {
            let words = words::on_edge(edge).unwrap_or_default();
            let taken = if taken { " (taken)" } else { "" };
            rows.push(plain(format!("{TRUNK}| {words}{taken}")));
            rows.push(plain(format!("{TRUNK}v")));
        }
        None if next.is_some() => rows.push(plain(String::new())),
        None => {}
    }
    rows
}

/// Whether a way is part of the straight course of success.
fn is_straight(edge: &Edge) -> bool {
    match &edge.kind {
        EdgeKind::Next | EdgeKind::Success => true,
        EdgeKind::Failure | EdgeKind::Branch { .. } => false,
    }
}

fn name(node: &NodeId) -> String {
    match node {
        NodeId::Start => "start".to_owned(),
        NodeId::Step(id) => id.to_string(),
        NodeId::End => "( end )".to_owned(),
        NodeId::Fail => "( fail )".to_owned(),
    }
}

fn said(mark: Option<Mark>) -> String {
    mark.map_or(String::new(), |mark| format!(" ({})", mark.as_str()))
}
