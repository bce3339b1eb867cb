//! A notice as JSON: what webhooks and commands are told, in a stable, versioned form.

use gateway::workflow_types::alert::Notice;
use serde_json::{Value, json};

/// The form: raised when what stands there changes its meaning, not when something is added.
const VERSION: u32 = 1;

/// A notice in its envelope; the same notice is the same text, whenever it is told.
pub(crate) fn envelope(notice: &Notice) -> Value {
    let Notice {
        id,
        event,
        at,
        alert,
        source,
        item,
        kind,
        details,
        first_raised_at,
        times_seen,
        reason,
    } = notice;
    let mut data = json!({
        "alertId": alert,
        "source": {"kind": source.kind(), "name": source.name()},
        "item": item,
        "kind": kind,
        "details": details,
        "firstRaisedAt": first_raised_at,
        "timesSeen": times_seen,
    });
    if let Some(reason) = reason {
        data["reason"] = json!(reason);
    }
    json!({
        "v": VERSION,
        "id": id,
        "type": format!("alert.{event}"),
        "timestamp": at,
        "data": data,
    })
}
