//! Files of the host's own, of which it wants to know when they change.
//!
//! What they say is the host's business: they are read to be compared, and their paths are told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::loader::{self, Text};
use crate::registrar::Told;

/// The files, and what each was when it was last told of.
#[derive(Debug, Default)]
pub(crate) struct HostFiles {
    paths: Vec<PathBuf>,
    last: Mutex<BTreeMap<PathBuf, Text>>,
}

impl HostFiles {
    pub(crate) fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            last: Mutex::default(),
        }
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Reads the files again; answers all of them, or those that are not as they were. The first time
    /// it is all of them: the host may have read its own before somebody changed it.
    pub(crate) async fn read(&self, told: Told) -> Result<Vec<PathBuf>, Error> {
        if self.paths.is_empty() {
            return Ok(Vec::new());
        }
        let paths = self.paths.clone();
        let read = move || -> BTreeMap<PathBuf, Text> {
            let read = paths.into_iter().map(|path| {
                let text = loader::text(&path);
                (path, text)
            });
            read.collect()
        };
        let now = loader::blocking(read).await?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = |path: &&PathBuf| told == Told::All || last.get(*path) != now.get(*path);
        let changed = self.paths.iter().filter(is_told).cloned().collect();
        *last = now;
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_told_of_first_and_whenever_it_is_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("host.toml");
        let files = HostFiles::new(vec![path.clone()]);
        let only = std::slice::from_ref(&path);
        let news = async || files.read(Told::News).await.unwrap();
        assert_eq!(news().await, *only, "it is told of at first");
        assert!(news().await.is_empty());
        std::fs::write(&path, "a = 1").unwrap();
        assert_eq!(news().await, *only);
        // Written again as it was.
        std::fs::write(&path, "a = 1").unwrap();
        assert!(news().await.is_empty());
        assert_eq!(files.read(Told::All).await.unwrap(), *only);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(news().await, *only);
        assert!(news().await.is_empty());
    }

    #[tokio::test]
    async fn where_there_is_none_nothing_is_told() {
        let none = HostFiles::default();
        assert!(none.read(Told::All).await.unwrap().is_empty());
    }
}
