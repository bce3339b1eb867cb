//! What is to be done with a schedule now: which fire times run and which are recorded as missed
//! (rules F3 and F5).
//!
//! Pure, and the same for a schedule that is on time, one that was not looked at for a year, and
//! one whose clock was set.

use std::time::Duration;

use super::fire::{Gap, Missed};
use super::interval::back;
use super::policy::{LONGEST_CATCH_UP, MOST_CAUGHT_UP, Misfire, Overlap};
use super::record::Schedule;
use crate::Timestamp;

/// How late a fire may be and still be on time: the longest nap of the timer, after which it
/// notices that the machine has slept.
pub const ON_TIME: Duration = Duration::from_secs(30);

/// What is to be done with a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: it is off.
    Nothing,
    /// Nothing before this instant.
    Wait {
        /// When to look again.
        until: Timestamp,
    },
    /// What is due is recorded as missed, and nothing runs.
    PassOver {
        /// What is due.
        missed: Missed,
        /// The latest of it.
        last: Timestamp,
    },
    /// Some of what is due runs.
    Run {
        /// What is recorded as missed, all of it before what runs.
        missed: Missed,
        /// What runs, the oldest first; at least one.
        runs: Vec<Run>,
    },
}

/// A fire time that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The nominal time.
    pub fire_time: Timestamp,
    /// Whether it is so late that it is caught up.
    pub is_late: bool,
}

/// What is to be done with a schedule now.
///
/// ```
/// use workflow_types::schedule::{Keeper, Plan, Schedule, ScheduleSpec, Timing, plan};
///
/// # let at = |text: &str| text.parse::<workflow_types::Timestamp>();
/// let (monday, tuesday) = (at("2026-02-02T12:00:00Z")?, at("2026-02-03T12:00:00Z")?);
/// let spec = ScheduleSpec {
///     id: "noon".parse()?,
///     name: "Noon".parse()?,
///     workflow: Some("lunch".parse()?),
///     input: serde_json::json!({}),
///     timing: Timing::resolve("0 12 * * *".parse()?, "UTC".parse()?, None, monday)?,
///     policies: Default::default(),
/// };
/// let schedule = Schedule::create(spec, Keeper::People, monday)?;
/// assert_eq!(plan(&schedule, monday), Plan::Wait { until: tuesday });
/// assert!(matches!(plan(&schedule, tuesday), Plan::Run { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan(schedule: &Schedule, now: Timestamp) -> Plan {
    let Some(next) = schedule.next() else {
        return Plan::Nothing;
    };
    if next.due_at > now {
        return Plan::Wait { until: next.due_at };
    }
    let due = due(schedule, now);
    let Some(last) = due.last() else {
        // Its turn came, and then the clock was set back to before its time.
        let until = next.fire_time.saturating_add(schedule.delay());
        return Plan::Wait { until };
    };
    let first = due.runs_from(schedule, next.owed, now);
    let (missed, runs) = due.split_at(first);
    if runs.is_empty() {
        return Plan::PassOver { missed, last };
    }
    let runs = runs.into_iter().map(|fire_time| Run {
        fire_time,
        is_late: lateness(schedule, fire_time, now) > ON_TIME,
    });
    Plan::Run {
        missed,
        runs: runs.collect(),
    }
}

/// The fire times of a schedule that have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    gap: Option<Gap>,
    times: Vec<Timestamp>,
}

/// The fire times of a schedule that have come and of which nothing is recorded.
pub(super) fn due(schedule: &Schedule, now: Timestamp) -> Due {
    let until = back(now, schedule.delay());
    let mut due = Due {
        gap: None,
        times: Vec::new(),
    };
    let next = schedule.next().map(|next| next.fire_time);
    let Some(next) = next.filter(|next| *next <= until) else {
        return due;
    };
    let timing = &schedule.spec.timing;
    let latest = timing.latest(next.max(schedule.effective_from), until, MOST_CAUGHT_UP);
    due.times = latest.times;
    match due.times.first() {
        Some(first) if latest.are_earlier => {
            due.gap = Some(Gap {
                first: next,
                before: *first,
            });
        }
        Some(_) | None => due.times.insert(0, next),
    }
    due
}

impl Due {
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.times.last().copied()
    }

    /// All of it, as missed.
    pub(super) fn all(self) -> Missed {
        let Self { gap, times } = self;
        Missed { gap, times }
    }

    /// All but the last, as missed.
    pub(super) fn but_the_last(&self) -> Missed {
        let times = self.times.len().saturating_sub(1);
        self.clone().split_at(times).0
    }

    fn split_at(self, first: usize) -> (Missed, Vec<Timestamp>) {
        let Self { gap, mut times } = self;
        let runs = times.split_off(first.min(times.len()));
        (Missed { gap, times }, runs)
    }

    /// The place of the first fire time that runs; behind the last one if none does.
    fn runs_from(&self, schedule: &Schedule, is_owed: bool, now: Timestamp) -> usize {
        let count = self.times.len();
        let last = count.saturating_sub(1);
        let policies = &schedule.spec.policies;
        let late = |time: Timestamp| lateness(schedule, time, now);
        let Some(newest) = self.last() else {
            return 0;
        };
        let runs = schedule.spec.timing.is_once() || is_owed || late(newest) <= ON_TIME;
        match policies.misfire {
            Misfire::All if is_owed => count.saturating_sub(MOST_CAUGHT_UP),
            Misfire::All => {
                let first = self.caught_up_from(schedule, now);
                if runs { first.min(last) } else { first }
            }
            Misfire::Latest | Misfire::Skip if runs => last,
            Misfire::Latest if late(newest) <= catch_up(schedule, newest) => last,
            Misfire::Latest | Misfire::Skip => count,
        }
    }

    /// The place of the first fire time that is caught up where all are.
    fn caught_up_from(&self, schedule: &Schedule, now: Timestamp) -> usize {
        let most = self.times.len().saturating_sub(MOST_CAUGHT_UP);
        let Some(age) = schedule.spec.policies.catch_up else {
            return most;
        };
        let is_too_old = |time: &Timestamp| lateness(schedule, *time, now) > age;
        self.times.partition_point(is_too_old).max(most)
    }
}

/// How long ago a fire time should have run.
fn lateness(schedule: &Schedule, fire_time: Timestamp, now: Timestamp) -> Duration {
    now.since(fire_time.saturating_add(schedule.delay()))
}

/// How old the most recent fire time may be to be caught up: half the distance to the one after it,
/// at most twelve hours, unless the schedule says otherwise.
fn catch_up(schedule: &Schedule, fire_time: Timestamp) -> Duration {
    let half = || {
        let next = schedule.following(fire_time);
        next.map_or(LONGEST_CATCH_UP, |next| next.since(fire_time) / 2)
    };
    let policies = &schedule.spec.policies;
    policies
        .catch_up
        .unwrap_or_else(|| half().min(LONGEST_CATCH_UP))
}

/// The executions of a schedule that are in the way of its next, and what waits already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InTheWay {
    /// How many executions are not finished; those that the policy passes over left out.
    pub unfinished: usize,
    /// How many of these wait for a person's decision.
    pub paused: usize,
    /// How many fires are buffered.
    pub buffered: usize,
}

impl InTheWay {
    /// What is not finished, and whether it is a person who is waited for.
    fn reason(&self) -> String {
        let Self {
            unfinished, paused, ..
        } = *self;
        let are = if unfinished == 1 { "is" } else { "are" };
        let what = format!("{unfinished} of its executions {are} not finished");
        match (unfinished, paused) {
            (_, 0) => what,
            (1, _) => format!("{what}: it waits for a decision"),
            (_, 1) => format!("{what}: 1 of them waits for a decision"),
            _ if unfinished == paused => format!("{what}: they wait for decisions"),
            _ => format!("{what}: {paused} of them wait for decisions"),
        }
    }
}

/// What overlap makes of a fire (rule F4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlapped {
    /// It starts.
    Starts,
    /// It starts, and what is not finished is cancelled.
    Replaces,
    /// It waits.
    Waits,
    /// It does not run.
    Skipped {
        /// What stands in its way.
        reason: String,
    },
}

/// What overlap makes of a fire time of a schedule.
pub fn overlap(schedule: &Schedule, found: &InTheWay) -> Overlapped {
    let InTheWay {
        unfinished,
        paused: _,
        buffered,
    } = *found;
    let policies = &schedule.spec.policies;
    let skipped = |reason: String| Overlapped::Skipped { reason };
    let promised = usize::try_from(schedule.runs).unwrap_or(usize::MAX) + buffered;
    match policies.overlap {
        Overlap::Allow => Overlapped::Starts,
        Overlap::Skip | Overlap::CancelOther if unfinished == 0 => Overlapped::Starts,
        // What waits goes first.
        Overlap::BufferOne | Overlap::BufferAll if unfinished + buffered == 0 => Overlapped::Starts,
        Overlap::CancelOther => Overlapped::Replaces,
        Overlap::Skip => skipped(found.reason()),
        Overlap::BufferOne if buffered > 0 => skipped("one fire waits already".to_owned()),
        Overlap::BufferAll if buffered >= MOST_CAUGHT_UP => {
            skipped(format!("{buffered} fires wait already"))
        }
        Overlap::BufferOne | Overlap::BufferAll if schedule.is_exhausted_by(promised) => skipped(
            format!("{buffered} fires wait already, and `maxRuns` allows no more"),
        ),
        Overlap::BufferOne | Overlap::BufferAll => Overlapped::Waits,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::schedule::{Keeper, Next, Policies, ScheduleSpec, Standing, TimeZone, Timing};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(when: &str, policies: Policies) -> Schedule {
        let now = at("2026-01-31T08:30:00Z");
        let spec = ScheduleSpec {
            id: "s".parse().unwrap(),
            name: "S".parse().unwrap(),
            workflow: None,
            input: json!({}),
            timing: Timing::resolve(when.parse().unwrap(), TimeZone::UTC, None, now).unwrap(),
            policies,
        };
        Schedule::create(spec, Keeper::People, now).unwrap()
    }

    fn with(misfire: Misfire) -> Policies {
        Policies {
            misfire,
            ..Policies::default()
        }
    }

    fn clock(time: &Timestamp) -> String {
        time.to_string()[11..19].to_owned()
    }

    /// What is missed and what runs, `!` before what is late.
    fn told(plan: &Plan) -> String {
        let missed = |missed: &Missed| {
            let gap = missed.gap.map(|gap| format!("{}..", clock(&gap.first)));
            let times = missed.times.iter().map(clock);
            gap.into_iter().chain(times).collect::<Vec<_>>().join(" ")
        };
        match plan {
            Plan::Nothing => "nothing".to_owned(),
            Plan::Wait { until } => format!("until {}", clock(until)),
            Plan::PassOver { missed: all, .. } => format!("missed {}", missed(all)),
            Plan::Run { missed: none, runs } if none.is_empty() => {
                format!("runs {}", told_runs(runs))
            }
            Plan::Run { missed: some, runs } => {
                format!("missed {}, runs {}", missed(some), told_runs(runs))
            }
        }
    }

    fn told_runs(runs: &[Run]) -> String {
        let run = |run: &Run| {
            format!(
                "{}{}",
                if run.is_late { "!" } else { "" },
                clock(&run.fire_time)
            )
        };
        runs.iter().map(run).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(schedule: &Schedule, now: &str, expected: &str) {
        let now = at(&format!("2026-01-31T{now}Z"));
        assert_eq!(told(&plan(schedule, now)), expected);
    }

    #[test]
    fn on_time_every_policy_runs_what_is_due() {
        for misfire in Misfire::ALL {
            let hourly = schedule("0 * * * *", with(*misfire));
            check(&hourly, "08:59:59.999", "until 09:00:00");
            check(&hourly, "09:00:00", "runs 09:00:00");
            check(&hourly, "09:00:30", "runs 09:00:00");
        }
    }

    #[test]
    fn the_latest_is_caught_up_within_half_the_distance_to_the_next() {
        let hourly = schedule("0 * * * *", with(Misfire::Latest));
        check(&hourly, "09:30:00", "runs !09:00:00");
        check(&hourly, "09:30:01", "missed 09:00:00");
        check(
            &hourly,
            "11:10:00",
            "missed 09:00:00 10:00:00, runs !11:00:00",
        );
        check(
            &hourly,
            "11:00:10",
            "missed 09:00:00 10:00:00, runs 11:00:00",
        );
    }

    #[test]
    fn all_are_caught_up_the_oldest_first_unless_they_are_too_old() {
        let hourly = schedule("0 * * * *", with(Misfire::All));
        check(&hourly, "11:10:00", "runs !09:00:00 !10:00:00 !11:00:00");
        let policies = Policies {
            catch_up: Some(Duration::from_hours(2)),
            ..with(Misfire::All)
        };
        let hourly = schedule("0 * * * *", policies);
        check(
            &hourly,
            "11:10:00",
            "missed 09:00:00, runs !10:00:00 !11:00:00",
        );
    }

    #[test]
    fn what_is_skipped_is_recorded() {
        let hourly = schedule("0 * * * *", with(Misfire::Skip));
        check(&hourly, "10:10:00", "missed 09:00:00 10:00:00");
        check(&hourly, "10:00:05", "missed 09:00:00, runs 10:00:00");
    }

    #[test]
    fn one_instant_is_always_caught_up() {
        for misfire in Misfire::ALL {
            let once = schedule("@at 2026-01-31T09:00:00Z", with(*misfire));
            check(&once, "23:59:59", "runs !09:00:00");
        }
    }

    #[test]
    fn what_was_owed_runs_however_long_its_turn_took() {
        let mut hourly = schedule("0 * * * *", with(Misfire::Latest));
        let Standing::Active(next) = &mut hourly.standing else {
            panic!("it is active");
        };
        next.owed = true;
        check(&hourly, "09:50:00", "runs !09:00:00");
        check(&hourly, "10:50:00", "missed 09:00:00, runs !10:00:00");
    }

    #[test]
    fn an_edit_keeps_a_turn_unless_what_it_follows_from_has_changed() {
        let mut hourly = schedule("0 * * * *", with(Misfire::Latest));
        let turn = Next {
            fire_time: at("2026-01-31T09:00:00Z"),
            due_at: at("2026-01-31T09:50:00Z"),
            owed: true,
        };
        hourly.standing = Standing::Active(turn);
        let now = at("2026-01-31T09:45:00Z");
        let edited = |policies: Policies| {
            let spec = ScheduleSpec {
                policies,
                ..hourly.spec.clone()
            };
            hourly.edited(spec, now).schedule
        };
        let allowed = edited(Policies {
            overlap: Overlap::Allow,
            ..with(Misfire::Latest)
        });
        assert_eq!(allowed.next(), Some(turn));
        check(&allowed, "09:50:00", "runs !09:00:00");
        let skipping = edited(with(Misfire::Skip));
        assert_eq!(
            skipping.next().map(|next| next.fire_time),
            Some(turn.fire_time)
        );
        check(&skipping, "09:50:00", "missed 09:00:00");
    }

    #[test]
    fn a_long_time_is_recorded_in_few_rows() {
        let secondly = schedule("* * * * * *", with(Misfire::Latest));
        let planned = plan(&secondly, at("2036-01-01T00:00:00Z"));
        let Plan::Run { missed, runs } = planned else {
            panic!("the last one is on time: {planned:?}");
        };
        assert_eq!((runs.len(), missed.times.len()), (1, MOST_CAUGHT_UP - 1));
        let gap = missed.gap.unwrap();
        assert_eq!(gap.first, at("2026-01-31T08:30:01Z"));
        assert_eq!(gap.before, missed.times[0]);
    }

    #[test]
    fn jitter_moves_when_it_acts_and_not_what_it_is_called() {
        let policies = Policies {
            jitter: Duration::from_mins(10),
            ..Policies::default()
        };
        let hourly = schedule("0 * * * *", policies);
        let delay = hourly.delay();
        assert!(delay > Duration::ZERO && delay < Duration::from_mins(10));
        let nine = at("2026-01-31T09:00:00Z");
        let due = nine.saturating_add(delay);
        assert_eq!(
            plan(&hourly, back(due, Duration::from_millis(1))),
            Plan::Wait { until: due }
        );
        assert_eq!(told(&plan(&hourly, due)), "runs 09:00:00");
    }

    proptest! {
        /// Whatever is due is accounted for once, in order, and nothing that has not come.
        #[test]
        fn nothing_that_is_due_is_lost_or_doubled(
            pattern in prop_oneof![
                Just("*/7 * * * *"), Just("0 3,9 * * *"), Just("@every 90s"), Just("0 0 1 * *")
            ],
            misfire in prop::sample::select(Misfire::ALL),
            catch_up in prop::option::of(0_u64..100_000),
            away in 0_u64..200_000,
        ) {
            let policies = Policies {
                catch_up: catch_up.map(Duration::from_secs),
                ..with(misfire)
            };
            let schedule = schedule(pattern, policies);
            let now = schedule.created_at.saturating_add(Duration::from_secs(away));
            let expected: Vec<Timestamp> = schedule
                .spec
                .timing
                .times(schedule.created_at)
                .take_while(|time| *time <= now)
                .collect();
            let (missed, runs) = match plan(&schedule, now) {
                Plan::Nothing => panic!("it is active"),
                Plan::Wait { until } => {
                    prop_assert!(until > now);
                    (Missed::default(), Vec::new())
                }
                Plan::PassOver { missed, last } => {
                    prop_assert_eq!(Some(last), missed.last());
                    (missed, Vec::new())
                }
                Plan::Run { missed, runs } => (missed, runs),
            };
            let runs = runs.iter().map(|run| run.fire_time);
            let found: Vec<Timestamp> = missed.times.iter().copied().chain(runs).collect();
            let told = expected.len() - found.len();
            prop_assert_eq!(&expected[told..], &found[..]);
            match missed.gap {
                None => prop_assert_eq!(told, 0),
                Some(gap) => {
                    prop_assert_eq!(gap.first, expected[0]);
                    prop_assert_eq!(gap.before, found[0]);
                }
            }
        }
    }
}
