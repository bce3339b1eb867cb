//! Rule: a Rust file has at most 600 lines; from 400 on it is worth a second look.

use super::Finding;
use crate::workspace::SourceFile;

const LONG: usize = 400;
const TOO_LONG: usize = 600;

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    measured(files)
        .filter(|(_, lines)| *lines > TOO_LONG)
        .map(|(file, lines)| {
            let message =
                format!("{lines} lines, more than {TOO_LONG}: split it by responsibility");
            Finding::in_file(file, message)
        })
        .collect()
}

/// Files that are allowed but long.
pub(super) fn long(files: &[SourceFile]) -> Vec<Finding> {
    measured(files)
        .filter(|(_, lines)| (LONG + 1..=TOO_LONG).contains(lines))
        .map(|(file, lines)| Finding::in_file(file, format!("{lines} lines, more than {LONG}")))
        .collect()
}

fn measured(files: &[SourceFile]) -> impl Iterator<Item = (&SourceFile, usize)> {
    files
        .iter()
        .filter(|file| file.is_our_rust() && !file.is_generated())
        .map(|file| (file, file.text.lines().count()))
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::{check, long};

    #[test]
    fn long_files_are_noted_and_longer_ones_refused() {
        let [short, longer, longest] = [400, 600, 601].map(|lines| "x\n".repeat(lines));
        let generated = format!("//! @generated\n{longest}");
        let files = [
            ("crates/a.rs", short.as_str()),
            ("crates/b.rs", longer.as_str()),
            ("crates/c.rs", longest.as_str()),
            ("crates/d.rs", generated.as_str()),
        ];
        assert_eq!(places(check, &files), ["crates/c.rs"]);
        assert_eq!(places(long, &files), ["crates/b.rs"]);
    }
}
