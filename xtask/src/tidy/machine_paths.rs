//! Rule: no file names a folder that exists on its author's machine only.

use super::Finding;
use crate::workspace::SourceFile;

/// Top-level folders under which people keep their clones.
const PERSONAL: [&str; 5] = ["home", "root", "Users", "work", "farm"];

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.extension() != Some("lock"))
        .flat_map(|file| {
            file.text
                .lines()
                .enumerate()
                .filter(|(_, line)| PERSONAL.iter().any(|folder| names(line, folder)))
                .map(move |(index, _)| {
                    let message =
                        "names a folder of one machine: use a path relative to the repository";
                    Finding::at_line(file, index + 1, message)
                })
        })
        .collect()
}

/// Whether `line` holds an absolute path under `/folder/`, not a longer path that contains it.
fn names(line: &str, folder: &str) -> bool {
    let path = format!("/{folder}/");
    line.match_indices(&path).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-~/$}*".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::check;

    #[test]
    fn absolute_personal_paths_are_found_and_relative_ones_are_not() {
        // Put together here, because this very file is checked as well.
        let [home, work] = ["home", "work"].map(|folder| format!("/{folder}/"));
        let bad = format!("fine\ncd {home}me/agentspace\n");
        let quoted = format!("path = \"{work}x\"");
        let relative = format!("see ..{work}x and https://example.org{home}page and $ROOT{home}x");
        let files = [
            ("README.md", bad.as_str()),
            ("deny.toml", quoted.as_str()),
            ("docs/a.md", relative.as_str()),
            ("Cargo.lock", bad.as_str()),
        ];
        assert_eq!(places(check, &files), ["README.md:2", "deny.toml:1"]);
    }
}
