//! Where everything stands on the paper: sizes in, places and lines out.
//!
//! The layers, the order within them and the coordinates are a library's work. What is too tangled
//! for it is laid out as a list, in time that grows with the picture and no faster.

mod layered;
mod listed;
mod ports;

/// A point of the paper; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// How large something is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Where something stands: its middle and its size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) middle: Point,
    pub(super) size: Size,
}

impl Place {
    pub(super) fn left(self) -> f64 {
        self.middle.x - self.size.width / 2.0
    }
    pub(super) fn right(self) -> f64 {
        self.middle.x + self.size.width / 2.0
    }
    pub(super) fn top(self) -> f64 {
        self.middle.y - self.size.height / 2.0
    }
    pub(super) fn bottom(self) -> f64 {
        self.middle.y + self.size.height / 2.0
    }
}

/// A way between two nodes, by their positions, with the size of its label.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Option<Size>,
    /// Whether it belongs to the straight course, which should be straight on the paper too.
    pub(super) straight: bool,
}

impl Link {
    /// Whether it leads against the order of the list.
    pub(super) fn is_back(self) -> bool {
        self.to <= self.from
    }
}

/// The line of a way.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// Through these points, upright in each of them.
    Curved(Vec<Point>),
    /// Through these points with corners.
    Cornered(Vec<Point>),
    /// From a node's side and back to it, as far as the middle point.
    Loop([Point; 3]),
}

impl Line {
    pub(super) fn points(&self) -> &[Point] {
        match self {
            Self::Curved(points) | Self::Cornered(points) => points,
            Self::Loop(points) => points,
        }
    }

    fn points_mut(&mut self) -> &mut [Point] {
        match self {
            Self::Curved(points) | Self::Cornered(points) => points,
            Self::Loop(points) => points,
        }
    }
}

/// A way on the paper.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Route {
    pub(super) line: Line,
    pub(super) label: Option<Place>,
}

/// A picture on the paper, whose upper left corner is the origin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub(super) size: Size,
    /// The nodes in their order.
    pub(super) nodes: Vec<Place>,
    /// The ways in their order.
    pub(super) routes: Vec<Route>,
    /// Whether it is only a list, because the ways are too many to be laid out in layers.
    pub(super) is_list: bool,
}

/// Space around the picture.
const MARGIN: f64 = 20.0;

/// What layers may cost: about a second of an ordinary machine. It is counted and not measured, so
/// that the same workflow has the same picture everywhere.
///
/// A long chain of steps is cheap; ways that reach far over it are not, because they need a place
/// in every layer between. A thousand steps with twenty such ways have layers, thirty steps always.
const LIMIT: Limit = Limit {
    reach: 12_000,
    work: 8_000_000,
};

/// How much layers may cost.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// How far the ways may reach altogether, in steps of the list.
    reach: usize,
    /// What the library may do, in its own units.
    work: usize,
}

impl Limit {
    #[cfg(test)]
    const NOTHING: Self = Self { reach: 0, work: 0 };

    fn allows(self, links: &[Link]) -> bool {
        let reach: usize = links.iter().map(|link| link.from.abs_diff(link.to)).sum();
        reach <= self.reach
    }
}

/// Finds a place for every node and a line for every way.
pub(super) fn lay_out(nodes: &[Size], links: &[Link]) -> Layout {
    lay_out_within(nodes, links, LIMIT)
}

/// The same as a list, however few the ways are.
#[cfg(test)]
pub(super) fn lay_out_as_list(nodes: &[Size], links: &[Link]) -> Layout {
    lay_out_within(nodes, links, Limit::NOTHING)
}

fn lay_out_within(nodes: &[Size], links: &[Link], limit: Limit) -> Layout {
    let layered = limit
        .allows(links)
        .then(|| layered::lay_out(nodes, links, limit.work));
    let mut layout = layered
        .flatten()
        .unwrap_or_else(|| listed::lay_out(nodes, links));
    layout.move_to_origin();
    layout
}

impl Layout {
    /// Moves everything so that nothing stands outside the paper, and cuts the paper to size.
    fn move_to_origin(&mut self) {
        let labels = self.routes.iter().filter_map(|route| route.label);
        let places: Vec<Place> = self.nodes.iter().copied().chain(labels).collect();
        let points = || self.routes.iter().flat_map(|route| route.line.points());
        let xs = || {
            places
                .iter()
                .flat_map(|place| [place.left(), place.right()])
                .chain(points().map(|point| point.x))
        };
        let ys = || {
            places
                .iter()
                .flat_map(|place| [place.top(), place.bottom()])
                .chain(points().map(|point| point.y))
        };
        let (left, right) = (xs().fold(f64::MAX, f64::min), xs().fold(f64::MIN, f64::max));
        let (top, bottom) = (ys().fold(f64::MAX, f64::min), ys().fold(f64::MIN, f64::max));
        self.size = Size {
            width: right - left + 2.0 * MARGIN,
            height: bottom - top + 2.0 * MARGIN,
        };
        let shift = |point: &mut Point| {
            point.x += MARGIN - left;
            point.y += MARGIN - top;
        };
        self.nodes
            .iter_mut()
            .for_each(|place| shift(&mut place.middle));
        for route in &mut self.routes {
            route.line.points_mut().iter_mut().for_each(shift);
            if let Some(label) = &mut route.label {
                shift(&mut label.middle);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_tangled_becomes_a_list() {
        let size = Size {
            width: 100.0,
            height: 40.0,
        };
        let link = |from, to| Link {
            from,
            to,
            label: Some(size),
            straight: to == from + 1,
        };
        let links: Vec<Link> = (0..20)
            .flat_map(|from| [link(from, from + 1), link(from, (from * 7) % 20)])
            .collect();
        let nodes = vec![size; 21];
        assert!(!lay_out(&nodes, &links).is_list);
        for limit in [
            Limit {
                work: 1_000,
                ..LIMIT
            },
            Limit { reach: 40, ..LIMIT },
        ] {
            let list = lay_out_within(&nodes, &links, limit);
            assert!(list.is_list);
            assert_eq!((list.nodes.len(), list.routes.len()), (21, links.len()));
        }
    }
}
