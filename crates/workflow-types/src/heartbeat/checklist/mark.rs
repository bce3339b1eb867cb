//! What a line of a checklist is: an item, something that only looks like one, a bullet, or text.

use crate::diagnostic::{Code, Diagnostic, Place};

/// One line without the blanks around it.
pub(super) enum Line<'t> {
    /// A bullet, a box, a blank and a text.
    Item {
        ticked: bool,
        text: &'t str,
        /// The length of bullet and box in bytes.
        mark: usize,
    },
    /// Meant as an item, as far as one can tell.
    Mistake(Mistake<'t>),
    /// A bullet without a box.
    Bullet,
    /// Anything else.
    Text,
}

/// What looks like an item and is none.
pub(super) struct Mistake<'t> {
    /// Bullet and box as they were written.
    found: &'t str,
    kind: Kind,
}

enum Kind {
    /// The box holds something else than a blank or an `x`.
    Mark,
    /// A bullet or a blank is missing, or there is one too many.
    Form {
        replacement: String,
        expected: String,
    },
    /// The text begins right behind the box.
    Fused,
    /// The item stands in a block quote.
    Quoted,
    /// Nothing follows the box.
    Empty,
}

/// Looks at one line.
pub(super) fn classify(content: &str) -> Line<'_> {
    if content.starts_with('>') {
        return quote(content);
    }
    let bullet = bullet(content);
    let rest = &content[bullet.len()..];
    let after = rest.trim_start();
    let spaced = rest.is_empty() || after.len() < rest.len();
    let plain = if spaced && !bullet.is_empty() {
        Line::Bullet
    } else {
        Line::Text
    };
    let Some((inside, tail)) = after
        .strip_prefix('[')
        .and_then(|box_| box_.split_once(']'))
    else {
        return plain;
    };
    // Links and footnotes begin with a bracket too.
    if inside.trim().chars().count() > 1 || tail.starts_with(['(', '[', ':']) {
        return plain;
    }
    let found = &content[..content.len() - tail.len()];
    let ticked = match inside.trim() {
        "" => false,
        "x" | "X" => true,
        _ if spaced && !bullet.is_empty() => {
            let kind = Kind::Mark;
            return Line::Mistake(Mistake { found, kind });
        }
        _ => return plain,
    };
    let separate = tail.is_empty() || tail.starts_with([' ', '\t']);
    let exact = matches!(inside, " " | "x" | "X");
    if bullet.is_empty() || !spaced || !exact {
        let kind = form(bullet, ticked, separate);
        return Line::Mistake(Mistake { found, kind });
    }
    if !separate {
        let kind = Kind::Fused;
        return Line::Mistake(Mistake { found, kind });
    }
    let text = tail.trim();
    if text.is_empty() {
        let kind = Kind::Empty;
        return Line::Mistake(Mistake { found, kind });
    }
    let mark = found.len();
    Line::Item { ticked, text, mark }
}

/// A line of a block quote: text, unless what is quoted would be an item.
fn quote(content: &str) -> Line<'_> {
    let quoted = content.trim_start_matches(['>', ' ', '\t']);
    match classify(quoted) {
        Line::Item { mark, .. } => Line::Mistake(Mistake {
            found: &content[..content.len() - quoted.len() + mark],
            kind: Kind::Quoted,
        }),
        Line::Mistake(_) | Line::Bullet | Line::Text => Line::Text,
    }
}

/// The bullet with which a line begins; empty if there is none.
fn bullet(content: &str) -> &str {
    if content.starts_with(['-', '*', '+']) {
        return &content[..1];
    }
    let digits = content.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = (1..=9).contains(&digits) && content[digits..].starts_with(['.', ')']);
    if numbered { &content[..=digits] } else { "" }
}

fn form(bullet: &str, ticked: bool, separate: bool) -> Kind {
    let bullet = if bullet.is_empty() { "-" } else { bullet };
    let mark = if ticked { 'x' } else { ' ' };
    let expected = format!("{bullet} [{mark}] ");
    let kept = if separate {
        expected.trim_end()
    } else {
        expected.as_str()
    };
    Kind::Form {
        replacement: kept.to_owned(),
        expected,
    }
}

impl Mistake<'_> {
    /// The mistake of a line that begins at a byte.
    pub(super) fn diagnostic(self, start: usize) -> Diagnostic {
        let Self { found, kind } = self;
        let place = Place::Text(start..start + found.len());
        let new = |message: String| Diagnostic::new(Code::BadCheck, place, message);
        match kind {
            Kind::Mark => new(format!("`{found}` is neither open nor ticked"))
                .help("write `[ ]` to have it checked, `[x]` to leave it out"),
            Kind::Form {
                replacement,
                expected,
            } => new(format!("`{found}` begins no item of a checklist"))
                .label("would be left out")
                .help(format!("write `{expected}text`"))
                .fix(replacement),
            Kind::Fused => new(format!("no blank follows `{found}`"))
                .label("would be left out")
                .help(format!("write `{found} text`"))
                .fix(format!("{found} ")),
            Kind::Quoted => new(format!("`{found}` begins an item in a block quote"))
                .label("would be left out")
                .help("items of a quote are not checked; remove the `>`"),
            Kind::Empty => new(format!("nothing follows `{found}`"))
                .help("say what is to be checked, on the same line"),
        }
    }
}
