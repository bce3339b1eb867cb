//! Texts as they would read without their encoding, with where each byte of them came from.
//!
//! What a tool echoes may be escaped, percent-encoded or folded; which characters it chose to
//! encode does not matter to whoever reads it decoded. Must not know what is looked for.

use std::ops::Range;

/// A text as it would read, and the bytes of the original that each of its bytes came from.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// Begin and end, in bytes of the original.
    spans: Vec<(u32, u32)>,
}

impl View {
    /// The text as it is.
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        let spans = (0..bytes.len()).map(|at| (short(at), short(at + 1)));
        Self {
            spans: spans.collect(),
            bytes,
        }
    }

    /// Where a range of this view stands in the original.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        let place = |at: usize| self.spans.get(at).copied().unwrap_or_default();
        let (start, _) = place(range.start);
        let (_, end) = place(range.end.saturating_sub(1));
        long(start)..long(end)
    }

    /// Every way to read a text that is not the text itself: two encodings deep, and without the
    /// ends of lines.
    pub(super) fn all_but(self) -> Vec<Self> {
        let mut views = vec![self];
        let mut from = 0;
        for _ in 0..2 {
            let to = views.len();
            let more: Vec<Self> = views[from..to].iter().flat_map(Self::decoded).collect();
            views.extend(more);
            from = to;
        }
        let unfolded: Vec<Self> = views.iter().filter_map(Self::unfolded).collect();
        views.remove(0);
        views.extend(unfolded);
        views
    }

    fn decoded(&self) -> Vec<Self> {
        let mut views = Vec::new();
        if self.bytes.contains(&b'\\') {
            views.push(self.read_by(unescaped));
        }
        if self.bytes.contains(&b'%') {
            views.push(self.read_by(percent));
        }
        if self.bytes.contains(&b'+') {
            views.push(self.read_by(form));
        }
        views
    }

    fn unfolded(&self) -> Option<Self> {
        let folds = |byte: &u8| matches!(byte, b'\n' | b'\r');
        self.bytes.iter().any(folds).then(|| {
            self.read_by(|rest| match rest.first() {
                Some(b'\n' | b'\r') => Some((1, Read::Nothing)),
                Some(_) | None => None,
            })
        })
    }

    /// Reads from the left; what `reader` does not know stands for itself.
    fn read_by(&self, reader: fn(&[u8]) -> Option<(usize, Read)>) -> Self {
        let mut view = Self {
            bytes: Vec::with_capacity(self.bytes.len()),
            spans: Vec::with_capacity(self.bytes.len()),
        };
        let mut at = 0;
        while let Some(first) = self.bytes.get(at) {
            let (length, read) = reader(&self.bytes[at..]).unwrap_or((1, Read::Byte(*first)));
            let original = self.original(at..at + length);
            let span = (short(original.start), short(original.end));
            let mut buffer = [0; 4];
            let bytes: &[u8] = match read {
                Read::Nothing => &[],
                Read::Byte(byte) => {
                    buffer[0] = byte;
                    &buffer[..1]
                }
                Read::Char(character) => character.encode_utf8(&mut buffer).as_bytes(),
            };
            view.bytes.extend_from_slice(bytes);
            view.spans.extend(bytes.iter().map(|_| span));
            at += length;
        }
        view
    }
}

/// What a piece of an encoded text stands for.
enum Read {
    Nothing,
    Byte(u8),
    Char(char),
}

/// `%2B` as a URL has it.
fn percent(rest: &[u8]) -> Option<(usize, Read)> {
    let [b'%', high, low, ..] = rest else {
        return None;
    };
    Some((3, Read::Byte(hex(*high)? * 16 + hex(*low)?)))
}

/// The same as a form has it.
fn form(rest: &[u8]) -> Option<(usize, Read)> {
    match rest.first() {
        Some(b'+') => Some((1, Read::Byte(b' '))),
        Some(_) | None => percent(rest),
    }
}

/// `\n`, `\"`, `\u00e9`, `\u{e9}`, `\xe9` as JSON, Rust and shells have them.
fn unescaped(rest: &[u8]) -> Option<(usize, Read)> {
    let [b'\\', kind, after @ ..] = rest else {
        return None;
    };
    let byte = |byte: u8| Some((2, Read::Byte(byte)));
    match kind {
        b'n' => byte(b'\n'),
        b'r' => byte(b'\r'),
        b't' => byte(b'\t'),
        b'b' => byte(8),
        b'f' => byte(12),
        b'0' => byte(0),
        b'"' | b'\'' | b'\\' | b'/' => byte(*kind),
        b'x' => {
            let number = number(after.get(..2)?)?;
            Some((4, Read::Byte(u8::try_from(number).ok()?)))
        }
        b'u' if after.first() == Some(&b'{') => {
            let end = after.iter().take(8).position(|byte| *byte == b'}')?;
            let character = char::from_u32(number(after.get(1..end)?)?)?;
            Some((3 + end, Read::Char(character)))
        }
        b'u' => {
            let first = number(after.get(..4)?)?;
            if let Some(character) = char::from_u32(first) {
                return Some((6, Read::Char(character)));
            }
            let [b'\\', b'u', second @ ..] = after.get(4..)? else {
                return None;
            };
            let units = [first, number(second.get(..4)?)?].map(|unit| u16::try_from(unit).ok());
            let [Some(high), Some(low)] = units else {
                return None;
            };
            let character = char::decode_utf16([high, low]).next()?.ok()?;
            Some((12, Read::Char(character)))
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    let digits = digits.iter().map(|digit| hex(*digit).map(u32::from));
    digits.reduce(|all, digit| Some(all? * 16 + digit?))?
}

fn hex(digit: u8) -> Option<u8> {
    let digit = char::from(digit).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Texts of 4 GiB are refused before they come here, and lose their end if they do.
fn short(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn long(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(text: &str) -> Vec<String> {
        let views = View::of(text).all_but();
        let texts = views
            .iter()
            .map(|view| String::from_utf8_lossy(&view.bytes));
        texts.map(std::borrow::Cow::into_owned).collect()
    }

    #[test]
    fn each_encoding_is_read_and_two_of_them_on_each_other() {
        for (text, wanted) in [
            (r#"a\"b\\c\/d\u00e9\n"#, "a\"b\\c/dé\n"),
            (r"\u{e9}\x41\ud83d\ude00", "éA😀"),
            ("a%2Bb%c3%a9", "a+bé"),
            ("a+b%2B", "a b+"),
            (r#"\\\"x\\\""#, "\"x\""),
            ("%5C%22", "\""),
            ("ab\r\ncd", "abcd"),
            (r"ab\ncd", "abcd"),
        ] {
            let found = readings(text);
            assert!(found.iter().any(|read| read == wanted), "{text}: {found:?}");
        }
        assert_eq!(readings("plain"), [] as [String; 0]);
        // Broken ones stand for themselves.
        assert_eq!(
            readings(r"\u12 \q \ud83d \u{}"),
            [r"\u12 \q \ud83d \u{}"; 2]
        );
        assert_eq!(readings("%zz%4"), ["%zz%4"; 2]);
    }

    #[test]
    fn a_range_leads_back_to_the_original() {
        let text = r"x%5C%6Ey";
        for view in View::of(text).all_but() {
            if let Some(at) = view.bytes.iter().position(|byte| *byte == b'\n') {
                assert_eq!(&text[view.original(at..at + 1)], "%5C%6E");
                return;
            }
        }
        panic!("no view has it");
    }
}
