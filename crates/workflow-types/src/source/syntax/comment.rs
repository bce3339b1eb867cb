//! Finds texts of which a comment cuts off the end, where that was hardly meant.

use std::ops::Range;

use super::{line_range, outline, quoted};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer};

/// The keys whose values are sentences.
pub(super) const TEXTS: [&str; 7] = [
    "name",
    "description",
    "prompt",
    "system",
    "message",
    "condition",
    "model",
];

/// A warning of a text without quotes that `issue #12` cuts after its first word.
///
/// A comment that is meant as one has a blank behind its `#`, or more than one before it.
pub(in crate::source) fn cut(text: &str, at: &Pointer, value: &Range<usize>) -> Option<Diagnostic> {
    let kept = text.get(value.clone())?;
    // Asked of every scalar: a long line is not searched for its end unless there is a comment.
    if !text.get(value.end..)?.starts_with(" #") {
        return None;
    }
    let line = line_range(text, value.end);
    let comment = text.get(value.end..line.end)?.strip_prefix(" #")?;
    let meant = comment.is_empty() || comment.starts_with([' ', '\t', '\r', '#', '!']);
    if meant || kept.is_empty() {
        return None;
    }
    // Between brackets a comment that takes nothing with it loses nothing.
    let swallowed = comment.find([',', ']', '}']);
    let is_text = !is_no_text(kept) && is_for_texts(at);
    if !is_text && swallowed.is_none() {
        return None;
    }
    if !outline::open_brackets(text, value.start).is_empty() {
        let end = value.end + " #".len() + swallowed?;
        return Some(cut_in_brackets(text, at, value.start..end));
    }
    if !is_text {
        return None;
    }
    let written = text.get(value.start..line.end)?.trim_end();
    let diagnostic = Diagnostic::new(
        Code::CutByComment,
        Place::Text(value.start..value.start + written.len()),
        format!("a comment cuts this text short: `{at}` ends before the `#`"),
    )
    .label("the end of this line is a comment");
    Some(if kept.contains('\n') {
        diagnostic.help("put the text in quotes, or a blank behind the `#` of a comment")
    } else {
        let whole = quoted(written);
        diagnostic
            .help(format!(
                "write {whole}, or a blank behind the `#` of a comment"
            ))
            .fix(whole)
    })
}

/// The warning between brackets, where what follows the text is lost, too.
fn cut_in_brackets(text: &str, at: &Pointer, meant: Range<usize>) -> Diagnostic {
    let written = text.get(meant.clone()).unwrap_or_default().trim_end();
    Diagnostic::new(
        Code::CutByComment,
        Place::Text(meant.start..meant.start + written.len()),
        format!(
            "a comment cuts off what follows on this line: `{at}` ends before the `#`, and no \
             value comes behind it here"
        ),
    )
    .label("the rest of this line is a comment")
    .help(format!(
        "write {}, or a blank behind the `#` of a comment",
        quoted(written)
    ))
}

fn is_no_text(plain: &str) -> bool {
    plain.parse::<f64>().is_ok() || matches!(plain, "true" | "false" | "null" | "~")
}

/// Whether texts of any kind stand at an address: under a key for sentences, or in arguments.
fn is_for_texts(at: &Pointer) -> bool {
    let mut keys = at.as_str().split('/');
    let last = keys.clone().next_back().unwrap_or_default();
    TEXTS.contains(&last) || keys.any(|key| key == "args")
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::{Code, Report};
    use crate::source::{SourceFormat, read};

    fn warns(text: &str) -> bool {
        let mut report = Report::default();
        read(text.as_bytes(), SourceFormat::Yaml, &mut report);
        let found: Vec<Code> = report.as_slice().iter().map(|one| one.code).collect();
        assert!(
            found.iter().all(|code| *code == Code::CutByComment),
            "{text}"
        );
        !found.is_empty()
    }

    #[test]
    fn only_a_comment_that_was_hardly_meant_is_warned_of() {
        for text in [
            "description: issue #12\n",
            "steps:\n  - args:\n      url: site #top\n",
            "prompt: one\n  two #three\n",
            "command: [echo, foo #bar, baz]\n]\n",
            "env: {\n  a: b #c, d: e}\n}\n",
            "n: [1 #2, 3]\n]\n",
        ] {
            assert!(warns(text), "{text}");
        }
        for text in [
            "description: issue # 12\n",
            "description: issue  #12\n",
            "description: issue#12\n",
            "description: issue #\n",
            "description: issue\n#12\n",
            "description: 'issue' #12\n",
            "description: |\n  issue #12\n",
            "timeout: 30s #half a minute\n",
            "args: {n: 3} #three\n",
            "args:\n  n: 3 #three\n",
            "args:\n  n: [a #b\n  ]\n",
            "args:\n  n: [a # b, c\n  ]\n",
            "timeout: 30s #half a minute, or so\n",
        ] {
            assert!(!warns(text), "{text}");
        }
    }
}
