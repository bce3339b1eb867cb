//! Consistent copies of the database while it is in use.
//!
//! A copy appears under its name only when it is complete, checked and durable.

use std::path::Path;

use diesel::RunQueryDsl as _;
use diesel::sql_types::Text;

use crate::connection::Connection;
use crate::error::{Context as _, Error, ErrorKind};
use crate::file::{self, Access};

impl Connection {
    /// Writes a copy of the database, as it stands now, to a file that does not exist yet.
    ///
    /// Writers and readers go on meanwhile. The copy is one file of mode 0600 and is durable when
    /// this returns. Fails with [`ErrorKind::Conflict`] if the file exists.
    pub fn backup(&mut self, target: &Path) -> Result<(), Error> {
        let target = file::absolute(target)?;
        if target.exists() {
            let message = format!("{} exists: name another file", target.display());
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        self.copy_to(&target)
    }

    /// Gives the room of what was deleted back to the file system: the file is written anew.
    ///
    /// Needs as much free room as the database has, and keeps every writer waiting.
    pub fn vacuum(&mut self) -> Result<(), Error> {
        self.execute("VACUUM")?;
        // What was written stands in the log until it is moved into the file.
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// The same as [`Connection::backup`], in place of what has the name, which must not be the
    /// database itself.
    pub fn backup_over(&mut self, target: &Path) -> Result<(), Error> {
        let target = file::absolute(target)?;
        if target == self.path() {
            let message = format!("{} is the database itself", target.display());
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        self.copy_to(&target)
    }

    /// The same, replacing what has the name.
    pub(crate) fn copy_to(&mut self, target: &Path) -> Result<(), Error> {
        let temporary = file::beside(target, ".tmp");
        file::remove(&temporary)?;
        let copied = self
            .vacuum_into(&temporary)
            .and_then(|()| file::sync(&temporary))
            .and_then(|()| verify(&temporary))
            .and_then(|()| file::publish(&temporary, target));
        if copied.is_err() {
            // What is left of it is of no use; the cause is what the caller needs to hear.
            let _ = file::remove(&temporary);
        }
        copied
    }

    fn vacuum_into(&mut self, temporary: &Path) -> Result<(), Error> {
        // SQLite fills an empty file and leaves its mode alone.
        file::create(temporary)?;
        let name = temporary.to_string_lossy();
        diesel::sql_query("VACUUM INTO ?")
            .bind::<Text, _>(name.as_ref())
            .execute(&mut self.raw)
            .context(|| format!("copying {} to {name} failed", self.path().display()))?;
        Ok(())
    }
}

fn verify(copy: &Path) -> Result<(), Error> {
    let mut connection = Connection::establish(copy, Access::Frozen)?;
    let findings =
        connection.texts("SELECT integrity_check AS value FROM pragma_integrity_check")?;
    if findings == ["ok"] {
        return Ok(());
    }
    Err(Error::because(
        ErrorKind::Corrupt,
        format!(
            "the copy {} is damaged, so it was discarded",
            copy.display()
        ),
        findings.join("; "),
    ))
}
