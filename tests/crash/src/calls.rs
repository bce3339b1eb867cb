//! Which system calls that change files a life makes, found out by tracing one.
//!
//! strace counts the calls of each thread by themselves. So each kind of call on each file is a
//! series of its own: one thread makes it, and every call in it can be named by its number.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::process::{self, End, Life};

/// Every system call that changes a file, or makes a change durable.
const CALLS: &str = "write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,\
                     ftruncate,truncate,fallocate,unlink,unlinkat,rename,renameat,renameat2,\
                     link,linkat";

/// One kind of call on one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) call: String,
    /// Relative to the directory of the life; empty for the directory itself.
    pub(crate) file: PathBuf,
    /// How many there were in a life that nobody killed.
    pub(crate) count: usize,
    /// How many threads made them.
    pub(crate) threads: usize,
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display().to_string();
        let file = if file.is_empty() { "." } else { &file };
        write!(f, "{} {file}", self.call)
    }
}

impl Series {
    /// Arguments of strace that kill before the call with this number.
    pub(crate) fn killing(&self, directory: &Path, number: usize) -> Vec<String> {
        let path = directory.join(&self.file);
        // A path that ends in a slash would not be recognised.
        let path = if self.file.as_os_str().is_empty() {
            directory
        } else {
            &path
        };
        let call = &self.call;
        [
            "-o",
            "/dev/null",
            "-P",
            &path.to_string_lossy(),
            "-e",
            &format!("trace={call}"),
            "-e",
            &format!("inject={call}:signal=KILL:when={number}"),
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

/// Whether strace is there and may trace.
pub(crate) fn can_trace() -> bool {
    let mut command = std::process::Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "true"]);
    command.status().is_ok_and(|status| status.success())
}

/// The series of a life that nobody kills, in the order of their first calls.
pub(crate) fn census(life: &Life<'_>) -> Result<Vec<Series>> {
    let log = tempfile::NamedTempFile::new()?;
    let arguments = ["-y", "-o", &log.path().to_string_lossy(), "-e"].map(str::to_owned);
    let mut arguments = arguments.to_vec();
    arguments.push(format!("trace={CALLS}"));
    match process::finish(&mut life.traced(&arguments)?)? {
        End::Unhurt => {}
        // A fault that was put in may keep a life from its end; what it called is known all the same.
        End::Failed(_) if life.mutation.is_some() => {}
        end @ (End::Killed | End::Failed(_)) => bail!("tracing a life failed: {end:?}"),
    }
    let text = std::fs::read_to_string(log.path()).context("reading the trace failed")?;
    Ok(series(&text, life.directory))
}

fn series(trace: &str, directory: &Path) -> Vec<Series> {
    let mut found: Vec<Series> = Vec::new();
    let mut threads: BTreeMap<(String, PathBuf), BTreeSet<&str>> = BTreeMap::new();
    for line in trace.lines() {
        let Some((thread, call, file)) = read(line, directory) else {
            continue;
        };
        let of = threads.entry((call.to_owned(), file.clone())).or_default();
        of.insert(thread);
        let threads = of.len();
        match found.iter_mut().find(|s| s.call == call && s.file == file) {
            Some(series) => {
                series.count += 1;
                series.threads = threads;
            }
            None => found.push(Series {
                call: call.to_owned(),
                file,
                count: 1,
                threads,
            }),
        }
    }
    found
}

/// The thread, the call and the file of a line, if the file is in the directory.
fn read<'a>(line: &'a str, directory: &Path) -> Option<(&'a str, &'a str, PathBuf)> {
    let (thread, rest) = line.split_once(' ')?;
    let (call, arguments) = rest.trim_start().split_once('(')?;
    // `4</path>, …` or `AT_FDCWD</path>, "name"` or `"/path"`.
    let path = match arguments.split_once('"') {
        Some((before, quoted)) if !before.contains('>') => quoted.split('"').next()?,
        Some(_) | None => arguments.split_once('<')?.1.split('>').next()?,
    };
    let file = Path::new(path).strip_prefix(directory).ok()?;
    call.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        .then(|| (thread, call, file.to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_kind_and_file() {
        let trace = "\
7 write(3</d/x/ledger>, \"{}\"..., 3) = 3
8 pwrite64(4</d/x/a.db>, \"\\0\"..., 4096, 0) = 4096
8 pwrite64(4</d/x/a.db>, \"\\0\"..., 4096, 4096 <unfinished ...>
9 pwrite64(4</d/x/a.db>, \"\\0\"..., 4096, 0) = 4096
8 <... pwrite64 resumed>) = 4096
8 unlink(\"/d/x/a.db-wal\") = 0
8 fsync(9</d/x>) = 0
7 write(1</dev/null>, \"no\", 2) = 2
7 +++ exited with 0 +++";
        let told = series(trace, Path::new("/d/x"));
        let told: Vec<String> = told
            .iter()
            .map(|it| format!("{it} {} {}", it.count, it.threads))
            .collect();
        assert_eq!(
            told,
            [
                "write ledger 1 1",
                "pwrite64 a.db 3 2",
                "unlink a.db-wal 1 1",
                "fsync . 1 1"
            ]
        );
    }
}
