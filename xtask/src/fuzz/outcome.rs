//! What a run of libFuzzer came to, read from what it wrote, and the table of all runs.

use std::fmt::Write as _;
use std::path::PathBuf;

/// One run of one target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) target: String,
    executions: u64,
    seconds: u64,
    /// The points of the code that were reached, of all that are counted.
    coverage: u64,
    corpus: u64,
    /// Inputs that broke a law.
    pub(super) finds: Vec<PathBuf>,
}

impl Outcome {
    pub(super) fn read(target: &str, log: &str, seconds: u64, finds: Vec<PathBuf>) -> Self {
        let counted = log.lines().rev();
        let executions = counted
            .clone()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .and_then(|count| count.trim().parse().ok());
        // The last line of progress: `#4096 REDUCE cov: 812 ft: 3010 corp: 411/9Kb …`.
        let progress = counted
            .clone()
            .find(|line| line.starts_with('#') && line.contains(" cov: "))
            .unwrap_or_default();
        let tried = progress.trim_start_matches('#').split_whitespace().next();
        Self {
            target: target.to_owned(),
            executions: executions
                .or_else(|| tried.and_then(|count| count.parse().ok()))
                .unwrap_or(0),
            seconds,
            coverage: number_after(progress, "cov:"),
            corpus: number_after(progress, "corp:"),
            finds,
        }
    }
}

fn number_after(line: &str, word: &str) -> u64 {
    let mut words = line.split_whitespace().skip_while(|found| *found != word);
    let digits = words.nth(1).and_then(|found| found.split('/').next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// One line for each run.
pub(super) fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "{:<12}{:>12}{:>10}{:>9}{:>10}{:>9}{:>8}\n",
        "target", "executions", "exec/s", "seconds", "coverage", "corpus", "finds"
    );
    for outcome in outcomes {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<12}{:>12}{:>10}{:>9}{:>10}{:>9}{:>8}",
            outcome.target,
            outcome.executions,
            outcome.executions / outcome.seconds.max(1),
            outcome.seconds,
            outcome.coverage,
            outcome.corpus,
            outcome.finds.len()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: seed corpus: files: 3\n\
        #3\tINITED cov: 700 ft: 800 corp: 3/20b exec/s: 0 rss: 40Mb\n\
        #4096\tREDUCE cov: 812 ft: 3010 corp: 411/9Kb lim: 4096 exec/s: 2048 rss: 60Mb\n";

    #[test]
    fn a_run_is_read_from_its_last_lines() {
        let log = format!("{LOG}stat::number_of_executed_units: 5000\nstat::peak_rss_mb: 61\n");
        let outcome = Outcome::read("cron", &log, 2, Vec::new());
        assert_eq!(
            (outcome.executions, outcome.coverage, outcome.corpus),
            (5_000, 812, 411)
        );
        assert!(
            table(&[outcome])
                .ends_with("        5000      2500        2       812      411       0\n")
        );
    }

    #[test]
    fn a_run_that_was_cut_short_counts_what_it_tried() {
        let finds = vec![PathBuf::from("crash-1")];
        assert_eq!(Outcome::read("cron", LOG, 1, finds).executions, 4_096);
        assert_eq!(Outcome::read("cron", "", 1, Vec::new()).executions, 0);
    }
}
