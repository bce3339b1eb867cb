//! `agentspace resume`: goes on with what a process that ended left behind.

use gateway::workflow_types::execution::ExecutionStatus;
use gateway::workflow_types::id::ExecutionId;
use gateway::{Clock as _, Gateway, LeftBehind, Reader, SystemClock};
use serde_json::Value;

use crate::cli::Global;
use crate::exit::Exit;
use crate::host::{self, Trusted};
use crate::{output, view};

pub(super) async fn run(global: &Global) -> anyhow::Result<Exit> {
    let reader = host::reader(global).await?;
    let trusted = Trusted::of_unfinished(&reader).await?;
    let ids = left_behind(&reader).await?;
    drop(reader);
    let builder = host::builder(global, &trusted).left_behind(LeftBehind::TakeUp);
    let hosted = host::start(builder).await?;
    let exit = tokio::select! {
        exit = wait(global, &hosted.gateway, ids) => {
            // What heartbeats among them found out would else wait for the next `serve`.
            hosted.gateway.heartbeats().settle().await?;
            exit?
        }
        () = hosted.stop.asked() => Exit::Interrupted,
    };
    hosted.shutdown().await?;
    Ok(exit)
}

/// What will be taken up: what runs, and what waits at a gate that has expired.
async fn left_behind(reader: &Reader) -> anyhow::Result<Vec<ExecutionId>> {
    let now = SystemClock.now();
    let mut all = Vec::new();
    // However many gates wait, they are looked at only if something is due at all.
    if reader.next_due().await?.is_some_and(|due| due <= now) {
        for gate in reader.waiting_gates().await?.items {
            if gate.expiry.is_some_and(|expiry| expiry.at <= now) {
                all.push(gate.execution_id);
            }
        }
    }
    let mut running = Vec::new();
    let status = ExecutionStatus::Running;
    host::each_execution(reader, status, |execution| running.push(execution.id)).await?;
    // The oldest first, as they are taken up.
    all.extend(running.iter().rev());
    Ok(all)
}

/// Waits for each and shows what became of it; the worst outcome is the answer.
async fn wait(global: &Global, gateway: &Gateway, ids: Vec<ExecutionId>) -> anyhow::Result<Exit> {
    if ids.is_empty() {
        output::talk("nothing was left behind");
    }
    let mut shown = Vec::new();
    let (mut failed, mut waiting) = (false, false);
    for id in ids {
        let execution = tokio::select! {
            execution = gateway.wait(id) => execution?,
            // Its turn does not come before somebody has decided about another one.
            held_up = gateway.wait_until_held_up() => {
                held_up?;
                gateway.reader().execution(id).await?
            }
        };
        match execution.state.status() {
            ExecutionStatus::Failed => failed = true,
            ExecutionStatus::Paused | ExecutionStatus::Running => waiting = true,
            ExecutionStatus::Completed => {}
        }
        if global.json {
            shown.push(view::execution(&execution));
        } else {
            output::data(&view::execution_line(&execution, gateway.now()));
        }
    }
    if global.json {
        output::envelope("executions", &Value::Array(shown));
    }
    Ok(match (failed, waiting) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Waiting,
        (false, false) => Exit::Ok,
    })
}
