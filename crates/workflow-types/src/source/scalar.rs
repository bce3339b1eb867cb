//! Finds the characters of a scalar's value in the text that it was written as.
//!
//! Walks the raw text by the rules of its style (YAML 1.2 chapters 7 and 8, JSON's escapes) beside
//! the value that was read from it. Where the two part, nothing is said: a place that is not exact
//! is worse than the whole scalar.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use saphyr_parser::ScalarStyle;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes.
    Plain,
    /// `'text'`.
    SingleQuoted,
    /// `"text"`, in JSON too.
    DoubleQuoted,
    /// A block after `|`.
    Literal,
    /// A block after `>`.
    Folded,
    /// No scalar, or an alias of one.
    Other,
}

/// From the bytes of a scalar's value to those of its text.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    runs: Vec<Run>,
    /// The length of the value without the line breaks at its end.
    visible: usize,
}

/// A part of the value and what stands for it: the same text, or the escape of one character.
#[derive(Debug, Clone)]
struct Run {
    value: Range<usize>,
    raw: Range<usize>,
    verbatim: bool,
}

impl Trace {
    /// Follows `value` through the scalar that begins at a byte of `text`; none where they differ.
    pub(super) fn new(text: &str, start: usize, style: Style, value: &str) -> Option<Self> {
        let mut walk = Walk {
            text,
            value,
            at: 0,
            runs: Vec::new(),
        };
        let halted = match style {
            Style::Plain => walk.flow(start, Quote::None),
            Style::SingleQuoted => walk.flow(start, Quote::Single),
            Style::DoubleQuoted => walk.flow(start, Quote::Double),
            Style::Literal => walk.block(start, Breaks::Kept),
            Style::Folded => walk.block(start, Breaks::Folded),
            Style::Other => Err(Halt::Differs),
        };
        let complete = walk.at == value.len() && !matches!(halted, Err(Halt::Differs));
        complete.then(|| Self {
            runs: walk.runs,
            visible: value.trim_end_matches(['\n', '\r']).len(),
        })
    }

    /// The bytes of the text that stand for a range of the value.
    ///
    /// The end of the value is where its last visible line ends, not on a line below it.
    pub(super) fn raw(&self, range: &Range<usize>) -> Option<Range<usize>> {
        if range.is_empty() {
            let at = match range.start {
                0 => self.runs.first()?.raw.start,
                start if start >= self.visible => self.end(self.visible)?,
                start => self.start(start)?,
            };
            return Some(at..at);
        }
        let start = self.start(range.start)?;
        Some(start..self.end(range.end)?.max(start))
    }

    /// Where the character at a byte of the value begins.
    fn start(&self, at: usize) -> Option<usize> {
        let run = self.run_of(at)?;
        let within = if run.verbatim {
            at - run.value.start
        } else {
            0
        };
        Some(run.raw.start + within)
    }

    /// Where the character before a byte of the value ends.
    fn end(&self, at: usize) -> Option<usize> {
        let Some(last) = at.checked_sub(1) else {
            return self.runs.first().map(|run| run.raw.start);
        };
        let run = self.run_of(last)?;
        let after = if run.verbatim { run.value.end - at } else { 0 };
        Some(run.raw.end - after)
    }

    fn run_of(&self, at: usize) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.value.end <= at);
        self.runs.get(after)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
}

/// What becomes of the line breaks of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Kept,
    Folded,
}

/// Why a walk ended early.
enum Halt {
    /// All of the value was met.
    Complete,
    /// The text stands for something else.
    Differs,
}

type Walked = Result<(), Halt>;

struct Walk<'t> {
    text: &'t str,
    value: &'t str,
    /// The bytes of the value that were met.
    at: usize,
    runs: Vec<Run>,
}

type Chars<'t> = Peekable<CharIndices<'t>>;

impl<'t> Walk<'t> {
    /// The next character of the value stands at `raw`.
    fn met(&mut self, c: char, raw: Range<usize>) -> Walked {
        let left = self.value.get(self.at..).unwrap_or_default();
        if left.is_empty() {
            return Err(Halt::Complete);
        }
        if !left.starts_with(c) {
            return Err(Halt::Differs);
        }
        let value = self.at..self.at + c.len_utf8();
        self.at = value.end;
        let verbatim = self.text.get(raw.clone()) == self.value.get(value.clone());
        match self.runs.last_mut() {
            Some(last) if verbatim && last.verbatim && last.raw.end == raw.start => {
                last.raw.end = raw.end;
                last.value.end = value.end;
            }
            Some(_) | None => self.runs.push(Run {
                value,
                raw,
                verbatim,
            }),
        }
        Ok(())
    }

    /// A scalar whose lines are folded: plain, or in quotes.
    fn flow(&mut self, start: usize, quote: Quote) -> Walked {
        let body = if quote == Quote::None {
            start
        } else {
            start + 1
        };
        let rest = self.text.get(body..).ok_or(Halt::Differs)?;
        let mut chars = rest.char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            let at = body + offset;
            match (quote, c) {
                (Quote::Single, '\'') => match chars.next_if(|(_, next)| *next == '\'') {
                    Some(_) => self.met('\'', at..at + 2)?,
                    None => return Ok(()),
                },
                (Quote::Double, '"') => return Ok(()),
                (Quote::Double, '\\') => self.escape(at, body, &mut chars)?,
                (_, ' ' | '\t' | '\n' | '\r') => self.space(at, c, body, &mut chars)?,
                (Quote::None | Quote::Single | Quote::Double, c) => {
                    self.met(c, at..at + c.len_utf8())?;
                }
            }
        }
        Ok(())
    }

    /// White space that begins with `first` at `at`: kept within a line, folded around breaks.
    fn space(&mut self, at: usize, first: char, body: usize, chars: &mut Chars<'t>) -> Walked {
        let mut blanks = Vec::new();
        let mut breaks = Vec::new();
        let mut next = Some((at, first));
        while let Some((at, c)) = next {
            match c {
                ' ' | '\t' => blanks.push((c, at..at + 1)),
                '\r' if chars.next_if(|(_, next)| *next == '\n').is_some() => {
                    breaks.push(at..at + 2);
                }
                _ => breaks.push(at..at + 1),
            }
            next = chars
                .next_if(|(_, next)| matches!(next, ' ' | '\t' | '\n' | '\r'))
                .map(|(offset, c)| (body + offset, c));
        }
        match breaks.as_slice() {
            [] => blanks.into_iter().try_for_each(|(c, raw)| self.met(c, raw)),
            [only] => self.met(' ', only.clone()),
            [_, more @ ..] => more.iter().try_for_each(|raw| self.met('\n', raw.clone())),
        }
    }

    /// What follows the backslash at `at`.
    fn escape(&mut self, at: usize, body: usize, chars: &mut Chars<'t>) -> Walked {
        let (offset, c) = chars.next().ok_or(Halt::Differs)?;
        let digits = match c {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '\n' | '\r' => return self.continued(c, body, chars),
            c => {
                let end = body + offset + c.len_utf8();
                return self.met(escaped(c).ok_or(Halt::Differs)?, at..end);
            }
        };
        let high = hexadecimal(digits, chars).ok_or(Halt::Differs)?;
        let (code, length) = if (0xD800..0xDC00).contains(&high) {
            for expected in ['\\', 'u'] {
                chars
                    .next_if(|(_, c)| *c == expected)
                    .ok_or(Halt::Differs)?;
            }
            let low = hexadecimal(4, chars).ok_or(Halt::Differs)?;
            let low = low.checked_sub(0xDC00).ok_or(Halt::Differs)?;
            (0x1_0000 + ((high - 0xD800) << 10) + low, 12)
        } else {
            (high, 2 + digits)
        };
        let c = char::from_u32(code).ok_or(Halt::Differs)?;
        self.met(c, at..at + length)
    }

    /// A line break after a backslash is nothing; empty lines that follow are line breaks.
    fn continued(&mut self, first: char, body: usize, chars: &mut Chars<'t>) -> Walked {
        if first == '\r' {
            chars.next_if(|(_, c)| *c == '\n');
        }
        while let Some((offset, c)) = chars.next_if(|(_, c)| matches!(c, ' ' | '\t' | '\n' | '\r'))
        {
            let at = body + offset;
            match c {
                ' ' | '\t' => {}
                '\r' if chars.next_if(|(_, next)| *next == '\n').is_some() => {
                    self.met('\n', at..at + 2)?;
                }
                _ => self.met('\n', at..at + 1)?,
            }
        }
        Ok(())
    }

    /// A block whose first line with text has its first character at `start`.
    fn block(&mut self, start: usize, breaks: Breaks) -> Walked {
        let (body, indent) = self.block_start(start).ok_or(Halt::Differs)?;
        let mut pending = Pending::default();
        for line in Lines::new(self.text, body) {
            let content = self.text.get(line.content.clone()).unwrap_or_default();
            let spaces = content.len() - content.trim_start_matches(' ').len();
            let inner = content.get(indent..).filter(|_| spaces >= indent);
            match inner {
                Some(inner) if !inner.is_empty() => {
                    let more = inner.starts_with([' ', '\t']);
                    self.join(&mut pending, breaks, more)?;
                    let from = line.content.start + indent;
                    for (offset, c) in inner.char_indices() {
                        let at = from + offset;
                        self.met(c, at..at + c.len_utf8())?;
                    }
                    pending.after_text(line.end);
                }
                // A line that is less indented ends the block, unless it is empty.
                Some(_) | None if spaces < content.len() => break,
                Some(_) | None => pending.empty.extend(line.end),
            }
        }
        // At the end breaks are never folded; which of them belong to the value, it says itself.
        for raw in pending.last.into_iter().chain(pending.empty) {
            self.met('\n', raw)?;
        }
        let end = self.text.len();
        while self.at < self.value.len() {
            self.met('\n', end..end)?;
        }
        Ok(())
    }

    /// Where the lines of a block begin, with those that are empty, and their indentation.
    fn block_start(&self, start: usize) -> Option<(usize, usize)> {
        let mut body = line_start(self.text, start);
        let indentation = self.text.get(body..start)?;
        if !indentation.bytes().all(|byte| byte == b' ') {
            return None;
        }
        let visible = self.value.trim_start_matches('\n');
        if visible.is_empty() {
            return None;
        }
        for _ in 0..self.value.len() - visible.len() {
            let end = body.checked_sub(1)?;
            body = line_start(self.text, end);
            if !self.text.get(body..end)?.trim().is_empty() {
                return None;
            }
        }
        Some((body, indentation.len()))
    }

    /// The breaks between two lines with text; `more`: the second one is indented further.
    fn join(&mut self, pending: &mut Pending, breaks: Breaks, more: bool) -> Walked {
        let fold = breaks == Breaks::Folded && !pending.more && !more;
        pending.more = more;
        let empty = std::mem::take(&mut pending.empty);
        match pending.last.take() {
            Some(last) if fold && empty.is_empty() => self.met(' ', last)?,
            Some(last) if !fold => self.met('\n', last)?,
            Some(_) | None => {}
        }
        empty.into_iter().try_for_each(|raw| self.met('\n', raw))
    }
}

/// The line breaks of a block that were passed but not yet placed.
#[derive(Default)]
struct Pending {
    /// The one after the last line with text.
    last: Option<Range<usize>>,
    /// Those of the empty lines since.
    empty: Vec<Range<usize>>,
    /// Whether the last line with text was indented further than the block.
    more: bool,
}

impl Pending {
    fn after_text(&mut self, end: Option<Range<usize>>) {
        self.last = end;
    }
}

/// A line and its break; the last one may have none.
struct Line {
    content: Range<usize>,
    end: Option<Range<usize>>,
}

struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str, at: usize) -> Self {
        Self { text, at }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let after = rest.get(length..).unwrap_or_default();
        let breaks = match after.as_bytes() {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        let end = start + length;
        self.at = end + breaks;
        Some(Line {
            content: start..end,
            end: (breaks > 0).then_some(end..self.at),
        })
    }
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |found| found + 1)
}

/// The character of a single-letter escape; JSON has some of them.
fn escaped(c: char) -> Option<char> {
    Some(match c {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{B}',
        'f' => '\u{C}',
        'r' => '\r',
        'e' => '\u{1B}',
        ' ' | '"' | '/' | '\\' => c,
        'N' => '\u{85}',
        '_' => '\u{A0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        _ => return None,
    })
}

fn hexadecimal(digits: usize, chars: &mut Chars<'_>) -> Option<u32> {
    let mut code: u32 = 0;
    for _ in 0..digits {
        let (_, digit) = chars.next()?;
        code = code.checked_mul(16)? + digit.to_digit(16)?;
    }
    Some(code)
}

/// The style of a scalar and its range, without the comment that the parser counts to it.
pub(super) fn bare(text: &str, range: Range<usize>, style: ScalarStyle) -> (Style, Range<usize>) {
    match style {
        ScalarStyle::Plain => (Style::Plain, range),
        ScalarStyle::SingleQuoted => (Style::SingleQuoted, quoted(text, range)),
        ScalarStyle::DoubleQuoted => (Style::DoubleQuoted, quoted(text, range)),
        ScalarStyle::Literal => (Style::Literal, range),
        ScalarStyle::Folded => (Style::Folded, range),
    }
}

/// As [`bare`], for a scalar that has an `&anchor` or a `!tag` before it.
pub(super) fn with_properties(
    text: &str,
    range: Range<usize>,
    style: ScalarStyle,
) -> (Style, Range<usize>) {
    let inner = without_properties(text, range.clone());
    let (own, value) = bare(text, inner, style);
    match own {
        Style::Literal | Style::Folded => match block_text(text, &value) {
            Some(start) => (own, start..value.end),
            None => (Style::Other, range),
        },
        Style::Plain | Style::SingleQuoted | Style::DoubleQuoted | Style::Other => (own, value),
    }
}

/// A scalar without its `&anchor` and `!tag`.
fn without_properties(text: &str, range: Range<usize>) -> Range<usize> {
    let mut start = range.start;
    while let Some(rest) = text.get(start..range.end)
        && rest.starts_with(['&', '!'])
    {
        let name = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let after = rest.get(name..).unwrap_or_default();
        start += name + (after.len() - after.trim_start().len());
    }
    start..range.end
}

/// The first text of a block that begins with its header, where the parser begins all others. How
/// far it is indented is not known where the header says so.
fn block_text(text: &str, range: &Range<usize>) -> Option<usize> {
    let raw = text.get(range.clone())?;
    let header = raw.lines().next()?;
    let body = raw.get(header.len()..)?;
    let text = body.find(|c: char| !c.is_whitespace())?;
    let counted = header.contains(|c: char| c.is_ascii_digit());
    (!counted).then_some(range.start + header.len() + text)
}

/// A quoted scalar without the white space and the comment behind it.
fn quoted(text: &str, range: Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes().get(range.clone()).unwrap_or_default();
    let Some((&quote, body)) = bytes.split_first() else {
        return range;
    };
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        let doubled = body.get(at + 1) == Some(&quote);
        at += match byte {
            b'\\' if quote == b'"' => 2,
            byte if *byte != quote => 1,
            _ if quote == b'\'' && doubled => 2,
            _ => return range.start..range.start + at + 2,
        };
    }
    range
}

/// A text as it must be written inside a scalar, at a byte of its value; none if it cannot be.
pub(super) fn escaped_for(style: Style, text: &str, at: usize) -> Option<String> {
    if text.contains(char::is_control) {
        return None;
    }
    match style {
        Style::SingleQuoted => Some(text.replace('\'', "''")),
        Style::DoubleQuoted => Some(text.replace('\\', "\\\\").replace('"', "\\\"")),
        Style::Literal | Style::Folded => Some(text.to_owned()),
        Style::Plain => {
            // At its start a sign would begin a tag, a quoted scalar, or a list.
            let begins = at > 0 || text.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            let plain = !text.contains([',', '[', ']', '{', '}', '#']) && !text.contains(": ");
            (begins && plain).then(|| text.to_owned())
        }
        Style::Other => None,
    }
}
