//! `agentspace run`: a workflow file or a registered workflow, to its end or to the first gate.

use std::path::PathBuf;

use gateway::workflow_types::WorkflowDefinition;
use gateway::workflow_types::execution::{Execution, ExecutionState};
use gateway::workflow_types::id::WorkflowId;
use gateway::{ErrorKind, FileReport, GatewayBuilder, Reader, StartRequest};
use serde_json::Value;

use super::input::Typed;
use crate::cli::{Format, Global, Run};
use crate::exit::{Exit, UsageError};
use crate::follow::Consent;
use crate::host::{self, Hosted, Trusted};
use crate::{diagnostics, output, view};

/// What is to be run.
pub(super) enum Subject {
    File(PathBuf, WorkflowId, Box<WorkflowDefinition>),
    Registered(WorkflowId),
}

pub(super) async fn run(global: &Global, args: Run) -> anyhow::Result<Exit> {
    let mut trusted = Trusted::default();
    let builder = host::builder(global, &trusted);
    let Some(subject) = subject(global, &builder, &args.workflow)? else {
        return Ok(Exit::Usage);
    };
    let consent = Consent {
        actor: host::actor(&args.actor)?,
        steps: args.approve,
    };
    let typed = Typed::read(args.document.as_deref(), args.input)?;
    // Before the database is opened for writing, so that a mistake here stores nothing and
    // takes nothing up.
    match &subject {
        Subject::File(_, id, definition) => check(id, definition, &typed, &consent)?,
        Subject::Registered(id) => {
            if let Some(definition) = registered(global, id).await? {
                check(id, &definition, &typed, &consent)?;
            }
        }
    }
    trusted.add(&typed.all());
    let hosted = host::start(host::builder(global, &trusted)).await?;
    let gateway = &hosted.gateway;
    let id = match subject {
        Subject::File(path, id, _) => {
            gateway.register_file(&path).await?;
            id
        }
        Subject::Registered(id) => id,
    };
    let definition = gateway.definition(&id).await?;
    check_consent(&consent, &definition)?;
    let mut request = StartRequest::new(id, typed.fitting(&definition));
    if let Some(key) = args.idempotency_key {
        request = request.idempotency_key(key);
    }
    let execution = gateway.start_with(request).await?;
    output::talk(&format!(
        "execution {} of `{}`",
        execution.id, execution.workflow_id
    ));
    if execution.queued {
        return wait_for_turn(global, hosted, &execution).await;
    }
    if !matches!(execution.state, ExecutionState::Running) {
        tracing::debug!(execution.id = %execution.id, "at rest at once");
    }
    super::finish(global, hosted, &execution, 1, &consent).await
}

/// Nothing that this process carries makes a place for an execution that has to wait for one.
pub(super) async fn wait_for_turn(
    global: &Global,
    hosted: Hosted,
    execution: &Execution,
) -> anyhow::Result<Exit> {
    let (id, workflow) = (execution.id, &execution.workflow_id);
    if global.json {
        output::envelope("execution", &view::execution(execution));
    } else {
        output::data(&format!(
            "execution {id} is queued: as many executions of `{workflow}` as its `concurrency` \
             allows are not finished; `agentspace resume` goes on with it when it is its turn"
        ));
    }
    hosted.shutdown().await?;
    Ok(Exit::Waiting)
}

/// What a user means: a good file, or a registered workflow; none if the file was refused, which
/// has been shown.
pub(super) fn subject(
    global: &Global,
    builder: &GatewayBuilder,
    text: &str,
) -> anyhow::Result<Option<Subject>> {
    if let Some(path) = file(global, text) {
        let mut report = host::check_file(builder, &path);
        show(global, &report);
        let definition = report.definition.take().filter(|_| !report.is_refused());
        return Ok(match (definition, report.id) {
            (Some(definition), Some(id)) => Some(Subject::File(path, id, Box::new(definition))),
            (Some(_) | None, _) => None,
        });
    }
    WorkflowId::try_new(text)
        .map(|id| Some(Subject::Registered(id)))
        .map_err(|error| {
            UsageError(format!(
                "`{text}` is neither a file nor the id of a workflow: {error}"
            ))
            .into()
        })
}

/// Shows what there is to say of a file, for programs only if it is refused: what follows a good
/// file is a document of its own.
fn show(global: &Global, report: &FileReport) {
    let reports = std::slice::from_ref(report);
    if global.json && report.is_refused() {
        output::envelope("check", &diagnostics::all_to_json(reports));
        return;
    }
    diagnostics::show(report, Format::Human);
    if let Some(more) = diagnostics::explained_by(reports) {
        output::talk(&more);
    }
}

/// The file that a text names: itself, or one of the workflow directory.
pub(super) fn file(global: &Global, text: &str) -> Option<PathBuf> {
    if host::is_file(text) {
        return Some(PathBuf::from(text));
    }
    ["yaml", "yml", "json"]
        .iter()
        .map(|extension| global.workflows.join(format!("{text}.{extension}")))
        .find(|path| path.is_file())
}

/// The definition of a registered workflow; none if the database must be migrated to tell.
pub(super) async fn registered(
    global: &Global,
    id: &WorkflowId,
) -> anyhow::Result<Option<WorkflowDefinition>> {
    let unknown = || {
        UsageError(format!(
            "there is no workflow `{id}`, neither in {} nor registered; `agentspace run FILE` \
             registers one",
            global.workflows.display()
        ))
    };
    let reader = match Reader::open(&global.db).await {
        Ok(reader) => reader,
        Err(error) if error.kind() == ErrorKind::Missing => return Err(unknown().into()),
        // The start of the gateway migrates it, or says what is wrong with it.
        Err(_) => return Ok(None),
    };
    let workflow = match reader.workflow(id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(unknown().into()),
        workflow => workflow?,
    };
    let saved = reader.definition(&workflow.digest).await?;
    Ok(Some(saved.stored.read()?))
}

fn check(
    id: &WorkflowId,
    definition: &WorkflowDefinition,
    typed: &Typed,
    consent: &Consent,
) -> anyhow::Result<()> {
    check_consent(consent, definition)?;
    check_input(id, definition, typed.fitting(definition))
}

/// Refuses an input that a workflow does not take.
pub(super) fn check_input(
    id: &WorkflowId,
    definition: &WorkflowDefinition,
    input: Value,
) -> anyhow::Result<()> {
    let Some(schema) = definition.input() else {
        return Ok(());
    };
    schema.apply(input).map(drop).map_err(|error| {
        let problems: Vec<String> = error.problems.iter().map(ToString::to_string).collect();
        let problems = problems.join("\n  - ");
        UsageError(format!(
            "the input of workflow `{id}` is not valid:\n  - {problems}\n  give values with -i KEY=VALUE or --input JSON|@FILE"
        ))
        .into()
    })
}

fn check_consent(consent: &Consent, definition: &WorkflowDefinition) -> anyhow::Result<()> {
    for step in &consent.steps {
        let gated = definition
            .step(step)
            .is_some_and(|step| step.approval().is_some());
        if !gated {
            let message =
                format!("--approve {step}: the workflow has no step of this id with an approval");
            return Err(UsageError(message).into());
        }
    }
    Ok(())
}
