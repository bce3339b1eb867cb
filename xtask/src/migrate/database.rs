//! Applies and reverts migrations by the code that the product itself uses.

use std::path::Path;

use anyhow::Result;

pub(super) fn run(path: &Path) -> Result<()> {
    let applied = db::migrate::run(path)?;
    for name in &applied {
        println!("applied {name}");
    }
    if applied.is_empty() {
        println!("{} has all migrations", path.display());
    }
    Ok(())
}

pub(super) fn revert(path: &Path) -> Result<()> {
    match db::migrate::revert(path)? {
        Some(reverted) => say("reverted", &reverted),
        None => println!("{} has no migration to revert", path.display()),
    }
    Ok(())
}

pub(super) fn redo(path: &Path) -> Result<()> {
    match db::migrate::redo(path)? {
        Some(reverted) => say("reverted and applied", &reverted),
        None => println!("{} has no migration to redo", path.display()),
    }
    Ok(())
}

fn say(what: &str, reverted: &db::migrate::Reverted) {
    if let Some(backup) = &reverted.backup {
        println!("copied to {}", backup.display());
    }
    println!("{what} {}", reverted.name);
}

pub(super) fn list(path: &Path) -> Result<()> {
    for migration in db::migrate::list(path)? {
        let mark = if migration.applied {
            "applied"
        } else {
            "pending"
        };
        println!("{mark}  {}", migration.name);
    }
    Ok(())
}
