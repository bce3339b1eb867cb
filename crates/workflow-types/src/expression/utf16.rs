//! Strings as JavaScript sees them: counted, cut and compared in UTF-16 code units.
//!
//! Knows nothing of expressions or values. Our strings are UTF-8 and cannot hold half of a
//! surrogate pair, so a cut through a character leaves U+FFFD, which is one unit as the half was
//! (JavaScript's own `toWellFormed` does the same).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

const HALF: &str = "\u{FFFD}";

/// How many UTF-16 code units `text` has: JavaScript's `.length`.
pub(super) fn length(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.chars().map(char::len_utf16).sum()
}

/// Order by code units, which differs from the order of `str` beyond U+FFFF.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

/// The white space and line ends that JavaScript trims; Rust's set has U+0085 and lacks U+FEFF.
pub(super) fn is_space(c: char) -> bool {
    c == '\u{FEFF}' || (c != '\u{85}' && c.is_whitespace())
}

/// `text` without the white space at its ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Where a count of code units falls in the bytes of a string.
#[derive(Clone, Copy)]
enum Place {
    /// Between two characters.
    Between(usize),
    /// In the middle of the character that has these first and last bytes.
    Within(usize, usize),
}

impl Place {
    fn find(text: &str, units: usize) -> Self {
        if text.is_ascii() {
            return Self::Between(units.min(text.len()));
        }
        let mut seen = 0;
        for (at, c) in text.char_indices() {
            if seen >= units {
                return Self::Between(at);
            }
            seen += c.len_utf16();
            if seen > units {
                return Self::Within(at, at + c.len_utf8());
            }
        }
        Self::Between(text.len())
    }
}

/// The code units of `range`, which must not be reversed; ends beyond the text are its end.
pub(super) fn slice(text: &str, range: Range<usize>) -> Cow<'_, str> {
    if range.is_empty() {
        return Cow::Borrowed("");
    }
    let (before, start) = match Place::find(text, range.start) {
        Place::Between(at) => ("", at),
        Place::Within(_, after) => (HALF, after),
    };
    let (end, behind) = match Place::find(text, range.end) {
        Place::Between(at) => (at, ""),
        Place::Within(at, _) => (at, HALF),
    };
    let whole = text.get(start..end).unwrap_or_default();
    if before.is_empty() && behind.is_empty() {
        return Cow::Borrowed(whole);
    }
    Cow::Owned([before, whole, behind].concat())
}

/// The first unit at or after `from` where `needle` begins.
pub(super) fn find(text: &str, needle: &str, from: usize) -> Option<usize> {
    if needle.is_empty() {
        return Some(from.min(length(text)));
    }
    // A whole character cannot begin inside another, so a place within one means after it.
    let start = match Place::find(text, from) {
        Place::Between(at) => at,
        Place::Within(_, after) => after,
    };
    let found = start + text.get(start..)?.find(needle)?;
    text.get(..found).map(length)
}

/// Whether `needle` stands exactly at unit `from`.
pub(super) fn starts_at(text: &str, needle: &str, from: usize) -> bool {
    match Place::find(text, from) {
        Place::Between(at) => text.get(at..).is_some_and(|rest| rest.starts_with(needle)),
        Place::Within(..) => needle.is_empty(),
    }
}

/// Whether the units before `end` end with `needle`.
pub(super) fn ends_at(text: &str, needle: &str, end: usize) -> bool {
    match Place::find(text, end) {
        Place::Between(at) => text.get(..at).is_some_and(|head| head.ends_with(needle)),
        Place::Within(..) => needle.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_code_units() {
        assert_eq!(length("abc"), 3);
        assert_eq!(length("é"), 1);
        assert_eq!(length("a😀b"), 4);
    }

    #[test]
    fn order_is_by_code_units() {
        assert_eq!(compare("\u{FFFF}", "😀"), Ordering::Greater);
        assert_eq!(compare("a", "ab"), Ordering::Less);
    }

    #[test]
    fn a_cut_through_a_character_leaves_a_replacement() {
        assert_eq!(slice("a😀b", 0..2), "a\u{FFFD}");
        assert_eq!(slice("a😀b", 2..4), "\u{FFFD}b");
        assert_eq!(slice("a😀b", 2..3), "\u{FFFD}");
        assert_eq!(slice("a😀b", 1..3), "😀");
        assert_eq!(slice("a😀b", 2..2), "");
        assert_eq!(slice("😀😀", 1..3), "\u{FFFD}\u{FFFD}");
        assert_eq!(slice("ab", 1..9), "b");
    }

    #[test]
    fn searches_take_and_give_code_units() {
        assert_eq!(find("😀x😀x", "x", 0), Some(2));
        assert_eq!(find("😀x😀x", "x", 3), Some(5));
        assert_eq!(find("😀", "😀", 1), None);
        assert_eq!(find("😀", "", 1), Some(1));
        assert_eq!(find("ab", "", 9), Some(2));
        assert!(starts_at("😀x", "x", 2));
        assert!(!starts_at("😀x", "x", 1));
        assert!(ends_at("a😀", "a", 1));
        assert!(!ends_at("a😀", "😀", 2));
        assert!(ends_at("a😀", "", 2));
    }

    #[test]
    fn spaces_are_those_of_javascript() {
        assert_eq!(trim("\u{FEFF}\u{A0}\u{2028} a \t\r\n"), "a");
        assert_eq!(trim("\u{85}a"), "\u{85}a");
    }
}
