//! Follows quotes, brackets and comments through a text that has no structure yet.
//!
//! Not a parser: it answers for broken text, and a wrong answer only costs a good explanation.

/// A bracket that has no end yet.
pub(super) struct Bracket {
    /// Its byte.
    pub(super) at: usize,
    /// The first comment since, which may have hidden its end.
    pub(super) comment: Option<usize>,
}

/// The brackets that are open at a byte, the outermost first.
pub(super) fn open_brackets(text: &str, end: usize) -> Vec<Bracket> {
    let mut outline = Outline {
        open: Vec::new(),
        value_begins: true,
    };
    let mut at = 0;
    while let Some(next) = text.get(at..end).and_then(|rest| rest.chars().next()) {
        at = outline.step(&text[..end], at, next);
    }
    outline.open
}

/// Where the quoted text begins that ends at a byte.
pub(super) fn quote_that_ends_at(text: &str, end: usize) -> Option<usize> {
    let mut outline = Outline {
        open: Vec::new(),
        value_begins: true,
    };
    let text = text.get(..end)?;
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let after = outline.step(text, at, next);
        if after == end && matches!(next, '"' | '\'') && after > at + 1 {
            return Some(at);
        }
        at = after;
    }
    None
}

struct Outline {
    open: Vec<Bracket>,
    /// Whether what comes next is the first character of a value.
    value_begins: bool,
}

impl Outline {
    /// Goes over one character, quoted text, comment or block; answers where the next one begins.
    fn step(&mut self, text: &str, at: usize, next: char) -> usize {
        let begins = std::mem::replace(&mut self.value_begins, false);
        let after = at + next.len_utf8();
        let spaced = text[..at].ends_with(char::is_whitespace) || at == 0;
        match next {
            '#' if spaced => {
                if let Some(bracket) = self.open.last_mut() {
                    bracket.comment.get_or_insert(at);
                }
                self.value_begins = begins;
                return line_end(text, at);
            }
            '"' | '\'' if begins => return quote_end(text, at, next),
            '|' | '>' if begins && self.open.is_empty() => return block_end(text, at),
            '[' | '{' if begins || !self.open.is_empty() => {
                self.open.push(Bracket { at, comment: None });
                self.value_begins = true;
            }
            ']' | '}' => drop(self.open.pop()),
            ',' => self.value_begins = !self.open.is_empty(),
            ':' | '-' | '?' => {
                let ends = text[after..].starts_with(char::is_whitespace);
                self.value_begins = ends;
            }
            '\n' => self.value_begins = true,
            _ => self.value_begins = begins && next.is_whitespace(),
        }
        after
    }
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |found| at + found)
}

/// Where a quoted text that begins at a byte ends; the end of the text if it does not.
fn quote_end(text: &str, at: usize, quote: char) -> usize {
    let mut escaped = false;
    for (offset, c) in text[at + 1..].char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return at + 1 + offset + 1;
        }
    }
    text.len()
}

/// Where a block of lines (`|` or `>`) ends: with the last line that is further in than its key's.
fn block_end(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let before = &text[start..at];
    let outer = if before.contains(':') {
        // A key behind the dash of an item stands further in than the dash.
        before.len() - before.trim_start_matches([' ', '-']).len()
    } else {
        indent(before)
    };
    let mut end = (line_end(text, at) + 1).min(text.len());
    for line in text[end..].split_inclusive('\n') {
        if !line.trim().is_empty() && indent(line) <= outer {
            break;
        }
        end += line.len();
    }
    end
}

#[cfg(test)]
mod tests {
    /// The brackets that are open at the end of a text, as they stand in it.
    fn open(text: &str) -> String {
        super::open_brackets(text, text.len())
            .iter()
            .map(|bracket| &text[bracket.at..=bracket.at])
            .collect()
    }

    #[test]
    fn brackets_count_where_a_value_begins_or_between_brackets() {
        for (text, expected) in [
            ("a: [b, {c: d", "[{"),
            ("a: [b]\nc: {", "{"),
            ("a: b [c", ""),
            ("- [\n- {", "[{"),
            ("a: \"[\" ", ""),
            ("a: '[' # {", ""),
            ("a: it's [b", ""),
            ("a: [it's, {", "[{"),
            ("a: |\n  [\n\n  {\nb: [", "["),
            ("- a: >\n    [\n  b: {", "{"),
            ("- |\n  [\n- {", "{"),
            ("a: \"\\\" [\"\nb: [", "["),
        ] {
            assert_eq!(open(text), expected, "{text}");
        }
    }

    #[test]
    fn a_comment_between_brackets_is_remembered() {
        let open = super::open_brackets("a: [b, c #d]", 12);
        assert_eq!(open[0].comment, Some(9));
    }
}
