//! How many keystrokes lie between two words, at a cost that no text can drive up.

/// Most characters of a word, without what it shares with the other at both ends, that is
/// compared: who mistypes a longer one is not helped by a guess.
const LONGEST: usize = 100;
/// What it costs to look at a word at all, in steps of a comparison.
const LOOK: usize = 32;

/// The work that may still be done for guesses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort(usize);

impl Default for Effort {
    /// Enough for every mistake in a text that a person writes; of thousands of mistakes beside
    /// thousands of names, the first hundred.
    fn default() -> Self {
        Self(3_000_000)
    }
}

impl Effort {
    /// How far two words are from each other; none if further than `limit` or no effort is left.
    pub(super) fn distance(&mut self, one: &str, other: &str, limit: usize) -> Option<usize> {
        self.0 = self.0.checked_sub(LOOK)?;
        // A character has at most four bytes.
        if one.len().abs_diff(other.len()) > 4 * limit {
            return None;
        }
        let (one, other) = unlike(one, other);
        if letters_apart(one, other) > limit {
            return None;
        }
        let (length, others) = (one.chars().count(), other.chars().count());
        if length.abs_diff(others) > limit || length.max(others) > LONGEST {
            return None;
        }
        self.0 = self.0.checked_sub(length * others)?;
        let distance = strsim::damerau_levenshtein(one, other);
        (distance <= limit).then_some(distance)
    }
}

/// Both words without what they begin and end with in common, which no change has to touch.
fn unlike<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    let same = |(a, b): &(char, char)| a == b;
    let length = |(a, _): (char, char)| a.len_utf8();
    let begin: usize = one
        .chars()
        .zip(other.chars())
        .take_while(same)
        .map(length)
        .sum();
    let (one, other) = (&one[begin..], &other[begin..]);
    let end: usize = one
        .chars()
        .rev()
        .zip(other.chars().rev())
        .take_while(same)
        .map(length)
        .sum();
    (&one[..one.len() - end], &other[..other.len() - end])
}

/// The least number of changes that the letters need, in whatever order they stand: bytes that one
/// word has more often than the other.
fn letters_apart(one: &str, other: &str) -> usize {
    if !one.is_ascii() || !other.is_ascii() {
        return 0;
    }
    let mut counts = [0_i32; 128];
    for byte in one.bytes() {
        counts[usize::from(byte)] += 1;
    }
    for byte in other.bytes() {
        counts[usize::from(byte)] -= 1;
    }
    let (mut more, mut less) = (0, 0);
    for count in counts {
        if count > 0 {
            more += count.unsigned_abs();
        } else {
            less += count.unsigned_abs();
        }
    }
    more.max(less) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_distance_of_whole_words_up_to_the_limit(
            one in "[abcé]{0,8}", other in "[abcé]{0,8}", limit in 0_usize..5,
        ) {
            let whole = strsim::damerau_levenshtein(&one, &other);
            let expected = (whole <= limit).then_some(whole);
            prop_assert_eq!(Effort::default().distance(&one, &other, limit), expected);
        }
    }

    #[test]
    fn words_that_are_too_long_or_too_many_are_not_compared() {
        let long = "ab".repeat(100_000);
        let turned = "ba".repeat(100_000);
        let mut effort = Effort::default();
        assert_eq!(effort.distance(&long, &turned, 3), None);
        let looks = (0..).take_while(|_| effort.distance("one", "eno", 3).is_some());
        assert!(looks.count() < 100_000);
    }
}
