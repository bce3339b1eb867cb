//! The next fires of 100,000 schedules in all zones of the world, as after a change of the tz
//! database.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::TZ_VARIANTS;
use workflow_types::schedule::{CronExpression, TimeZone, next};

use crate::stopwatch;
use crate::table::{Table, time};

const SCHEDULES: usize = 100_000;

pub fn measure() {
    let mut table = Table::new(
        "The next fire of 100,000 schedules in all 597 zones",
        &["", "time", "each"],
    );
    let schedules: Vec<(CronExpression, TimeZone)> = (0..SCHEDULES)
        .map(|n| {
            let pattern = format!("{} {} * * *", n % 60, n / 60 % 24);
            let zone = TZ_VARIANTS[n % TZ_VARIANTS.len()];
            (
                CronExpression::parse(&pattern).expect("a pattern"),
                TimeZone::from(zone),
            )
        })
        .collect();
    let after: DateTime<Utc> = "2026-03-20T12:00:00Z".parse().expect("an instant");
    for (name, after) in [
        ("in a process that has just begun", after),
        ("once more, a day later", after + TimeDelta::days(1)),
    ] {
        let (found, spent) = stopwatch::once(|| {
            let fires = schedules
                .iter()
                .map(|(cron, zone)| next(cron, *zone, after));
            fires.flatten().count()
        });
        assert_eq!(found, SCHEDULES);
        let each = spent / u32::try_from(SCHEDULES).expect("few schedules");
        table.row([name.to_owned(), time(spent), time(each)]);
    }
    table.print();
}
