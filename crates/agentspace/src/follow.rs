//! Follows an execution until it is at rest: live on a terminal, plain lines when piped.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use gateway::workflow_types::approval::{GateKind, GateState};
use gateway::workflow_types::execution::{
    Execution, ExecutionState, Visit, VisitState, VisitStatus,
};
use gateway::workflow_types::id::{Actor, ExecutionId, StepId};
use gateway::{Decided, Gateway};
use indicatif::{ProgressBar, ProgressStyle};

use crate::host::Hosted;
use crate::output;
use crate::view;

/// Visits that are read at once.
const PAGE: usize = 200;
/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(120);

/// Which gates are approved as soon as the execution comes to them.
pub(crate) struct Consent {
    pub(crate) steps: Vec<StepId>,
    pub(crate) actor: Actor,
}

/// How following ended.
pub(crate) enum Rest {
    /// The execution is at rest.
    Reached(Box<Execution>),
    /// A signal came first.
    Signal,
}

/// Shows the visits of an execution as they happen, from a visit on.
pub(crate) async fn follow(
    hosted: &Hosted,
    id: ExecutionId,
    from: u32,
    consent: &Consent,
) -> anyhow::Result<Rest> {
    let Hosted { gateway, stop } = hosted;
    let mut follower = gateway.follow(id);
    let mut progress = Progress::new(from);
    loop {
        let execution = gateway.reader().execution(id).await?;
        progress.catch_up(gateway, &execution).await?;
        if let ExecutionState::Paused { step, .. } = &execution.state
            && consent.steps.contains(step)
            && approve(gateway, id, &consent.actor).await?
        {
            continue;
        }
        if execution.state.status().is_at_rest() {
            progress.finish();
            return Ok(Rest::Reached(Box::new(execution)));
        }
        if let Some(error) = gateway.stuck(id) {
            progress.finish();
            return Err(error.into());
        }
        tokio::select! {
            () = follower.changed() => {}
            () = stop.asked() => {
                progress.finish();
                return Ok(Rest::Signal);
            }
        }
    }
}

/// Approves the gate at which an execution waits; false if that does not let it go on.
async fn approve(gateway: &Gateway, id: ExecutionId, actor: &Actor) -> anyhow::Result<bool> {
    let gate = gateway.reader().gate_of(id).await?;
    if gate.kind != GateKind::Approval || gate.state != GateState::Waiting {
        return Ok(false);
    }
    let reason = Some("approved on the command line with --approve".to_owned());
    let decided = gateway.approve(gate.id, actor.clone(), reason).await?;
    Ok(decided == Decided::Settled)
}

/// What has been shown so far.
struct Progress {
    from: u32,
    shown: BTreeMap<u32, VisitStatus>,
    spinner: Option<ProgressBar>,
}

impl Progress {
    fn new(from: u32) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            from,
            shown: BTreeMap::new(),
            spinner: terminal.then(spinner),
        }
    }

    async fn catch_up(&mut self, gateway: &Gateway, execution: &Execution) -> anyhow::Result<()> {
        let is_paused = matches!(execution.state, ExecutionState::Paused { .. });
        loop {
            let reader = gateway.reader();
            let visits = reader.journal(execution.id, self.from, PAGE).await?;
            let complete = visits.len() < PAGE;
            for visit in &visits {
                // A visit whose gate was just decided waits no more, whatever its row says yet.
                if is_paused || visit.state != VisitState::Waiting {
                    self.show(visit);
                }
            }
            if complete {
                return Ok(());
            }
        }
    }

    /// Shows a visit once for each state that matters to whoever watches.
    fn show(&mut self, visit: &Visit) {
        let status = visit.state.status();
        if self.shown.insert(visit.number, status) == Some(status) {
            return;
        }
        match &visit.state {
            VisitState::Done { .. } => {
                self.from = visit.number + 1;
                self.shown.remove(&visit.number);
                self.line(&view::visit_line(visit));
            }
            VisitState::BackingOff { .. } | VisitState::Waiting => {
                self.line(&view::visit_line(visit));
            }
            VisitState::Begun | VisitState::Ready => {
                if let Some(spinner) = &self.spinner {
                    spinner.set_message(visit.step.to_string());
                }
            }
        }
    }

    fn line(&self, line: &str) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| output::talk(line)),
            None => output::talk(line),
        }
    }

    fn finish(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}

fn spinner() -> ProgressBar {
    let spinner = ProgressBar::new_spinner();
    // The template is a constant that indicatif accepts; its own default stands in for it.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(TURN);
    spinner
}
