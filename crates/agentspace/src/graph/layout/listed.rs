//! A list from top to bottom with lanes at its side, for what is too tangled for layers.

use super::{Layout, Line, Link, Place, Point, Route, Size};
use crate::graph::lanes::{self, Span};

const BETWEEN: f64 = 30.0;
const BETWEEN_LANES: f64 = 14.0;
const AFTER_LABEL: f64 = 16.0;
/// Where the ways leave a box, from its left edge.
const INSET: f64 = 24.0;

/// Every node below the one before. A way to the next runs straight down; the others turn right
/// below their node and run down or up a lane, one for each place that they lead to.
pub(super) fn lay_out(nodes: &[Size], links: &[Link]) -> Layout {
    let rows = Rows::new(nodes, links);
    let lanes = lanes_of(nodes.len(), links);
    let edge = rows.right_edge(links);
    let routes = links
        .iter()
        .enumerate()
        .map(|(index, link)| match rows.turn[index] {
            Some(y) => {
                let lane = lanes[link.to].unwrap_or_default();
                let lane = edge + BETWEEN_LANES * f64::from(u32::try_from(lane).unwrap_or(0));
                side(
                    rows.places[link.from],
                    rows.places[link.to],
                    *link,
                    (y, lane),
                )
            }
            None => down(rows.places[link.from], rows.places[link.to], *link),
        })
        .collect();
    Layout {
        size: Size {
            width: 0.0,
            height: 0.0,
        },
        nodes: rows.places,
        routes,
        is_list: true,
    }
}

/// Where everything stands from top to bottom.
struct Rows {
    places: Vec<Place>,
    /// Where each way turns to the side; none for those that run straight down.
    turn: Vec<Option<f64>>,
}

impl Rows {
    fn new(nodes: &[Size], links: &[Link]) -> Self {
        let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        for (index, link) in links.iter().enumerate() {
            leaving[link.from].push(index);
        }
        let mut rows = Self {
            places: Vec::with_capacity(nodes.len()),
            turn: vec![None; links.len()],
        };
        let mut y = 0.0;
        for (size, leaving) in nodes.iter().zip(leaving) {
            rows.places.push(Place {
                middle: Point {
                    x: size.width / 2.0,
                    y: y + size.height / 2.0,
                },
                size: *size,
            });
            y += size.height;
            let mut straight = BETWEEN;
            for index in leaving {
                let link = links[index];
                let height = link.label.map_or(12.0, |label| label.height);
                if link.straight && link.to == link.from + 1 {
                    straight += height;
                } else {
                    y += height + 6.0;
                    rows.turn[index] = Some(y - height / 2.0);
                }
            }
            y += straight;
        }
        rows
    }

    /// Right of every box and every label.
    fn right_edge(&self, links: &[Link]) -> f64 {
        let boxes = self.places.iter().map(|place| place.right());
        let labels = links.iter().filter_map(|link| link.label);
        let labels = labels.map(|label| INSET + AFTER_LABEL + label.width);
        boxes.chain(labels).fold(0.0, f64::max) + 2.0 * AFTER_LABEL
    }
}

/// A lane for each node that ways lead to from the side.
fn lanes_of(count: usize, links: &[Link]) -> Vec<Option<usize>> {
    let spans: Vec<Span> = (0..count)
        .map(|at| Span {
            top: at,
            bottom: at,
        })
        .collect();
    let mut spans = spans;
    for link in links {
        let span = &mut spans[link.to];
        span.top = span.top.min(link.from);
        span.bottom = span.bottom.max(link.from);
    }
    lanes::assign(&spans, usize::MAX)
}

fn side(from: Place, to: Place, link: Link, (y, lane): (f64, f64)) -> Route {
    let x = from.left() + INSET.min(from.size.width / 2.0);
    let at = |x, y| Point { x, y };
    let label = link.label.map(|size| Place {
        middle: at(x + AFTER_LABEL + size.width / 2.0, y),
        size,
    });
    let points = vec![
        at(x, from.bottom()),
        at(x, y),
        at(lane, y),
        at(lane, to.middle.y),
        at(to.right(), to.middle.y),
    ];
    Route {
        line: Line::Cornered(points),
        label,
    }
}

fn down(from: Place, to: Place, link: Link) -> Route {
    let inset = |place: Place| place.left() + INSET.min(place.size.width / 2.0);
    let (from_x, to_x) = (inset(from), inset(to));
    let at = |x, y| Point { x, y };
    let label = link.label.map(|size| Place {
        middle: at(
            from_x + AFTER_LABEL + size.width / 2.0,
            to.top() - BETWEEN / 2.0 - size.height / 2.0,
        ),
        size,
    });
    let middle = to.top() - BETWEEN / 2.0;
    let points = vec![
        at(from_x, from.bottom()),
        at(from_x, middle),
        at(to_x, middle),
        at(to_x, to.top()),
    ];
    Route {
        line: Line::Cornered(points),
        label,
    }
}
