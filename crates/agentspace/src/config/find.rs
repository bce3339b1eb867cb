//! Finds the `agentspace.toml` of a directory: there or above, or where a flag says.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use gateway::workflow_types::source::MAX_BYTES;

use crate::cli::Flags;
use crate::exit::UsageError;

/// The file's name.
pub(crate) const NAME: &str = "agentspace.toml";

/// Where the file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The file, as it is shown.
    pub(super) path: PathBuf,
    /// Its directory, which its paths and the program's defaults are relative to; empty for the
    /// current directory.
    pub(super) directory: PathBuf,
}

/// Finds the file that the flags ask for: one by its name, none at all, or the nearest.
pub(super) fn find(flags: &Flags) -> Result<Option<Found>, UsageError> {
    if flags.no_config {
        return Ok(None);
    }
    if let Some(path) = &flags.config {
        return Ok(Some(Found {
            path: path.clone(),
            directory: path.parent().unwrap_or(Path::new("")).to_owned(),
        }));
    }
    // Where a current directory has no name, nothing is above it that could be found.
    let Ok(current) = std::env::current_dir() else {
        return Ok(None);
    };
    let home = std::env::var_os("HOME").map(PathBuf::from);
    nearest(&current, home.as_deref())
}

/// The nearest file, from a directory upward. Within the user's home it ends there, elsewhere at
/// the root of the file system.
pub(super) fn nearest(current: &Path, home: Option<&Path>) -> Result<Option<Found>, UsageError> {
    for directory in current.ancestors() {
        let path = directory.join(NAME);
        if let Ok(metadata) = path.metadata()
            && metadata.is_file()
        {
            if directory == current {
                return Ok(Some(Found {
                    path: PathBuf::from(NAME),
                    directory: PathBuf::new(),
                }));
            }
            refuse_foreign(&path, metadata.uid())?;
            return Ok(Some(Found {
                path,
                directory: directory.to_owned(),
            }));
        }
        if Some(directory) == home {
            break;
        }
    }
    Ok(None)
}

/// Refuses a file that somebody else has put above the current directory: it says what commands may
/// run and what they see.
fn refuse_foreign(path: &Path, owner: u32) -> Result<(), UsageError> {
    if owner == 0 || owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let path = path.display();
    Err(UsageError(format!(
        "{path} belongs to another user: name it with --config if you trust it, or pass it over \
         with --no-config"
    )))
}

/// The bytes of a regular file, at most one more than may be read, so that too much is noticed.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a foreign enum that grows: the rest is told in the system's words"
    )]
    let describe = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read: permission denied".to_owned(),
        _ => format!("it cannot be read: {error}"),
    };
    let metadata = path.metadata().map_err(describe)?;
    if metadata.is_dir() {
        return Err(format!("it is a directory; name the {NAME} in it"));
    }
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let limit = u64::try_from(MAX_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(describe)?;
    Ok(bytes)
}
