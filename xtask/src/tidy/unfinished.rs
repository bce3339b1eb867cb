//! Rule: what is committed is finished, so no ignored test and no placeholder for code.

use super::Finding;
use crate::tokens;
use crate::workspace::SourceFile;

/// Tokens that stand in a row, and what to do instead.
const UNFINISHED: [(&[&str], &str); 3] = [
    (
        &["#", "[", "ignore"],
        "an ignored test proves nothing: mend it or remove it",
    ),
    (
        &["todo", "!"],
        "write what is missing or leave the call out",
    ),
    (
        &["unimplemented", "!"],
        "write what is missing or leave the call out",
    ),
];

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.is_our_rust())
        .flat_map(unfinished)
        .collect()
}

fn unfinished(file: &SourceFile) -> Vec<Finding> {
    let tokens = match tokens::flatten(&file.text) {
        Ok(tokens) => tokens,
        Err(message) => return vec![Finding::in_file(file, message)],
    };
    UNFINISHED
        .iter()
        .flat_map(|(pattern, advice)| {
            tokens::lines_with(&tokens, pattern)
                .into_iter()
                .map(move |line| Finding::at_line(file, line, *advice))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::check;

    #[test]
    fn placeholders_and_ignored_tests_are_refused() {
        let files = [
            ("crates/a.rs", "fn f() { todo!() }"),
            ("crates/b.rs", "fn f() {\n    unimplemented!(\"later\")\n}"),
            ("crates/c.rs", "#[test]\n#[ignore = \"slow\"]\nfn t() {}"),
            (
                "crates/d.rs",
                "// todo!() here\nfn f() { g(\"#[ignore]\"); todo(); }",
            ),
            ("crates/e.rs", "fn f( {"),
        ];
        assert_eq!(
            places(check, &files),
            [
                "crates/a.rs:1",
                "crates/b.rs:2",
                "crates/c.rs:2",
                "crates/e.rs"
            ]
        );
    }
}
