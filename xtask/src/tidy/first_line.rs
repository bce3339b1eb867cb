//! Rule: a Rust file opens with `//!`, the one sentence that says what it is for.

use super::Finding;
use crate::workspace::SourceFile;

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.is_our_rust() && !opens_with_its_purpose(&file.text))
        .map(|file| {
            Finding::in_file(
                file,
                "the first line must be `//!` and say what the file is for",
            )
        })
        .collect()
}

fn opens_with_its_purpose(text: &str) -> bool {
    text.lines()
        .find(|line| !line.trim().is_empty())
        .and_then(|line| line.strip_prefix("//!"))
        .is_some_and(|purpose| !purpose.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::check;

    #[test]
    fn a_file_says_what_it_is_for_before_anything_else() {
        let files = [
            ("crates/db/src/good.rs", "//! Rows.\nfn f() {}"),
            ("crates/db/src/blank.rs", "\n\n//! Rows.\n"),
            ("crates/db/src/bare.rs", "fn f() {}"),
            ("crates/db/src/attribute.rs", "#![allow(x)]\n//! Rows."),
            ("crates/db/src/silent.rs", "//!\n"),
            ("crates/db/src/empty.rs", ""),
            ("elsewhere/bare.rs", "fn f() {}"),
            ("crates/db/notes.txt", "text"),
        ];
        assert_eq!(
            places(check, &files),
            [
                "crates/db/src/bare.rs",
                "crates/db/src/attribute.rs",
                "crates/db/src/silent.rs",
                "crates/db/src/empty.rs"
            ]
        );
    }
}
