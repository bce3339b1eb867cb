//! The long form of the campaigns: as many power cuts as are asked for, and a fault at every
//! operation.

#![expect(clippy::print_stdout, reason = "it talks to whoever runs it")]

use std::process::ExitCode;

use clap::Parser;
use disk_test::{Campaign, Figures, Operations, Places, Trouble, Work};
use gateway::Durability;

/// Cuts the power of a gateway's disk, and lets it fail, as often as is asked for.
#[derive(Parser)]
struct Options {
    /// At least so many power cuts.
    #[arg(long, default_value_t = 1_000_000)]
    cuts: usize,
    /// How many ways of losing what was not synced are tried at each place.
    #[arg(long, default_value_t = 24)]
    outcomes: usize,
    /// At most so many operations of each kind fail, each in three lives.
    #[arg(long, default_value_t = usize::MAX)]
    faults: usize,
    /// Where chance begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let total = Figures::default();
    let mut seed = options.seed;
    while total.cuts() < options.cuts {
        for (name, campaign) in campaigns(&options, seed) {
            let left = options.cuts.saturating_sub(total.cuts());
            if left == 0 {
                break;
            }
            let places = left.div_ceil(campaign.outcomes);
            let campaign = match campaign.places {
                Places::All => Campaign {
                    places: Places::Spread(places),
                    ..campaign
                },
                Places::Spread(_) | Places::LogBegins(_) => campaign,
            };
            let figures = campaign.run();
            println!("{name}, seed {seed}: {figures}");
            total.add(&figures);
        }
        seed += 1;
    }
    println!("power cuts: {total}");
    let trouble = Trouble {
        work: Work::SMALL,
        kinds: Trouble::KINDS,
        operations: Operations::Spread(options.faults),
        seed: options.seed,
    };
    let faults = trouble.run();
    println!("faults: {faults}");
    if total.broken() + faults.broken() > 0 {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// One round: everything under both promises, and a sample of what writes much.
fn campaigns(options: &Options, seed: u64) -> Vec<(&'static str, Campaign)> {
    let of = |work, durability| Campaign {
        outcomes: options.outcomes,
        seed,
        ..Campaign::new(work, durability)
    };
    let bulk = |durability| Campaign {
        places: Places::Spread(60),
        lives: 10,
        ..of(Work::BULK, durability)
    };
    vec![
        ("full", of(Work::MIXED, Durability::Full)),
        ("normal", of(Work::MIXED, Durability::Normal)),
        ("full, large outputs", bulk(Durability::Full)),
        ("normal, large outputs", bulk(Durability::Normal)),
    ]
}
