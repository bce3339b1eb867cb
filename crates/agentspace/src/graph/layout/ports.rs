//! Where lines meet boxes: side by side instead of all in one point, and upright beside boxes.

use super::{Line, Link, Place, Point, Route};

/// The widest space between two lines at the same side of a box.
const BETWEEN: f64 = 26.0;

/// One end of a line: which line, and where it comes from or goes to.
struct End {
    route: usize,
    first: bool,
    x: f64,
}

/// Spreads the ends of lines over the sides of their boxes, in the order in which they come in.
/// Lines run from the upper to the lower box.
pub(super) fn attach(nodes: &[Place], links: &[Link], routes: &mut [Route]) {
    let mut below: Vec<Vec<End>> = nodes.iter().map(|_| Vec::new()).collect();
    let mut above: Vec<Vec<End>> = nodes.iter().map(|_| Vec::new()).collect();
    for (index, (route, link)) in routes.iter().zip(links).enumerate() {
        let Line::Curved(points) = &route.line else {
            continue;
        };
        let [_, second, ..] = points.as_slice() else {
            continue;
        };
        let last = points[points.len() - 2];
        let end = |first, x| End {
            route: index,
            first,
            x,
        };
        below[link.from.min(link.to)].push(end(true, second.x));
        above[link.from.max(link.to)].push(end(false, last.x));
    }
    for (node, (below, above)) in nodes.iter().zip(below.into_iter().zip(above)) {
        spread(*node, node.bottom(), below, routes);
        spread(*node, node.top(), above, routes);
    }
}

fn spread(node: Place, y: f64, mut ends: Vec<End>, routes: &mut [Route]) {
    ends.sort_by(|one, other| one.x.total_cmp(&other.x));
    let count = ends.len();
    let gap = if count > 1 {
        (node.size.width * 0.7 / as_number(count - 1)).min(BETWEEN)
    } else {
        0.0
    };
    let left = node.middle.x - gap * as_number(count.saturating_sub(1)) / 2.0;
    for (place, end) in ends.iter().enumerate() {
        let point = Point {
            x: left + gap * as_number(place),
            y,
        };
        if let Line::Curved(points) = &mut routes[end.route].line {
            let at = if end.first { 0 } else { points.len() - 1 };
            points[at] = point;
        }
    }
}

/// Lets lines run upright where they pass between boxes or labels of the same row: the library
/// keeps a place free there, and a curve would leave it too early.
pub(super) fn keep_upright_beside_boxes(nodes: &[Place], routes: &mut [Route]) {
    let labels = routes.iter().filter_map(|route| route.label);
    let mut rows: Vec<(f64, f64)> = nodes
        .iter()
        .copied()
        .chain(labels)
        .map(|place| (place.middle.y, place.size.height / 2.0))
        .collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0).then(other.1.total_cmp(&one.1)));
    // The highest of a row comes first and stays.
    rows.dedup_by(|later, kept| (later.0 - kept.0).abs() < 0.5);
    for route in routes {
        if let Line::Curved(points) = &mut route.line {
            *points = upright(points, &rows);
        }
    }
}

fn upright(points: &[Point], rows: &[(f64, f64)]) -> Vec<Point> {
    let mut all = Vec::with_capacity(points.len() * 2);
    let last = points.len().saturating_sub(1);
    for (index, point) in points.iter().enumerate() {
        let at = rows.partition_point(|row| row.0 < point.y - 0.5);
        match rows.get(at) {
            Some((middle, half))
                if index != 0 && index != last && (middle - point.y).abs() <= 0.5 =>
            {
                let with_y = |y| Point { x: point.x, y };
                all.extend([with_y(middle - half), with_y(middle + half)]);
            }
            Some(_) | None => all.push(*point),
        }
    }
    all
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts the ends of lines at one box, far below 2^52"
)]
fn as_number(count: usize) -> f64 {
    count as f64
}
