//! Replays what the fuzz targets have collected, and a bounded number of mutations of it, on a
//! stable toolchain: every input keeps the laws in `corpus/laws.rs`.
//!
//! `AGENTSPACE_MUTATIONS` sets how many mutations each target gets, `AGENTSPACE_MUTATION_SEED`
//! where the random numbers begin.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "test helpers fail loudly and name the input; the laws are public to the fuzz targets"
)]

#[path = "corpus/laws.rs"]
mod laws;
#[path = "corpus/mutate.rs"]
mod mutate;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use laws::TARGETS;
use mutate::{Mutator, dictionary};

/// What a few seconds without optimisation are enough for.
const MUTATIONS: u64 = 20_000;
/// A definition is longer than the others, and read twice.
const MUTATIONS_OF_DEFINITIONS: u64 = 5_000;
const SEED: u64 = 1;
/// Longer inputs are replayed, but their mutations would take the time of many short ones.
const LONGEST_MUTATED: usize = 4_096;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The inputs of a target in the order of their names.
fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found: Vec<(PathBuf, Vec<u8>)> = ["corpus", "regressions"]
        .iter()
        .filter_map(|kind| fs::read_dir(fuzz_folder().join(kind).join(target)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    found.sort();
    found
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Checks an input; on a broken law the input is named or, if it has no file, written out.
fn keep(target: &str, check: fn(&[u8]), input: &[u8], name: &str) {
    let result = panic::catch_unwind(AssertUnwindSafe(|| check(input)));
    if let Err(broken) = result {
        eprintln!(
            "{target}: the laws do not hold for {name}:\n{}",
            input.escape_ascii()
        );
        panic::resume_unwind(broken);
    }
}

fn replay(target: &str) {
    let check = check_of(target);
    let inputs = inputs(target);
    assert!(inputs.len() >= 10, "{target} has {} inputs", inputs.len());
    for (path, input) in inputs {
        keep(target, check, &input, &path.display().to_string());
    }
}

fn mutated(target: &str, default: u64) {
    let check = check_of(target);
    let count = number("AGENTSPACE_MUTATIONS", default);
    let seed = number("AGENTSPACE_MUTATION_SEED", SEED);
    let words = fuzz_folder().join(format!("dictionaries/{target}.dict"));
    let words = dictionary(&fs::read_to_string(words).unwrap());
    let corpus = inputs(target).into_iter().map(|(_, input)| input);
    let corpus = corpus
        .filter(|input| input.len() <= LONGEST_MUTATED)
        .collect();
    let mut mutator = Mutator::new(corpus, words, seed);
    for at in 0..count {
        keep(
            target,
            check,
            &mutator.next_input(),
            &format!("mutation {at} of seed {seed}"),
        );
    }
}

fn check_of(name: &str) -> fn(&[u8]) {
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .unwrap()
        .check
}

#[test]
fn every_collected_input_keeps_the_laws() {
    for target in &TARGETS {
        replay(target.name);
    }
}

#[test]
fn every_target_has_its_program_and_its_words() {
    let folder = fuzz_folder();
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for target in &TARGETS {
        let name = target.name;
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(
            folder.join(format!("fuzz_targets/{name}.rs")).is_file(),
            "{name}"
        );
        assert!(
            folder.join(format!("dictionaries/{name}.dict")).is_file(),
            "{name}"
        );
    }
    let programs = fs::read_dir(folder.join("fuzz_targets")).unwrap().count();
    assert_eq!(programs, TARGETS.len(), "a target without laws");
}

#[test]
fn mutated_definitions_keep_the_laws() {
    mutated("definition", MUTATIONS_OF_DEFINITIONS);
}

#[test]
fn mutated_expressions_keep_the_laws() {
    mutated("expression", MUTATIONS);
}

#[test]
fn mutated_templates_keep_the_laws() {
    mutated("template", MUTATIONS);
}

#[test]
fn mutated_cron_patterns_keep_the_laws() {
    mutated("cron", MUTATIONS);
}

#[test]
fn mutated_heartbeats_keep_the_laws() {
    mutated("heartbeat", MUTATIONS);
}
