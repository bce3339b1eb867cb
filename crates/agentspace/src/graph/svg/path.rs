//! Lines as SVG paths, and the arrows at their ends.

use std::fmt::Write as _;

use crate::graph::layout::{Line, Point};

/// How round the corners are.
const ROUND: f64 = 8.0;

/// The data of a path.
pub(super) fn data(line: &Line) -> String {
    match line {
        Line::Curved(points) => curved(points),
        Line::Cornered(points) => cornered(points),
        Line::Loop([begin, far, end]) => {
            // A curve comes three quarters of the way to its handles.
            let x = begin.x + (far.x - begin.x) * 4.0 / 3.0;
            format!(
                "M{} C{x:.1},{:.1} {x:.1},{:.1} {}",
                at(*begin),
                begin.y - 6.0,
                end.y + 6.0,
                at(*end)
            )
        }
    }
}

/// Upright in every point, so that lines leave boxes at a right angle and pass between others.
fn curved(points: &[Point]) -> String {
    let mut data = String::new();
    for (index, point) in points.iter().enumerate() {
        match index.checked_sub(1).map(|before| points[before]) {
            None => {
                let _ = write!(data, "M{}", at(*point));
            }
            Some(before) if (before.x - point.x).abs() < 0.05 => {
                let _ = write!(data, " L{}", at(*point));
            }
            Some(before) => {
                let middle = f64::midpoint(before.y, point.y);
                let _ = write!(
                    data,
                    " C{:.1},{middle:.1} {:.1},{middle:.1} {}",
                    before.x,
                    point.x,
                    at(*point)
                );
            }
        }
    }
    data
}

fn cornered(points: &[Point]) -> String {
    let mut data = String::new();
    for (index, point) in points.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| points[before]);
        match (before, points.get(index + 1)) {
            (None, _) => {
                let _ = write!(data, "M{}", at(*point));
            }
            (Some(_), None) => {
                let _ = write!(data, " L{}", at(*point));
            }
            (Some(before), Some(after)) => {
                let (enter, leave) = (towards(*point, before), towards(*point, *after));
                let _ = write!(data, " L{} Q{} {}", at(enter), at(*point), at(leave));
            }
        }
    }
    data
}

/// The point a little before a corner, on the way to another point.
fn towards(corner: Point, other: Point) -> Point {
    let (dx, dy) = (other.x - corner.x, other.y - corner.y);
    let length = dx.hypot(dy);
    let share = if length > 0.0 {
        (ROUND / length).min(0.5)
    } else {
        0.0
    };
    Point {
        x: corner.x + dx * share,
        y: corner.y + dy * share,
    }
}

fn at(point: Point) -> String {
    format!("{:.1},{:.1}", point.x, point.y)
}

/// The arrow of a kind of way.
pub(super) fn marker(kind: &str) -> String {
    format!(
        "<marker id=\"wf-{kind}\" class=\"arrow {kind}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" \
         markerUnits=\"userSpaceOnUse\" markerWidth=\"10\" markerHeight=\"10\" orient=\"auto\">\
         <path d=\"M0.5,1 L9.5,5 L0.5,9 L2.5,5 z\"/></marker>\n"
    )
}
