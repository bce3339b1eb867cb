//! The schedules that are looked at: what each says, to the gateway and to the oracle.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use gateway::ScheduleRequest;
use gateway::workflow_types::schedule::{Misfire, Overlap, Policies, TimeZone, Timing, When};

use crate::schedule_oracle::clock::Oracle;
use crate::schedule_oracle::draw::Draw;
use crate::schedule_oracle::pattern::Pattern;
use crate::schedule_oracle::window::Window;

/// Most fires of a drawn pattern in its first sixty days.
const MOST: usize = 120;

pub(crate) struct Subject {
    pub(crate) id: String,
    pub(crate) pattern: String,
    pub(crate) zone: Tz,
    pub(crate) window: Option<Window>,
    pub(crate) policies: Policies,
}

/// The schedules of a zone: daily in the hour in which clocks change, weekly, every half hour of the
/// nights in which they do, and one that is drawn.
pub(crate) fn of_zone(zone: Tz, first: DateTime<Utc>, draw: &mut Draw) -> Vec<Subject> {
    let fixed = ["30 2 * * *", "0 9 * * MON", "*/30 0-3 * * SUN"];
    let fixed = fixed.map(|pattern| (pattern.to_owned(), None));
    let mut asked = Vec::from(fixed);
    asked.push(drawn(zone, first, draw));
    let name = zone.name().to_lowercase().replace(['/', '_', '+'], "-");
    asked
        .into_iter()
        .enumerate()
        .map(|(number, (pattern, window))| Subject {
            id: format!("{name}-{number}"),
            pattern,
            zone,
            window,
            policies: policies(draw),
        })
        .collect()
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
fn drawn(zone: Tz, first: DateTime<Utc>, draw: &mut Draw) -> (String, Option<Window>) {
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
        if (1..=MOST).contains(&count) {
            return (pattern, window);
        }
    }
}

impl Subject {
    pub(crate) fn request(&self) -> ScheduleRequest {
        let id = self.id.parse().unwrap();
        let request = ScheduleRequest::new(id, self.pattern.parse().unwrap())
            .starting("w".parse().unwrap())
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
