//! How alerts are shown: lines for people, stable JSON for programs.

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::alert::{
    Alert, AlertKind, AlertSource, Notice, NoticeEvent, Receipt, ReceiptState,
};
use serde_json::{Value, json};

use crate::host::span;
use crate::output::{DIM, GREEN, RED, YELLOW, paint, plain};

/// An alert as JSON.
pub(crate) fn alert(alert: &Alert) -> Value {
    let acknowledged = alert.acknowledged.as_ref();
    let cleared = alert.cleared.as_ref();
    json!({
        "id": alert.id,
        "source": source(&alert.source),
        "item": alert.item,
        "kind": alert.kind,
        "details": alert.details,
        "open": alert.is_open(),
        "unread": alert.is_unread(),
        "firstRaisedAt": alert.first_raised_at,
        "lastSeenAt": alert.last_seen_at,
        "timesSeen": alert.times_seen,
        "remindedAt": alert.reminded_at(),
        "acknowledged": acknowledged.map(|it| json!({"by": it.by, "at": it.at})),
        "cleared": cleared.map(|it| json!({"at": it.at, "reason": it.reason})),
    })
}

/// An alert as JSON, with what was told of it, and to whom.
pub(crate) fn whole(alert: &Alert, told: &[(Notice, Vec<Receipt>)]) -> Value {
    let mut shown = self::alert(alert);
    let told = told.iter().map(|(notice, receipts)| {
        json!({
            "id": notice.id,
            "event": notice.event,
            "at": notice.at,
            "details": notice.details,
            "timesSeen": notice.times_seen,
            "deliveries": receipts.iter().map(receipt).collect::<Vec<_>>(),
        })
    });
    shown["notices"] = told.collect();
    shown
}

/// An alert on one line.
pub(crate) fn line(alert: &Alert, now: Timestamp) -> String {
    let state = match (&alert.cleared, alert.is_unread()) {
        (None, true) => paint(RED, "open, unread"),
        (None, false) => paint(YELLOW, "open"),
        (Some(_), true) => paint(YELLOW, "over, unread"),
        (Some(_), false) => paint(GREEN, "over"),
    };
    let age = paint(
        DIM,
        &format!("{} ago", span(now.since(alert.first_raised_at))),
    );
    let what = what(alert.kind, &alert.source, &alert.item);
    let details = said(alert.kind, &alert.details);
    format!("{}  {state}  {what}: {details}  {age}", alert.id)
}

/// An alert with everything about it.
pub(crate) fn lines(alert: &Alert, told: &[(Notice, Vec<Receipt>)], now: Timestamp) -> Vec<String> {
    let mut lines = vec![line(alert, now)];
    let seen = match alert.times_seen {
        1 => "once".to_owned(),
        times => format!("{times} times, last at {}", alert.last_seen_at),
    };
    lines.push(format!("  found      {seen}"));
    if let Some(read) = &alert.acknowledged {
        let by = plain(read.by.as_ref());
        lines.push(format!("  read       by {by} at {}", read.at));
    }
    if let Some(over) = &alert.cleared {
        lines.push(format!(
            "  over       at {}: {}",
            over.at,
            plain(&over.reason)
        ));
    }
    for (notice, receipts) in told {
        lines.push(format!("  {:<10} {}", notice.event, notice.at));
        lines.extend(receipts.iter().map(receipt_line));
    }
    lines
}

/// What is told, on one line.
pub(crate) fn notice_line(notice: &Notice) -> String {
    let event = match notice.event {
        NoticeEvent::Raised => paint(RED, "alert"),
        NoticeEvent::Reminded => paint(RED, "alert, still open"),
        NoticeEvent::Cleared => paint(GREEN, "alert is over"),
    };
    let what = what(notice.kind, &notice.source, &notice.item);
    let said = notice.reason.as_ref().unwrap_or(&notice.details);
    let said = self::said(notice.kind, said);
    format!(
        "{event}: {what}: {said}  {}",
        paint(DIM, &notice.alert.to_string())
    )
}

/// What is said of an alert, on one line.
fn said(kind: AlertKind, text: &str) -> String {
    match kind {
        AlertKind::ActionNeeded | AlertKind::Unknown | AlertKind::Paused => {
            super::value(&json!(text))
        }
        // Our own words, at the end of which stands what is to be done.
        AlertKind::HeldUp => plain(text),
    }
}

fn what(kind: AlertKind, source: &AlertSource, item: &str) -> String {
    let item = super::value(&json!(item));
    let name = source.name();
    match kind {
        AlertKind::ActionNeeded => format!("{name}: {item}"),
        AlertKind::Unknown => format!("{name}: {item} (cannot be judged)"),
        AlertKind::Paused => format!("schedule {name} is paused"),
        // Its item is the execution that is waited for, which the details name.
        AlertKind::HeldUp => format!("schedule {name} is held up"),
    }
}

fn source(source: &AlertSource) -> Value {
    json!({"kind": source.kind(), "name": source.name()})
}

fn receipt(receipt: &Receipt) -> Value {
    let Receipt {
        sink,
        attempts,
        state,
    } = receipt;
    match state {
        ReceiptState::Delivered { at } => json!({
            "sink": sink, "attempts": attempts, "deliveredAt": at,
        }),
        ReceiptState::Waiting {
            next_attempt_at,
            error,
        } => json!({
            "sink": sink, "attempts": attempts, "nextAttemptAt": next_attempt_at, "error": error,
        }),
    }
}

fn receipt_line(receipt: &Receipt) -> String {
    let Receipt {
        sink,
        attempts,
        state,
    } = receipt;
    match state {
        ReceiptState::Delivered { at } => format!("    {sink}  told at {at}"),
        ReceiptState::Waiting { error: None, .. } => format!("    {sink}  not told yet"),
        ReceiptState::Waiting {
            next_attempt_at,
            error: Some(error),
        } => {
            let error = plain(error);
            let failed = paint(RED, &format!("tried {attempts} times in vain"));
            format!("    {sink}  {failed}, next at {next_attempt_at}: {error}")
        }
    }
}
