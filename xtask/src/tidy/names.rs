//! Rule: a file or folder is named after what it knows, so there is no `mod.rs` and no drawer for odds and ends.

use super::Finding;
use crate::workspace::SourceFile;

const DRAWERS: [&str; 7] = [
    "utils", "util", "common", "helpers", "helper", "misc", "prelude",
];

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.is_our_rust())
        .filter_map(|file| fault(&file.path).map(|message| Finding::in_file(file, message)))
        .collect()
}

fn fault(path: &str) -> Option<String> {
    if path.ends_with("/mod.rs") {
        return Some("a module with children is `name.rs` beside `name/`, not `mod.rs`".to_owned());
    }
    path.split('/')
        .map(|part| part.strip_suffix(".rs").unwrap_or(part))
        .find(|part| DRAWERS.contains(part))
        .map(|part| format!("`{part}` says nothing: name it after what it knows"))
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::check;

    #[test]
    fn drawers_and_mod_rs_are_refused() {
        let files = [
            ("crates/db/src/mod.rs", ""),
            ("crates/db/src/utils.rs", ""),
            ("crates/db/src/common/time.rs", ""),
            ("crates/db/src/uncommon.rs", ""),
            ("crates/db/src/model.rs", ""),
            ("docs/common/mod.rs", ""),
        ];
        assert_eq!(
            places(check, &files),
            [
                "crates/db/src/mod.rs",
                "crates/db/src/utils.rs",
                "crates/db/src/common/time.rs"
            ]
        );
    }
}
