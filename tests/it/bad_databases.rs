//! Databases that cannot be used: exit code 1, the reason and the remedy, and nothing changed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use crate::crashes::blocking;
use crate::support::{DATABASE, Place, list};

/// Where SQLite keeps the schema's version in a file, as four bytes.
const USER_VERSION: usize = 60;
/// Where SQLite keeps the number of the program that a file belongs to.
const APPLICATION_ID: usize = 68;

/// Every command that opens the database.
const COMMANDS: [&[&str]; 8] = [
    &["run", "hello.yaml"],
    &["resume"],
    &["executions", "ls"],
    &["workflows", "ls"],
    &["approvals", "ls"],
    &[
        "approvals",
        "approve",
        "018f0000-0000-7000-8000-000000000000",
    ],
    &["db", "migrate"],
    &["db", "check"],
];

/// A place with a file that stands where the database should.
fn place_with(bytes: &[u8]) -> Place {
    let place = Place::new();
    place.example("hello.yaml");
    place.write(DATABASE, bytes);
    place
}

/// The bytes of a database, some of them changed.
fn changed(at: usize, bytes: &[u8]) -> Vec<u8> {
    let place = Place::new();
    place.run(["db", "migrate"]).exits(0);
    let mut database = fs::read(place.path(DATABASE)).unwrap();
    database[at..at + bytes.len()].copy_from_slice(bytes);
    database
}

/// Asserts that every command refuses the file with these words and leaves it as it is.
fn refused(bytes: &[u8], says: &[&str]) {
    for command in COMMANDS {
        let place = place_with(bytes);
        let ran = place.run(command.iter().copied());
        assert_eq!(ran.stdout, "", "{command:?}");
        ran.exits(1).says(says).says(&[DATABASE]);
        assert!(
            fs::read(place.path(DATABASE)).unwrap() == bytes,
            "{command:?}"
        );
    }
}

#[test]
fn a_file_that_is_no_database() {
    let remedy = "move the file away, or name another path";
    refused(
        b"# My notes, which nobody may overwrite\n",
        &["is not a database", remedy],
    );
    refused(&vec![0xff; 200_000], &["is not a database", remedy]);
}

#[test]
fn the_database_of_another_program() {
    let bytes = changed(APPLICATION_ID, b"OTHR");
    refused(
        &bytes,
        &["is the database of another program", "move the file away"],
    );
}

#[test]
fn the_database_of_a_newer_program() {
    let bytes = changed(USER_VERSION, &99_u32.to_be_bytes());
    refused(
        &bytes,
        &[
            "was written by a newer program (schema 99)",
            "update this one",
        ],
    );
}

#[test]
fn a_database_that_is_cut_off() {
    let bytes = changed(0, b"SQLite");
    refused(&bytes[..5_000], &["malformed"]);
}

#[test]
fn a_directory_and_a_place_where_nothing_can_be_made() {
    let place = Place::new();
    place.example("hello.yaml");
    for directory in ["hello.yaml", "/proc/no"] {
        let path = format!("{directory}/x.db");
        place
            .run(["run", "hello.yaml", "--db", path.as_str()])
            .exits(1)
            .says(&["creating the directory", directory]);
    }
    for path in [".", "/dev/null"] {
        place
            .run(["run", "hello.yaml", "--db", path])
            .exits(1)
            .says(&["name a file"]);
    }
    assert!(
        !place.exists("..lock"),
        "nothing is made beside a directory"
    );
}

#[test]
fn no_database_at_all_is_said_by_whoever_only_reads() {
    let place = Place::new();
    for command in &COMMANDS[1..=5] {
        place
            .run(command.iter().copied())
            .exits(1)
            .says(&["there is no database", DATABASE]);
    }
    place
        .run(["db", "check"])
        .exits(1)
        .says(&["there is no database"]);
    assert!(!place.exists(".agentspace"), "reading creates nothing");
}

#[test]
fn a_database_that_may_not_be_written() {
    let place = Place::new();
    place.example("hello.yaml");
    place.run(["run", "hello.yaml"]).exits(3);
    let before = place.only_execution();
    let mode = |name: &str, mode| {
        fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
    };
    // Its files beside it may be made, but it may not be changed.
    mode("", 0o755);
    mode(".agentspace", 0o777);
    mode(DATABASE, 0o444);
    for entry in fs::read_dir(place.path(".agentspace")).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("agentspace.db") {
            fs::set_permissions(path, Permissions::from_mode(0o666)).unwrap();
        }
    }
    let mut call = place.call(["run", "hello.yaml"]);
    // Nothing is read-only to the superuser, so that somebody else must try.
    if fs::metadata(place.root()).unwrap().uid() == 0 {
        call = call.run_by_nobody(&place);
    }
    call.run()
        .exits(1)
        .says(&["is read-only: give its owner the right to write", DATABASE]);
    mode(DATABASE, 0o600);
    assert_eq!(place.only_execution(), before);
}

#[test]
fn what_a_user_has_no_rights_to_is_named_with_what_to_do() {
    let place = Place::new();
    // Only the superuser can become nobody.
    if fs::metadata(place.root()).unwrap().uid() != 0 {
        eprintln!("skipped: not run by the superuser");
        return;
    }
    place.example("hello.yaml");
    let mode = |name: &str, mode| {
        fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
    };
    let refused = |path: &str, commands: &[&[&str]]| {
        let path = place.path(path).canonicalize().unwrap();
        let told = format!(
            "this user (65534) has not the rights to {} that the database needs, user 0 owns it: run \
             the program as that user",
            path.display()
        );
        for command in commands {
            let call = place.call(command.iter().copied()).run_by_nobody(&place);
            let ran = call.run().exits(1);
            assert!(
                ran.stderr.contains(&told) || ran.stdout.contains(&told),
                "{command:?} {ran:?}"
            );
            let all = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!all.contains("there is no database"), "{command:?} {all}");
        }
    };
    let writing: [&[&str]; 2] = [&["run", "hello.yaml"], &["serve"]];
    mode("", 0o755);
    refused("", &writing);
    place.run(["run", "hello.yaml"]).exits(3);
    let all = [&writing[..], &[&["executions", "ls"], &["doctor"]]].concat();
    refused(".agentspace", &all);
    mode(".agentspace", 0o777);
    refused(DATABASE, &all);
}

#[test]
fn a_database_that_another_process_owns_names_it_and_can_still_be_read() {
    let place = Place::new();
    place.example("hello.yaml");
    let (here, go) = blocking(&place, "");
    let owner = place.call(["run", "blocking.yaml"]).start();
    here.line();
    let pid = format!("process {}", owner.pid());
    let gate = "018f0000-0000-7000-8000-000000000000";
    for command in [&["run", "hello.yaml"][..], &["resume"], &["db", "migrate"]] {
        place.run(command.iter().copied()).exits(1).says(&[
            "is owned by",
            &pid,
            "stop it, or use another database",
        ]);
    }
    place.run(["approvals", "approve", gate]).exits(2);

    let running = list(&place.json(["executions", "ls", "--status", "running"]));
    assert_eq!(running.len(), 1);
    let id = running[0]["id"].as_str().unwrap();
    place
        .run(["executions", "show", id])
        .exits(0)
        .prints(&["✓ before", "▸ work"]);
    place
        .run(["workflows", "ls"])
        .exits(0)
        .prints(&["blocking"]);
    place.run(["approvals", "ls"]).exits(0);
    place.run(["db", "check"]).exits(0);

    go.say("on");
    owner.end().exits(0);
    assert_eq!(place.only_execution()["status"], "completed");
    place.run(["run", "hello.yaml"]).exits(3);
}
