//! Where words go: stdout is data, stderr is talk.

use serde_json::{Value, json};

/// Prints a line of data.
pub(crate) fn data(line: &str) {
    anstream::println!("{line}");
}

/// Prints a line of talk.
pub(crate) fn talk(line: &str) {
    anstream::eprintln!("{line}");
}

/// Prints data in the stable envelope: `{"v":1,"kind":…,"data":…}`.
pub(crate) fn envelope(kind: &str, data: &Value) {
    anstream::println!("{}", json!({"v": 1, "kind": kind, "data": data}));
}

/// Prints an error with everything that led to it.
pub(crate) fn error(error: &anyhow::Error) {
    anstream::eprintln!("{}: {error}", paint(RED, "error"));
    for cause in error.chain().skip(1) {
        anstream::eprintln!("  because {cause}");
    }
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
