//! `agentspace workflows`: what is registered.

use gateway::workflow_types::id::WorkflowId;
use gateway::{Listed, Reader};
use serde_json::{Value, json};

use crate::cli::{Global, Workflows};
use crate::exit::Exit;
use crate::{host, output, view};

pub(super) async fn run(global: &Global, command: Workflows) -> anyhow::Result<Exit> {
    let reader = host::reader(global).await?;
    match command {
        Workflows::Ls => list(global, &reader).await?,
        Workflows::Show { id } => show(global, &reader, &id).await?,
    }
    Ok(Exit::Ok)
}

async fn list(global: &Global, reader: &Reader) -> anyhow::Result<()> {
    let Listed { items, damaged } = reader.workflows().await?;
    if global.json {
        let all: Vec<Value> = items.iter().map(view::workflow).collect();
        output::list("workflows", &all, &damaged);
        return Ok(());
    }
    if items.is_empty() && damaged.is_empty() {
        output::talk("no workflows are registered; `agentspace run FILE` registers one");
    }
    for workflow in &items {
        output::data(&format!(
            "{}  {}  {}",
            workflow.id,
            output::plain(&workflow.name),
            output::plain(&workflow.path)
        ));
    }
    output::damaged(&damaged);
    Ok(())
}

async fn show(global: &Global, reader: &Reader, id: &WorkflowId) -> anyhow::Result<()> {
    let workflow = reader.workflow(id).await?;
    let saved = reader.definition(&workflow.digest).await?;
    if global.json {
        let mut shown = view::workflow(&workflow);
        let canonical: Value = serde_json::from_str(saved.stored.json())?;
        shown["canonical"] = canonical;
        shown["source"] = json!(saved.source);
        output::envelope("workflow", &shown);
        return Ok(());
    }
    output::data(&format!(
        "{}  {}",
        workflow.id,
        output::plain(&workflow.name)
    ));
    if let Some(description) = &workflow.description {
        output::data(&output::plain(description));
    }
    output::data(&format!("file        {}", output::plain(&workflow.path)));
    output::data(&format!("definition  {}", workflow.digest));
    output::data(&format!(
        "registered  {}, changed {}",
        workflow.created_at, workflow.updated_at
    ));
    output::data("");
    output::data(&output::plain_lines(saved.source.trim_end()));
    Ok(())
}
