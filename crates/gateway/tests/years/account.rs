//! What is recorded, as the file has it, against what the oracle says: every fire time is accounted
//! for exactly once, and what did not start has its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::schedule::Overlap;
use rusqlite::Connection;

use crate::course::{Absence, Happened};
use crate::subject::{Kind, Subject};

/// What is buffered waits for executions of forty minutes, one after the other.
const LONGEST_BUFFERED: Duration = Duration::from_hours(96);

/// The figures of a database, and what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) schedules: usize,
    /// Fire times that the oracle names.
    pub(crate) expected: usize,
    pub(crate) started: usize,
    pub(crate) missed: usize,
    pub(crate) skipped: usize,
    /// Fire times that wait for an execution at the end.
    pub(crate) buffered: usize,
    /// Fire times that are part of a stretch.
    pub(crate) in_gaps: usize,
    pub(crate) executions: usize,
    /// Executions for a fire time that has one already.
    pub(crate) doubled: usize,
    /// What the oracle names and nothing is known of, or the other way round, or has no reason.
    pub(crate) unexplained: Vec<String>,
    pub(crate) happened: Happened,
    /// The time in which the years were lived through.
    pub(crate) spent: Duration,
}

impl Account {
    pub(crate) fn add(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.expected += other.expected;
        self.started += other.started;
        self.missed += other.missed;
        self.skipped += other.skipped;
        self.buffered += other.buffered;
        self.in_gaps += other.in_gaps;
        self.executions += other.executions;
        self.doubled += other.doubled;
        self.unexplained.extend(other.unexplained);
        self.happened.kills += other.happened.kills;
        self.happened.restarts += other.happened.restarts;
        self.happened.leaps += other.happened.leaps;
        self.happened.back += other.happened.back;
        self.happened.transactions += other.happened.transactions;
        self.spent += other.spent;
    }
}

/// A row of the history.
struct Fire {
    outcome: String,
    execution: Option<String>,
}

/// Accounts for every fire time between two instants.
pub(crate) fn of(
    found: &Connection,
    subjects: &[Subject],
    (first, last): (Timestamp, Timestamp),
    absences: Vec<Absence>,
) -> Account {
    let mut account = Account::default();
    let absences = merged(absences);
    for subject in subjects {
        account.schedules += 1;
        let fires = fires(found, &subject.id);
        let gaps = gaps(found, &subject.id);
        let expected = subject.fires(first.to_utc(), last.to_utc());
        let mut open: BTreeSet<Timestamp> = fires.keys().copied().collect();
        let wrong = |time: Timestamp, what: &str| {
            format!("{} `{}` at {time}: {what}", subject.id, subject.pattern)
        };
        account.expected += expected.len();
        for instant in expected {
            let time = Timestamp::try_from(instant).unwrap();
            let is_in_gap = gaps.iter().any(|gap| gap.0 <= time && time < gap.1);
            let is_explained = is_away(&absences, time);
            let what = match (fires.get(&time), is_in_gap) {
                (None, false) => Some("nothing is known of it"),
                (Some(_), true) => Some("it is recorded, and part of a gap"),
                (None, true) => {
                    account.in_gaps += 1;
                    (!is_explained).then_some("it is part of a gap, and nobody was away")
                }
                (Some(fire), false) => {
                    open.remove(&time);
                    let is_young = last.since(time) < LONGEST_BUFFERED;
                    account.count(subject, fire, (is_explained, is_young))
                }
            };
            account
                .unexplained
                .extend(what.map(|what| wrong(time, what)));
        }
        let unknown = open.into_iter();
        let unknown = unknown.map(|time| wrong(time, "the oracle knows nothing of it"));
        account.unexplained.extend(unknown);
        account.compare_executions(found, subject, &fires);
    }
    account
}

impl Account {
    /// Counts what became of a fire time; what is wrong with it, if something is.
    fn count(
        &mut self,
        subject: &Subject,
        fire: &Fire,
        (is_away, is_young): (bool, bool),
    ) -> Option<&'static str> {
        let policies = &subject.policies;
        match fire.outcome.as_str() {
            "started" => {
                self.started += 1;
                fire.execution
                    .is_none()
                    .then_some("it was started without an execution")
            }
            "missed" => {
                self.missed += 1;
                (!is_away).then_some("it was missed, and nobody was away")
            }
            "skipped_overlap" => {
                self.skipped += 1;
                let may_overlap = policies.overlap == Overlap::Allow;
                may_overlap.then_some("it was skipped, and may overlap")
            }
            "buffered" => {
                self.buffered += 1;
                let may_wait = subject.kind == Kind::Waits && is_young;
                (!may_wait).then_some("it still waits")
            }
            _ => Some("it could not start"),
        }
    }

    /// Each execution is of one fire that says so.
    fn compare_executions(
        &mut self,
        found: &Connection,
        subject: &Subject,
        fires: &BTreeMap<Timestamp, Fire>,
    ) {
        let sql = "SELECT id, scheduled_for FROM workflow_executions WHERE schedule_id = ?";
        let mut statement = found.prepare(sql).unwrap();
        let rows = statement.query_map([&subject.id], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        });
        let mut seen = BTreeSet::new();
        for row in rows.unwrap() {
            let (id, time) = row.unwrap();
            let time: Timestamp = time.parse().unwrap();
            self.executions += 1;
            if !seen.insert(time) {
                self.doubled += 1;
            }
            let fire = fires.get(&time).and_then(|fire| fire.execution.as_ref());
            if fire != Some(&id) {
                let what = format!("{} at {time}: execution {id} is not its own", subject.id);
                self.unexplained.push(what);
            }
        }
        let started = fires.iter().filter(|(_, fire)| fire.execution.is_some());
        for (time, _) in started.filter(|(time, _)| !seen.contains(time)) {
            let what = format!("{} at {time}: its execution is not there", subject.id);
            self.unexplained.push(what);
        }
    }
}

fn fires(found: &Connection, id: &str) -> BTreeMap<Timestamp, Fire> {
    let sql = "SELECT fire_time, outcome, execution_id FROM schedule_fires WHERE schedule_id = ?";
    let mut statement = found.prepare(sql).unwrap();
    let rows = statement.query_map([id], |row| {
        let fire = Fire {
            outcome: row.get(1)?,
            execution: row.get(2)?,
        };
        Ok((row.get::<_, String>(0)?, fire))
    });
    let read = rows.unwrap().map(|row| {
        let (time, fire) = row.unwrap();
        (time.parse().unwrap(), fire)
    });
    read.collect()
}

fn gaps(found: &Connection, id: &str) -> Vec<(Timestamp, Timestamp)> {
    let sql = "SELECT first, before FROM schedule_gaps WHERE schedule_id = ?";
    let mut statement = found.prepare(sql).unwrap();
    let rows = statement.query_map([id], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    });
    let read = rows.unwrap().map(|row| {
        let (first, before) = row.unwrap();
        (first.parse().unwrap(), before.parse().unwrap())
    });
    read.collect()
}

/// The same stretches in their order, none of which touches another.
fn merged(mut absences: Vec<Absence>) -> Vec<Absence> {
    absences.sort_by_key(|absence| absence.after);
    let mut merged: Vec<Absence> = Vec::new();
    for absence in absences {
        match merged.last_mut() {
            Some(last) if absence.after <= last.until => last.until = last.until.max(absence.until),
            Some(_) | None => merged.push(absence),
        }
    }
    merged
}

fn is_away(absences: &[Absence], time: Timestamp) -> bool {
    let after = absences.partition_point(|absence| absence.after < time);
    let before = after.checked_sub(1).and_then(|place| absences.get(place));
    before.is_some_and(|absence| time <= absence.until)
}
