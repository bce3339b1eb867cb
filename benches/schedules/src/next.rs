//! The next fire of common patterns, beside two other libraries.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use workflow_types::schedule::{CronExpression, TimeZone, next};

use crate::stopwatch;
use crate::table::{Table, ratio, verdict};

const GOAL_NS: f64 = 200.0;
const GOAL_RATIO: f64 = 3.0;

/// A pattern, and what says the same to `cron`, which reads seconds first and Sunday as 1; `None`
/// where it has no words for it.
const PATTERNS: [(&str, Option<&str>); 8] = [
    ("* * * * *", Some("0 * * * * *")),
    ("*/5 * * * *", Some("0 */5 * * * *")),
    ("0 9 * * 1-5", Some("0 0 9 * * Mon-Fri")),
    ("30 2 * * *", Some("0 30 2 * * *")),
    ("0 0 1 * *", Some("0 0 0 1 * *")),
    ("0 0 29 2 *", Some("0 0 0 29 2 *")),
    ("0 9 * * MON#1", None),
    ("0 0 L * *", None),
];
const ZONES: [Tz; 3] = [Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York];

/// Instants asked about, over ten years from 2024 on.
const INSTANTS: usize = 512;

pub fn measure() {
    for zone in ZONES {
        let mut table = Table::new(
            &format!("The next fire in {zone} (goals: <= 200 ns, >= 3x faster than `croner`)"),
            &[
                "pattern", "ours", "croner", "agrees", "faster", "cron", "agrees", "faster", "",
            ],
        );
        for (pattern, theirs) in PATTERNS {
            table.row(one(pattern, theirs, zone));
        }
        table.print();
    }
    println!(
        "\n  Each is asked about the instants at which its answer is right: ours, which the shared\n  \
         cases hold. \"agrees\" is how many of {INSTANTS} these are, spread over ten years."
    );
}

fn one(pattern: &str, cron_pattern: Option<&str>, zone: Tz) -> [String; 9] {
    let ours = CronExpression::parse(pattern).expect("a pattern of ours");
    let ours = |after: &DateTime<Tz>| next(&ours, TimeZone::from(zone), after.to_utc());
    let croner: croner::Cron = pattern.parse().expect("a pattern of `croner`");
    let croner = |after: &DateTime<Tz>| {
        let found = croner.find_next_occurrence(after, false);
        found.ok().map(|found| found.to_utc())
    };
    let cron = cron_pattern.map(|pattern| {
        let schedule: cron::Schedule = pattern.parse().expect("a pattern of `cron`");
        move |after: &DateTime<Tz>| Some(schedule.after(after).next()?.to_utc())
    });
    let instants = instants(zone);
    let right = |rival: &dyn Fn(&DateTime<Tz>) -> Option<DateTime<Utc>>| -> Vec<DateTime<Tz>> {
        let agrees = |after: &&DateTime<Tz>| rival(after) == ours(after);
        instants.iter().filter(agrees).copied().collect()
    };
    let our_time = average(&instants, ours);
    let (by_croner, by_cron) = (right(&croner), cron.as_ref().map(|cron| right(cron)));
    let croner_time = average(&by_croner, &croner);
    let cron_time = cron
        .zip(by_cron.as_ref())
        .map(|(cron, instants)| average(instants, &cron));
    let faster = croner_time.as_secs_f64() / our_time.as_secs_f64();
    let met = our_time.as_nanos() as f64 <= GOAL_NS && faster >= GOAL_RATIO;
    let none = || "-".to_owned();
    [
        pattern.to_owned(),
        nanoseconds(our_time),
        nanoseconds(croner_time),
        by_croner.len().to_string(),
        ratio(croner_time, our_time),
        cron_time.map_or_else(none, nanoseconds),
        by_cron.map_or_else(none, |instants| instants.len().to_string()),
        cron_time.map_or_else(none, |time| ratio(time, our_time)),
        verdict(met),
    ]
}

/// The time of one question; a hundredth of a nanosecond is kept by asking all of them at once.
fn average(
    instants: &[DateTime<Tz>],
    next: impl Fn(&DateTime<Tz>) -> Option<DateTime<Utc>>,
) -> Duration {
    let all = stopwatch::median(|| {
        let mut last = None;
        for instant in instants {
            last = std::hint::black_box(next(std::hint::black_box(instant)));
        }
        last
    });
    all / u32::try_from(instants.len().max(1)).expect("few instants")
}

/// Instants in no order that a processor could learn, the same in each run.
fn instants(zone: Tz) -> Vec<DateTime<Tz>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..INSTANTS)
        .map(|_| {
            let seconds = 1_704_067_200 + (random() % 315_360_000).cast_signed();
            let utc: DateTime<Utc> = DateTime::from_timestamp(seconds, 0).expect("an instant");
            utc.with_timezone(&zone)
        })
        .collect()
}

fn nanoseconds(time: Duration) -> String {
    format!("{} ns", time.as_nanos())
}
