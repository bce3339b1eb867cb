//! Which database stands on which disk: paths that SQLite asks for, and where they lead.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use crate::disk::{Disk, FileName};
use crate::vfs;

static MOUNTED: Mutex<Option<HashMap<PathBuf, Arc<Disk>>>> = Mutex::new(None);

/// A directory of the real file system, whose database stands on a [`Disk`] while one is inserted.
///
/// The lock of the owner and the copies made before migrations are real files.
pub struct Slot {
    directory: TempDir,
    database: PathBuf,
}

impl Slot {
    /// A slot without a disk.
    pub fn new() -> Self {
        vfs::install();
        let directory = tempfile::tempdir().expect("a directory for a test");
        let path = directory
            .path()
            .canonicalize()
            .expect("a directory that is there");
        let database = path.join("agentspace.db");
        std::fs::write(&database, "").expect("a file that says that there is a database");
        Self {
            directory,
            database,
        }
    }

    /// The path of the database.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// A directory for other files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Puts a disk in, in place of the one before; connections that are open keep theirs.
    pub fn insert(&self, disk: Arc<Disk>) {
        let mut mounted = mounted();
        let disks = mounted.get_or_insert_default();
        disks.insert(self.database.clone(), disk);
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(disks) = mounted().as_mut() {
            disks.remove(&self.database);
        }
    }
}

/// The disk of a path, and which of its files is meant.
pub(crate) fn find(path: &Path) -> Option<(Arc<Disk>, FileName)> {
    let mounted = mounted();
    let disks = mounted.as_ref()?;
    let text = path.to_str()?;
    let names = [
        ("", FileName::Database),
        ("-wal", FileName::Log),
        ("-journal", FileName::Journal),
    ];
    names.into_iter().find_map(|(suffix, name)| {
        let database = text.strip_suffix(suffix)?;
        let disk = disks.get(Path::new(database))?;
        Some((Arc::clone(disk), name))
    })
}

fn mounted() -> MutexGuard<'static, Option<HashMap<PathBuf, Arc<Disk>>>> {
    MOUNTED.lock().unwrap_or_else(PoisonError::into_inner)
}
