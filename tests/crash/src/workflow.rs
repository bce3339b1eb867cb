//! The workflows of the campaign, the tasks made of them, and the ends that each must have.
//!
//! The ends are written down by hand: what a definition means is not asked of the engine that is
//! being tested.

use anyhow::{Context as _, Result};
use gateway::workflow_types::approval::{Decision, Resolution};
use serde_json::json;

/// A workflow file.
pub(crate) struct Workflow {
    /// Its id.
    pub(crate) name: &'static str,
    /// What its author wrote.
    pub(crate) text: &'static str,
}

macro_rules! workflows {
    ($($name:literal),+ $(,)?) => {
        [$(Workflow {
            name: $name,
            text: include_str!(concat!("../workflows/", $name, ".yaml")),
        }),+]
    };
}

/// Every workflow.
pub(crate) static WORKFLOWS: [Workflow; 12] = workflows![
    "plain",
    "branching",
    "retrying",
    "gated",
    "cancel-gate",
    "cancel-backoff",
    "cancel-attempt",
    "queued",
    "rerun",
    "fail",
    "ask",
    "stalled",
];

/// What a client wants done: one execution, known by its idempotency key.
#[derive(Clone, Copy)]
pub(crate) struct Task {
    pub(crate) workflow: &'static Workflow,
    pub(crate) number: u32,
}

/// When a client cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CancelAt {
    Gate,
    Backoff,
    Attempt,
}

/// The parts of the campaign that kill at every system call: what is done in each.
pub(crate) const SCENARIOS: [&str; 11] = [
    "plain",
    "branching",
    "retrying",
    "gated",
    "cancelled",
    "queued",
    "rerun",
    "fail",
    "ask",
    "together",
    "new-database",
];

/// Steps that happen at most once, unless a person says that they are to be repeated.
const AT_MOST_ONCE: [(&str, &str); 6] = [
    ("gated", "publish"),
    ("cancel-gate", "held"),
    ("fail", "risky"),
    ("fail", "last"),
    ("ask", "asked"),
    ("stalled", "after"),
];

impl Task {
    fn new(workflow: &str, number: u32) -> Result<Self> {
        let workflow = WORKFLOWS
            .iter()
            .find(|known| known.name == workflow)
            .with_context(|| format!("there is no workflow `{workflow}`"))?;
        Ok(Self { workflow, number })
    }

    /// The task of an idempotency key.
    pub(crate) fn parse(key: &str) -> Result<Self> {
        let (workflow, number) = key.split_once('.').context("the key is no task's")?;
        Self::new(workflow, number.parse()?)
    }

    /// The idempotency key of its start.
    pub(crate) fn key(self) -> String {
        format!("{}.{}", self.workflow.name, self.number)
    }

    pub(crate) fn input(self) -> serde_json::Value {
        json!({"side": if self.number % 2 == 1 { "odd" } else { "even" }})
    }

    /// Whether the client sends its start again after a crash, though it was answered.
    pub(crate) fn sends_twice(self) -> bool {
        self.number % 2 == 1
    }

    pub(crate) fn cancels(self) -> Option<CancelAt> {
        match self.workflow.name {
            "cancel-gate" => Some(CancelAt::Gate),
            "cancel-backoff" => Some(CancelAt::Backoff),
            "cancel-attempt" => Some(CancelAt::Attempt),
            _ => None,
        }
    }

    /// What is decided at its gate.
    pub(crate) fn decision(self) -> Decision {
        if self.number % 3 == 2 {
            Decision::Deny
        } else {
            Decision::Approve
        }
    }

    /// What is said of its step if it was interrupted.
    pub(crate) fn resolution(self) -> Resolution {
        match self.number % 3 {
            0 => Resolution::Done {
                output: json!({"seen": true}),
            },
            1 => Resolution::Fail,
            _ => Resolution::Rerun,
        }
    }

    /// Every end it may have, as its journal and its last word; those with an interruption need one.
    pub(crate) fn ends(self) -> &'static [&'static str] {
        match (self.workflow.name, self.number % 3) {
            ("plain", _) => &["one=success two=success three=success four=success completed"],
            ("branching", _) if self.number % 2 == 1 => {
                &["look=success odd=success lap=success lap=success lap=success completed"]
            }
            ("branching", _) => {
                &["look=success even=success lap=success lap=success lap=success completed"]
            }
            ("retrying", _) => &["try=success spoil=error mend=success completed"],
            ("gated", 2) => &["before=success publish=denied refused=success completed"],
            ("gated", 1) => &[
                "before=success publish=success completed",
                "before=success publish=interrupted refused=success completed",
            ],
            ("gated", _) => &["before=success publish=success completed"],
            ("cancel-gate", _) => &["before=success held=cancelled cancelled"],
            ("cancel-backoff", _) => &["fails=cancelled cancelled"],
            ("cancel-attempt", _) => &["lingers=cancelled cancelled"],
            ("queued", _) => &["first=success second=success completed"],
            ("rerun", _) => &["once=success again=success completed"],
            ("fail", _) => &[
                "risky=success last=success completed",
                "risky=success last=interrupted interrupted",
                "risky=interrupted mend=success last=success completed",
                "risky=interrupted mend=success last=interrupted interrupted",
            ],
            ("ask", 1) => &[
                "asked=success after=success completed",
                "asked=interrupted interrupted",
            ],
            ("ask", _) => &["asked=success after=success completed"],
            ("stalled", _) => &["hold=success after=success completed"],
            _ => &[],
        }
    }
}

/// What is done in a scenario.
pub(crate) fn tasks(scenario: &str) -> Result<Vec<Task>> {
    let of = |workflow: &str, count: u32| -> Result<Vec<Task>> {
        (0..count).map(|n| Task::new(workflow, n)).collect()
    };
    match scenario {
        "plain" | "retrying" | "rerun" | "fail" | "stalled" => of(scenario, 1),
        "branching" => of(scenario, 2),
        "gated" | "queued" | "ask" => of(scenario, 3),
        "together" => of("plain", 8),
        "new-database" => of("plain", 1),
        "cancelled" => ["cancel-gate", "cancel-backoff", "cancel-attempt"]
            .into_iter()
            .map(|workflow| Task::new(workflow, 0))
            .collect(),
        _ => anyhow::bail!(
            "there is no scenario `{scenario}`; there are {}",
            SCENARIOS.join(", ")
        ),
    }
}

/// A mix of all workflows, numbered from `first` on.
pub(crate) fn load(first: u32, count: u32) -> Result<Vec<Task>> {
    let mixed = &WORKFLOWS[..WORKFLOWS.len() - 1];
    let workflows = mixed.iter().cycle();
    (first..first + count)
        .zip(workflows)
        .map(|(number, workflow)| Ok(Task { workflow, number }))
        .collect()
}

/// Whether a step happens at most once.
pub(crate) fn is_at_most_once(workflow: &str, step: &str) -> bool {
    AT_MOST_ONCE.contains(&(workflow, step))
}

/// Whether a step calls a tool.
pub(crate) fn has_effect(workflow: &str, step: &str) -> bool {
    (workflow, step) != ("plain", "two")
}

#[cfg(test)]
mod tests {
    use gateway::workflow_types::{SourceFormat, WorkflowDefinition};

    use super::*;

    #[test]
    fn every_workflow_is_good_and_has_an_end() {
        for workflow in &WORKFLOWS {
            let definition =
                WorkflowDefinition::parse(workflow.text.as_bytes(), SourceFormat::Yaml);
            definition.unwrap();
            for number in 0..6 {
                assert!(
                    !Task { workflow, number }.ends().is_empty(),
                    "{}",
                    workflow.name
                );
            }
        }
    }

    #[test]
    fn what_happens_at_most_once_is_a_step_that_nobody_lets_run_again() {
        for (workflow, step) in AT_MOST_ONCE {
            let task = Task::new(workflow, 0).unwrap();
            let text = task.workflow.text.as_bytes();
            let definition = WorkflowDefinition::parse(text, SourceFormat::Yaml).unwrap();
            let step = definition.step(&step.parse().unwrap()).unwrap();
            let stated = step.on_interrupt().map(|it| it.to_string());
            assert_ne!(stated.as_deref(), Some("rerun"));
        }
    }

    #[test]
    fn a_key_is_read_back_as_its_task() {
        let task = Task::new("cancel-gate", 17).unwrap();
        assert_eq!(Task::parse(&task.key()).unwrap().key(), "cancel-gate.17");
    }
}
