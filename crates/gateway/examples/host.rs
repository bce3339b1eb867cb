//! A complete host in one file: a tool of its own, a workflow with a gate, and a person's yes.
//!
//! `cargo run -p gateway --example host` writes a workflow into a temporary directory, runs it up
//! to its gate, ends the gateway while it waits, starts the next one, approves the gate, and prints
//! the journal. What waits is a row and not a task, so nothing is lost in between.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gateway::workflow_types::execution::{ExecutionState, Outcome, VisitState};
use gateway::{Effect, Gateway, Tool, ToolCall, ToolError, ToolSpec};
use serde_json::{Value, json};

/// What an author writes; the file's stem, `release`, is the workflow's id.
const WORKFLOW: &str = r#"
name: Release
input:
  version: string
steps:
  - id: announce
    action: tool
    tool: announce
    args: { text: "releasing {{ input.version }}" }
  - id: publish
    action: tool
    tool: announce
    args: { text: "{{ input.version }} is out, message {{ steps.announce.output.number + 1 }}" }
    approvalRequired: { message: "publish {{ input.version }}?" }
    onFailure: withdraw
    onSuccess: $end
  - id: withdraw
    action: tool
    tool: announce
    args: { text: "{{ input.version }} is withdrawn: {{ error }}" }
"#;

/// A tool of the host: it adds a text to a list that the host can read.
struct Announce {
    texts: Arc<Mutex<Vec<String>>>,
    spec: ToolSpec,
}

impl Announce {
    fn new(texts: Arc<Mutex<Vec<String>>>) -> Result<Self, Box<dyn Error>> {
        // Somebody reads an announcement: one that was interrupted is not repeated unasked.
        let spec = ToolSpec::new("announce".parse()?, "tells everybody", Effect::Destructive)
            .with_input(&json!({ "text": "string" }))?;
        Ok(Self { texts, spec })
    }
}

#[async_trait]
impl Tool for Announce {
    fn spec(&self) -> ToolSpec {
        self.spec.clone()
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        // The gateway has checked the arguments against the schema.
        let Some(text) = call.args.get("text").and_then(Value::as_str) else {
            return Err(ToolError::permanent("`text` is missing"));
        };
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.push(text.to_owned());
        Ok(json!({ "number": texts.len() }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let texts = Arc::new(Mutex::new(Vec::new()));
    std::fs::create_dir(directory.path().join("workflows"))?;
    std::fs::write(directory.path().join("workflows/release.yaml"), WORKFLOW)?;

    // The first gateway runs the workflow up to its gate, and ends.
    let gateway = start(directory.path(), &texts).await?;
    let execution = gateway
        .start(&"release".parse()?, json!({ "version": "1.0" }))
        .await?;
    let waiting = gateway.wait(execution.id).await?;
    println!("the execution is {}", waiting.state.status());
    gateway.shutdown().await?;

    // The next one finds it waiting. A host would show the gate to somebody.
    let gateway = start(directory.path(), &texts).await?;
    for gate in gateway.reader().waiting_gates().await?.items {
        println!("{}", gate.message.as_deref().unwrap_or("may it run?"));
        println!("  {}", gate.request);
        gateway.approve(gate.id, "ann".parse()?, None).await?;
    }
    let done = gateway.wait(execution.id).await?;

    for visit in gateway.reader().journal(execution.id, 1, 100).await? {
        match visit.state {
            VisitState::Done { at, outcome } => match outcome {
                Outcome::Success { output } => println!("{at} {} gave {output}", visit.step),
                Outcome::Failure(failure) => {
                    println!("{at} {} failed: {}", visit.step, failure.message);
                }
            },
            VisitState::Ready
            | VisitState::Waiting
            | VisitState::Begun
            | VisitState::BackingOff { .. } => println!("{} is open", visit.step),
        }
    }
    gateway.shutdown().await?;
    let announced = texts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    println!("announced: {announced:?}");
    if matches!(done.state, ExecutionState::Completed { .. })
        && announced == ["releasing 1.0", "1.0 is out, message 2"]
    {
        Ok(())
    } else {
        Err(format!("the execution is {}", done.state.status()).into())
    }
}

/// A gateway on the files of a directory.
async fn start(
    directory: &Path,
    texts: &Arc<Mutex<Vec<String>>>,
) -> Result<Gateway, Box<dyn Error>> {
    let gateway = Gateway::builder()
        .database(directory.join("agentspace.db"))
        .workflows(directory.join("workflows"))
        .tool(Announce::new(Arc::clone(texts))?)
        .start()
        .await?;
    // A file that is refused does not stop the start: the host says what is wrong with it.
    for file in &gateway.started().files {
        for diagnostic in &file.diagnostics {
            println!("{}: {}", file.path.display(), diagnostic.message);
        }
    }
    Ok(gateway)
}
