//! Active hours by the letter of rules A1 and A2.

use chrono::{Datelike, NaiveDateTime, NaiveTime, TimeDelta};
use workflow_types::schedule::ActiveHours;

/// `[start, end)` in minutes of the day, on days from 1 (Monday) to 7 (Sunday).
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// None for every day.
    pub(crate) days: Option<Vec<i64>>,
}

impl Window {
    /// Whether a window that opens on the day of a wall time, or on the day before, is open.
    pub(crate) fn contains(&self, wall: NaiveDateTime) -> bool {
        [0, 1].into_iter().any(|days_ago| {
            let date = wall.date() - TimeDelta::days(days_ago);
            let day = i64::from(date.weekday().number_from_monday());
            let midnight = date.and_time(NaiveTime::MIN);
            let opens = midnight + TimeDelta::minutes(self.start);
            let overnight = if self.start > self.end { 1_440 } else { 0 };
            let closes = midnight + TimeDelta::minutes(self.end + overnight);
            let on = self.days.as_ref().is_none_or(|days| days.contains(&day));
            on && opens <= wall && wall < closes
        })
    }

    /// The same for the library.
    pub(crate) fn to_active_hours(&self) -> ActiveHours {
        let text = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let (start, end) = (text(self.start), text(self.end));
        let hours = ActiveHours::every_day(start.parse().unwrap(), end.parse().unwrap()).unwrap();
        match &self.days {
            Some(days) => hours.on_days(days).unwrap(),
            None => hours,
        }
    }
}
