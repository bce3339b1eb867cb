//! `agentspace heartbeats run`: one run now, and what it found out about each item.

use gateway::HeartbeatOutcome;
use gateway::workflow_types::alert::{Finding, Verdict};
use gateway::workflow_types::heartbeat::RUNS;
use gateway::workflow_types::id::HeartbeatName;
use serde_json::{Value, json};

use crate::cli::Global;
use crate::command;
use crate::exit::{self, Exit};
use crate::follow::{self, Rest};
use crate::host::{self, Hosted, Trusted};
use crate::output;

pub(super) async fn run(global: &Global, name: &HeartbeatName) -> anyhow::Result<Exit> {
    let hosted = host::start(host::builder(global, &Trusted::default())).await?;
    let exit = within(global, &hosted, name).await;
    hosted.shutdown().await?;
    exit
}

async fn within(global: &Global, hosted: &Hosted, name: &HeartbeatName) -> anyhow::Result<Exit> {
    let heartbeats = hosted.gateway.heartbeats();
    let started = heartbeats.start(name).await?;
    output::talk(&format!(
        "execution {}, a run of heartbeat {name}",
        started.id
    ));
    let nobody = command::no_consent(host::actor(&crate::cli::ActorArg { actor: None })?);
    if let Rest::Signal = follow::follow(hosted, started.id, 1, &nobody).await? {
        return Ok(Exit::Interrupted);
    }
    let outcome = heartbeats.outcome(started.id).await?;
    if global.json {
        output::envelope("heartbeat.run", &to_json(name, &outcome));
    } else {
        show(&outcome);
    }
    let is_well = |finding: &Finding| finding.verdict == Verdict::Clear;
    let exit = exit::of_state(&outcome.execution.state);
    if matches!(exit, Exit::Ok) && !outcome.findings.iter().all(is_well) {
        return Ok(Exit::Failed);
    }
    Ok(exit)
}

fn to_json(name: &HeartbeatName, outcome: &HeartbeatOutcome) -> Value {
    let items: Vec<Value> = items(outcome).map(item).collect();
    json!({
        "heartbeat": name,
        "executionId": outcome.execution.id,
        "status": outcome.execution.state.status(),
        "items": items,
    })
}

/// What was found out about the items, without the heartbeat itself.
fn items(outcome: &HeartbeatOutcome) -> impl Iterator<Item = &Finding> {
    outcome
        .findings
        .iter()
        .filter(|finding| finding.item != RUNS)
}

fn item(finding: &Finding) -> Value {
    let verdict = &finding.verdict;
    json!({
        "item": finding.item,
        "verdict": verdict.word(),
        "details": verdict.details(),
    })
}

fn show(outcome: &HeartbeatOutcome) {
    let mut count = 0;
    for Finding { item, verdict } in items(outcome) {
        count += 1;
        let (style, word) = style(verdict);
        output::data(&format!(
            "{}  {}",
            output::paint(style, word),
            output::plain(item)
        ));
        if let Some(details) = verdict.details() {
            output::data(&format!("         {}", output::plain(details)));
        }
    }
    if !outcome.execution.state.status().is_finished() {
        let id = outcome.execution.id;
        output::talk(&format!(
            "the run waits for a decision: `agentspace approvals ls`, then `agentspace \
             executions watch {id}`"
        ));
    } else if count == 0 {
        output::talk("there was nothing to check");
    }
}

/// A verdict as people read it, padded to the longest.
pub(super) fn style(verdict: &Verdict) -> (anstyle::Style, &'static str) {
    match verdict {
        Verdict::Clear => (output::GREEN, "well   "),
        Verdict::ActionNeeded { .. } => (output::RED, "act    "),
        Verdict::Unknown { .. } => (output::YELLOW, "unknown"),
    }
}
