//! The file: how it is created, recognised, refused, migrated and copied.

use std::fs;
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use db::{Connection, Durability, Error, ErrorKind, OwnerLock, alert, execution, gate, migrate};
use workflow_types::alert::AlertFilter;
use workflow_types::approval::Decision;

use workflow_types::execution::{Started, Turn};

use crate::support::{Database, gate_id, id, running, vote};

/// Every migration, the oldest first.
const MIGRATIONS: [&str; 9] = [
    "2026-11-23-000000_foundation",
    "2026-11-23-071807_operations",
    "2026-11-23-071917_admission",
    "2026-11-23-101500_failures",
    "2026-11-23-103500_scheduling",
    "2026-11-23-110000_usage",
    "2026-11-23-140000_turns",
    "2026-11-23-141000_alerts",
    "2026-11-23-142000_heartbeats",
];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn refused<T>(result: Result<T, Error>, kind: ErrorKind, remedy: &str) {
    let error = result.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.to_string().contains(remedy), "{error}");
}

#[test]
fn the_file_and_its_directory_are_private_and_opening_again_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/deep/a db?mode=memory#1.db");
    let opened = Connection::open_writer(&path, Durability::Normal).unwrap();
    assert_eq!(opened.migrated, MIGRATIONS);
    assert_eq!(opened.backup, None);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(path.parent().unwrap().parent().unwrap()), 0o700);
    drop(opened);
    let again = Connection::open_writer(&path, Durability::Full).unwrap();
    assert_eq!((again.migrated, again.backup), (Vec::new(), None));
}

#[test]
fn what_is_not_ours_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("notes.txt");
    let content = "not a database\n".repeat(100);
    fs::write(&text, &content).unwrap();
    refused(
        Connection::open_writer(&text, Durability::Full),
        ErrorKind::NotADatabase,
        "move",
    );
    refused(
        Connection::open_reader(&text),
        ErrorKind::NotADatabase,
        "notes.txt",
    );
    assert_eq!(fs::read_to_string(&text).unwrap(), content);

    let database = Database::new();
    database.damage("PRAGMA application_id = 7");
    let foreign = Connection::open_writer(&database.path(), Durability::Full);
    refused(foreign, ErrorKind::NotADatabase, "another program");
}

#[test]
fn a_newer_schema_is_refused_by_writers_and_readers() {
    for newer in [
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')",
        "PRAGMA user_version = 99",
    ] {
        let database = Database::new();
        database.damage(newer);
        let path = database.path();
        refused(
            Connection::open_writer(&path, Durability::Full),
            ErrorKind::Newer,
            "update",
        );
        refused(Connection::open_reader(&path), ErrorKind::Newer, "update");
        refused(migrate::revert(&path), ErrorKind::Newer, "update");
    }
}

#[test]
fn a_reader_neither_creates_nor_migrates_nor_writes() {
    let mut database = Database::with_workflow();
    let missing = database.path().with_extension("gone");
    refused(
        Connection::open_reader(&missing),
        ErrorKind::Missing,
        "gone",
    );
    assert!(!missing.exists());

    database.start(&running(1));
    let mut reader = Connection::open_reader(&database.path()).unwrap();
    assert!(execution::find(&mut reader, &id(1)).unwrap().is_some());
    let refusal = execution::queue_running(&mut reader).unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::ReadOnly);
    assert!(refusal.retryable());

    let path = database.path();
    migrate::revert(&path).unwrap();
    refused(
        Connection::open_reader(&path),
        ErrorKind::Older,
        "agentspace db migrate",
    );
}

#[test]
fn migrations_run_back_and_forth_and_are_listed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agentspace.db");
    let last = MIGRATIONS[MIGRATIONS.len() - 1];
    assert_eq!(migrate::list(&path).unwrap(), listed(0));
    assert!(!path.exists());
    assert_eq!(migrate::run(&path).unwrap(), MIGRATIONS);
    assert_eq!(migrate::run(&path).unwrap(), Vec::<String>::new());
    assert_eq!(migrate::list(&path).unwrap(), listed(MIGRATIONS.len()));
    assert_eq!(migrate::redo(&path).unwrap().unwrap().name, last);
    for (left, name) in MIGRATIONS.into_iter().enumerate().rev() {
        assert_eq!(migrate::revert(&path).unwrap().unwrap().name, name);
        assert_eq!(migrate::list(&path).unwrap(), listed(left));
    }
    assert_eq!(migrate::revert(&path).unwrap(), None);
    assert_eq!(migrate::redo(&path).unwrap(), None);
    assert_eq!(migrate::run(&path).unwrap(), MIGRATIONS);
}

#[test]
fn a_migration_goes_down_and_up_with_rows_in_every_table() {
    let mut database = Database::with_workflow();
    let mut start = crate::support::paused(1, None);
    start.gate.as_mut().unwrap().count = NonZeroU32::new(3).unwrap();
    database.start(&start);
    // Two votes of one instant, not in the order of their names.
    for who in ["zoe", "ann"] {
        let vote = vote(Decision::Approve, who, 9);
        gate::vote(&mut database.connection, &gate_id(1), &vote).unwrap();
    }
    database.start(&running(2));
    database.damage(
        "INSERT INTO schedules (id, name, cron_expression, anchor_at, created_at, updated_at)
            VALUES ('c', 'C', '* * * * *', NULL, '2026-01-31T09:00:00.000Z',
                '2026-01-31T09:00:00.000Z'),
            ('e', 'E', '@every 9s', '2026-01-31T09:00:00.000Z', '2026-01-31T09:00:00.000Z',
                '2026-01-31T09:00:00.000Z');
         UPDATE schedules SET enabled = 0, off_at = updated_at,
            off_reason = iif(id = 'e', 'failing', 'paused');
         INSERT INTO schedule_fires VALUES ('c', '1', 'missed', 'time', NULL, NULL, ''),
            ('e', '1', 'started', 'time', NULL, NULL, '');
         INSERT INTO schedule_gaps VALUES ('c', '1', '2', '');
         INSERT INTO alerts VALUES ('01890a5d-ac96-774b-bcce-b302099a8057',
            'schedule', 'c', 'C', 'paused', 'why', '2026-01-31T09:00:00.000Z',
            '2026-01-31T09:00:00.000Z', 1, '2026-01-31T09:00:00.000Z', NULL,
            NULL, NULL, NULL);
         INSERT INTO alert_items VALUES ('heartbeat', 'h', 'i', 'clear', NULL, 0, 'x', '');
         INSERT INTO alert_rounds VALUES ('x', 'heartbeat', 'h', '');
         INSERT INTO alert_notices VALUES (7, 'n', '01890a5d-ac96-774b-bcce-b302099a8057',
            'raised', '', '', 1, NULL);
         INSERT INTO alert_sinks VALUES ('s', 1);
         INSERT INTO alert_deliveries VALUES ('s', 7, 0, '', NULL, NULL)",
    );
    let used = format!(
        "INSERT INTO model_usage VALUES ('{}', 1, 1, 1, 20, NULL, 'stop', NULL)",
        id(1)
    );
    database.damage(&used);
    let turns = format!(
        "INSERT INTO model_turns VALUES ('{0}', 1, 1, 1, '', '', NULL);
         INSERT INTO model_calls VALUES ('{0}', 1, 1, 1, 'c', 't', '{{}}', 'asked', 1, NULL, NULL,
            NULL, NULL, NULL, NULL)",
        id(1)
    );
    database.damage(&turns);
    let path = database.path();
    for down in 1..=MIGRATIONS.len() {
        let mut waiting = running(3);
        waiting.entry.turn = Turn::Later;
        let mut opened = Connection::open_writer(&path, Durability::Full).unwrap();
        let started = execution::start(&mut opened.connection, &waiting, "p1").unwrap();
        assert!(matches!(started, Started::Queued | Started::Existing(_)));
        let kept = execution::find(&mut opened.connection, &id(1)).unwrap();
        drop(opened);
        let copy = migrate::revert(&path).unwrap().unwrap().backup.unwrap();
        let mut copy = Connection::open_reader(&copy).unwrap();
        let found = execution::find(&mut copy, &id(3)).unwrap();
        assert!(found.is_some(), "the copy keeps what is lost");
        for _ in 1..down {
            migrate::revert(&path).unwrap();
        }
        assert_eq!(migrate::run(&path).unwrap().len(), down);
        // Only the first migration takes the tables themselves away; that of admission loses those
        // that have made no visit.
        let are_left = down < MIGRATIONS.len();
        assert_eq!(there(&path), [are_left, are_left, down <= 6]);
        let mut opened = Connection::open_writer(&path, Durability::Full).unwrap();
        let found = execution::find(&mut opened.connection, &id(1)).unwrap();
        let votes = gate::votes(&mut opened.connection, &gate_id(1)).unwrap();
        alerts_are_those_of(&mut opened.connection, down);
        assert_eq!(found, kept.filter(|_| are_left));
        assert_eq!(votes.len(), if are_left { 2 } else { 0 });
    }
}

/// Of a schedule that was paused for its failures, there is an alert from that of alerts on.
/// What was put there by hand stays as long as the table does.
fn alerts_are_those_of(connection: &mut Connection, down: usize) {
    let alerts = alert::list(connection, AlertFilter::default(), None, 9).unwrap();
    let about: Vec<_> = alerts.items.iter().map(|it| it.source.name()).collect();
    let expected: &[&str] = match down {
        1 => &["c"],
        2..=4 => &["e"],
        _ => &[],
    };
    assert_eq!(about, expected, "{down}");
    for alert in &alerts.items {
        let told = alert::notices_of(connection, alert.id).unwrap();
        // What was put there by hand has a notice that is none.
        assert_eq!(told.len(), usize::from(down > 1));
    }
}

#[test]
fn a_second_owner_is_told_who_the_first_one_is() {
    let database = Database::new();
    let lock = OwnerLock::acquire(&database.path(), "127.0.0.1:7070").unwrap();
    let pid = std::process::id().to_string();
    let second = OwnerLock::acquire(&database.path(), "second");
    refused(
        second,
        ErrorKind::Owned,
        &format!("process {pid} (127.0.0.1:7070)"),
    );
    refused(migrate::run(&database.path()), ErrorKind::Owned, "stop it");
    drop(lock);
    assert!(OwnerLock::acquire(&database.path(), "third").is_ok());
    let lock_file = database.path().with_extension("db.lock");
    assert_eq!(mode(&lock_file), 0o600);
    assert_eq!(
        fs::read_to_string(lock_file).unwrap(),
        format!("{pid}\nthird\n")
    );
}

#[test]
fn a_copy_is_complete_private_and_never_replaces_a_file() {
    let mut database = Database::with_workflow();
    database.start(&running(1));
    let target = database.path().with_extension("copy");
    database.connection.backup(&target).unwrap();
    assert_eq!(mode(&target), 0o600);
    let again = database.connection.backup(&target).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    let mut copy = Connection::open_reader(&target).unwrap();
    assert!(execution::find(&mut copy, &id(1)).unwrap().is_some());
    assert_eq!(copy.check().unwrap(), Vec::<String>::new());
    let left: Vec<_> = fs::read_dir(target.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("tmp"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

/// Every migration, the first so many of which are applied.
fn listed(applied: usize) -> Vec<migrate::Migration> {
    let migration = |(place, name): (usize, &str)| migrate::Migration {
        name: name.to_owned(),
        applied: place < applied,
    };
    MIGRATIONS.into_iter().enumerate().map(migration).collect()
}

/// Which of the first three executions a sound database has.
fn there(path: &Path) -> [bool; 3] {
    let mut opened = Connection::open_writer(path, Durability::Full).unwrap();
    let connection = &mut opened.connection;
    assert_eq!(connection.check().unwrap(), Vec::<String>::new());
    [1, 2, 3].map(|number| execution::find(connection, &id(number)).unwrap().is_some())
}
