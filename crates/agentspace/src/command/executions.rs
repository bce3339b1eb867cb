//! `agentspace executions`: what ran, runs and waits; and what is said about interrupted steps.

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::Resolution;
use gateway::workflow_types::execution::{ExecutionStatus, FailureKind};
use gateway::{Clock as _, ExecutionFilter, PageKey, Reader, SystemClock};
use serde_json::Value;

use super::Deciding;
use crate::cli::{DecisionArgs, Executions, Global, How, ListArgs, ListedStatus};
use crate::exit::{Exit, UsageError};
use crate::host::{self, Turn};
use crate::{output, view};

pub(super) async fn run(global: &Global, command: Executions) -> anyhow::Result<Exit> {
    match command {
        Executions::Ls(args) => list(global, args).await,
        Executions::Show { id } => show(global, &id).await,
        Executions::Cancel { id, decision } => super::cancel::run(global, &id, decision).await,
        Executions::Retry {
            id,
            from,
            idempotency_key,
            actor,
        } => super::retry::run(global, &id, from, idempotency_key, &actor).await,
        Executions::Delete { id } => super::cancel::delete(global, &id).await,
        Executions::Prune(args) => super::prune::run(global, &args).await,
        Executions::Watch(args) => super::watch::run(global, &args).await,
        Executions::Resolve {
            id,
            how,
            output,
            decision,
        } => {
            let resolution = resolution(how, output.as_deref())?;
            resolve(global, &id, resolution, decision).await
        }
    }
}

async fn list(global: &Global, args: ListArgs) -> anyhow::Result<Exit> {
    let reader = host::reader(global).await?;
    let ListArgs {
        workflow,
        status,
        failure_kind,
        trigger,
        since,
        until,
        after,
        limit,
    } = args;
    let (status, queued, failure) = meant(status, failure_kind)?;
    let filter = ExecutionFilter {
        workflow,
        status,
        queued,
        failure,
        triggered_by: trigger,
        from: since,
        before: until,
    };
    let after = match after {
        None => None,
        Some(id) => Some(place(&reader, &id).await?),
    };
    let page = reader.executions(filter, after, limit.get()).await?;
    if global.json {
        let all: Vec<Value> = page.items.iter().map(view::execution).collect();
        output::list("executions", &all, &page.damaged);
        return Ok(Exit::Ok);
    }
    if page.items.is_empty() && page.damaged.is_empty() {
        output::talk("there are no such executions");
    }
    let now = now();
    for execution in &page.items {
        output::data(&view::execution_line(execution, now));
    }
    output::damaged(&page.damaged);
    if page.next.is_some() {
        let more = limit.get().saturating_mul(2);
        let last = page.next.as_ref().map_or("", PageKey::id);
        output::talk(&format!(
            "there are more; --limit {more} shows more of them, --after {last} the next ones"
        ));
    }
    Ok(Exit::Ok)
}

/// What a word of the list and a kind of failure mean together: a status, whether it is narrowed to
/// those that wait for their turn, and the kind.
fn meant(
    status: Option<ListedStatus>,
    kind: Option<FailureKind>,
) -> Result<(Option<ExecutionStatus>, bool, Option<FailureKind>), UsageError> {
    match (status, kind) {
        (None, kind) => Ok((None, false, kind)),
        (Some(ListedStatus::Stored(status)), kind) => Ok((Some(status), false, kind)),
        (Some(ListedStatus::Queued), kind) => Ok((Some(ExecutionStatus::Running), true, kind)),
        (Some(ListedStatus::Cancelled), None | Some(FailureKind::Cancelled)) => Ok((
            Some(ExecutionStatus::Failed),
            false,
            Some(FailureKind::Cancelled),
        )),
        (Some(ListedStatus::Cancelled), Some(kind)) => Err(UsageError(format!(
            "--status cancelled and --failure-kind {kind} have no execution in common; leave one of \
             them out"
        ))),
    }
}

/// The place of an execution in the list of all.
async fn place(reader: &Reader, id: &str) -> anyhow::Result<PageKey> {
    let execution = reader.execution(host::execution_id(id)?).await?;
    let (started, id) = (execution.started_at.to_string(), execution.id.to_string());
    Ok(PageKey::new(started, id))
}

async fn show(global: &Global, id: &str) -> anyhow::Result<Exit> {
    let reader: Reader = host::reader(global).await?;
    let id = host::execution_id(id)?;
    let execution = reader.execution(id).await?;
    let journal = super::whole_journal(&reader, id).await?;
    let gates = reader.gates(id).await?;
    let past = view::Past::read(&reader, id).await?;
    if global.json {
        let state = reader.state(id).await?;
        output::envelope(
            "execution",
            &view::whole(&execution, &state, (&journal, &gates), &past),
        );
        return Ok(Exit::Ok);
    }
    output::data(&view::execution_line(&execution, now()));
    output::data(&format!("definition  {}", execution.definition));
    let input = output::plain(&execution.input.to_string());
    output::data(&format!("input       {input}"));
    for line in past.lines(&execution) {
        output::data(&line);
    }
    for visit in &journal {
        for failed in past.attempts_of(visit.number) {
            output::data(&format!(
                "{:>4}  {}",
                visit.number,
                view::failed_line(visit, failed)
            ));
        }
        output::data(&format!("{:>4}  {}", visit.number, view::visit_line(visit)));
        for line in past.turn_lines(visit.number) {
            output::data(&format!("        {line}"));
        }
        for line in past.usage_lines(visit.number) {
            output::data(&format!("        {line}"));
        }
    }
    for gate in &gates {
        for line in view::gate_lines(gate, now()) {
            output::data(&line);
        }
    }
    Ok(Exit::Ok)
}

fn resolution(how: How, output: Option<&str>) -> anyhow::Result<Resolution> {
    let output = output
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| UsageError(format!("--output is no JSON: {error}")))?;
    match (how, output) {
        (How::Rerun, None) => Ok(Resolution::Rerun),
        (How::Fail, None) => Ok(Resolution::Fail),
        (How::Done, output) => Ok(Resolution::Done {
            output: output.unwrap_or(Value::Null),
        }),
        (How::Rerun | How::Fail, Some(_)) => {
            Err(UsageError("--output belongs to `done` only".to_owned()).into())
        }
    }
}

async fn resolve(
    global: &Global,
    id: &str,
    resolution: Resolution,
    decision: DecisionArgs,
) -> anyhow::Result<Exit> {
    let actor = host::actor(&decision.actor)?;
    let Deciding {
        gate,
        execution,
        hosted,
    } = match Deciding::open(global, id).await? {
        Turn::Had(deciding) => deciding,
        Turn::Needless(gate) => return Err(super::settled_already(&gate)),
    };
    let resolved = hosted
        .gateway
        .resolve(gate.id, resolution, actor.clone(), decision.reason)
        .await;
    if let Err(error) = resolved {
        hosted.shutdown().await?;
        return Err(error.into());
    }
    let consent = super::no_consent(actor);
    super::finish(global, hosted, &execution, gate.visit, &consent).await
}

fn now() -> Timestamp {
    SystemClock.now()
}
