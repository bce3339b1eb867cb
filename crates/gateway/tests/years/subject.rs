//! The schedules that are looked at: what each says, to the gateway and to the oracle.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use chrono_tz::Tz;
use gateway::ScheduleRequest;
use gateway::workflow_types::schedule::{Misfire, Overlap, Policies, TimeZone, Timing, When};

use crate::schedule_oracle::clock::Oracle;
use crate::schedule_oracle::draw::{Draw, changes};
use crate::schedule_oracle::pattern::Pattern;
use crate::schedule_oracle::window::Window;

/// Most fires of a drawn pattern in its first sixty days, among others that fire daily.
const MOST_DAILY: usize = 120;
/// The same among others that fire seldom.
const MOST_SELDOM: usize = 10;

/// What a schedule starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Executions that end where they begin.
    Ends,
    /// Executions that wait beyond the next fire time, if that is near.
    Waits,
}

impl Kind {
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Ends => "ends",
            Self::Waits => "waits",
        }
    }

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Ends => "name: Ends\nsteps: [{id: a, action: noop}]\n",
            Self::Waits => {
                "name: Waits\nsteps:\n  - id: a\n    action: noop\n    \
                 approvalRequired: {timeout: 40m, onTimeout: approve}\n"
            }
        }
    }
}

pub(crate) struct Subject {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) pattern: String,
    pub(crate) zone: Tz,
    pub(crate) window: Option<Window>,
    pub(crate) policies: Policies,
}

/// How often schedules fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Density {
    /// Every day, whatever clocks do.
    Daily,
    /// In the months and on the weekdays in which the clocks of their zone change, and weekly.
    Changes,
}

/// How many schedules there are, and how often they fire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) density: Density,
    /// Of each pattern in a zone so many, which differ in their policies.
    pub(crate) each: usize,
    /// Of a hundred schedules so many start what waits.
    pub(crate) waiting: u64,
}

/// The schedules of a zone: some in the hour in which clocks change, some every half hour of the
/// nights in which they do, weekly ones, and some of a pattern that is drawn.
pub(crate) fn of_zone(
    zone: Tz,
    (first, last): (DateTime<Utc>, DateTime<Utc>),
    load: Load,
    draw: &mut Draw,
) -> Vec<Subject> {
    let (fixed, most) = match load.density {
        Density::Daily => (
            ["30 2 * * *", "0 9 * * MON", "*/30 0-3 * * SUN"].map(ToOwned::to_owned),
            MOST_DAILY,
        ),
        Density::Changes => (around_changes(zone, first, last), MOST_SELDOM),
    };
    let fixed = fixed.map(|pattern| (pattern, None));
    let mut asked = Vec::from(fixed);
    asked.push(drawn(zone, first, most, draw));
    let name = zone.name().to_lowercase().replace(['/', '_', '+'], "-");
    asked
        .into_iter()
        .flat_map(|one| std::iter::repeat_n(one, load.each))
        .enumerate()
        .map(|(number, (pattern, window))| Subject {
            id: format!("{name}-{number}"),
            pattern,
            zone,
            window,
            policies: policies(draw),
            kind: if draw.below(100) < load.waiting {
                Kind::Waits
            } else {
                Kind::Ends
            },
        })
        .collect()
}

/// Patterns that fire in the months in which the clocks of a zone change, and, in the nights, on the
/// weekdays on which they do.
fn around_changes(zone: Tz, first: DateTime<Utc>, last: DateTime<Utc>) -> [String; 3] {
    let (mut months, mut days) = (BTreeSet::new(), BTreeSet::new());
    for change in changes(zone, first, last) {
        // The change may be on another day by the clock that it leads to.
        for instant in [change.at - 1, change.at] {
            let utc = DateTime::from_timestamp(instant, 0).unwrap();
            let local = utc.with_timezone(&zone);
            months.insert(local.month());
            days.insert(local.weekday().num_days_from_sunday());
        }
    }
    let listed = |numbers: &BTreeSet<u32>| {
        let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        texts.join(",")
    };
    let (months, days) = (listed(&months), listed(&days));
    [
        format!("30 2 * {months} *"),
        "0 9 * * MON".to_owned(),
        format!("*/30 0-3,23 * {months} {days}"),
    ]
}

fn policies(draw: &mut Draw) -> Policies {
    let overlap = match draw.below(8) {
        0 => Overlap::Skip,
        1 => Overlap::BufferOne,
        2 => Overlap::BufferAll,
        3 => Overlap::CancelOther,
        _ => Overlap::Allow,
    };
    let misfire = *draw.one_of(Misfire::ALL);
    Policies {
        misfire,
        overlap,
        // Those who catch all up are not to catch up for days.
        catch_up: (misfire == Misfire::All).then_some(Duration::from_hours(6)),
        ..Policies::default()
    }
}

/// A pattern that fires, and not too often.
fn drawn(zone: Tz, first: DateTime<Utc>, most: usize, draw: &mut Draw) -> (String, Option<Window>) {
    loop {
        let (pattern, window) = (draw.pattern(false), draw.window());
        // Not every one is a pattern that the library takes.
        let Ok(when) = pattern.parse::<When>() else {
            continue;
        };
        let hours = window.as_ref().map(Window::to_active_hours);
        let anchor = first.try_into().unwrap();
        if Timing::resolve(when, TimeZone::from(zone), hours, anchor).is_err() {
            continue;
        }
        let read = Pattern::read(&pattern);
        let oracle = Oracle::new(&read, zone, window.as_ref());
        let count = oracle.fires(first, first + TimeDelta::days(60)).len();
        if (1..=most).contains(&count) {
            return (pattern, window);
        }
    }
}

impl Subject {
    pub(crate) fn request(&self) -> ScheduleRequest {
        let id = self.id.parse().unwrap();
        let request = ScheduleRequest::new(id, self.pattern.parse().unwrap())
            .starting(self.kind.id().parse().unwrap())
            .zone(TimeZone::from(self.zone))
            .policies(self.policies.clone());
        match &self.window {
            Some(window) => request.active_hours(window.to_active_hours()),
            None => request,
        }
    }

    /// What the oracle says.
    pub(crate) fn fires(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let pattern = Pattern::read(&self.pattern);
        Oracle::new(&pattern, self.zone, self.window.as_ref()).fires(after, until)
    }
}
