//! Whether the user of the program may use its database, and what to do if not.
//!
//! Asked when the database could not be used: nothing is opened, what the rights say is enough to
//! name the path.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use gateway::ErrorKind;

/// The right to read.
const READ: u32 = 0o4;
/// The right to write.
const WRITE: u32 = 0o2;
/// The right to go through a directory.
const ENTER: u32 = 0o1;

/// An error of the database with what keeps the user from it, if that is why.
pub(crate) fn explained(error: anyhow::Error, database: &Path) -> anyhow::Error {
    let kind = error
        .downcast_ref::<gateway::Error>()
        .map(gateway::Error::kind);
    let may_be_refused = matches!(
        kind,
        Some(ErrorKind::Unavailable | ErrorKind::Unusable | ErrorKind::Missing)
    );
    match refused(database).filter(|_| may_be_refused) {
        Some(refused) => error.context(refused),
        None => error,
    }
}

/// What keeps the user from the database and what to do about it; none if nothing does.
pub(crate) fn refused(database: &Path) -> Option<String> {
    let database = std::path::absolute(database).ok()?;
    let user = User::of_process();
    let (path, owner) = user.refused_at(&database)?;
    Some(format!(
        "this user ({}) has not the rights to {} that the database needs, user {owner} owns it: run \
         the program as that user, give yourself the rights, or name another database with --db",
        user.id,
        path.display()
    ))
}

/// Whether it cannot be seen if there is a database: a directory above it is closed to the user.
pub(crate) fn is_hidden(database: &Path) -> bool {
    let denied = std::io::ErrorKind::PermissionDenied;
    matches!(database.metadata(), Err(error) if error.kind() == denied)
}

/// Who runs the program.
struct User {
    id: u32,
    groups: Vec<u32>,
}

impl User {
    fn of_process() -> Self {
        use rustix::process::{getegid, geteuid, getgroups};
        let others = getgroups().unwrap_or_default();
        let groups = others.into_iter().chain([getegid()]);
        Self {
            id: geteuid().as_raw(),
            groups: groups.map(rustix::process::Gid::as_raw).collect(),
        }
    }

    /// The file or directory that keeps the user from a database, with its owner.
    fn refused_at(&self, database: &Path) -> Option<(PathBuf, u32)> {
        let found = database
            .ancestors()
            .find_map(|path| Some((path, path.metadata().ok()?)));
        let (nearest, metadata) = found?;
        let refused = |path: &Path, owner| Some((path.to_owned(), owner));
        if metadata.is_dir() {
            // What is below it is hidden, or is to be made there.
            let may = self.may(&metadata, READ | WRITE | ENTER);
            return refused(nearest, metadata.uid()).filter(|_| !may);
        }
        if !self.may(&metadata, READ | WRITE) {
            return refused(nearest, metadata.uid());
        }
        // Its log and its lock stand beside it.
        let directory = nearest.parent()?;
        let metadata = directory.metadata().ok()?;
        let may = self.may(&metadata, WRITE | ENTER);
        refused(directory, metadata.uid()).filter(|_| !may)
    }

    /// Whether the rights of a file let the user do all of this.
    fn may(&self, metadata: &Metadata, wanted: u32) -> bool {
        let mode = metadata.permissions().mode();
        let rights = if self.id == 0 {
            return true;
        } else if self.id == metadata.uid() {
            mode >> 6
        } else if self.groups.contains(&metadata.gid()) {
            mode >> 3
        } else {
            mode
        };
        rights & wanted == wanted
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn the_path_that_is_in_the_way_is_found() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("state");
        let database = directory.join("a.db");
        let nobody = User {
            id: 65_534,
            groups: vec![65_534],
        };
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        let refused_at = || nobody.refused_at(&database).map(|(path, _)| path);
        mode(place.path(), 0o755);
        assert_eq!(refused_at().as_deref(), Some(place.path()));
        mode(place.path(), 0o777);
        assert_eq!(refused_at(), None, "it can be made");
        fs::create_dir(&directory).unwrap();
        mode(&directory, 0o777);
        fs::write(&database, "").unwrap();
        mode(&database, 0o644);
        assert_eq!(refused_at().as_deref(), Some(database.as_path()));
        mode(&database, 0o666);
        assert_eq!(refused_at(), None);
        mode(&directory, 0o755);
        assert_eq!(refused_at().as_deref(), Some(directory.as_path()));
    }

    #[test]
    fn owners_groups_and_others_have_their_own_rights() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let metadata = |mode| {
            fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            file.path().metadata().unwrap()
        };
        let user = |id, group| User {
            id,
            groups: vec![group],
        };
        let (owner, group) = (metadata(0o600).uid(), metadata(0o600).gid());
        assert!(user(0, 0).may(&metadata(0o000), READ));
        assert!(!user(owner + 1, group).may(&metadata(0o606), READ));
        assert!(user(owner + 1, group).may(&metadata(0o060), READ | WRITE));
        assert!(user(owner + 1, group + 1).may(&metadata(0o004), READ));
        assert!(!user(owner + 1, group + 1).may(&metadata(0o664), WRITE));
    }
}
