//! The law of the scheduler over years: whatever happens to the process and to its clock, every fire
//! time that the rules name is accounted for exactly once.
//!
//! The scheduler is the real one, on a real SQLite file; its clock goes from due to due. Processes
//! die between transactions, are restarted, stay away for seconds or weeks, and clocks leap and are
//! set back. Afterwards the rows are compared with what the oracle of `workflow-types` says, which
//! is written from the rules alone and shares no code with the library.
//!
//! `AGENTSPACE_YEARS=24` takes so many years and all zones whose clocks change in them, with schedules
//! that fire around the changes; `AGENTSPACE_YEARS_DAILY=1` has them fire every day,
//! `AGENTSPACE_YEARS_EACH` makes so many of each, which differ in their policies,
//! `AGENTSPACE_YEARS_WAITING` has so many of a hundred start what waits at a gate (25),
//! `AGENTSPACE_YEARS_ZONES` takes so many of these zones, `AGENTSPACE_YEARS_SEED` draws others, and
//! `AGENTSPACE_YEARS_JOBS` says how many databases there are, each lived through at the same time.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper that fails is a test that fails, and the figures are what it shows"
)]

mod account;
mod clock;
mod course;
mod life;
#[path = "../model/mortal.rs"]
mod mortal;
mod plan;
#[path = "../model/pulse.rs"]
mod pulse;
mod schedule_oracle;
mod subject;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use account::Account;
use chrono::{DateTime, Months, Offset as _, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use gateway::{Clock as _, SystemClock};
use schedule_oracle::draw::{Draw, changes};
use subject::{Density, Load, Subject};

/// The first instant of all.
const FIRST: &str = "2014-01-01T00:00:00Z";

/// Zones of different kinds: by an hour, by half an hour, around Ramadan.
const FEW: [Tz; 3] = [
    Tz::Europe__Berlin,
    Tz::Australia__Lord_Howe,
    Tz::Africa__Casablanca,
];

fn setting(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().unwrap())
}

#[test]
fn every_fire_time_of_years_is_accounted_for_once() {
    let years = setting("AGENTSPACE_YEARS");
    let seed = setting("AGENTSPACE_YEARS_SEED").unwrap_or(2);
    let first: DateTime<Utc> = FIRST.parse().unwrap();
    let months = years.map_or(12, |years| years * 12);
    let last = first + Months::new(u32::try_from(months).unwrap());
    let zones = match years {
        None => FEW.to_vec(),
        Some(_) => all((first, last)),
    };
    let density = match (years, setting("AGENTSPACE_YEARS_DAILY")) {
        (Some(_), None) => Density::Changes,
        (None, _) | (_, Some(_)) => Density::Daily,
    };
    let each = setting("AGENTSPACE_YEARS_EACH").unwrap_or(1);
    let load = Load {
        density,
        each: usize::try_from(each).unwrap(),
        waiting: setting("AGENTSPACE_YEARS_WAITING").unwrap_or(25),
    };
    let mut draw = Draw::new(seed);
    let together = zones.len().div_ceil(usize::try_from(jobs()).unwrap());
    let zones_of_one: Vec<Vec<Subject>> = zones
        .chunks(together)
        .map(|zones| {
            let subjects = zones.iter();
            let subjects =
                subjects.flat_map(|zone| subject::of_zone(*zone, (first, last), load, &mut draw));
            subjects.collect()
        })
        .collect();
    let begin = SystemClock.now();
    let account = side_by_side(&zones_of_one, (first, last), seed);
    let took = SystemClock.now().since(begin).as_secs_f64();
    show(&account, zones.len(), months / 12, took);
    assert_eq!(account.unexplained, Vec::<String>::new());
    assert_eq!(account.doubled, 0);
    assert_eq!(account.executions, account.started);
    assert!(load.waiting == 0 || account.skipped > 0);
    assert!(account.happened.kills > 5, "{:?}", account.happened);
}

/// The zones whose clocks change between two instants, or as many of them as are asked for.
fn all((first, last): (DateTime<Utc>, DateTime<Utc>)) -> Vec<Tz> {
    let most = setting("AGENTSPACE_YEARS_ZONES").unwrap_or(u64::MAX);
    let changing = TZ_VARIANTS
        .iter()
        .filter(|zone| !changes(**zone, first, last).is_empty());
    let taken = changing.take(usize::try_from(most).unwrap_or(usize::MAX));
    let mut zones: Vec<Tz> = taken.copied().collect();
    // Those whose clocks show the same are due together, and share commits.
    zones.sort_by_key(|zone| {
        zone.offset_from_utc_datetime(&first.naive_utc())
            .fix()
            .local_minus_utc()
    });
    zones
}

/// How many databases there are at a time.
fn jobs() -> u64 {
    setting("AGENTSPACE_YEARS_JOBS").unwrap_or(1).max(1)
}

/// Lives through the years on several databases at a time.
fn side_by_side(
    databases: &[Vec<Subject>],
    years: (DateTime<Utc>, DateTime<Utc>),
    seed: u64,
) -> Account {
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(Account::default()));
    std::thread::scope(|scope| {
        for _ in 0..jobs() {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(subjects) = databases.get(number) else {
                        return;
                    };
                    let account = course::run(subjects, years, seed + number as u64);
                    println!(
                        "database {number}: {} fire times, {:.0} a second",
                        account.expected,
                        rate(&account)
                    );
                    sum.lock().unwrap().add(account);
                }
            });
        }
    });
    sum.into_inner().unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "a figure that is shown")]
fn rate(account: &Account) -> f64 {
    account.expected as f64 / account.spent.as_secs_f64()
}

fn show(account: &Account, zones: usize, years: u64, took: f64) {
    let Account {
        schedules,
        expected,
        started,
        missed,
        skipped,
        buffered,
        in_gaps,
        executions,
        doubled,
        unexplained,
        happened,
        spent,
    } = account;
    println!("{zones} zones, {schedules} schedules, {years} years");
    println!("  {expected:>9} fire times by the oracle");
    println!("  {started:>9} started, by {executions} executions");
    println!("  {missed:>9} missed, {in_gaps} more in stretches");
    println!("  {skipped:>9} skipped because of overlap, {buffered} still buffered");
    println!("  {doubled:>9} doubled");
    println!("  {:>9} unexplained", unexplained.len());
    println!(
        "  {} kills between transactions, {} restarts, the clock leapt {} times and went back {}",
        happened.kills, happened.restarts, happened.leaps, happened.back
    );
    println!(
        "  {} transactions in {:.1} s: {:.0} fire times a second and database, {took:.1} s in all",
        happened.transactions,
        spent.as_secs_f64(),
        rate(account)
    );
}
