//! `agentspace run`: a workflow file or a registered workflow, to its end or to the first gate.

use std::path::{Path, PathBuf};

use gateway::workflow_types::WorkflowDefinition;
use gateway::workflow_types::execution::ExecutionState;
use gateway::workflow_types::id::WorkflowId;
use gateway::{GatewayBuilder, StartRequest};
use serde_json::{Map, Value};

use crate::cli::{Format, Global, Run};
use crate::exit::{Exit, UsageError};
use crate::follow::Consent;
use crate::host::{self, Trusted};
use crate::{diagnostics, output};

/// What is to be run.
enum Subject {
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
        steps: args.approve.clone(),
    };
    if let Subject::File(_, id, definition) = &subject {
        // Before the database is opened, so that a mistake here stores nothing.
        check_consent(&consent, definition)?;
        check_input(id, definition, input(&args, definition)?)?;
    }
    trusted.add(&typed(&args)?);
    let gateway = host::start(host::builder(global, &trusted)).await?;
    let id = match subject {
        Subject::File(path, id, _) => {
            gateway.register_file(&path).await?;
            id
        }
        Subject::Registered(id) => id,
    };
    let definition = gateway.definition(&id).await?;
    check_consent(&consent, &definition)?;
    let mut request = StartRequest::new(id, input(&args, &definition)?);
    if let Some(key) = args.idempotency_key {
        request = request.idempotency_key(key);
    }
    let execution = gateway.start_with(request).await?;
    output::talk(&format!(
        "execution {} of `{}`",
        execution.id, execution.workflow_id
    ));
    if !matches!(execution.state, ExecutionState::Running) {
        tracing::debug!(execution.id = %execution.id, "at rest at once");
    }
    super::finish(global, gateway, &execution, 1, &consent).await
}

/// What a user means: a good file, or a registered workflow; none if the file was refused, which
/// has been shown.
fn subject(
    global: &Global,
    builder: &GatewayBuilder,
    text: &str,
) -> anyhow::Result<Option<Subject>> {
    if let Some(path) = file(global, text) {
        let mut report = builder.check_file(&path);
        diagnostics::show(&report, Format::Human);
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

/// The file that a text names: itself, or one of the workflow directory.
fn file(global: &Global, text: &str) -> Option<PathBuf> {
    if host::is_file(text) {
        return Some(PathBuf::from(text));
    }
    ["yaml", "yml", "json"]
        .iter()
        .map(|extension| global.workflows.join(format!("{text}.{extension}")))
        .find(|path| path.is_file())
}

/// Everything that was typed as input, whatever it is for.
fn typed(args: &Run) -> anyhow::Result<Value> {
    let mut typed = match &args.document {
        None => Map::new(),
        Some(text) => document(text)?,
    };
    let values = args
        .input
        .iter()
        .map(|(key, text)| (key.clone(), Value::String(text.clone())));
    typed.extend(values);
    Ok(Value::Object(typed))
}

/// The input: the document, with the single values set on top of it.
fn input(args: &Run, definition: &WorkflowDefinition) -> anyhow::Result<Value> {
    let mut input = match &args.document {
        None => Map::new(),
        Some(text) => document(text)?,
    };
    for (key, text) in &args.input {
        let value = match definition.input() {
            Some(schema) => schema.coerce(key, text),
            None => Value::String(text.clone()),
        };
        input.insert(key.clone(), value);
    }
    Ok(Value::Object(input))
}

fn document(text: &str) -> anyhow::Result<Map<String, Value>> {
    let json = match text.strip_prefix('@') {
        None => text.to_owned(),
        Some(path) => std::fs::read_to_string(Path::new(path)).map_err(|error| {
            UsageError(format!("the input file {path} cannot be read: {error}"))
        })?,
    };
    match serde_json::from_str(&json) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(UsageError("the input must be a JSON object".to_owned()).into()),
        Err(error) => Err(UsageError(format!("the input is no JSON: {error}")).into()),
    }
}

fn check_input(
    id: &WorkflowId,
    definition: &WorkflowDefinition,
    input: Value,
) -> anyhow::Result<()> {
    let Some(schema) = definition.input() else {
        return Ok(());
    };
    schema.apply(input).map(drop).map_err(|error| {
        let problems = error.problems.join("\n  - ");
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
