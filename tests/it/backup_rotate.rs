//! `examples/backup-rotate.yaml` as it stands, with the real tar.

use std::fs;

use crate::support::{Place, Ran, journal};

fn place() -> Place {
    let place = Place::new();
    place.example("backup-rotate.yaml");
    place.write("data/a file.txt", "kept");
    place
}

fn run(place: &Place, more: &[&str]) -> Ran {
    let args = [
        "run",
        "backup-rotate.yaml",
        "-i",
        "source=data",
        "-i",
        "target=my backups",
    ];
    place.run(args.into_iter().chain(more.iter().copied()))
}

fn archives(place: &Place) -> Vec<String> {
    fs::read_dir(place.path("my backups"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn an_archive_holds_the_files_of_the_directory() {
    let place = place();
    run(&place, &[]).exits(0);
    let archives = archives(&place);
    assert_eq!(archives.len(), 1);
    let listed = std::process::Command::new("tar")
        .arg("-tzf")
        .arg(place.path("my backups").join(&archives[0]))
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("./a file.txt"), "{listed}");
    assert_eq!(
        journal(&place.only_execution()),
        [
            "prepare success",
            "archive success",
            "verify success",
            "rotate success"
        ]
    );
}

#[test]
fn rotation_keeps_the_newest_few_and_touches_nothing_else() {
    let place = place();
    place.write("my backups/notes.txt", "not an archive");
    for _ in 0..4 {
        run(&place, &["-i", "keep=2"]).exits(0);
    }
    let (mut kept, others): (Vec<String>, Vec<String>) = archives(&place)
        .into_iter()
        .partition(|name| name.starts_with("backup-"));
    kept.sort();
    // The ids of executions are in the order of time.
    let mut newest: Vec<String> = place.executions()[..2]
        .iter()
        .map(|execution| format!("backup-{}.tar.gz", execution["id"].as_str().unwrap()))
        .collect();
    newest.sort();
    assert_eq!(kept, newest);
    assert_eq!(others, ["notes.txt"]);
}

#[test]
fn a_failure_leaves_no_archive_behind_and_exits_with_1() {
    let place = place();
    run(&place, &["-i", "source=missing"])
        .exits(1)
        .prints(&["failed (step_failed)"]);
    assert!(archives(&place).is_empty());
    assert_eq!(
        journal(&place.only_execution()),
        ["prepare success", "archive failure", "clean-up success"]
    );
}

#[test]
fn a_number_below_the_minimum_is_refused_before_anything_is_stored() {
    let place = place();
    for keep in ["keep=0", "keep=-1", "keep=x", "keep=", "keep=1.5"] {
        run(&place, &["-i", keep])
            .exits(2)
            .says(&["`input.keep`", "-i KEY=VALUE"]);
    }
    assert!(!place.exists(".agentspace") && !place.exists("my backups"));
}
