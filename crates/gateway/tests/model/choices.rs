//! Chance that can be repeated and made smaller: everything generated follows from a list of
//! numbers, in which a smaller number, or none, means something simpler.

/// Where the numbers come from.
pub(crate) struct Choices {
    /// The numbers that were taken so far.
    taken: Vec<u32>,
    source: Source,
}

enum Source {
    /// `SplitMix64`.
    Seed(u64),
    /// A list; behind its end there are only zeros.
    List(Vec<u32>),
}

impl Choices {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::of(Source::Seed(seed))
    }

    pub(crate) fn repeated(numbers: &[u32]) -> Self {
        Self::of(Source::List(numbers.to_vec()))
    }

    fn of(source: Source) -> Self {
        Self {
            taken: Vec::new(),
            source,
        }
    }

    /// The numbers from which everything followed.
    pub(crate) fn taken(self) -> Vec<u32> {
        self.taken
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        let number = match &mut self.source {
            Source::Seed(state) => next(state),
            Source::List(numbers) => numbers.get(self.taken.len()).copied().unwrap_or(0),
        };
        let number = number % limit.max(1);
        self.taken.push(number);
        number
    }

    /// A place in a list of so many.
    pub(crate) fn place(&mut self, among: usize) -> usize {
        self.below(u32::try_from(among).unwrap_or(u32::MAX)) as usize
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) >= 100 - percent
    }

    /// One of these; the first is the simplest.
    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.place(of.len())].clone()
    }

    /// One of these or, in the other cases, none.
    pub(crate) fn maybe<T: Clone>(&mut self, percent: u32, of: &[T]) -> Option<T> {
        self.chance(percent).then(|| self.one(of))
    }
}

fn next(state: &mut u64) -> u32 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 32) as u32
}

/// A list of numbers that is as small as was found with so many tries, and still fails.
pub(crate) fn smaller(
    numbers: Vec<u32>,
    mut tries: u32,
    fails: impl Fn(&[u32]) -> bool,
) -> Vec<u32> {
    let mut best = numbers;
    loop {
        let before = best.clone();
        let mut chunk = best.len().next_power_of_two() / 2;
        while chunk > 0 {
            let mut from = 0;
            while from < best.len() {
                let mut shorter = best.clone();
                shorter.drain(from..(from + chunk).min(best.len()));
                if !attempt(&mut best, shorter, &mut tries, &fails) {
                    from += chunk;
                }
            }
            chunk /= 2;
        }
        for place in 0..best.len() {
            for less in [0, best[place] / 2, best[place].saturating_sub(1)] {
                let mut lower = best.clone();
                lower[place] = less;
                if less < best[place] && attempt(&mut best, lower, &mut tries, &fails) {
                    break;
                }
            }
        }
        if tries == 0 || best == before {
            return best;
        }
    }
}

fn attempt(
    best: &mut Vec<u32>,
    candidate: Vec<u32>,
    tries: &mut u32,
    fails: &impl Fn(&[u32]) -> bool,
) -> bool {
    if *tries == 0 {
        return false;
    }
    *tries -= 1;
    let still = fails(&candidate);
    if still {
        *best = candidate;
    }
    still
}

#[test]
fn a_failure_is_made_as_small_as_it_can_be() {
    let mut choices = Choices::seeded(7);
    while choices.taken.len() < 100 {
        choices.below(50);
    }
    let numbers = choices.taken();
    let fails = |numbers: &[u32]| numbers.iter().filter(|number| **number > 10).count() > 2;
    assert!(fails(&numbers));
    assert_eq!(smaller(numbers, 10_000, fails), [11, 11, 11]);
}
