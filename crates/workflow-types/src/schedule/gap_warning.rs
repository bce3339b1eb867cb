//! Fixed times that the coming year's clock changes will move or drop (rules P6 and T3).
//!
//! Changes nothing about when anything fires; takes `now`, reads no clock.

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::cron::calendar::DAY;
use super::cron::{CronExpression, CronWarning, CronWarningKind};
use super::next_fire::LONGEST_BRIDGED_GAP;
use super::zone::{TimeZone, wall_from_seconds};

impl CronExpression {
    /// Fixed times that fall into a gap of the zone within a year of `now`: the date and
    /// what happens instead (rules P6 and T3). Interval jobs have none.
    pub fn gap_warnings(&self, zone: TimeZone, now: DateTime<Utc>) -> Vec<CronWarning> {
        if !self.is_fixed_time() {
            return Vec::new();
        }
        let start = now.timestamp();
        (0..365)
            .map(|day| start + day * DAY)
            .filter_map(|from| zone.gap_between(from, from + DAY))
            .filter_map(|gap| {
                let nominal = self.sets().next_wall(gap.start)?;
                (nominal < gap.end).then(|| gap_warning(self, zone, &gap, nominal))
            })
            .collect()
    }
}

fn gap_warning(
    cron: &CronExpression,
    zone: TimeZone,
    gap: &Range<i64>,
    nominal: i64,
) -> CronWarning {
    let nominal = wall_from_seconds(nominal);
    let [from, to] = [gap.start, gap.end].map(wall_from_seconds);
    let form = if from.date() == to.date() {
        "%H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    let consequence = if gap.end - gap.start <= LONGEST_BRIDGED_GAP {
        format!("it fires at {} instead", to.format(form))
    } else {
        "it does not fire".to_owned()
    };
    CronWarning::about_whole(
        cron,
        CronWarningKind::Gap,
        format!(
            "{} {} does not exist in {zone}, where clocks skip from {} to {}: {consequence}",
            nominal.date(),
            nominal.format("%H:%M"),
            from.format(form),
            to.format(form),
        ),
        "to avoid it choose another time, or a zone without daylight saving such as `UTC`"
            .to_owned(),
    )
}
