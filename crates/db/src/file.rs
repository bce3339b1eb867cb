//! The files around the database: created private, named so that SQLite takes no name for a URI,
//! made durable.
//!
//! The database file itself is never opened here once SQLite has it: closing any descriptor of it
//! would drop SQLite's locks in the whole process.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Context as _, Error, ErrorKind};

/// How SQLite may use a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read and write a file that exists.
    Write,
    /// Read only.
    Read,
    /// Read a file that nobody writes, without making files beside it.
    Frozen,
}

/// The absolute path of a database, refused if it names none.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Error> {
    if path.as_os_str().is_empty() {
        return Err(Error::new(
            ErrorKind::NotADatabase,
            "the path of the database is empty",
        ));
    }
    let path =
        std::path::absolute(path).context(|| format!("finding {} failed", path.display()))?;
    match fs::metadata(&path) {
        Ok(found) if !found.is_file() => {
            let what = if found.is_dir() {
                "a directory"
            } else {
                "no regular file"
            };
            let message = format!(
                "the database {} is {what}: name a file, existing or not",
                path.display()
            );
            Err(Error::new(ErrorKind::NotADatabase, message))
        }
        Ok(_) | Err(_) => Ok(path),
    }
}

/// The URI under which SQLite opens exactly this path, whatever characters it has.
pub(crate) fn uri(path: &Path, access: Access) -> Result<String, Error> {
    let Some(text) = path.to_str() else {
        let message = format!("the path {} is not valid UTF-8", path.display());
        return Err(Error::new(ErrorKind::NotADatabase, message));
    };
    let mut uri = String::from("file://");
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.extend(['%', hex(byte >> 4), hex(byte & 0xf)]),
        }
    }
    uri.push_str(match access {
        Access::Write => "?mode=rw",
        Access::Read => "?mode=ro",
        Access::Frozen => "?mode=ro&immutable=1",
    });
    Ok(uri)
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0')
}

/// Creates an empty private file, with its private directories, unless it exists.
pub(crate) fn create(path: &Path) -> Result<(), Error> {
    create_directory(path)?;
    match private().create_new(true).open(path) {
        Ok(_) => sync_directory(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).context(|| format!("creating {} failed", path.display())),
    }
}

/// Creates the directory of a file for its owner alone, unless it exists.
pub(crate) fn create_directory(path: &Path) -> Result<(), Error> {
    let Some(directory) = path.parent() else {
        return Ok(());
    };
    let missing: Vec<&Path> = directory
        .ancestors()
        .take_while(|ancestor| !ancestor.exists())
        .collect();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .context(|| format!("creating the directory {} failed", directory.display()))?;
    missing.into_iter().try_for_each(sync_directory)
}

/// Options that create a file which only its owner reads and writes.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

/// The path with something added to its last name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the content of a file durable. Never to be used on a database that is open.
pub(crate) fn sync(path: &Path) -> Result<(), Error> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .context(|| format!("making {} durable failed", path.display()))
}

/// Makes the name of a file durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), Error> {
    let Some(directory) = path.parent() else {
        return Ok(());
    };
    sync(directory)
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).context(|| format!("removing {} failed", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Gives a finished file its name, durably.
pub(crate) fn publish(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).context(|| format!("renaming {} failed", from.display()))?;
    sync_directory(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_taken_for_a_uri_or_its_parameters() {
        let uri = |text| uri(Path::new(text), Access::Write).unwrap();
        assert_eq!(
            uri("/a b/c?mode=memory"),
            "file:///a%20b/c%3fmode%3dmemory?mode=rw"
        );
        assert_eq!(uri("/x#y%20"), "file:///x%23y%2520?mode=rw");
        let relative = absolute(Path::new("file:x?mode=memory")).unwrap();
        assert!(relative.is_absolute() && relative.ends_with("file:x?mode=memory"));
        assert!(absolute(Path::new("")).is_err());
    }
}
