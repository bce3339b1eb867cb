//! How often a heartbeat runs and when: `HeartbeatConfig` in its published JSON shape.
//!
//! Knows nothing of checklists, models or results.

use serde::{Deserialize, Serialize};

use super::active_hours::ActiveHours;
use super::id::HeartbeatInterval;
use super::zone::TimeZone;

/// The cadence of a heartbeat.
///
/// ```
/// use workflow_types::schedule::HeartbeatConfig;
///
/// let config: HeartbeatConfig = serde_json::from_str("{}")?;
/// assert_eq!(config.interval.into_inner(), 30);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// Minutes between two runs; 30 unless said otherwise.
    #[serde(default)]
    pub interval: HeartbeatInterval,
    /// Zone of the active hours; `None` means the gateway's default (rule T1).
    #[serde(
        default,
        deserialize_with = "super::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub timezone: Option<TimeZone>,
    /// The window in which it may run; `None` means always.
    #[serde(
        default,
        deserialize_with = "super::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub active_hours: Option<ActiveHours>,
}
