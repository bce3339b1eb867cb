//! The course of some years: a clock that goes from due to due, and what happens to the process and
//! to its clock meanwhile.

use std::path::Path;

use chrono::{DateTime, Utc};
use gateway::Clock as _;
use gateway::workflow_types::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::account::{self, Account};
use crate::clock::SetClock;
use crate::life::Life;
use crate::plan::{Death, Side};
use crate::schedule_oracle::draw::Draw;
use crate::subject::{Kind, Subject};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A stretch in which the scheduler could not be on time: nobody served, or the clock leapt, and
/// until all that was late has had its turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Absence {
    /// What had come until then was settled.
    pub(crate) after: Timestamp,
    pub(crate) until: Timestamp,
}

/// What happened besides fires.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Happened {
    pub(crate) kills: usize,
    pub(crate) restarts: usize,
    pub(crate) leaps: usize,
    pub(crate) back: usize,
    pub(crate) transactions: usize,
}

/// A database and its clock.
struct Course<'a> {
    directory: &'a Path,
    clock: SetClock,
    draw: Draw,
    /// The years end then.
    last: Timestamp,
    /// The latest time at which all that had come was settled.
    settled: Timestamp,
    /// Since when the scheduler is behind.
    behind: Option<Timestamp>,
    /// The latest time that the clock has shown.
    latest: Timestamp,
    /// How many schedules there are.
    count: i64,
    absences: Vec<Absence>,
    happened: Happened,
    /// When the next thing happens.
    next: Timestamp,
}

/// Lives through years, and accounts for every fire time of them.
pub(crate) fn run(
    subjects: &[Subject],
    (first, last): (DateTime<Utc>, DateTime<Utc>),
    seed: u64,
) -> Account {
    let directory = TempDir::with_prefix("agentspace years ").unwrap();
    let workflows = directory.path().join("workflows");
    std::fs::create_dir(&workflows).unwrap();
    for kind in [Kind::Ends, Kind::Waits] {
        std::fs::write(workflows.join(format!("{}.yaml", kind.id())), kind.text()).unwrap();
    }
    let first = Timestamp::try_from(first).unwrap();
    let mut course = Course {
        directory: directory.path(),
        clock: SetClock::new(first),
        draw: Draw::new(seed),
        last: Timestamp::try_from(last).unwrap(),
        settled: first,
        behind: None,
        latest: first,
        count: i64::try_from(subjects.len()).unwrap(),
        absences: Vec::new(),
        happened: Happened::default(),
        next: first,
    };
    let begin = gateway::SystemClock.now();
    course.live_through(subjects);
    let spent = gateway::SystemClock.now().since(begin);
    let database = directory.path().join("agentspace.db");
    let found = Connection::open(database).unwrap();
    let Course {
        absences,
        settled,
        happened,
        ..
    } = course;
    let mut account = account::of(&found, subjects, (first, settled), absences);
    account.happened = happened;
    account.spent = spent;
    account
}

impl Course<'_> {
    fn live_through(&mut self, subjects: &[Subject]) {
        let life = Life::begin(self.directory, &self.clock, None);
        for subject in subjects {
            life.add(subject.request()).unwrap();
        }
        self.happens_next();
        let mut life = Some(life);
        loop {
            let mut living = match life.take() {
                Some(life) => life,
                None => {
                    let death = self.death();
                    Life::begin(self.directory, &self.clock, Some(death))
                }
            };
            let is_over = self.live(&mut living);
            self.happened.transactions += living.transactions();
            if is_over {
                living.shut_down();
                return;
            }
            if living.is_dead() {
                self.happened.kills += 1;
                living.end();
            } else {
                self.happened.restarts += 1;
                living.shut_down();
            }
            self.away();
        }
    }

    /// Goes from due to due until the process dies or is restarted, or the years are over.
    fn live(&mut self, life: &mut Life) -> bool {
        loop {
            life.settle();
            if life.is_dead() {
                return false;
            }
            let now = self.clock.now();
            self.is_settled(now);
            if now >= self.last && self.behind.is_none() {
                return true;
            }
            if now >= self.next && now < self.last {
                self.happens_next();
                if self.something_happens(now) {
                    return false;
                }
                continue;
            }
            let due = self.clock.earliest().expect("the scheduler sleeps");
            self.clock.set(due);
        }
    }

    /// Nothing that has come by now is open, unless the scheduler is behind.
    fn is_settled(&mut self, now: Timestamp) {
        if let Some(after) = self.behind {
            // What was late before the clock was set back is late again when it comes there.
            self.latest = self.latest.max(now);
            if now < self.latest || self.is_anything_late(now) {
                return;
            }
            self.absences.push(Absence { after, until: now });
            self.behind = None;
        }
        self.settled = self.settled.max(now);
    }

    fn is_anything_late(&self, now: Timestamp) -> bool {
        let found = Connection::open(self.directory.join("agentspace.db")).unwrap();
        let sql = "SELECT EXISTS (SELECT 1 FROM schedules WHERE enabled = 1 AND next_fire_at <= ?)";
        found
            .query_row(sql, [now.to_string()], |row| row.get(0))
            .unwrap()
    }

    /// The clock is set, or the process is restarted, which is answered.
    fn something_happens(&mut self, now: Timestamp) -> bool {
        match self.draw.below(3) {
            0 => {
                self.happened.leaps += 1;
                self.is_behind(now);
                let by = self.while_away();
                self.clock.set(moved(now, by));
                false
            }
            1 => {
                self.happened.back += 1;
                self.latest = self.latest.max(now);
                let by = self.draw.between(SECOND, 2 * DAY);
                self.clock.set(moved(now, -by));
                self.draw.below(2) == 0
            }
            _ => true,
        }
    }

    /// Nobody serves for a while; in it the clock may be set back, too.
    fn away(&mut self) {
        let now = self.clock.now();
        self.is_behind(now);
        let by = match self.draw.below(8) {
            0 => -self.draw.between(SECOND, 3 * HOUR),
            1 | 2 => 0,
            _ => self.while_away(),
        };
        self.clock.set(moved(now, by));
    }

    /// From now on the scheduler may be late.
    fn is_behind(&mut self, now: Timestamp) {
        self.latest = self.latest.max(now);
        self.behind = self.behind.or(Some(self.settled));
    }

    fn while_away(&mut self) -> i64 {
        let longest = match self.draw.below(20) {
            0 => 30 * DAY,
            1..6 => DAY,
            6..14 => HOUR,
            _ => MINUTE,
        };
        self.draw.between(SECOND, longest)
    }

    fn happens_next(&mut self) {
        let wait = self.draw.between(HOUR, 20 * DAY);
        self.next = moved(self.clock.now(), wait);
    }

    /// At which transaction the next process dies: early, while it catches up, or later.
    fn death(&mut self) -> Death {
        let most = *self.draw.one_of(&[20, 5 * self.count, 50 * self.count]);
        let transaction = usize::try_from(self.draw.between(1, most)).unwrap();
        let side = *self.draw.one_of(&[Side::Before, Side::After]);
        Death { transaction, side }
    }
}

fn moved(time: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_millis(time.as_millis() + by).unwrap()
}
