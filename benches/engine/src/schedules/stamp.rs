//! A tool that notes when it was called, for a fire whose time is in its arguments.
//!
//! That an attempt has begun is durable before its tool is called, so what is noted comes after the
//! fire, its record and its execution are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use async_trait::async_trait;
use gateway::workflow_types::id::ToolName;
use gateway::{Effect, Tool, ToolCall, ToolError, ToolSpec};
use serde_json::{Value, json};

/// The workflow whose one step calls the tool.
pub(super) const WORKFLOW: &str = "name: Stamp\ninput:\n  at: {type: integer}\nsteps:\n  - {id: s, action: tool, tool: stamp, args: {at: \"{{ input.at }}\"}}\n";

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stamp {
    /// How much later it came than its fire was due.
    pub(super) lag: Duration,
    /// The same for every repetition of the call.
    pub(super) key: String,
}

/// All calls so far.
#[derive(Clone, Default)]
pub(super) struct Stamps(Arc<Mutex<Vec<Stamp>>>);

impl Stamps {
    pub(super) fn list(&self) -> MutexGuard<'_, Vec<Stamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tool that notes them.
    pub(super) fn tool(&self) -> Result<impl Tool> {
        Ok(StampTool {
            name: "stamp".parse()?,
            stamps: self.clone(),
        })
    }

    /// Returns once there were so many calls.
    #[expect(
        clippy::disallowed_methods,
        reason = "real time passes until a schedule is due"
    )]
    pub(super) async fn wait(&self, count: usize, longest: Duration) -> Result<()> {
        const NAP: Duration = Duration::from_millis(5);
        let mut left = longest;
        while self.list().len() < count {
            anyhow::ensure!(
                !left.is_zero(),
                "{} fires of {count} came",
                self.list().len()
            );
            left = left.saturating_sub(NAP);
            tokio::time::sleep(NAP).await;
        }
        Ok(())
    }
}

struct StampTool {
    name: ToolName,
    stamps: Stamps,
}

#[async_trait]
impl Tool for StampTool {
    fn spec(&self) -> ToolSpec {
        ToolSpec::new(
            self.name.clone(),
            "notes when it was called",
            Effect::Idempotent,
        )
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let at = call.args.get("at").and_then(Value::as_u64).unwrap_or(0);
        self.stamps.list().push(Stamp {
            lag: now.saturating_sub(Duration::from_millis(at)),
            key: call.idempotency_key,
        });
        Ok(json!({"ok": true}))
    }
}
