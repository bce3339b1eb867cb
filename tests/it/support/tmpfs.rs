//! A small file system in memory, which a test can fill and empty again.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Place;
use super::tools::passed_over;

/// What is granted at once.
const PAGE: u64 = 4096;

/// A file system of its own size below a test's directory; gone when this is dropped.
pub(crate) struct Tmpfs {
    root: PathBuf,
}

impl Tmpfs {
    /// Mounts one; none where a test may be passed over because nobody may mount.
    pub(crate) fn mount(place: &Place, name: &str, size: &str) -> Option<Self> {
        let root = place.path(name);
        fs::create_dir(&root).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={size},mode=0700"))
            .args(["agentspace-test".as_ref(), root.as_os_str()])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        let tmpfs = Self { root };
        if mounted {
            return Some(tmpfs);
        }
        std::mem::forget(tmpfs);
        passed_over("a small file system cannot be mounted, for which one has to be root");
        None
    }

    /// Fills it until so many pages are left.
    pub(crate) fn fill(&self, left: u64) {
        let mut filler = File::create(self.filler()).unwrap();
        let page = [b'x'; 4096];
        let error = loop {
            if let Err(error) = filler.write_all(&page) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        let length = filler.metadata().unwrap().len();
        filler.set_len(length.saturating_sub(left * PAGE)).unwrap();
    }

    /// Takes away what filled it.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.root.join("filler")
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Whatever still has a file there open loses it when it ends.
        let _ = Command::new("umount").arg("-l").arg(&self.root).status();
    }
}
