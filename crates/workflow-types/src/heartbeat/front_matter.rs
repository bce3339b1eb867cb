//! Finds the YAML front matter of a Markdown text: the lines between two `---` at its beginning.
//!
//! Knows nothing of what the settings mean, only which keys there are.

use std::ops::Range;

use super::settings;
use crate::diagnostic::{Code, Diagnostic, Place, Report};

const FENCE: &str = "---";

/// The front matter of a text, in bytes of that text.
pub(super) enum FrontMatter {
    /// The text does not begin with `---`.
    Absent,
    /// There is one.
    Present {
        /// The lines between its fences.
        yaml: Range<usize>,
        /// What follows.
        body: Range<usize>,
    },
    /// It begins and does not end.
    Unclosed {
        /// The `---` that opens it.
        fence: Range<usize>,
    },
}

/// Finds the front matter; blank lines before it are allowed.
pub(super) fn split(text: &str) -> FrontMatter {
    let mut lines = lines(text).skip_while(|(_, line)| line.trim().is_empty());
    let opening = match lines.next() {
        Some((start, line)) if line.trim_end() == FENCE => start,
        Some(_) | None => return FrontMatter::Absent,
    };
    let mut yaml_start = None;
    for (start, line) in lines {
        let yaml_start = *yaml_start.get_or_insert(start);
        if line.trim_end() == FENCE {
            return FrontMatter::Present {
                yaml: yaml_start..start,
                body: start + line.len()..text.len(),
            };
        }
    }
    FrontMatter::Unclosed {
        fence: opening..opening + FENCE.len(),
    }
}

/// Whether a front matter holds no settings, only blank lines and comments.
pub(super) fn is_empty(yaml: &str) -> bool {
    yaml.lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line.starts_with('#'))
}

/// A front matter without an end.
pub(super) fn unclosed(fence: Range<usize>) -> Diagnostic {
    Diagnostic::new(
        Code::Syntax,
        Place::Text(fence),
        "the front matter that begins here has no end",
    )
    .label("opened here")
    .help("write a line `---` after the settings")
}

/// Reports settings of a text without front matter: without fences they would count for nothing.
pub(super) fn check_absent(text: &str, report: &mut Report) {
    let mut may_begin = true;
    for (start, line) in lines(text).filter(|(_, line)| !line.trim().is_empty()) {
        if may_begin
            && let Some((key, _)) = line.split_once(':')
            && settings::is_key(key)
        {
            report.push(
                Diagnostic::new(
                    Code::Syntax,
                    Place::Text(start..start + key.len()),
                    format!("the setting `{key}` stands outside a front matter"),
                )
                .label("counts for nothing here")
                .help("write the settings at the very top of the file, between two lines `---`"),
            );
            return;
        }
        may_begin = line.trim_end() == FENCE;
    }
}

/// The lines of a text, each with its first byte and its line break.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = next;
        next += line.len();
        (start, line)
    })
}
