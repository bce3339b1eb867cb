//! `agentspace graph`: a picture of a workflow, or of the way that an execution took through it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gateway::workflow_types::definition::DefinitionDigest;
use gateway::workflow_types::definition::picture::Picture;
use gateway::workflow_types::id::{ExecutionId, WorkflowId};
use gateway::{ErrorKind, Reader};

use crate::cli::{Format, Global, Graph};
use crate::exit::{Exit, UsageError};
use crate::graph::{self, Marks};
use crate::host::{self, Trusted};
use crate::{diagnostics, output};

pub(super) async fn run(global: &Global, args: Graph) -> anyhow::Result<Exit> {
    let (picture, marks) = match super::run::file(global, &args.workflow) {
        Some(path) => match of_file(global, &path) {
            Some(picture) => (picture, Marks::default()),
            None => return Ok(Exit::Usage),
        },
        None => of_id(global, &args.workflow).await?,
    };
    if global.json {
        output::envelope("graph", &graph::to_json(&picture, &marks));
        return Ok(Exit::Ok);
    }
    let drawing = graph::draw(&picture, &marks, args.format);
    match args.output {
        Some(path) => write(&path, &drawing)?,
        None => output::data(drawing.trim_end()),
    }
    Ok(Exit::Ok)
}

fn of_file(global: &Global, path: &Path) -> Option<Picture> {
    let builder = host::builder(global, &Trusted::default());
    let report = host::check_file(&builder, path);
    diagnostics::show(&report, Format::Human);
    let definition = report.definition.filter(|_| report.unreadable.is_none());
    definition.map(|definition| definition.picture())
}

async fn of_id(global: &Global, text: &str) -> anyhow::Result<(Picture, Marks)> {
    let id = WorkflowId::try_new(text).map_err(|error| {
        UsageError(format!(
            "`{text}` is neither a file nor the id of a workflow or an execution: {error}"
        ))
    })?;
    let reader = host::reader(global).await?;
    match (reader.workflow(&id).await, text.parse()) {
        (Ok(workflow), _) => {
            let picture = picture(&reader, &workflow.digest).await?;
            Ok((picture, Marks::default()))
        }
        (Err(error), Ok(execution)) if error.kind() == ErrorKind::NotFound => {
            of_execution(&reader, execution).await
        }
        (Err(error), _) => Err(error.into()),
    }
}

async fn of_execution(reader: &Reader, id: ExecutionId) -> anyhow::Result<(Picture, Marks)> {
    let execution = reader.execution(id).await?;
    let picture = picture(reader, &execution.definition).await?;
    let journal = super::whole_journal(reader, id).await?;
    let marks = Marks::of_execution(&picture, &journal, &execution.state);
    Ok((picture, marks))
}

async fn picture(reader: &Reader, digest: &DefinitionDigest) -> anyhow::Result<Picture> {
    let saved = reader.definition(digest).await?;
    let definition = saved
        .stored
        .read()
        .context("reading the stored definition failed")?;
    Ok(definition.picture())
}

fn write(path: &PathBuf, drawing: &str) -> anyhow::Result<()> {
    std::fs::write(path, drawing).with_context(|| format!("writing {} failed", path.display()))?;
    output::talk(&format!("wrote {}", path.display()));
    Ok(())
}
