//! Looks for damage: what SQLite finds, and what contradicts our own rules.
//!
//! Nothing is mended here; each finding names what is wrong with what.

use workflow_types::alert::AlertFilter;
use workflow_types::execution::ExecutionState;
use workflow_types::id::ExecutionId;

use crate::connection::Connection;
use crate::error::{Error, ErrorKind};
use crate::{alert, definition, execution, gate, schedule, visit, workflow};

/// How many ids of executions are held at a time.
const PAGE: usize = 200;

/// What SQL alone can find; each row is a finding.
const FINDINGS: [&str; 14] = [
    "SELECT integrity_check AS value FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    "SELECT 'a row of ' || \"table\" || ' refers to a row of ' || parent || ' that does not exist'
     AS value FROM pragma_foreign_key_check",
    "SELECT 'execution ' || id || ' is paused, but no gate waits' AS value
     FROM workflow_executions WHERE status = 'paused' AND NOT EXISTS (
        SELECT 1 FROM gates WHERE execution_id = workflow_executions.id AND state = 'waiting')",
    "SELECT 'gate ' || gates.id || ' waits, but execution ' || execution_id || ' is ' || status
     AS value FROM gates JOIN workflow_executions ON workflow_executions.id = execution_id
     WHERE state = 'waiting' AND status <> 'paused'",
    "SELECT 'gate ' || gates.id || ' waits at step ' || step_id || ', but execution '
        || execution_id || ' at ' || coalesce(current_step_id, 'none') AS value
     FROM gates JOIN workflow_executions ON workflow_executions.id = execution_id
     WHERE state = 'waiting' AND status = 'paused' AND step_id IS NOT current_step_id",
    "SELECT 'execution ' || id || ' is ' || status || ', but no visit is open' AS value
     FROM workflow_executions WHERE status IN ('running', 'paused') AND coalesce((
        SELECT state FROM step_visits WHERE execution_id = workflow_executions.id
        ORDER BY visit DESC LIMIT 1),
        -- One that had to wait for its turn makes its first visit when it is taken up.
        iif(queued_at IS NOT NULL OR epoch > 1, 'none', 'done')) = 'done'",
    "SELECT 'visit ' || visit || ' of execution ' || execution_id || ' is open, but not the last'
     AS value FROM step_visits AS earlier WHERE state <> 'done' AND EXISTS (
        SELECT 1 FROM step_visits AS later
        WHERE later.execution_id = earlier.execution_id AND later.visit > earlier.visit)",
    "SELECT 'the journal of execution ' || execution_id || ' has gaps' AS value
     FROM step_visits GROUP BY execution_id HAVING max(visit) <> count(*)",
    "SELECT 'fire ' || fire_time || ' of schedule ' || f.schedule_id || ' names execution '
        || execution_id || ', which is of another fire' AS value
     FROM schedule_fires AS f JOIN workflow_executions AS e ON e.id = execution_id
     WHERE e.schedule_id IS NOT f.schedule_id OR e.scheduled_for IS NOT fire_time",
    "SELECT 'execution ' || id || ' was started by schedule ' || schedule_id || ' for '
        || scheduled_for || ', of which no fire tells' AS value
     FROM workflow_executions AS e WHERE schedule_id IS NOT NULL AND scheduled_for IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM schedule_fires WHERE execution_id = e.id)",
    "SELECT 'schedule ' || id || ' would fire again for ' || next_fire_at AS value
     FROM schedules WHERE next_fire_at <= last_fire_at",
    "SELECT 'sink ' || sink || ' was told notice ' || notice || ' before earlier ones' AS value
     FROM alert_deliveries AS later WHERE delivered_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM alert_deliveries AS earlier WHERE earlier.sink = later.sink
        AND earlier.notice < later.notice AND earlier.delivered_at IS NULL)",
    "SELECT 'alert ' || id || ' is over, and nobody is told' AS value
     FROM alerts WHERE cleared_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM alert_notices WHERE alert_id = alerts.id AND event = 'cleared')",
    "SELECT 'alert ' || id || ' says that execution ' || item || ' holds its schedule up, but nothing
        of that waits' AS value
     FROM alerts WHERE kind = 'held_up' AND cleared_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM gates WHERE execution_id = item AND state = 'waiting')",
];

impl Connection {
    /// Everything that is wrong with the database, in words; empty if nothing is.
    ///
    /// Reads all of it in one snapshot, so it takes its time. Fails only if it cannot read on.
    pub fn check(&mut self) -> Result<Vec<String>, Error> {
        self.read(|connection| {
            let mut findings = Vec::new();
            for sql in FINDINGS {
                findings.extend(connection.texts(sql)?);
            }
            check_definitions(connection, &mut findings)?;
            let workflows = workflow::list(connection)?.damaged;
            findings.extend(workflows.into_iter().map(|damaged| damaged.reason));
            let schedules = schedule::list(connection, None, None, usize::MAX)?.damaged;
            findings.extend(schedules.into_iter().map(|damaged| damaged.reason));
            check_executions(connection, &mut findings)?;
            check_alerts(connection, &mut findings)?;
            Ok(findings)
        })
    }
}

fn check_definitions(connection: &mut Connection, findings: &mut Vec<String>) -> Result<(), Error> {
    for hash in definition::digests(connection)? {
        match hash.parse() {
            Ok(digest) => {
                let loaded = definition::load(connection, &digest);
                note(loaded.map(|_| Vec::new()), findings)?;
            }
            Err(_) => findings.push(format!("definition {hash} is not named by a digest")),
        }
    }
    Ok(())
}

fn check_executions(connection: &mut Connection, findings: &mut Vec<String>) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let ids = execution::ids(connection, &after, PAGE)?;
        for id in &ids {
            match id.parse() {
                Ok(id) => note(check_execution(connection, &id), findings)?,
                Err(_) => findings.push(format!("execution {id} is not named by an id")),
            }
        }
        match ids.into_iter().last() {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}

fn check_alerts(connection: &mut Connection, findings: &mut Vec<String>) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = alert::list(connection, AlertFilter::default(), after.as_ref(), PAGE)?;
        findings.extend(page.damaged.into_iter().map(|damaged| damaged.reason));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// Reads everything about an execution, and compares what its row says with its journal.
fn check_execution(connection: &mut Connection, id: &ExecutionId) -> Result<Vec<String>, Error> {
    let Some(execution) = execution::find(connection, id)? else {
        return Ok(Vec::new());
    };
    for gate in gate::of(connection, id)? {
        gate::votes(connection, &gate.id)?;
    }
    let history = visit::history(connection, id)?;
    let expected = match &execution.state {
        ExecutionState::Running => return Ok(Vec::new()),
        ExecutionState::Paused { step, .. } => history.results(Some(step)),
        ExecutionState::Completed { .. } | ExecutionState::Failed { .. } => history.results(None),
    };
    if execution::results(connection, id)? == expected {
        return Ok(Vec::new());
    }
    Ok(vec![format!(
        "the step_results of execution {id} are not those of its journal"
    )])
}

/// A damaged row is a finding; anything else ends the check.
fn note(checked: Result<Vec<String>, Error>, findings: &mut Vec<String>) -> Result<(), Error> {
    match checked {
        Ok(found) => findings.extend(found),
        Err(error) if error.kind() == ErrorKind::Corrupt => findings.push(error.to_string()),
        Err(error) => return Err(error),
    }
    Ok(())
}
