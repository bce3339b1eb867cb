//! `cargo xtask fuzz`: runs the targets in `fuzz/` one after another and says what came of it.
//!
//! What a run collects goes below `target/fuzz`; `--keep` adds what is new to the corpus that is
//! committed.

mod folders;
mod outcome;

use std::fs::File;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use self::folders::Folders;
use self::outcome::Outcome;
use crate::process;

#[derive(Args)]
pub(crate) struct Options {
    /// Which targets to run; all of them if none is named.
    targets: Vec<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 60, conflicts_with = "runs")]
    seconds: u64,
    /// How many inputs each target tries, however long it takes.
    #[arg(long)]
    runs: Option<u64>,
    /// Add the inputs that reached new code to fuzz/corpus.
    #[arg(long)]
    keep: bool,
}

/// What every run may use at most: a target that needs more has found something.
const LIMITS: [&str; 3] = ["-rss_limit_mb=512", "-timeout=5", "-max_len=4096"];

/// Code without `unsafe` is searched for panics; the sanitizer looks at the libraries below it.
/// What was freed is kept for a while to notice its use, here a short one, or the memory of the
/// sanitizer itself would pass the limit.
const SANITIZER: &str = "quarantine_size_mb=16:detect_leaks=0";

pub(crate) fn run(options: &Options) -> Result<()> {
    let targets = chosen(&folders::targets()?, &options.targets)?;
    check_tools()?;
    let mut command = cargo_fuzz("build");
    process::run(&mut command)?;
    let mut outcomes = Vec::new();
    for target in &targets {
        println!("fuzzing {target} …");
        let folders = Folders::of(target)?;
        outcomes.push(fuzz(target, &folders, options)?);
        if options.keep {
            keep(target, &folders)?;
        }
    }
    print!("{}", outcome::table(&outcomes));
    let broken: Vec<_> = outcomes.iter().filter(|o| !o.finds.is_empty()).collect();
    for outcome in &broken {
        for find in &outcome.finds {
            println!(
                "{}: {} breaks a law; mend it, then move the file to fuzz/regressions/{0}/",
                outcome.target,
                find.display()
            );
        }
    }
    if !broken.is_empty() {
        bail!(
            "{} of {} targets found something",
            broken.len(),
            outcomes.len()
        );
    }
    Ok(())
}

fn chosen(known: &[String], named: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
        bail!(
            "there is no fuzz target `{unknown}`; there are {}",
            known.join(", ")
        );
    }
    Ok(if named.is_empty() { known } else { named }.to_vec())
}

/// libFuzzer needs a compiler that can count what is reached, which only nightly offers.
fn check_tools() -> Result<()> {
    if !process::succeeds(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])) {
        bail!("fuzzing needs a nightly toolchain: `rustup toolchain install nightly`");
    }
    if !process::succeeds(process::cargo(&["fuzz", "--version"]).stdin(Stdio::null())) {
        bail!("cargo-fuzz is not installed: `cargo install --locked cargo-fuzz`");
    }
    Ok(())
}

fn cargo_fuzz(action: &str) -> Command {
    let mut command = Command::new("rustup");
    command
        .args(["run", "nightly", "cargo", "fuzz", action])
        .args(["--fuzz-dir", "fuzz", "--target-dir", "target/fuzz/build"])
        .current_dir(crate::workspace::root())
        .env("ASAN_OPTIONS", SANITIZER)
        .stdin(Stdio::null());
    command
}

fn fuzz(target: &str, folders: &Folders, options: &Options) -> Result<Outcome> {
    let before = folders.finds()?;
    let log = File::create(&folders.log)
        .with_context(|| format!("creating {} failed", folders.log.display()))?;
    let mut command = cargo_fuzz("run");
    command.arg(target).args(folders.corpora()).arg("--");
    command.args(LIMITS).arg("-print_final_stats=1");
    command.arg(folders.dictionary_option());
    command.arg(folders.artifacts_option());
    command.arg(match options.runs {
        Some(runs) => format!("-runs={runs}"),
        None => format!("-max_total_time={}", options.seconds),
    });
    let begun = now();
    let status = command
        .stdout(Stdio::null())
        .stderr(log)
        .status()
        .context("starting cargo fuzz failed")?;
    let seconds = begun.elapsed().as_secs();
    let text = std::fs::read_to_string(&folders.log)
        .with_context(|| format!("reading {} failed", folders.log.display()))?;
    let mut finds = folders.finds()?;
    finds.retain(|find| !before.contains(find));
    if !status.success() && finds.is_empty() {
        bail!(
            "fuzzing {target} failed ({status}): see {}",
            folders.log.display()
        );
    }
    Ok(Outcome::read(target, &text, seconds, finds))
}

/// Adds to the committed corpus what reaches code that nothing in it reaches.
fn keep(target: &str, folders: &Folders) -> Result<()> {
    let mut command = cargo_fuzz("run");
    command.arg(target).arg(&folders.seeds).arg(&folders.corpus);
    command.args(["--", "-merge=1"]).args(LIMITS);
    process::run(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the duration is for the reader; nothing is decided by it"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_targets_run_unless_some_are_named() {
        let known = ["cron", "template"].map(str::to_owned);
        let named = ["cron".to_owned()];
        assert_eq!(chosen(&known, &[]).unwrap(), known);
        assert_eq!(chosen(&known, &named).unwrap(), named);
        let error = chosen(&known, &["corn".to_owned()])
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "there is no fuzz target `corn`; there are cron, template"
        );
    }
}
