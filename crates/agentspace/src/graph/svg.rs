//! Pictures as SVG: one file that needs nothing else, light or dark as its reader's machine is.
//!
//! A program finds its way by attributes: nodes have `data-node`, ways `data-from`, `data-to` and
//! `data-kind`. A page that shows the drawing inline can set its own colours: `--wf-*`.

mod boxes;
mod path;
mod style;
mod xml;

use std::collections::HashMap;
use std::fmt::Write as _;

use gateway::workflow_types::definition::picture::{Edge, EdgeKind, Node, NodeId, Picture};

use super::layout::{self, Layout, Link, Place, Route, Size};
use super::marks::Marks;
use super::words::{self, clip};
use boxes::Drawn;

/// How many cells of a condition are shown; its title has all of it.
const LABEL_CELLS: usize = 34;
const LABEL_HEIGHT: f64 = 18.0;
/// Width of a cell of the small and of the large letters. Fonts of one width have 0.6 of their
/// size, a few 0.62.
const SMALL_CELL: f64 = 11.0 * 0.62;
const LARGE_CELL: f64 = 13.0 * 0.62;

/// The picture as an SVG document.
pub(super) fn draw(picture: &Picture, marks: &Marks) -> String {
    let drawn: Vec<Drawn> = picture.nodes().iter().map(Drawn::new).collect();
    let sizes: Vec<Size> = drawn.iter().map(|one| one.size).collect();
    let links = links(picture);
    let layout = layout::lay_out(&sizes, &links);
    put_together(picture, marks, &drawn, &layout)
}

/// The picture as if it were too tangled for layers.
#[cfg(test)]
pub(super) fn draw_as_list(picture: &Picture) -> String {
    let drawn: Vec<Drawn> = picture.nodes().iter().map(Drawn::new).collect();
    let sizes: Vec<Size> = drawn.iter().map(|one| one.size).collect();
    let layout = layout::lay_out_as_list(&sizes, &links(picture));
    put_together(picture, &Marks::default(), &drawn, &layout)
}

fn put_together(picture: &Picture, marks: &Marks, drawn: &[Drawn], layout: &Layout) -> String {
    let links = links(picture);
    let mut svg = head(picture, layout);
    let ways = || picture.edges().iter().zip(&layout.routes).enumerate();
    for (position, (edge, route)) in ways() {
        let taken = marks.is_taken(position);
        svg.push_str(&way(edge, links[position], route, taken));
    }
    for (node, place) in drawn.iter().zip(&layout.nodes) {
        svg.push_str(&node.draw(*place, marks.of_node(&node.id)));
    }
    // Above all lines, so that none runs through a word.
    for (position, (edge, route)) in ways() {
        let taken = marks.is_taken(position);
        svg.push_str(&label(edge, links[position], route, taken));
    }
    svg.push_str("</svg>\n");
    svg
}

fn links(picture: &Picture) -> Vec<Link> {
    let ids: Vec<NodeId> = picture.nodes().iter().map(Node::id).collect();
    let positions: HashMap<&NodeId, usize> =
        ids.iter().enumerate().map(|(at, id)| (id, at)).collect();
    let link = |edge: &Edge| {
        let (from, to) = (positions[&edge.from], positions[&edge.to]);
        let straight = match &edge.kind {
            EdgeKind::Next | EdgeKind::Success => true,
            EdgeKind::Failure | EdgeKind::Branch { .. } => false,
        };
        let label = words::on_edge(edge).map(|label| Size {
            width: cells(&shown(&label)) * SMALL_CELL + 12.0,
            height: LABEL_HEIGHT,
        });
        Link {
            from,
            to,
            label,
            straight,
        }
    };
    picture.edges().iter().map(link).collect()
}

fn head(picture: &Picture, layout: &Layout) -> String {
    let Size { width, height } = layout.size;
    let title = xml::escaped(&words::one_line(picture.name()));
    let mut about = picture
        .description()
        .map_or(String::new(), |text| format!("{} ", words::one_line(text)));
    let steps = picture
        .nodes()
        .iter()
        .filter(|node| matches!(node, Node::Step(_)));
    let _ = write!(about, "A workflow of {} steps.", steps.count());
    if layout.is_list {
        about
            .push_str(" Its ways are too many to be laid out in layers, so it is drawn as a list.");
    }
    let (style, about) = (style::sheet(), xml::escaped(&about));
    let markers: String = style::ARROWS
        .iter()
        .map(|kind| path::marker(kind))
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"wf\" role=\"img\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n\
         <title>{title}</title>\n<desc>{about}</desc>\n<style>\n{style}</style>\n<defs>\n{markers}</defs>\n\
         <rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"10\"/>\n"
    )
}

/// The look of a way: its class, and the arrow that it ends with.
fn look(edge: &Edge, link: Link, taken: bool) -> (String, &'static str) {
    let (kind, arrow) = match &edge.kind {
        EdgeKind::Failure => ("failure", "failure"),
        EdgeKind::Next | EdgeKind::Success | EdgeKind::Branch { .. } if link.is_back() => {
            (edge.kind.as_str(), "back")
        }
        EdgeKind::Next | EdgeKind::Success | EdgeKind::Branch { .. } => {
            (edge.kind.as_str(), "flow")
        }
    };
    let back = if link.is_back() { " back" } else { "" };
    let passed = if taken { " taken" } else { "" };
    (
        format!("{kind}{back}{passed}"),
        if taken { "taken" } else { arrow },
    )
}

fn way(edge: &Edge, link: Link, route: &Route, taken: bool) -> String {
    let (class, arrow) = look(edge, link, taken);
    let (from, to) = (
        xml::escaped(&edge.from.to_string()),
        xml::escaped(&edge.to.to_string()),
    );
    let order = match &edge.kind {
        EdgeKind::Branch { order, .. } => format!(" data-order=\"{order}\""),
        EdgeKind::Next | EdgeKind::Success | EdgeKind::Failure => String::new(),
    };
    let title = words::on_edge(edge).map_or(String::new(), |label| format!(": {label}"));
    let title = xml::escaped(&format!("{} to {}{title}", edge.from, edge.to));
    let (kind, path) = (edge.kind.as_str(), path::data(&route.line));
    format!(
        "<g class=\"way {class}\" data-from=\"{from}\" data-to=\"{to}\" data-kind=\"{kind}\"{order}>\
         <title>{title}</title><path d=\"{path}\" marker-end=\"url(#wf-{arrow})\"/></g>\n"
    )
}

fn label(edge: &Edge, link: Link, route: &Route, taken: bool) -> String {
    let (Some(label), Some(place)) = (words::on_edge(edge), route.label) else {
        return String::new();
    };
    let (class, _) = look(edge, link, taken);
    let (title, text) = (xml::escaped(&label), xml::escaped(&shown(&label)));
    let Place { middle, size } = place;
    format!(
        "<g class=\"label {class}\"><title>{title}</title>\
         <rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"4\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{text}</text></g>\n",
        place.left(),
        place.top(),
        size.width,
        size.height,
        middle.x,
        middle.y + 4.0,
    )
}

fn shown(label: &str) -> String {
    clip(label, LABEL_CELLS, "…")
}

/// The cells that a text takes, as a number to calculate with.
fn cells(text: &str) -> f64 {
    f64::from(u32::try_from(words::width(text)).unwrap_or(u32::MAX))
}
