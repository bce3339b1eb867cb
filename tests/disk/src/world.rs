//! The workflows of a campaign, what is asked for, and the tools, whose effects are written down.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use gateway::{Effect as Kind, Tool, ToolCall, ToolError, ToolSpec};
use serde_json::{Map, Value, json};

use crate::disk::Disk;
use crate::event::{Effect, Event, Seen};

/// The tool that must not be called twice.
pub(crate) const ONCE: &str = "act";
/// The tool that may be called twice with the same key.
pub(crate) const REPEATABLE: &str = "put";

/// A workflow, and how often it is started at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Workflow {
    /// Its id.
    pub id: &'static str,
    steps: &'static str,
    starts: usize,
}

/// Which workflows run.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// All of them are started at once.
    pub workflows: &'static [Workflow],
}

/// One start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Task {
    pub(crate) workflow: &'static str,
    /// The same however often it is asked for.
    pub(crate) key: String,
}

const PLAIN: Workflow = Workflow {
    id: "plain",
    steps: "
steps:
  - {id: a, action: tool, tool: act, timeout: 1h, args: {give: 1}}
  - {id: b, action: tool, tool: put, timeout: 1h, args: {give: '{{ steps.a.output }} more'}}
  - {id: c, action: noop}
  - {id: d, action: tool, tool: act, timeout: 1h, args: {give: '{{ steps.b.output }}'}}",
    starts: 2,
};

const RETRY: Workflow = Workflow {
    id: "retry",
    steps: "
steps:
  - id: a
    action: tool
    tool: put
    timeout: 1h
    args: {from: 3, give: done}
    retry: {maxAttempts: 4, initialBackoff: 1s}
  - {id: b, action: tool, tool: act, timeout: 1h, args: {give: '{{ steps.a.attempts }}'}}",
    starts: 1,
};

const GATE: Workflow = Workflow {
    id: "gate",
    steps: "
steps:
  - {id: a, action: tool, tool: put, timeout: 1h, args: {give: plan}}
  - id: b
    action: tool
    tool: act
    timeout: 1h
    args: {give: '{{ steps.a.output }}'}
    approvalRequired: true
  - {id: c, action: tool, tool: put, timeout: 1h, args: {give: 3}}",
    starts: 1,
};

const BRANCH: Workflow = Workflow {
    id: "branch",
    steps: "
steps:
  - id: a
    action: tool
    tool: put
    timeout: 1h
    args: {give: 7}
    branches: [{condition: 'result > 5', goto: c}]
  - {id: b, action: tool, tool: act, timeout: 1h, args: {give: never}}
  - {id: c, action: tool, tool: put, timeout: 1h, args: {from: 9}, onFailure: d}
  - {id: e, action: noop, onSuccess: $end}
  - {id: d, action: tool, tool: act, timeout: 1h, args: {give: '{{ error }}'}, onSuccess: $fail}",
    starts: 1,
};

const QUEUE: Workflow = Workflow {
    id: "queue",
    steps: "
concurrency: {limit: 1, onLimit: queue}
steps:
  - {id: a, action: tool, tool: act, timeout: 1h, args: {give: 1}}
  - {id: b, action: tool, tool: put, timeout: 1h, args: {give: 2}}",
    starts: 3,
};

/// Writes so much that the log is moved into the database and begins anew, more than once.
const BULK: Workflow = Workflow {
    id: "bulk",
    steps: "
steps:
  - {id: a, action: tool, tool: put, timeout: 1h, args: {size: 150000}}
  - {id: b, action: tool, tool: act, timeout: 1h, args: {size: 90000}}
  - {id: c, action: noop}
  - {id: d, action: tool, tool: put, timeout: 1h, args: {size: 200000}}
  - {id: e, action: tool, tool: put, timeout: 1h, args: {size: 200000}}
  - {id: f, action: tool, tool: act, timeout: 1h, args: {size: 200000}}",
    starts: 5,
};

impl Work {
    /// Plain steps, a retry, a gate, branches and a queue, all at once.
    pub const MIXED: Self = Self {
        workflows: &[PLAIN, RETRY, GATE, BRANCH, QUEUE],
    };
    /// One execution of each that has something of its own.
    pub const SMALL: Self = Self {
        workflows: &[Workflow { starts: 1, ..PLAIN }, RETRY, GATE],
    };
    /// Large outputs.
    pub const BULK: Self = Self { workflows: &[BULK] };

    /// Writes the files of the workflows.
    pub(crate) fn write(&self, directory: &Path) {
        std::fs::create_dir_all(directory).expect("a directory for a test");
        for workflow in self.workflows {
            let text = format!("name: {}{}\n", workflow.id, workflow.steps);
            let path = directory.join(format!("{}.yaml", workflow.id));
            std::fs::write(path, text).expect("a file for a test");
        }
    }

    /// All that is asked for.
    pub(crate) fn tasks(&self) -> Vec<Task> {
        let tasks = self.workflows.iter().flat_map(|workflow| {
            (0..workflow.starts).map(|number| Task {
                workflow: workflow.id,
                key: format!("start-{number}"),
            })
        });
        tasks.collect()
    }
}

/// A tool that does as its arguments say and writes down that it was called.
pub(crate) struct Scripted {
    name: &'static str,
    kind: Kind,
    disk: Arc<Disk>,
}

impl Scripted {
    pub(crate) fn all(disk: &Arc<Disk>) -> [Self; 2] {
        [(ONCE, Kind::Destructive), (REPEATABLE, Kind::Idempotent)].map(|(name, kind)| Self {
            name,
            kind,
            disk: Arc::clone(disk),
        })
    }
}

/// What a call answers: the same for the same arguments.
pub(crate) fn output(args: &Map<String, Value>) -> Value {
    match args.get("size").and_then(Value::as_u64) {
        // Numbers that go up, so that a part in the wrong place is noticed.
        Some(size) => {
            let lines = size / 10;
            let numbers: Vec<_> = (lines..lines * 2).map(|line| line.to_string()).collect();
            let text = numbers.join("\n");
            json!(text)
        }
        None => args.get("give").cloned().unwrap_or(Value::Null),
    }
}

#[async_trait]
impl Tool for Scripted {
    fn spec(&self) -> ToolSpec {
        let name = self.name.parse().expect("a valid name");
        ToolSpec::new(name, "does as it is told", self.kind)
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        self.disk.saw(Seen::Effect(Effect {
            tool: self.name.to_owned(),
            key: call.idempotency_key.clone(),
            attempt: call.attempt,
        }));
        let from = call.args.get("from").and_then(Value::as_u64).unwrap_or(0);
        if u64::from(call.attempt) < from {
            return Err(ToolError::retryable(format!("not before attempt {from}")));
        }
        Ok(output(&call.args))
    }
}

/// The calls in a record, in their order.
pub(crate) fn effects(record: &[Event]) -> Vec<Effect> {
    let effects = record.iter().filter_map(|event| match event {
        Event::Seen(Seen::Effect(effect)) => Some(effect.clone()),
        Event::Seen(Seen::Started(_) | Seen::Decided(_) | Seen::Ended(_))
        | Event::Create { .. }
        | Event::Delete { .. }
        | Event::Write { .. }
        | Event::Truncate { .. }
        | Event::Sync { .. }
        | Event::SyncFailed { .. } => None,
    });
    effects.collect()
}
