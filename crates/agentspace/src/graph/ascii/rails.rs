//! The rails beside a list of boxes: one for each place that ways lead to, from all of them.

use std::collections::HashMap;

use gateway::workflow_types::definition::picture::NodeId;

use crate::graph::lanes::{self, Span};
use crate::graph::words::width;

/// How many columns a rail takes.
pub(super) const WIDTH: usize = 2;

/// What a line has to do with a rail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rail {
    /// A way goes to the rail of the place where it leads.
    Leave(NodeId),
    /// The rail of this place comes in, if there is one.
    Enter(NodeId),
}

/// The rails of a picture: where each runs, nearest first, and what each line has to do with them.
pub(super) struct Rails {
    /// The lines that each lane has.
    lanes: Vec<Vec<Span>>,
    joins: Vec<Option<Join>>,
}

#[derive(Clone, Copy)]
enum Join {
    Leave(usize),
    Enter(usize),
}

/// Finds a lane for each place that ways lead to; without a lane the words alone say it.
pub(super) fn lay(rows: &[Option<Rail>], most: usize) -> Rails {
    let mut places: Vec<(&NodeId, Vec<usize>, Option<usize>)> = Vec::new();
    let mut known: HashMap<&NodeId, usize> = HashMap::new();
    for (at, rail) in rows.iter().enumerate() {
        let Some(rail) = rail else { continue };
        let (Rail::Leave(place) | Rail::Enter(place)) = rail;
        let index = *known.entry(place).or_insert_with(|| {
            places.push((place, Vec::new(), None));
            places.len() - 1
        });
        match rail {
            Rail::Leave(_) => places[index].1.push(at),
            Rail::Enter(_) => places[index].2 = Some(at),
        }
    }
    places.retain(|(_, leave, _)| !leave.is_empty());
    let spans: Vec<Span> = places
        .iter()
        .map(|(_, leave, enter)| {
            let all = || leave.iter().chain(enter).copied();
            Span {
                top: all().min().unwrap_or_default(),
                bottom: all().max().unwrap_or_default(),
            }
        })
        .collect();
    let mut rails = Rails {
        lanes: Vec::new(),
        joins: vec![None; rows.len()],
    };
    let assigned = lanes::assign(&spans, most);
    for ((span, (_, leave, enter)), lane) in spans.iter().zip(&places).zip(assigned) {
        if let Some(lane) = lane {
            rails.add(lane, *span, leave, *enter);
        }
    }
    rails
}

impl Rails {
    fn add(&mut self, lane: usize, span: Span, leave: &[usize], enter: Option<usize>) {
        while self.lanes.len() <= lane {
            self.lanes.push(Vec::new());
        }
        self.lanes[lane].push(span);
        for row in leave {
            self.joins[*row] = Some(Join::Leave(lane));
        }
        if let Some(row) = enter {
            self.joins[row] = Some(Join::Enter(lane));
        }
    }

    /// How many columns all of them take.
    pub(super) fn columns(&self) -> usize {
        if self.lanes.is_empty() {
            0
        } else {
            self.lanes.len() * WIDTH + 2
        }
    }

    /// A line with the rails to the right of it, which begin after so many columns.
    pub(super) fn draw(&self, row: usize, text: &str, columns: usize) -> String {
        let join = self.joins[row];
        let missing = columns.saturating_sub(width(text));
        let (fill, to) = match join {
            None => (" ".repeat(missing + 2), None),
            Some(Join::Leave(lane)) => (format!(" {}", "-".repeat(missing + 1)), Some(lane)),
            Some(Join::Enter(lane)) => (format!(" <{}", "-".repeat(missing)), Some(lane)),
        };
        let mut drawn = format!("{text}{fill}");
        for (lane, spans) in self.lanes.iter().enumerate() {
            let runs = spans.iter().any(|span| span.holds(row));
            let before = to.is_some_and(|to| lane <= to);
            drawn.push(if before { '-' } else { ' ' });
            drawn.push(match to {
                Some(to) if to == lane => '+',
                Some(_) | None if runs => '|',
                Some(_) | None if before => '-',
                Some(_) | None => ' ',
            });
        }
        drawn
    }
}
