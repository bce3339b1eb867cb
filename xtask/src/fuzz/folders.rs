//! Where a fuzz target finds and leaves its files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::workspace;

/// The files of one target.
pub(super) struct Folders {
    /// What is committed, and only read.
    pub(super) seeds: PathBuf,
    /// Inputs that once broke a law.
    regressions: PathBuf,
    /// What runs on this machine have collected.
    pub(super) corpus: PathBuf,
    artifacts: PathBuf,
    dictionary: PathBuf,
    /// What libFuzzer writes while it runs.
    pub(super) log: PathBuf,
}

/// The names of all targets, in order.
pub(super) fn targets() -> Result<Vec<String>> {
    let mut names: Vec<String> = entries(&workspace::root().join("fuzz/fuzz_targets"))?
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

impl Folders {
    /// The folders of a target; those that runs write into are made.
    pub(super) fn of(target: &str) -> Result<Self> {
        let committed = workspace::root().join("fuzz");
        let own = workspace::root().join("target/fuzz");
        let folders = Self {
            seeds: committed.join("corpus").join(target),
            regressions: committed.join("regressions").join(target),
            corpus: own.join("corpus").join(target),
            artifacts: own.join("artifacts").join(target),
            dictionary: committed.join(format!("dictionaries/{target}.dict")),
            log: own.join(format!("{target}.log")),
        };
        for folder in [&folders.corpus, &folders.artifacts] {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("creating {} failed", folder.display()))?;
        }
        Ok(folders)
    }

    /// The folders that a run reads; libFuzzer writes into the first one.
    pub(super) fn corpora(&self) -> Vec<&Path> {
        [&self.corpus, &self.seeds, &self.regressions]
            .into_iter()
            .map(PathBuf::as_path)
            .filter(|folder| folder.is_dir())
            .collect()
    }

    pub(super) fn dictionary_option(&self) -> String {
        format!("-dict={}", self.dictionary.display())
    }

    pub(super) fn artifacts_option(&self) -> String {
        format!("-artifact_prefix={}/", self.artifacts.display())
    }

    /// The inputs that have broken a law so far.
    pub(super) fn finds(&self) -> Result<Vec<PathBuf>> {
        entries(&self.artifacts)
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    std::fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect()
        })
        .with_context(|| format!("reading folder {} failed", folder.display()))
}
