//! `agentspace init`: a workflow and a heartbeat to begin with, which work as they are, and the schema
//! by which editors know them.
//!
//! The workflow names the schema by a path beside it, so that editors need no network and show what
//! the installed program takes.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use gateway::workflow_types::json_schema;

use crate::cli::Init;
use crate::exit::Exit;
use crate::output;

/// What is written: the repository's own examples, so that they are tested as they are.
const FILES: [(&str, &str); 2] = [
    (
        "workflows/hello.yaml",
        include_str!("../../../../examples/hello.yaml"),
    ),
    (
        "HEARTBEAT.md",
        include_str!("../../../../examples/HEARTBEAT.md"),
    ),
];

/// What the head of a workflow in `workflows/` points to.
const SCHEMA: &str = "schemas/workflow.schema.json";

pub(super) fn run(args: &Init) -> anyhow::Result<Exit> {
    let schema = json_schema::to_text(&json_schema::workflow());
    for (name, text) in FILES.into_iter().chain([(SCHEMA, schema.as_str())]) {
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
