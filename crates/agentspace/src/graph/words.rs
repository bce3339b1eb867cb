//! The words of a picture: what stands on a way, what stands in a box, and how wide it is.

use gateway::workflow_types::definition::picture::{Edge, EdgeKind, StepNode};
use gateway::workflow_types::duration;
use unicode_width::UnicodeWidthChar as _;

use crate::output;

/// What stands on a way; nothing where the arrow says it all.
pub(super) fn on_edge(edge: &Edge) -> Option<String> {
    match &edge.kind {
        EdgeKind::Next | EdgeKind::Success if edge.otherwise => Some("otherwise".to_owned()),
        EdgeKind::Next | EdgeKind::Success => None,
        EdgeKind::Failure => Some("on failure".to_owned()),
        EdgeKind::Branch { order, condition } => {
            let word = if *order == 1 { "if" } else { "else if" };
            Some(format!("{word} {}", one_line(condition)))
        }
    }
}

/// What a step does: `tool http_request`, `model fast`, `noop`.
pub(super) fn action(step: &StepNode) -> String {
    let kind = step.action.kind();
    match step.action.name() {
        Some(name) => format!("{kind} {name}"),
        None => kind.to_string(),
    }
}

/// How a step is bounded, as far as its author says so.
pub(super) fn bounds(step: &StepNode) -> Vec<String> {
    let mut bounds = Vec::new();
    if let Some(timeout) = step.timeout {
        bounds.push(format!("timeout {}", duration::format(timeout)));
    }
    if step.max_attempts > 1 {
        bounds.push(format!("up to {} attempts", step.max_attempts));
    }
    bounds
}

/// An author's text on one line, without what could move a cursor or change the order of words.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    output::plain(&words.join(" "))
}

/// How many cells of a terminal a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// As much of a text as fits into so many cells, with a sign that something is left out.
pub(super) fn clip(text: &str, cells: usize, sign: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(width(sign));
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > room {
            break;
        }
        kept.push(character);
    }
    format!("{}{sign}", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipped_texts_fit_and_say_so() {
        assert_eq!(clip("short", 5, "..."), "short");
        assert_eq!(clip("a longer text", 9, "..."), "a long...");
        assert_eq!(clip("漢字漢字", 7, "…"), "漢字漢…");
        assert_eq!(clip("漢字漢字", 6, "…"), "漢字…");
        assert_eq!(width("漢字…"), 5);
    }

    #[test]
    fn an_author_s_text_is_one_line_that_deceives_nobody() {
        assert_eq!(one_line(" a\n  &&\tb "), "a && b");
        assert_eq!(one_line("\u{1b}[31mred\u{202e}"), "\\u{1b}[31mred\\u{202e}");
    }
}
