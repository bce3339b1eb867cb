//! The campaign is worth something only if it turns red when a promise is not kept: each of these
//! breaks one on purpose.

#![expect(clippy::print_stdout, reason = "the figures are worth reading")]

use disk_test::{Campaign, Claim, Device, Figures, Neighbours, Places, Work};
use gateway::Durability;

fn full(work: Work) -> Campaign {
    Campaign {
        outcomes: 4,
        places: Places::Spread(150),
        lives: 0,
        ..Campaign::new(work, Durability::Full)
    }
}

fn assert_red(what: &str, figures: &Figures) {
    println!("{what}: {figures}");
    assert!(figures.broken() > 0, "{what} goes unnoticed: {figures}");
}

#[test]
fn a_database_that_does_not_wait_for_the_disk_is_found_out() {
    let device = Device {
        synchronous_off: true,
        ..Device::default()
    };
    let campaign = Campaign {
        device,
        ..full(Work::SMALL)
    };
    assert_red("synchronous = OFF", &campaign.run());
}

#[test]
fn a_weaker_durability_is_not_taken_for_the_full_one() {
    let campaign = Campaign {
        durability: Durability::Normal,
        ..full(Work::SMALL)
    };
    assert_red("synchronous = NORMAL", &campaign.run());
}

#[test]
fn a_disk_that_spoils_the_neighbours_of_what_it_writes_must_not_deny_it() {
    let lying = Campaign {
        neighbours: Neighbours::Endangered,
        ..full(Work::SMALL)
    };
    assert_red("a false claim of powersafe overwrites", &lying.run());
    let honest = Campaign {
        device: Device {
            claim: Claim::Nothing,
            ..Device::default()
        },
        ..lying
    };
    let figures = honest.run();
    println!("no claim of powersafe overwrites: {figures}");
    assert_eq!(figures.broken(), 0, "{figures}");
}

#[test]
fn a_disk_that_reorders_writes_must_not_deny_it() {
    let campaign = Campaign {
        device: Device {
            claim: Claim::Sequential,
            ..Device::default()
        },
        outcomes: 8,
        places: Places::LogBegins(24),
        ..full(Work::BULK)
    };
    assert_red("a false claim of writes in order", &campaign.run());
    let honest = Campaign {
        device: Device::default(),
        ..campaign
    };
    let figures = honest.run();
    println!("no claim of order: {figures}");
    assert_eq!(figures.broken(), 0, "{figures}");
}
