//! The cases: so many without a death, so many in which processes die, and some in which one dies
//! at every transaction.
//!
//! `AGENTSPACE_MODEL_CASES` sets how many there are, `AGENTSPACE_MODEL_SEED` with which the first
//! is made.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::case::{self, Report};
use crate::choices::{Choices, smaller};
use crate::compare::Difference;
use crate::generate::{self, Deaths};
use crate::plan::{Death, Plan, Side};
use crate::sensitivity::covers;

/// Cases of each kind, unless told otherwise.
const CASES: u64 = 300;
/// One case in so many is repeated with a death at every transaction.
const EVERY: u64 = 15;
/// So many transactions make a case worth that, and not take too long.
const SHORT: RangeInclusive<usize> = 8..=24;
/// Cases that are tried to make a failing one smaller.
const TRIES: u32 = 400;
/// Cases that run at once.
const THREADS: usize = 2;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => default,
    }
}

fn first_seed() -> u64 {
    setting("AGENTSPACE_MODEL_SEED", 1)
}

fn cases() -> u64 {
    setting("AGENTSPACE_MODEL_CASES", CASES)
}

/// Runs cases on a few threads; answers how often each thing happened.
fn all(count: u64, one: impl Fn(u64) -> Report + Sync) -> BTreeMap<&'static str, u64> {
    let next = AtomicU64::new(0);
    let happened = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let report = one(first_seed() + number);
                    let mut happened = happened.lock().unwrap();
                    *happened.entry("deaths").or_default() += report.deaths as u64;
                    for feature in report.features {
                        *happened.entry(feature).or_default() += 1;
                    }
                }
            });
        }
    });
    happened.into_inner().unwrap()
}

/// The case of a seed; it panics with everything there is to know if it differs.
fn check(seed: u64, deaths: Deaths) -> Report {
    let mut choices = Choices::seeded(seed);
    let plan = generate::plan(&mut choices, deaths);
    match case::run(&plan, None) {
        Ok(report) => report,
        Err(difference) => {
            let (plan, difference) = smallest(choices.taken(), deaths, difference);
            panic!("seed {seed} ({deaths:?})\n{plan}\n{}", difference.0);
        }
    }
}

/// A case that still differs, and is as small as was found.
fn smallest(taken: Vec<u32>, deaths: Deaths, difference: Difference) -> (Plan, Difference) {
    let differs = |numbers: &[u32]| {
        let plan = generate::plan(&mut Choices::repeated(numbers), deaths);
        let run = AssertUnwindSafe(|| case::run(&plan, None).err());
        catch_unwind(run).ok().flatten()
    };
    let taken = smaller(taken, TRIES, |numbers| differs(numbers).is_some());
    let plan = generate::plan(&mut Choices::repeated(&taken), deaths);
    (plan, differs(&taken).unwrap_or(difference))
}

#[test]
fn a_death_at_some_transactions_leaves_what_the_reference_allows() {
    let happened = all(cases(), |seed| check(seed, Deaths::Some));
    account(&happened, Deaths::Some);
}

#[test]
fn every_execution_is_that_of_the_reference_and_a_death_at_any_transaction_changes_nothing() {
    let wanted = cases().div_ceil(EVERY);
    let found = AtomicU64::new(0);
    let happened = all(cases(), |seed| {
        let whole = check(seed, Deaths::None);
        let is_apt = SHORT.contains(&whole.transactions);
        if is_apt && found.fetch_add(1, Ordering::Relaxed) < wanted {
            die_everywhere(seed, whole.transactions);
        }
        whole
    });
    account(&happened, Deaths::None);
    assert!(found.into_inner() >= wanted, "there were not enough cases");
}

/// The case of a seed, once more for every transaction at which its first process may die.
fn die_everywhere(seed: u64, transactions: usize) {
    let mut plan = generate::plan(&mut Choices::seeded(seed), Deaths::None);
    for transaction in 1..=transactions {
        for side in [Side::Before, Side::After] {
            plan.deaths = vec![Some(Death { transaction, side })];
            if let Err(difference) = case::run(&plan, None) {
                panic!("seed {seed}, {:?}\n{plan}\n{}", plan.deaths, difference.0);
            }
        }
    }
}

/// Shows what happened how often, and that nothing was left out.
#[expect(
    clippy::print_stdout,
    reason = "whoever runs a campaign wants to see what it was"
)]
fn account(happened: &BTreeMap<&'static str, u64>, deaths: Deaths) {
    for (feature, times) in happened {
        println!("{times:8} {feature}");
    }
    covers(happened, cases(), deaths);
}
