//! Lanes beside a list: which of the lines that run down its side can share a column.

/// From where to where a line runs, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) top: usize,
    pub(super) bottom: usize,
}

impl Span {
    fn touches(self, other: Self) -> bool {
        self.top <= other.bottom && other.top <= self.bottom
    }

    /// Whether a line runs here.
    pub(super) fn holds(self, row: usize) -> bool {
        (self.top..=self.bottom).contains(&row)
    }
}

/// A lane for each span, the shortest nearest to the list; none where all of `most` are taken.
pub(super) fn assign(spans: &[Span], most: usize) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|index| (spans[*index].bottom - spans[*index].top, *index));
    let mut lanes: Vec<Vec<Span>> = Vec::new();
    let mut assigned = vec![None; spans.len()];
    for index in order {
        let span = spans[index];
        let free = |lane: &Vec<Span>| lane.iter().all(|other| !other.touches(span));
        match lanes.iter().position(free) {
            Some(lane) => {
                lanes[lane].push(span);
                assigned[index] = Some(lane);
            }
            None if lanes.len() < most => {
                assigned[index] = Some(lanes.len());
                lanes.push(vec![span]);
            }
            None => {}
        }
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(top: usize, bottom: usize) -> Span {
        Span { top, bottom }
    }

    #[test]
    fn spans_that_touch_have_lanes_of_their_own_and_others_share() {
        let spans = [span(0, 9), span(1, 2), span(3, 4), span(4, 6)];
        assert_eq!(assign(&spans, 9), [Some(2), Some(0), Some(0), Some(1)]);
        assert_eq!(assign(&spans, 2), [None, Some(0), Some(0), Some(1)]);
    }
}
