//! The embeddable AgentSpace runtime: workflows that run later, in steps, with a human's yes, and
//! are not lost.
//!
//! A host describes a [`Gateway`] with its tools and models, starts it, and asks it to run
//! workflows. Every step is durable before the next one begins; a process that was killed goes on
//! where it stood. There is no global state: two gateways in one process are fine.
//!
//! ```no_run
//! use async_trait::async_trait;
//! use gateway::{Effect, Gateway, Tool, ToolCall, ToolError, ToolSpec};
//! use serde_json::{Value, json};
//!
//! struct Announce;
//!
//! #[async_trait]
//! impl Tool for Announce {
//!     fn spec(&self) -> ToolSpec {
//!         let name = "announce".parse().expect("a valid name");
//!         ToolSpec::new(name, "prints a text", Effect::Destructive)
//!     }
//!
//!     async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
//!         println!("{}", call.args["text"]);
//!         Ok(Value::Null)
//!     }
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let gateway = Gateway::builder()
//!     .database("agentspace.db")
//!     .workflows("workflows")
//!     .tool(Announce)
//!     .start()
//!     .await?;
//! let execution = gateway.start(&"deploy-check".parse()?, json!({"env": "prod"})).await?;
//! let done = gateway.wait(execution.id).await?;
//! println!("{}", done.state.status());
//! gateway.shutdown().await?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod alert;
mod builder;
mod change;
mod check;
mod clock;
pub mod database;
mod decision;
mod engine;
mod entropy;
mod error;
mod file_watch;
mod gateway;
mod heartbeat;
mod host_file;
mod loader;
mod model;
mod operation;
mod reader;
mod registrar;
mod scheduler;
mod secret;
pub mod store;
mod tool;
mod watch;

pub use alert::{AlertSink, AlertWatch, Alerts, SinkError, Telling};
pub use builder::{GatewayBuilder, LeftBehind, Scheduling};
pub use change::Follower;
pub use clock::{Clock, ManualClock, SystemClock};
pub use decision::Decided;
pub use engine::output_problem;
pub use error::{Error, ErrorKind};
pub use gateway::{Gateway, StartRequest, Started};
pub use heartbeat::{HeartbeatOutcome, HeartbeatReading, Heartbeats};
pub use loader::{FileKind, FileReport, HEARTBEAT, twins};
pub use model::{ModelClient, ModelError, ModelRegistry, ModelReply, ModelRequest, WantedCall};
pub use operation::{Cancelled, RetryRequest};
pub use reader::Reader;
pub use registrar::{FileEvents, Reloaded};
pub use scheduler::{
    Backfill, Backfilled, ScheduleEdit, ScheduleEvent, ScheduleEvents, ScheduleRequest, Schedules,
};
pub use secret::{LONGEST_SECRET, Mask, SHORTEST_SECRET, SecretError, SecretSource, SecretValue};
pub use store::Durability;
pub use tool::{Effect, Registered, Tool, ToolCall, ToolError, ToolRegistry, ToolSource, ToolSpec};
pub use watch::Watch;
pub use workflow_types;
pub use workflow_types::damage::{Damaged, Listed};
pub use workflow_types::execution::{
    Event, EventKind, EventPage, EventSeq, ExecutionFilter, Page, PageKey, Pruned, Retention,
};
pub use workflow_types::registry::{SavedDefinition, Workflow};
