//! `agentspace approvals`: what waits for a person, and the person's answer.

use gateway::workflow_types::approval::{Decision, Gate, GateState};
use gateway::workflow_types::execution::{Execution, ExecutionState};
use gateway::{Clock as _, Decided, Listed, SystemClock};
use serde_json::Value;

use super::Deciding;
use crate::cli::{Approvals, DecisionArgs, Global};
use crate::exit::Exit;
use crate::host::{self, Hosted, Turn};
use crate::{output, view};

pub(super) async fn run(global: &Global, command: Approvals) -> anyhow::Result<Exit> {
    match command {
        Approvals::Ls => list(global).await,
        Approvals::Show { id } => show(global, &id).await,
        Approvals::Approve { id, decision } => {
            decide(global, &id, Decision::Approve, decision).await
        }
        Approvals::Deny { id, decision } => decide(global, &id, Decision::Deny, decision).await,
    }
}

async fn list(global: &Global) -> anyhow::Result<Exit> {
    let Listed { items, damaged } = host::reader(global).await?.waiting_gates().await?;
    if global.json {
        let all: Vec<Value> = items.iter().map(view::gate).collect();
        output::list("approvals", &all, &damaged);
        return Ok(Exit::Ok);
    }
    if items.is_empty() && damaged.is_empty() {
        output::talk("nothing waits for an approval");
    }
    for gate in &items {
        for line in view::gate_lines(gate, SystemClock.now()) {
            output::data(&line);
        }
    }
    output::damaged(&damaged);
    Ok(Exit::Ok)
}

async fn show(global: &Global, id: &str) -> anyhow::Result<Exit> {
    let reader = host::reader(global).await?;
    let gate = host::gate(&reader, id).await?;
    let votes = reader.votes(gate.id).await?;
    if global.json {
        let mut shown = view::gate(&gate);
        shown["votes"] = votes.iter().map(view::vote).collect();
        output::envelope("approval", &shown);
        return Ok(Exit::Ok);
    }
    for line in view::gate_lines(&gate, SystemClock.now()) {
        output::data(&line);
    }
    // Where one is enough, the first line has said it.
    if gate.count.get() > 1 {
        for vote in &votes {
            let said = output::plain(&view::vote_line(vote));
            output::data(&format!("  vote       {said}"));
        }
    }
    if gate.state == GateState::Waiting {
        output::talk(&super::next_words(&gate));
    }
    Ok(Exit::Ok)
}

async fn decide(
    global: &Global,
    id: &str,
    decision: Decision,
    args: DecisionArgs,
) -> anyhow::Result<Exit> {
    let actor = host::actor(&args.actor)?;
    let Deciding {
        gate,
        execution,
        hosted,
    } = match Deciding::open(global, id).await? {
        Turn::Had(deciding) => deciding,
        Turn::Needless(gate) => return decided_elsewhere(global, &gate, decision).await,
    };
    let gateway = &hosted.gateway;
    let decided = match decision {
        Decision::Approve => gateway.approve(gate.id, actor.clone(), args.reason).await,
        Decision::Deny => gateway.deny(gate.id, actor.clone(), args.reason).await,
    };
    let decided = match decided {
        Ok(decided) => decided,
        Err(error) => {
            hosted.shutdown().await?;
            return Err(error.into());
        }
    };
    match decided {
        Decided::Settled => {
            output::talk(&format!(
                "{decision}: recorded as {actor}, for `{}`",
                gate.step
            ));
            let consent = super::no_consent(actor);
            super::finish(global, hosted, &execution, gate.visit, &consent).await
        }
        // Whoever decided may have died before the execution was carried on.
        Decided::Repeated if execution.state == ExecutionState::Running => {
            let settled = gateway.reader().gate(gate.id).await?.state;
            output::talk(&format!("{settled} before; going on with the execution"));
            let consent = super::no_consent(actor);
            super::finish(global, hosted, &execution, gate.visit, &consent).await
        }
        Decided::Repeated => {
            let settled = gateway.reader().gate(gate.id).await?.state;
            output::talk(&format!("{settled} before; nothing changed"));
            leave(global, hosted, &execution).await?;
            Ok(Exit::Ok)
        }
        Decided::Counted | _ => {
            output::talk(&format!(
                "recorded as {actor}; {} approvals are needed",
                gate.count
            ));
            leave(global, hosted, &execution).await?;
            Ok(Exit::Waiting)
        }
    }
}

/// The answer to a decision about a gate that the owner of the database has settled meanwhile.
async fn decided_elsewhere(
    global: &Global,
    gate: &Gate,
    decision: Decision,
) -> anyhow::Result<Exit> {
    let GateState::Decided(vote) = &gate.state else {
        return Err(super::settled_already(gate));
    };
    if vote.decision != decision {
        return Err(super::settled_already(gate));
    }
    let settled = &gate.state;
    output::talk(&format!("{settled} before; nothing changed"));
    if global.json {
        let reader = host::reader(global).await?;
        let execution = reader.execution(gate.execution_id).await?;
        super::show_rest(global, &reader, &execution).await?;
    }
    Ok(Exit::Ok)
}

/// Shuts the gateway down after a decision that moved nothing; programs are told how it stands.
async fn leave(global: &Global, hosted: Hosted, execution: &Execution) -> anyhow::Result<()> {
    if global.json {
        super::show_rest(global, hosted.gateway.reader(), execution).await?;
    }
    hosted.shutdown().await
}
