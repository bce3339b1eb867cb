//! `agentspace db`: the database's schema and its health.

use std::path::Path;

use serde_json::json;

use crate::cli::{Database, Global};
use crate::exit::Exit;
use crate::output;

pub(super) async fn run(global: &Global, command: &Database) -> anyhow::Result<Exit> {
    match command {
        Database::Migrate => migrate(global).await,
        Database::Check => check(global).await,
        Database::Prune(args) => super::prune::run(global, args).await,
        Database::Vacuum => vacuum(global).await,
        Database::Backup { path, force } => backup(global, path, *force).await,
    }
}

async fn migrate(global: &Global) -> anyhow::Result<Exit> {
    let report = gateway::database::migrate(&global.db).await?;
    let path = global.db.display().to_string();
    if global.json {
        let shown = json!({"path": path, "migrated": report.migrated, "backup": report.backup});
        output::envelope("db.migrate", &shown);
        return Ok(Exit::Ok);
    }
    if let Some(backup) = &report.backup {
        output::data(&format!("copied to {}", backup.display()));
    }
    if report.migrated.is_empty() {
        output::data(&format!("{path} has the newest schema"));
    }
    for name in &report.migrated {
        output::data(&format!("applied {name}"));
    }
    Ok(Exit::Ok)
}

async fn check(global: &Global) -> anyhow::Result<Exit> {
    let problems = gateway::database::check(&global.db).await?;
    let path = global.db.display().to_string();
    if global.json {
        output::envelope("db.check", &json!({"path": path, "problems": problems}));
    } else if problems.is_empty() {
        output::data(&format!("{path} is sound"));
    } else {
        for problem in &problems {
            output::data(&format!(
                "{}: {problem}",
                output::paint(output::RED, "problem")
            ));
        }
    }
    Ok(if problems.is_empty() {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

async fn vacuum(global: &Global) -> anyhow::Result<Exit> {
    gateway::database::vacuum(&global.db).await?;
    let path = global.db.display().to_string();
    if global.json {
        output::envelope("db.vacuum", &json!({"path": path}));
    } else {
        output::data(&format!("{path} has no unused room any more"));
    }
    Ok(Exit::Ok)
}

async fn backup(global: &Global, target: &Path, replace: bool) -> anyhow::Result<Exit> {
    if replace {
        gateway::database::backup_over(&global.db, target).await?;
    } else {
        gateway::database::backup(&global.db, target).await?;
    }
    let (path, copy) = (global.db.display(), target.display());
    if global.json {
        let shown = json!({"path": path.to_string(), "backup": copy.to_string()});
        output::envelope("db.backup", &shown);
    } else {
        output::data(&format!("copied to {copy}"));
    }
    Ok(Exit::Ok)
}
