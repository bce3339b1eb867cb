//! The disk fails under a gateway and heals: nothing is lost, nothing happens twice, and everything
//! goes on without another start.

use disk_test::{Cause, Operation, Operations, Trouble, Work};

#[test]
fn a_disk_that_fails_for_a_while_costs_nothing_but_time() {
    let trouble = Trouble {
        work: Work::SMALL,
        kinds: Trouble::KINDS,
        operations: Operations::Spread(4),
        seed: 1,
    };
    let figures = trouble.run();
    println!("faults: {figures}");
    assert_eq!(figures.broken(), 0, "{figures}");
    assert!(figures.places() > 0);
}

/// The first syncs are those of a new database: of the journal, twice, of the change to a log, of
/// the log's header and of the migrations. Those that failed there once left a database that was
/// used without a log, or a log of which a part would never be written.
#[test]
fn a_sync_that_fails_while_the_database_is_made_leaves_nothing_that_only_looks_durable() {
    let trouble = Trouble {
        work: Work::SMALL,
        kinds: &[(Operation::Sync, Cause::Device)],
        operations: Operations::First(10),
        seed: 1,
    };
    let figures = trouble.run();
    println!("faults of the first syncs: {figures}");
    assert_eq!(figures.broken(), 0, "{figures}");
}
