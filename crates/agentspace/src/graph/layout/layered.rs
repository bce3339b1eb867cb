//! Layers from top to bottom, laid out by a port of dagre.

use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel, WorkControl, WorkError};

use super::{Layout, Line, Link, Place, Point, Route, Size, ports};

type Paper = Graph<NodeLabel, EdgeLabel, GraphLabel>;

/// Space between two layers. A label has a layer of its own, and half of this on both sides.
const BETWEEN_LAYERS: f64 = 64.0;
const BETWEEN_NODES: f64 = 36.0;
const BETWEEN_WAYS: f64 = 18.0;

/// The picture in layers; none if that would cost more than the budget.
pub(super) fn lay_out(nodes: &[Size], links: &[Link], budget: usize) -> Option<Layout> {
    let mut paper = Graph::new(GraphOptions {
        directed: true,
        multigraph: true,
        compound: false,
    });
    paper.set_graph(GraphLabel {
        nodesep: BETWEEN_NODES,
        ranksep: BETWEEN_LAYERS,
        edgesep: BETWEEN_WAYS,
        ..GraphLabel::default()
    });
    for (index, size) in nodes.iter().enumerate() {
        paper.set_node(
            id(index),
            NodeLabel {
                width: size.width,
                height: size.height,
                ..NodeLabel::default()
            },
        );
    }
    for (index, link) in links.iter().enumerate() {
        let (upper, lower) = ends(*link);
        paper.set_edge_named(id(upper), id(lower), Some(id(index)), Some(label(*link)));
    }
    dugong::layout_controlled(&mut paper, &mut Budget(budget)).ok()?;
    read(&paper, nodes, links)
}

/// A way against the order of the list is laid out from its end to its beginning: that leaves no
/// circle, and the picture has the order of the file.
fn ends(link: Link) -> (usize, usize) {
    if link.is_back() {
        (link.to, link.from)
    } else {
        (link.from, link.to)
    }
}

/// Not only digits: the library would sort those as numbers, as JavaScript does.
fn id(index: usize) -> String {
    format!("n{index}")
}

fn label(link: Link) -> EdgeLabel {
    let size = link.label.unwrap_or(Size {
        width: 0.0,
        height: 0.0,
    });
    EdgeLabel {
        width: size.width,
        height: size.height,
        weight: if link.straight { 4.0 } else { 1.0 },
        ..EdgeLabel::default()
    }
}

/// What is left of the work that the library may do.
struct Budget(usize);

impl WorkControl for Budget {
    fn charge(&mut self, units: usize) -> Result<(), WorkError> {
        self.0 = self.0.checked_sub(units).ok_or(WorkError::Interrupted)?;
        Ok(())
    }
}

fn read(paper: &Paper, sizes: &[Size], links: &[Link]) -> Option<Layout> {
    let mut nodes = Vec::with_capacity(sizes.len());
    for (index, size) in sizes.iter().enumerate() {
        let found = paper.node(&id(index))?;
        let middle = Point {
            x: found.x?,
            y: found.y?,
        };
        nodes.push(Place {
            middle,
            size: *size,
        });
    }
    let mut routes = Vec::with_capacity(links.len());
    for (index, link) in links.iter().enumerate() {
        let (upper, lower) = ends(*link);
        let found = paper.edge(&id(upper), &id(lower), Some(&id(index)))?;
        routes.push(route(found, *link, &nodes)?);
    }
    ports::attach(&nodes, links, &mut routes);
    ports::keep_upright_beside_boxes(&nodes, &mut routes);
    for (route, link) in routes.iter_mut().zip(links) {
        if let (Line::Curved(points), true) = (&mut route.line, link.is_back()) {
            points.reverse();
        }
    }
    Some(Layout {
        size: Size {
            width: 0.0,
            height: 0.0,
        },
        nodes,
        routes,
        is_list: false,
    })
}

/// A route from the upper node to the lower one, as the library found it.
fn route(found: &EdgeLabel, link: Link, nodes: &[Place]) -> Option<Route> {
    let label = match link.label {
        Some(size) => Some(Place {
            middle: Point {
                x: found.x?,
                y: found.y?,
            },
            size,
        }),
        None => None,
    };
    let points = found.points.iter().map(|point| Point {
        x: point.x,
        y: point.y,
    });
    let course = if link.from == link.to {
        let node = nodes[link.from];
        let x = label.map_or(node.right() + 30.0, |label| label.left() - 2.0);
        let y = |share: f64| node.middle.y + node.size.height * share;
        Line::Loop([
            Point {
                x: node.right(),
                y: y(-0.25),
            },
            Point {
                x,
                y: node.middle.y,
            },
            Point {
                x: node.right(),
                y: y(0.25),
            },
        ])
    } else {
        Line::Curved(points.collect())
    };
    Some(Route {
        line: course,
        label,
    })
}
