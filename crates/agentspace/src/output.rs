//! Where words go: stdout is data, stderr is talk. Nothing else prints.
//!
//! A reader that leaves early is its own affair; data that cannot be written is remembered, so that
//! the program does not end as if it had been. Talk that nobody hears stops no work.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use gateway::Damaged;
use serde_json::{Value, json};

/// Whether data could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

/// Whether nobody reads data any more.
static UNREAD: AtomicBool = AtomicBool::new(false);

/// Prints a line of data.
pub(crate) fn data(line: &str) {
    written(writeln!(anstream::stdout(), "{line}"));
}

/// Prints a line of talk.
pub(crate) fn talk(line: &str) {
    // Whoever closed stderr does not want to know, and there is nowhere else to say it.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Prints data in the stable envelope: `{"v":1,"kind":…,"data":…}`.
pub(crate) fn envelope(kind: &str, data: &Value) {
    // Not through `anstream`, which takes out characters that belong to the data.
    let document = json!({"v": 1, "kind": kind, "data": data});
    written(writeln!(io::stdout(), "{document}"));
}

/// Prints one of many documents, each on a line of its own, in the stable envelope.
pub(crate) fn line(event: &Value) {
    envelope("event", event);
}

/// Prints a list in the stable envelope; what is damaged stands beside the data, where there is any.
pub(crate) fn list(kind: &str, items: &[Value], damaged: &[Damaged]) {
    let mut document = json!({"v": 1, "kind": kind, "data": items});
    if !damaged.is_empty() {
        let named = damaged
            .iter()
            .map(|one| json!({"id": one.id, "reason": one.reason}));
        document["damaged"] = named.collect();
    }
    written(writeln!(io::stdout(), "{document}"));
}

/// Says of each that is damaged what is wrong with it, and where more is said.
pub(crate) fn damaged(damaged: &[Damaged]) {
    for one in damaged {
        let (id, reason) = (plain(&one.id), plain(&one.reason));
        data(&format!("{id}  {}    {reason}", paint(RED, "damaged")));
    }
    if !damaged.is_empty() {
        talk("`agentspace db check` shows everything that is damaged");
    }
}

/// Prints an error with everything that led to it.
pub(crate) fn error(error: &anyhow::Error) {
    let mut text = format!(
        "{}: {}",
        paint(RED, "error"),
        plain_lines(&error.to_string())
    );
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if cause != said {
            text.push_str("\n  because ");
            text.push_str(&plain_lines(&cause));
        }
        said = cause;
    }
    talk(&text);
}

/// Whether data could not be written.
pub(crate) fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Whether whoever read data has left.
pub(crate) fn is_unread() -> bool {
    UNREAD.load(Ordering::Relaxed)
}

fn written(result: io::Result<()>) {
    let Err(error) = result else {
        return;
    };
    if error.kind() == ErrorKind::BrokenPipe {
        UNREAD.store(true, Ordering::Relaxed);
    } else if !LOST.swap(true, Ordering::Relaxed) {
        talk(&format!(
            "{}: stdout cannot be written: {error}",
            paint(RED, "error")
        ));
    }
}

/// A text from outside on one line, with what could move the cursor, hide words or change their
/// order written out, so that it cannot pass for words of this program.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => plain.push('⏎'),
            '\t' => plain.push(' '),
            _ if deceives(character) => plain.extend(character.escape_unicode()),
            _ => plain.push(character),
        }
    }
    plain
}

/// The same for a text that may have lines.
pub(crate) fn plain_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(plain).collect();
    lines.join("\n")
}

fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Marks and overrides of direction, separators of lines, what has no width; but not
            // the joiners that some scripts and emoji are written with.
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text in a colour, which is taken out where no terminal shows it.
pub(crate) fn paint(style: anstyle::Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Something failed.
pub(crate) const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
/// Something is well.
pub(crate) const GREEN: anstyle::Style = anstyle::AnsiColor::Green.on_default();
/// Somebody is waited for.
pub(crate) const YELLOW: anstyle::Style = anstyle::AnsiColor::Yellow.on_default();
/// Less important.
pub(crate) const DIM: anstyle::Style = anstyle::Style::new().dimmed();
