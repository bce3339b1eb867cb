//! Values of the command line that are read from one word, with what to write instead.

use std::time::Duration;

use gateway::workflow_types::config::{Durability, LONGEST_WAIT, too_short_to_keep};
use gateway::workflow_types::execution::{ExecutionStatus, FailureKind, TriggeredBy};

pub(super) fn durability(text: &str) -> Result<Durability, String> {
    Durability::from_word(text).ok_or_else(|| format!("`{text}` is none of full, normal"))
}

pub(super) fn wait(text: &str) -> Result<Duration, String> {
    let wait = duration(text)?;
    if wait > LONGEST_WAIT {
        return Err(format!("`{text}` is longer than a day; write at most 1d"));
    }
    Ok(wait)
}

pub(super) fn age(text: &str) -> Result<Duration, String> {
    let age = duration(text)?;
    match too_short_to_keep(age) {
        None => Ok(age),
        Some(reason) => Err(reason.to_owned()),
    }
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("`{text}` is not KEY=VALUE, as in -i name=Ada"))
}

pub(super) fn status(text: &str) -> Result<ExecutionStatus, String> {
    ExecutionStatus::from_word(text)
        .ok_or_else(|| format!("`{text}` is none of running, paused, completed, failed"))
}

pub(super) fn failure_kind(text: &str) -> Result<FailureKind, String> {
    FailureKind::from_word(text).ok_or_else(|| {
        let words: Vec<&str> = FailureKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("`{text}` is none of {}", words.join(", "))
    })
}

pub(super) fn trigger(text: &str) -> Result<TriggeredBy, String> {
    TriggeredBy::from_word(text)
        .ok_or_else(|| format!("`{text}` is none of manual, cron, heartbeat"))
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    gateway::workflow_types::duration::parse(text).map_err(|error| error.to_string())
}
