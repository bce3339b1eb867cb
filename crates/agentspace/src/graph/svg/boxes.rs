//! The nodes of a drawing: told apart by shape, sign and word, not by colour alone.

use std::fmt::Write as _;

use gateway::workflow_types::action::ActionKind;
use gateway::workflow_types::definition::picture::{Node, NodeId, StepNode};

use super::{LARGE_CELL, SMALL_CELL, cells, xml};
use crate::graph::layout::{Place, Size};
use crate::graph::marks::Mark;
use crate::graph::words;

/// Where the words begin, after the sign.
const TEXT: f64 = 40.0;
const AFTER_TEXT: f64 = 18.0;
const BEFORE_BADGE: f64 = 10.0;
/// The badge of a gate, which stands behind the id.
const BADGE: Size = Size {
    width: 82.0,
    height: 18.0,
};

/// A node that is ready to be drawn wherever it comes to stand.
pub(super) struct Drawn {
    pub(super) id: NodeId,
    pub(super) size: Size,
    class: &'static str,
    title: String,
    /// What stands in the box, line by line, the first in large letters.
    lines: Vec<String>,
    needs_approval: bool,
}

impl Drawn {
    pub(super) fn new(node: &Node) -> Self {
        match node {
            Node::Start => Self::round(node.id(), "start"),
            Node::End => Self::round(node.id(), "end"),
            Node::Fail => Self::round(node.id(), "fail"),
            Node::Step(step) => Self::step(step),
        }
    }

    fn round(id: NodeId, word: &'static str) -> Self {
        Self {
            id,
            size: Size {
                width: 76.0,
                height: 30.0,
            },
            class: word,
            title: word.to_owned(),
            lines: vec![word.to_owned()],
            needs_approval: false,
        }
    }

    fn step(step: &StepNode) -> Self {
        let mut lines = vec![step.id.to_string(), words::action(step)];
        let bounds = words::bounds(step);
        if !bounds.is_empty() {
            lines.push(bounds.join(", "));
        }
        let mut title = format!("{}: {}", step.id, words::action(step));
        for fact in words::bounds(step) {
            let _ = write!(title, ", {fact}");
        }
        if step.needs_approval {
            title.push_str(", needs approval");
        }
        if let Some(description) = &step.description {
            let _ = write!(title, ". {}", words::one_line(description));
        }
        let badge = if step.needs_approval {
            BEFORE_BADGE + BADGE.width
        } else {
            0.0
        };
        let small = lines.iter().skip(1).map(|line| cells(line) * SMALL_CELL);
        let text = small.fold(cells(&lines[0]) * LARGE_CELL + badge, f64::max);
        let height = if lines.len() > 2 { 66.0 } else { 50.0 };
        Self {
            id: NodeId::Step(step.id.clone()),
            size: Size {
                width: (TEXT + text + AFTER_TEXT).max(120.0),
                height,
            },
            class: match step.action.kind() {
                ActionKind::Tool => "tool",
                ActionKind::Model => "model",
                ActionKind::Noop => "noop",
            },
            title,
            lines,
            needs_approval: step.needs_approval,
        }
    }

    /// The node at its place.
    pub(super) fn draw(&self, place: Place, mark: Option<Mark>) -> String {
        let id = xml::escaped(&self.id.to_string());
        let marked = mark.map_or(String::new(), |mark| format!(" {}", mark.as_str()));
        let title = match mark {
            Some(mark) => format!("{} ({})", self.title, mark.as_str()),
            None => self.title.clone(),
        };
        let mut svg = format!(
            "<g class=\"node {}{marked}\" data-node=\"{id}\" transform=\"translate({:.1},{:.1})\"><title>{}</title>",
            self.class,
            place.left(),
            place.top(),
            xml::escaped(&title),
        );
        svg.push_str(&self.shape());
        match &self.id {
            NodeId::Step(_) => svg.push_str(&self.words()),
            NodeId::Start | NodeId::End | NodeId::Fail => {
                let (x, y) = (self.size.width / 2.0, self.size.height / 2.0 + 4.5);
                let _ = write!(
                    svg,
                    "<text class=\"id\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{}</text>",
                    self.class
                );
            }
        }
        svg.push_str("</g>\n");
        svg
    }

    fn shape(&self) -> String {
        let Size { width, height } = self.size;
        let rounded = |radius: f64| {
            format!(
                "<rect class=\"box\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius:.1}\"/>"
            )
        };
        match self.class {
            // Six corners; the words keep clear of the slanting sides.
            "model" => {
                let (slant, right, half) = (12.0, width - 12.0, height / 2.0);
                format!(
                    "<path class=\"box\" d=\"M{slant},0 H{right:.1} L{width:.1},{half:.1} L{right:.1},{height:.1} H{slant} L0,{half:.1} z\"/>"
                )
            }
            "tool" => format!(
                "{}<path class=\"bar\" d=\"M8,0 H6 A6,6 0 0 0 0,6 V{:.1} A6,6 0 0 0 6,{height:.1} H8 z\"/>",
                rounded(6.0),
                height - 6.0
            ),
            _ => rounded(height / 2.0),
        }
    }

    /// Where the letters of the first line stand; the lines are around the middle of the box.
    fn first_line(&self) -> f64 {
        self.size.height / 2.0 + if self.lines.len() > 2 { -11.0 } else { -3.0 }
    }

    fn words(&self) -> String {
        let mut svg = sign(self.class, self.size.height / 2.0);
        let mut y = self.first_line();
        for (index, line) in self.lines.iter().enumerate() {
            let class = if index == 0 { "id" } else { "small" };
            let _ = write!(
                svg,
                "<text class=\"{class}\" x=\"{TEXT}\" y=\"{y:.1}\">{}</text>",
                xml::escaped(line)
            );
            y += 17.0;
        }
        if self.needs_approval {
            svg.push_str(&badge(
                self.size.width - AFTER_TEXT,
                self.first_line() - 14.0,
            ));
        }
        svg
    }
}

/// A prompt for a tool, a spark for a model, a dot for nothing.
fn sign(class: &str, middle: f64) -> String {
    let path = match class {
        "tool" => "M0,-4.5 L4.5,0 L0,4.5 M6.5,5 H12",
        "model" => "M6,-8 Q7,-1 13,0 Q7,1 6,8 Q5,1 -1,0 Q5,-1 6,-8 z",
        _ => "M2,0 a4,4 0 1 0 8,0 a4,4 0 1 0 -8,0 z",
    };
    format!("<path class=\"sign\" transform=\"translate(18,{middle:.1})\" d=\"{path}\"/>")
}

/// A lock and the word, which end at an x and begin at a y.
fn badge(end: f64, y: f64) -> String {
    let Size {
        width: wide,
        height,
    } = BADGE;
    let x = end - wide;
    format!(
        "<g class=\"gate\" transform=\"translate({x:.1},{y:.1})\">\
         <rect width=\"{wide}\" height=\"{height}\" rx=\"9\"/>\
         <path d=\"M8.5,8.5 h8 v5.5 h-8 z\"/><path class=\"open\" d=\"M10,8.5 V6.5 a2.5,2.5 0 0 1 5,0 V8.5\"/>\
         <text x=\"21\" y=\"12.8\">approval</text></g>"
    )
}
