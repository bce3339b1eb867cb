//! Where the workspace stands and which files of its own it has.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What holds no file of ours, wherever it stands; `.git` is a file in a second work tree.
const FOREIGN: [&str; 4] = [".git", "target", "node_modules", ".agentspace"];

/// One text file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Relative to the root, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn extension(&self) -> Option<&str> {
        self.path.rsplit_once('.').map(|(_, extension)| extension)
    }

    /// Whether this is Rust that the rules of the house bind.
    pub(crate) fn is_our_rust(&self) -> bool {
        let bound = ["crates/", "xtask/", "tests/"];
        self.extension() == Some("rs") && bound.iter().any(|folder| self.path.starts_with(folder))
    }

    /// Whether a generator wrote it: such a file says so in its first lines.
    pub(crate) fn is_generated(&self) -> bool {
        self.text.lines().take(5).any(|l| l.contains("@generated"))
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    // `cargo run` tells at run time, so a target folder shared by two clones stays honest.
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or(package.clone(), Path::to_path_buf)
}

/// Every text file under `root` in order of path; links and foreign folders are left out.
pub(crate) fn files(root: &Path) -> Result<Vec<SourceFile>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in read_folder(&folder)? {
            let kind = entry.file_type()?;
            let path = entry.path();
            let name = entry.file_name();
            if FOREIGN.iter().any(|foreign| name == *foreign) {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.extend(read_text(root, &path)?);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn read_folder(folder: &Path) -> Result<Vec<std::fs::DirEntry>> {
    std::fs::read_dir(folder)
        .and_then(Iterator::collect)
        .with_context(|| format!("reading folder {} failed", folder.display()))
}

/// `None` for a file that is not UTF-8: no rule of ours reads such a file.
fn read_text(root: &Path, path: &Path) -> Result<Option<SourceFile>> {
    let bytes =
        std::fs::read(path).with_context(|| format!("reading {} failed", path.display()))?;
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    Ok(String::from_utf8(bytes).ok().map(|text| SourceFile {
        path: parts.join("/"),
        text,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_files_and_binary_files_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in [
            ("crates/db/src/lib.rs", &b"//! Here."[..]),
            ("crates/db/target/x.rs", b"no"),
            (".git", b"gitdir: elsewhere"),
            ("logo.png", b"\xff\xfe"),
            (".ci/run", b"#!/bin/bash"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let paths: Vec<_> = files(folder.path())
            .unwrap()
            .into_iter()
            .map(|file| file.path)
            .collect();
        assert_eq!(paths, [".ci/run", "crates/db/src/lib.rs"]);
    }

    #[test]
    fn the_root_holds_the_workspace_manifest() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }
}
