//! `agentspace init`: a workflow, a heartbeat and a configuration to begin with, which work as they
//! are, and the schemas by which editors know them.
//!
//! The files name their schemas by a path beside them, so that editors need no network and show what
//! the installed program takes.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use gateway::HEARTBEAT;
use gateway::workflow_types::json_schema;

use crate::cli::Init;
use crate::config;
use crate::exit::{Exit, UsageError};
use crate::output;

/// What is written: the repository's own examples, so that they are tested as they are, and a
/// configuration that changes nothing.
const FILES: [(&str, &str); 3] = [
    (
        "workflows/hello.yaml",
        include_str!("../../../../examples/hello.yaml"),
    ),
    (HEARTBEAT, HEARTBEAT_TEXT),
    (config::NAME, include_str!("init/agentspace.toml")),
];

const HEARTBEAT_TEXT: &str = include_str!("../../../../examples/HEARTBEAT.md");

/// What the head of a workflow in `workflows/` points to.
const WORKFLOW_SCHEMA: &str = "schemas/workflow.schema.json";
/// For programs that check a heartbeat's front matter; nothing points to it.
const HEARTBEAT_SCHEMA: &str = "schemas/heartbeat.schema.json";
/// What the head of the configuration points to.
const CONFIG_SCHEMA: &str = "schemas/config.schema.json";

pub(super) fn run(args: &Init) -> anyhow::Result<Exit> {
    let workflow = json_schema::to_text(&json_schema::workflow());
    let settings = json_schema::to_text(&json_schema::config());
    let heartbeat = json_schema::to_text(&json_schema::heartbeat());
    let schemas = [
        (WORKFLOW_SCHEMA, workflow.as_str()),
        (HEARTBEAT_SCHEMA, heartbeat.as_str()),
        (CONFIG_SCHEMA, settings.as_str()),
    ];
    for (name, text) in FILES.into_iter().chain(schemas) {
        let path = args.directory.join(name);
        let word = if write_new(&path, text)? {
            "wrote"
        } else {
            "kept "
        };
        output::talk(&format!("{word} {}", path.display()));
    }
    output::talk("next: `agentspace check`, then `agentspace run hello`");
    Ok(Exit::Ok)
}

/// Writes a heartbeat alone; whether it was not there before.
pub(super) fn heartbeat(path: &Path) -> anyhow::Result<bool> {
    if path.is_dir() {
        let (directory, file) = (path.display(), path.join(HEARTBEAT));
        let file = file.display();
        let message = format!("{directory} is a directory; name the file, as {file}");
        return Err(UsageError(message).into());
    }
    let is_new = write_new(path, HEARTBEAT_TEXT)?;
    let word = if is_new { "wrote" } else { "kept " };
    output::talk(&format!("{word} {}", path.display()));
    Ok(is_new)
}

/// Writes a file that is not there yet; false if it is, whatever it holds.
fn write_new(path: &Path, text: &str) -> anyhow::Result<bool> {
    let failed = || format!("writing {} failed", path.display());
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).with_context(failed)?;
    }
    match std::fs::File::create_new(path) {
        Ok(mut file) => file
            .write_all(text.as_bytes())
            .map(|()| true)
            .with_context(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).with_context(failed),
    }
}
