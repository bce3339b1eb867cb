//! The power goes, everywhere and in many ways; what was promised holds.

#![expect(clippy::print_stdout, reason = "the figures are worth reading")]

use disk_test::{Campaign, Places, Work};
use gateway::Durability;

fn assert_kept(what: &str, campaign: Campaign) {
    let figures = campaign.run();
    println!("{what}: {figures}");
    assert_eq!(figures.broken(), 0, "{figures}");
}

#[test]
fn under_full_durability_a_power_cut_loses_nothing_that_was_answered() {
    let campaign = Campaign {
        outcomes: 6,
        places: Places::Spread(450),
        lives: 60,
        ..Campaign::new(Work::MIXED, Durability::Full)
    };
    assert_kept("full", campaign);
}

#[test]
fn under_normal_durability_a_power_cut_takes_back_the_last_commits_and_damages_nothing() {
    let campaign = Campaign {
        outcomes: 6,
        places: Places::Spread(200),
        lives: 40,
        ..Campaign::new(Work::MIXED, Durability::Normal)
    };
    assert_kept("normal", campaign);
}

#[test]
fn a_power_cut_while_the_log_is_moved_into_the_database_costs_nothing() {
    for durability in [Durability::Full, Durability::Normal] {
        let campaign = Campaign {
            outcomes: 4,
            places: Places::Spread(30),
            lives: 4,
            ..Campaign::new(Work::BULK, durability)
        };
        assert_kept("large outputs", campaign);
    }
}
