//! What a part of the campaign has shown, counted and printed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::law::{Breach, Harm, Law};
use crate::survey::Standing;

/// The figures of one part.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Different moments at which it was killed, or would have been.
    pub(crate) points: usize,
    pub(crate) kills: usize,
    /// Executions that were checked at their end.
    pub(crate) executions: usize,
    /// Executions that were found after kills.
    pub(crate) standings: BTreeMap<Standing, usize>,
    /// What was broken, and where in the campaign.
    pub(crate) breaches: Vec<(String, Breach)>,
    /// What is to be known about the figures.
    pub(crate) notes: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.points += other.points;
        self.kills += other.kills;
        self.executions += other.executions;
        for (standing, count) in other.standings {
            *self.standings.entry(standing).or_default() += count;
        }
        self.breaches.extend(other.breaches);
        self.notes.extend(other.notes);
    }

    /// The first breach of one of these laws.
    pub(crate) fn first_of(&self, laws: &[Law]) -> Option<&(String, Breach)> {
        let mut breaches = self.breaches.iter();
        breaches.find(|(_, breach)| laws.contains(&breach.law))
    }

    fn harmed(&self, harm: Harm) -> usize {
        let laws = self.breaches.iter().map(|(_, breach)| breach.law);
        laws.filter(|law| law.harm() == harm).count()
    }

    /// The figures as a line of a table.
    fn line(&self, name: &str) -> String {
        format!(
            "{name:<24} {:>7} {:>7} {:>10} {:>5} {:>10} {:>7}",
            self.points,
            self.kills,
            self.executions,
            self.harmed(Harm::Lost),
            self.harmed(Harm::Duplicated),
            self.harmed(Harm::Corrupt),
        )
    }
}

/// A table of several parts, with their sum, and what their kills have met.
pub(crate) fn table(parts: Vec<(String, Tally)>) -> (String, Tally) {
    let head = format!(
        "{:<24} {:>7} {:>7} {:>10} {:>5} {:>10} {:>7}\n",
        "", "points", "kills", "executions", "lost", "duplicated", "corrupt"
    );
    let (mut text, mut sum) = (head, Tally::default());
    for (name, tally) in parts {
        text.push_str(&tally.line(&name));
        text.push('\n');
        sum.add(tally);
    }
    text.push_str(&sum.line("together"));
    text.push_str("\n\nexecutions found after the kills:\n");
    for (standing, count) in &sum.standings {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{count:>8}  {standing}");
    }
    for note in &sum.notes {
        let _ = writeln!(text, "note: {note}");
    }
    for (place, breach) in sum.breaches.iter().take(20) {
        let _ = writeln!(text, "BROKEN at {place}: {breach}");
    }
    (text, sum)
}
