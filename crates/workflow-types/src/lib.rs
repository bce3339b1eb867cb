//! The validated vocabulary of AgentSpace: definitions, executions, gates, schedules, heartbeats.
//!
//! Everything here is pure: no files, no clock, no runtime and no database. Input becomes a type
//! that cannot be wrong, or [`Diagnostics`] that say, all at once, what to mend and where.
//!
//! ```
//! use workflow_types::{SourceFormat, WorkflowDefinition};
//!
//! let text = "name: Greet\nsteps:\n  - id: hello\n    action: noop\n";
//! let definition = WorkflowDefinition::parse(text.as_bytes(), SourceFormat::Yaml)?;
//! assert_eq!(definition.steps().len(), 1);
//! # Ok::<(), workflow_types::Diagnostics>(())
//! ```
#![forbid(unsafe_code)]

pub mod action;
pub mod alert;
pub mod approval;
pub mod config;
pub mod damage;
pub mod definition;
pub mod diagnostic;
pub mod duration;
pub mod execution;
pub mod expression;
pub mod heartbeat;
pub mod id;
pub mod json_schema;
pub mod output_schema;
pub mod registry;
pub mod retry;
pub mod schedule;
mod shape;
pub mod source;
pub mod template;
pub mod time;
mod words;

pub use config::{CheckedConfig, Config};
pub use definition::{Checked, WorkflowDefinition};
pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use heartbeat::{CheckedHeartbeat, Heartbeat};
pub use source::{SourceFormat, SourceMap};
pub use time::Timestamp;
