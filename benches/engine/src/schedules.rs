//! Schedules: what a hundred thousand cost a gateway that waits, and how late fires are.

mod crowd;
mod lag;
mod stamp;
mod store;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::measure::{Place, Watch, median};
use crowd::Opened;
use lag::Lags;

pub(crate) use crowd::open;

/// How often each figure is taken at most: the clock is real, so rounds take their time.
const MOST_ROUNDS: usize = 3;
/// Schedules that are not due for a long time.
const CROWD: usize = 100_000;
/// Schedules that are due within one second.
const DUE: usize = 1_000;

/// Fires of one schedule each that come alone, and the time between them.
const ALONE: (usize, Duration) = (30, Duration::from_millis(200));

/// Prints a table with a goal in each line.
pub(crate) fn all(place: &Place) -> Result<()> {
    let rounds = place.rounds.min(MOST_ROUNDS);
    let (count, due) = (place.amount(CROWD), place.amount(DUE));
    let (few, many) = (place.fresh()?, place.fresh()?);
    store::fill(few.path(), 0)?;
    let watch = Watch::start();
    store::fill(many.path(), count)?;
    let seconds = watch.taken().wall.as_secs_f64();
    println!("{count} schedules, stored in {seconds:.1} s; durability FULL");
    waiting(few.path(), many.path(), count, rounds)?;
    let (alone, apart) = ALONE;
    fires(many.path(), "30 due one by one", (alone, apart), 1)?.print("median", "5 ms");
    let second = Duration::from_secs(1) / u32::try_from(due)?;
    fires(
        many.path(),
        &format!("{due} due within one second"),
        (due, second),
        rounds,
    )?
    .print("p99", "15 ms");
    fires(
        many.path(),
        &format!("{due} due at one instant"),
        (due, Duration::ZERO),
        rounds,
    )?
    .print("max", "1000 ms");
    println!("each fire was recorded once, and its execution started once");
    Ok(())
}

/// A line of the table.
fn line(what: &str, found: &str, goal: &str) {
    println!("  {what:44} {found:>44}   goal {goal}");
}

/// What a gateway costs that waits, with no schedule and with many.
#[expect(clippy::cast_precision_loss, reason = "amounts are small")]
fn waiting(few: &Path, many: &Path, count: usize, rounds: usize) -> Result<()> {
    let (mut none, mut all) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        none.push(crowd::in_a_process(few)?);
        all.push(crowd::in_a_process(many)?);
    }
    let middle =
        |list: &[Opened], pick: fn(&Opened) -> f64| median(list.iter().map(pick).collect());
    for (list, count) in [(&none, 0), (&all, count)] {
        let found = format!("{:.1} ms", middle(list, |opened| opened.until_known) * 1e3);
        line(
            &format!("start until one due among {count} runs"),
            &found,
            "1000 ms",
        );
    }
    let (before, after) = (
        middle(&none, |opened| opened.resident),
        middle(&all, |opened| opened.resident),
    );
    let each = (after - before) / count as f64;
    let found = format!(
        "{:.1} MB - {:.1} MB = {each:.1} bytes each",
        after / 1e6,
        before / 1e6
    );
    line(
        &format!("VmRSS with {count} and with 0"),
        &found,
        "150 bytes",
    );
    for (list, count) in [(&none, 0), (&all, count)] {
        let found = format!("{:.3} ms", middle(list, |opened| opened.idle) * 1e3);
        line(
            &format!("processor time per idle second with {count}"),
            &found,
            "0.2 ms",
        );
    }
    Ok(())
}

/// The lags of some fires, as the medians of the rounds.
struct Fires {
    what: String,
    lags: Vec<Lags>,
}

fn fires(
    directory: &Path,
    what: &str,
    (count, apart): (usize, Duration),
    rounds: usize,
) -> Result<Fires> {
    let lags = (0..rounds).map(|_| lag::measure(directory, count, apart));
    Ok(Fires {
        what: format!("lag of {what}"),
        lags: lags.collect::<Result<_>>()?,
    })
}

impl Fires {
    fn print(&self, which: &str, goal: &str) {
        let middle = |pick: fn(&Lags) -> f64| median(self.lags.iter().map(pick).collect());
        let found = format!(
            "median {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            middle(|lags| lags.median),
            middle(|lags| lags.p99),
            middle(|lags| lags.max),
        );
        line(&self.what, &found, &format!("{which} {goal}"));
    }
}
