//! Rule: the word `unsafe` stands only in files that are listed here with their reason.

use super::Finding;
use crate::tokens;
use crate::workspace::SourceFile;

/// Files that may hold unsafe code: each one wraps a foreign interface and nothing else.
const ALLOWED: [&str; 2] = [
    // SQLite's error log callback, and limits set before a connection opens.
    "crates/db/src/sqlite_log.rs",
    // SQLite's interface for file systems, for tests: never shipped.
    "tests/disk/src/vfs.rs",
];

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.is_our_rust() && !ALLOWED.contains(&file.path.as_str()))
        .flat_map(|file| {
            lines_with_unsafe(file).into_iter().map(move |line| {
                Finding::at_line(
                    file,
                    line,
                    "unsafe code is kept to the files listed in xtask/src/tidy/unsafe_code.rs",
                )
            })
        })
        .collect()
}

/// A file that is not Rust has no such line; the rule on unfinished code reports it.
fn lines_with_unsafe(file: &SourceFile) -> Vec<usize> {
    tokens::flatten(&file.text)
        .map(|tokens| tokens::lines_with(&tokens, &["unsafe"]))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::check;

    #[test]
    fn unsafe_is_found_in_code_and_nowhere_else() {
        let files = [
            ("crates/a.rs", "fn f() {\n    unsafe { g() }\n}"),
            (
                "crates/b.rs",
                "#![forbid(unsafe_code)]\n// unsafe\nfn f() { g(\"unsafe\") }",
            ),
            ("xtask/c.rs", "unsafe extern \"C\" {}"),
        ];
        assert_eq!(places(check, &files), ["crates/a.rs:2", "xtask/c.rs:1"]);
    }
}
