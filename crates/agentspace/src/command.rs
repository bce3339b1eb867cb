//! Runs a command: each in its own file, all of them answering how the program ends.

mod alerts;
mod approvals;
mod cancel;
mod check;
mod database;
mod doctor;
mod executions;
mod explain;
mod graph;
mod heartbeats;
mod init;
mod input;
mod models;
mod prune;
mod reload;
mod resume;
mod retry;
mod run;
mod schedules;
mod schema;
mod secrets;
mod serve;
mod simulate;
mod tools;
mod watch;
mod workflows;

use gateway::workflow_types::approval::{Gate, GateState};
use gateway::workflow_types::execution::{Execution, ExecutionState};
use gateway::workflow_types::id::{Actor, GateId};
use gateway::{Clock as _, Reader, SystemClock};

use crate::cli::{Command, Format, Given, Global};
use crate::config::{self, Loaded};
use crate::exit::{self, Exit};
use crate::follow::{self, Consent, Rest};
use crate::host::{self, Hosted, Trusted, Turn};
use crate::tools::execute_command;
use crate::{access, diagnostics, output, view};

/// Runs the command that was asked for.
pub(crate) async fn run(given: &Given, command: Command) -> anyhow::Result<Exit> {
    let loaded = config::load(given)?;
    let database = loaded.global.db.clone();
    let ended = run_with(given, loaded, command).await;
    ended.map_err(|error| access::explained(error, &database))
}

async fn run_with(given: &Given, loaded: Loaded, command: Command) -> anyhow::Result<Exit> {
    if loaded.refused().is_some() && works_with_settings(&command) {
        return Ok(refuse(&loaded));
    }
    let global = &loaded.global;
    match command {
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(loaded, &args),
        Command::Schema(args) => Ok(schema::run(global, &args)),
        Command::Explain(args) => explain::run(global, &args),
        Command::Graph(args) => graph::run(global, args).await,
        Command::Run(args) => run::run(global, args).await,
        Command::Resume => resume::run(global).await,
        Command::Workflows(command) => workflows::run(global, command).await,
        Command::Executions(command) => executions::run(global, command).await,
        Command::Approvals(command) => approvals::run(global, command).await,
        Command::Alerts(command) => alerts::run(global, command).await,
        Command::Models(command) => models::run(global, command).await,
        Command::Schedules(command) => schedules::run(global, command).await,
        Command::Heartbeats(command) => heartbeats::run(given, global, command).await,
        Command::Secrets(command) => Ok(secrets::run(global, &command)),
        Command::Serve => serve::run(&loaded).await,
        Command::Reload => reload::run(global).await,
        Command::Simulate(args) => simulate::run(global, args).await,
        Command::Tools(command) => tools::run(global, command).await,
        Command::Db(command) => database::run(global, &command).await,
        Command::Doctor => doctor::run(&loaded).await,
    }
}

/// Whether a command must not run while there is a mistake in the settings. The others need none,
/// so that they help whoever made it, or tell it themselves.
fn works_with_settings(command: &Command) -> bool {
    !matches!(
        command,
        Command::Init(_) | Command::Check(_) | Command::Schema(_) | Command::Explain(_)
    )
}

/// Says what is wrong with the configuration; nothing of it is applied.
fn refuse(loaded: &Loaded) -> Exit {
    let reports = loaded.report.as_slice();
    for report in reports {
        diagnostics::show(report, Format::Human);
    }
    if let Some(more) = diagnostics::explained_by(reports) {
        output::talk(&more);
    }
    Exit::Usage
}

/// A gate that somebody decides about, and a gateway that carries its execution on.
struct Deciding {
    gate: Gate,
    /// As it stands now that the database is this process's own.
    execution: Execution,
    hosted: Hosted,
}

impl Deciding {
    /// Finds the gate before the gateway starts, so that a mistaken id starts nothing.
    ///
    /// While another process owns the database this waits for its turn; if the gate is settled
    /// there meanwhile, that is all there is to say, and the gate is answered.
    async fn open(global: &Global, id: &str) -> anyhow::Result<Turn<Self, Gate>> {
        let reader = host::reader(global).await?;
        let gate = host::gate(&reader, id).await?;
        let execution = reader.execution(gate.execution_id).await?;
        let mut trusted = Trusted::default();
        trusted.add_typed(&execution);
        let settled = settled(&reader, gate.id);
        let turn = host::start_in_turn(|| host::builder(global, &trusted), settled).await?;
        Ok(match turn {
            Turn::Needless(gate) => Turn::Needless(gate),
            Turn::Had(hosted) => {
                // Whoever had the database before may have brought it to its end meanwhile.
                let reader = hosted.gateway.reader();
                let execution = reader.execution(gate.execution_id).await?;
                Turn::Had(Self {
                    gate,
                    execution,
                    hosted,
                })
            }
        })
    }
}

/// Waits until a gate is settled, by whichever process.
async fn settled(reader: &Reader, id: GateId) -> anyhow::Result<Gate> {
    let mut commits = reader.commits().await?;
    loop {
        let gate = reader.gate(id).await?;
        if gate.state != GateState::Waiting {
            return Ok(gate);
        }
        commits.next().await;
    }
}

/// The answer to a decision that comes too late.
fn settled_already(gate: &Gate) -> anyhow::Error {
    let Gate {
        id, step, state, ..
    } = gate;
    anyhow::anyhow!("approval {id} of step `{step}` is settled already: {state}")
}

/// Follows an execution to its rest, shows the outcome and shuts the gateway down.
async fn finish(
    global: &Global,
    hosted: Hosted,
    execution: &Execution,
    from: u32,
    consent: &Consent,
) -> anyhow::Result<Exit> {
    let rest = follow::follow(&hosted, execution.id, from, consent).await?;
    let exit = match rest {
        Rest::Reached(execution) => {
            show_rest(global, hosted.gateway.reader(), &execution).await?;
            exit::of_state(&execution.state)
        }
        Rest::Signal => Exit::Interrupted,
    };
    hosted.shutdown().await?;
    Ok(exit)
}

/// What became of an execution, as the last word.
async fn show_rest(global: &Global, reader: &Reader, execution: &Execution) -> anyhow::Result<()> {
    let id = execution.id;
    if global.json {
        let state = reader.state(id).await?;
        let gates = reader.gates(id).await?;
        let journal = whole_journal(reader, id).await?;
        let past = view::Past::read(reader, id).await?;
        output::envelope(
            "execution",
            &view::whole(execution, &state, (&journal, &gates), &past),
        );
        return Ok(());
    }
    match &execution.state {
        ExecutionState::Completed { at } => {
            let took = crate::host::span(at.since(execution.started_at));
            output::data(&format!(
                "execution {id} {} in {took}",
                output::paint(output::GREEN, "completed")
            ));
        }
        ExecutionState::Failed { failure, .. } => {
            output::data(&format!(
                "execution {id} {} ({}): {}",
                output::paint(output::RED, "failed"),
                failure.kind,
                output::plain(&failure.message)
            ));
        }
        ExecutionState::Paused { step, .. } => {
            output::data(&format!(
                "execution {id} {} at `{step}`",
                output::paint(output::YELLOW, "waits")
            ));
            let gate = reader.gate_of(id).await?;
            for line in view::gate_lines(&gate, SystemClock.now()) {
                output::talk(&line);
            }
            output::talk(&next_words(&gate));
        }
        ExecutionState::Running => {}
    }
    Ok(())
}

/// What a person can do about a gate.
fn next_words(gate: &Gate) -> String {
    use gateway::workflow_types::approval::GateKind;
    let id = gate.id;
    match gate.kind {
        GateKind::Approval => {
            format!("next: `agentspace approvals approve {id}` or `agentspace approvals deny {id}`")
        }
        GateKind::Interrupted => format!(
            "{}next: see whether its side effect happened, then `agentspace executions resolve {id} rerun|done|fail`",
            still_at_work(gate)
        ),
    }
}

/// How a command is found that has outlived the process that ran it: nobody waits for it any more, and
/// it ends by itself. Each knows the key of its call, which begins with the execution's id.
fn still_at_work(gate: &Gate) -> String {
    if gate.request["tool"] != execute_command::NAME || !cfg!(target_os = "linux") {
        return String::new();
    }
    format!(
        "its command may still run: `grep -ls {}/ /proc/[0-9]*/environ` finds it; end it before a \
         rerun\n",
        gate.execution_id
    )
}

/// Nobody's consent: every gate waits for a person.
fn no_consent(actor: Actor) -> Consent {
    Consent {
        steps: Vec::new(),
        actor,
    }
}

/// The whole journal of an execution, page by page.
async fn whole_journal(
    reader: &Reader,
    id: gateway::workflow_types::id::ExecutionId,
) -> anyhow::Result<Vec<gateway::workflow_types::execution::Visit>> {
    const PAGE: usize = 500;
    let mut journal: Vec<gateway::workflow_types::execution::Visit> = Vec::new();
    loop {
        let from = journal.last().map_or(1, |visit| visit.number + 1);
        let page = reader.journal(id, from, PAGE).await?;
        let complete = page.len() < PAGE;
        journal.extend(page);
        if complete {
            return Ok(journal);
        }
    }
}
