//! For every step at once, which others can have run before it: the closure of the graph.
//!
//! Steps that lie on common loops have the same ones before them, so they are put in groups
//! first; between groups there are no loops, and each group takes over what its predecessors have.

const BITS: usize = u64::BITS as usize;

/// The steps before each step, as sets of bits.
pub(super) struct Earlier {
    group_of: Vec<usize>,
    sets: Vec<Vec<u64>>,
}

impl Earlier {
    /// From the ways forth and back.
    pub(super) fn new(next: &[Vec<usize>], previous: &[Vec<usize>]) -> Self {
        let groups = groups(next, previous);
        let mut group_of = vec![0; next.len()];
        for (group, members) in groups.iter().enumerate() {
            for member in members {
                group_of[*member] = group;
            }
        }
        let mut sets: Vec<Vec<u64>> = Vec::with_capacity(groups.len());
        for (group, members) in groups.iter().enumerate() {
            let mut set = vec![0; next.len().div_ceil(BITS)];
            for from in members.iter().flat_map(|member| &previous[*member]) {
                let other = group_of[*from];
                if other == group || holds(&set, *from) {
                    // Within a group every step is before every other, see below.
                    continue;
                }
                for (word, theirs) in set.iter_mut().zip(&sets[other]) {
                    *word |= theirs;
                }
                insert(&mut set, *from);
            }
            let inside = |from: &usize| group_of[*from] == group;
            if members
                .iter()
                .any(|member| previous[*member].iter().any(inside))
            {
                for member in members {
                    insert(&mut set, *member);
                }
            }
            sets.push(set);
        }
        Self { group_of, sets }
    }

    /// Whether two steps lie on common loops, or are the same one.
    pub(super) fn together(&self, step: usize, other: usize) -> bool {
        self.group_of[step] == self.group_of[other]
    }

    /// Whether `other` can have run before `step`.
    pub(super) fn holds(&self, step: usize, other: usize) -> bool {
        holds(&self.sets[self.group_of[step]], other)
    }
}

fn insert(set: &mut [u64], position: usize) {
    set[position / BITS] |= 1 << (position % BITS);
}

fn holds(set: &[u64], position: usize) -> bool {
    set[position / BITS] >> (position % BITS) & 1 == 1
}

/// The steps by the loops that they share, each group after those that lead to it (Kosaraju).
fn groups(next: &[Vec<usize>], previous: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut seen = vec![false; next.len()];
    let mut groups = Vec::new();
    for start in finished(next).into_iter().rev() {
        let mut members = Vec::new();
        let mut open = vec![start];
        while let Some(position) = open.pop() {
            if !std::mem::replace(&mut seen[position], true) {
                members.push(position);
                open.extend(&previous[position]);
            }
        }
        if !members.is_empty() {
            groups.push(members);
        }
    }
    groups
}

/// The steps in the order in which a walk into the depth is done with them.
fn finished(next: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; next.len()];
    let mut order = Vec::with_capacity(next.len());
    for start in 0..next.len() {
        let mut open = Vec::new();
        if !std::mem::replace(&mut seen[start], true) {
            open.push((start, next[start].iter()));
        }
        while let Some((position, ways)) = open.last_mut() {
            match ways.next() {
                Some(to) if !std::mem::replace(&mut seen[*to], true) => {
                    open.push((*to, next[*to].iter()));
                }
                Some(_) => {}
                None => {
                    order.push(*position);
                    open.pop();
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Earlier;

    /// A walk back from one step, as the closure's definition has it.
    fn walked(previous: &[Vec<usize>], step: usize) -> Vec<bool> {
        let mut seen = vec![false; previous.len()];
        let mut open = previous[step].clone();
        while let Some(position) = open.pop() {
            if !std::mem::replace(&mut seen[position], true) {
                open.extend(&previous[position]);
            }
        }
        seen
    }

    fn ways() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
        (1..90_usize).prop_flat_map(|count| {
            let ways = prop::collection::vec((0..count, 0..count), 0..2 * count);
            (Just(count), ways)
        })
    }

    proptest! {
        #[test]
        fn the_closure_is_what_a_walk_from_each_step_finds((count, ways) in ways()) {
            let mut next = vec![Vec::new(); count];
            let mut previous = vec![Vec::new(); count];
            for (from, to) in ways {
                next[from].push(to);
                previous[to].push(from);
            }
            let earlier = Earlier::new(&next, &previous);
            for step in 0..count {
                let found: Vec<bool> = (0..count).map(|other| earlier.holds(step, other)).collect();
                prop_assert_eq!(found, walked(&previous, step), "step {}", step);
            }
        }
    }
}
