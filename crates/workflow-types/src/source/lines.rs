//! The lines of a text, counted once: afterwards each place is found without reading the text again.

use std::ops::Range;

use super::LineColumn;

/// Bytes between two places whose characters are counted: what is read for one column at most.
const STRIDE: usize = 1024;

/// Where the lines of a text begin, and how many characters stand before some of its bytes.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    /// The first byte of each line; never empty.
    starts: Vec<usize>,
    /// The characters before every [`STRIDE`]th byte, which may lie within one of them.
    characters: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let mut characters = vec![0];
        for chunk in text.as_bytes().chunks(STRIDE) {
            let before = characters.last().copied().unwrap_or_default();
            characters.push(before + count(chunk));
        }
        Self {
            starts: std::iter::once(0)
                .chain(ends.map(|(at, _)| at + 1))
                .collect(),
            characters,
        }
    }

    /// Line and column of a byte of the text at which a character begins.
    pub(super) fn place(&self, text: &str, byte: usize) -> LineColumn {
        let line = self.line_of(byte);
        let before = |byte| self.characters_before(text, byte);
        LineColumn {
            line: line + 1,
            column: before(byte) - before(self.starts[line]) + 1,
        }
    }

    /// The bytes of all lines that a range touches, with their ends, and the number of the first.
    pub(super) fn around(&self, text: &str, range: &Range<usize>) -> (Range<usize>, usize) {
        let (first, last) = (self.line_of(range.start), self.line_of(range.end));
        let end = self.starts.get(last + 1).copied().unwrap_or(text.len());
        (self.starts[first]..end, first + 1)
    }

    /// The line that holds a byte, from 0.
    fn line_of(&self, byte: usize) -> usize {
        // The first line begins at 0, so that at least one begins at or before every byte.
        self.starts.partition_point(|start| *start <= byte) - 1
    }

    fn characters_before(&self, text: &str, byte: usize) -> usize {
        let counted = byte / STRIDE;
        self.characters[counted] + count(&text.as_bytes()[counted * STRIDE..byte])
    }
}

/// How many characters begin in these bytes.
fn count(bytes: &[u8]) -> usize {
    let begins = |byte: &&u8| !matches!(byte, 0x80..=0xBF);
    bytes.iter().filter(begins).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_is_what_counting_from_the_start_finds(
            parts in proptest::collection::vec("[a-z\né☕😀]{0,400}|\r\n|", 0..12),
            at in any::<prop::sample::Index>(),
        ) {
            let text = parts.concat();
            let lines = Lines::of(&text);
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            let ends: Vec<usize> = ends.collect();
            let byte = ends[at.index(ends.len())];
            let before = &text[..byte];
            let start = before.rfind('\n').map_or(0, |at| at + 1);
            let expected = LineColumn {
                line: before.matches('\n').count() + 1,
                column: before[start..].chars().count() + 1,
            };
            prop_assert_eq!(lines.place(&text, byte), expected);
            let (whole, first) = lines.around(&text, &(byte..byte));
            prop_assert_eq!((whole.start, first), (start, expected.line));
            let end = text[byte..].find('\n').map_or(text.len(), |end| byte + end + 1);
            prop_assert_eq!(whole.end, end);
        }
    }
}
