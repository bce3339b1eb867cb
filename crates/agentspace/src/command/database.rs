//! `agentspace db`: the database's schema and its health.

use serde_json::json;

use crate::cli::{Database, Global};
use crate::exit::Exit;
use crate::output;

pub(super) async fn run(global: &Global, command: &Database) -> anyhow::Result<Exit> {
    match command {
        Database::Migrate => migrate(global).await,
        Database::Check => check(global).await,
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
