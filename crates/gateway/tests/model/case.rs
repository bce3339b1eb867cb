//! Runs one case against the engine and the reference at once, and compares them whenever nothing
//! moves, and whenever a process has died.

mod acts;
mod end;
mod time;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use gateway::store::ReadStore;
use gateway::workflow_types::execution::Scope;
use gateway::workflow_types::id::ExecutionId;
use gateway::{Gateway, ManualClock};
use tempfile::TempDir;

use crate::compare::{self, Difference};
use crate::flaw::Flaw;
use crate::ledger::Ledger;
use crate::life::{Ended, Life, Surroundings, empty_database};
use crate::plan::Plan;
use crate::reference::{Answer, Reference};
use crate::seen::{self, Seen};

/// What a case was about.
pub(crate) struct Report {
    /// What happened in it.
    pub(crate) features: BTreeSet<&'static str>,
    /// The transactions of its first process.
    pub(crate) transactions: usize,
    /// How many processes died in the middle of what they did.
    pub(crate) deaths: usize,
}

/// A case under way.
struct Case<'a> {
    plan: &'a Plan,
    flaw: Option<Flaw>,
    _directory: TempDir,
    database: PathBuf,
    clock: ManualClock,
    ledger: Arc<Ledger>,
    reference: Reference,
    life: Life,
    lives: usize,
    /// What was read last, and after how many transactions of this process.
    known: (usize, HashMap<ExecutionId, Seen>),
    report: Report,
}

/// Runs a case to its end.
pub(crate) fn run(plan: &Plan, flaw: Option<Flaw>) -> Result<Report, Difference> {
    let mut case = Case::new(plan, flaw);
    let result = case.play();
    let result = result.map_err(|Difference(text)| {
        let found = case.found();
        let traces = compare::traces(&case.reference, &found, &case.ledger);
        Difference(format!("{text}\n{traces}"))
    });
    case.life.end();
    case.report.features.append(&mut case.reference.features);
    result.map(|()| case.report)
}

impl<'a> Case<'a> {
    fn new(plan: &'a Plan, flaw: Option<Flaw>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("agentspace.db");
        std::fs::write(&database, empty_database()).unwrap();
        let clock = ManualClock::new("2026-01-31T09:00:00Z".parse().unwrap());
        let ledger = Arc::new(Ledger::new(plan.replies.clone()));
        let around = Surroundings {
            database: &database,
            clock: &clock,
            ledger: &ledger,
            flaw,
        };
        let life = Life::begin(&around, plan.deaths.first().copied().flatten(), 1);
        let now = gateway::Clock::now(&clock);
        Self {
            plan,
            flaw,
            _directory: directory,
            database,
            clock,
            ledger,
            reference: Reference::new(plan, now),
            life,
            lives: 1,
            known: (0, HashMap::new()),
            report: Report {
                features: BTreeSet::new(),
                transactions: 0,
                deaths: 0,
            },
        }
    }

    fn play(&mut self) -> Result<(), Difference> {
        if self.life.is_dead() {
            self.survive(vec![self.reference.clone()])?;
        }
        for flow in 0..self.plan.flows.len() {
            self.edit(flow)?;
        }
        for act in &self.plan.acts {
            self.act(act)?;
        }
        self.finish()?;
        self.note_transactions();
        self.compare_all()?;
        let problems = self.life.read(self.life.reads.check()).unwrap();
        Difference::unless("what the check of the store says", &Vec::new(), &problems)
    }

    fn note_transactions(&mut self) {
        if self.lives == 1 {
            self.report.transactions = self.life.pulse.transactions();
        }
    }

    /// An operation of which the reference says what it is answered, and what follows from it; it
    /// is told the id of the execution that was started.
    fn operate<W>(
        &mut self,
        operation: impl FnOnce(Arc<Gateway>) -> W,
        expect: impl Fn(&mut Reference, Option<ExecutionId>) -> Answer,
    ) -> Result<(), Difference>
    where
        W: Future<Output = Result<Answer, gateway::Error>> + Send + 'static,
    {
        match self.life.act(operation) {
            Ended::Done(answer) => {
                let answer = answer.unwrap_or_else(|error| Answer::Refused(error.kind()));
                let id = match &answer {
                    Answer::Started(id) => Some(*id),
                    Answer::Done
                    | Answer::Settled
                    | Answer::Counted
                    | Answer::Repeated
                    | Answer::Requested
                    | Answer::Refused(_) => None,
                };
                let expected = expect(&mut self.reference, id);
                Difference::unless("what an operation is answered", &expected, &answer)?;
                self.settled()
            }
            Ended::Waits(_) if self.life.is_dead() => {
                let mut done = self.reference.clone();
                expect(&mut done, self.unknown());
                self.survive(vec![done, self.reference.clone()])
            }
            Ended::Waits(_) => Err(Difference("an operation was never answered".to_owned())),
        }
    }

    /// Nothing moves any more: either all is as the reference says, or the process has died.
    fn settled(&mut self) -> Result<(), Difference> {
        if self.life.is_dead() {
            return self.survive(vec![self.reference.clone()]);
        }
        self.reference.go_on();
        self.compare()
    }

    /// The process has died while what it did led from one of these states onwards: another one
    /// takes up what it left, and may die of that.
    fn survive(&mut self, candidates: Vec<Reference>) -> Result<(), Difference> {
        self.note_transactions();
        let found = self.found();
        let newest = self.newest();
        let mut reasons = Vec::new();
        let mut candidates = candidates.into_iter();
        let followed = candidates.find_map(|candidate| {
            let followed = candidate
                .registered(&newest)
                .and_then(|()| compare::follow(candidate, &found, &self.ledger));
            followed
                .map_err(|difference| reasons.push(difference.0))
                .ok()
        });
        let Some(followed) = followed else {
            return Err(Difference(reasons.join("\nor, if nothing was done:\n")));
        };
        self.reference = followed;
        self.report.deaths += 1;
        self.restart()
    }

    /// Another process takes up what was left.
    fn restart(&mut self) -> Result<(), Difference> {
        self.known.1.clear();
        self.reference.restart();
        let death = self.plan.deaths.get(self.lives).copied().flatten();
        self.lives += 1;
        let around = Surroundings {
            database: &self.database,
            clock: &self.clock,
            ledger: &self.ledger,
            flaw: self.flaw,
        };
        // The one before has to let go of the file first.
        self.life.end();
        self.life = Life::begin(&around, death, self.lives as u64);
        self.settled()
    }

    /// Everything that is stored, the oldest execution first.
    fn found(&self) -> Vec<Seen> {
        let reads: &dyn ReadStore = &*self.life.reads;
        self.life.read(async {
            let mut found = Vec::new();
            for id in seen::ids(reads).await {
                found.extend(seen::read(reads, id).await);
            }
            found
        })
    }

    /// The newest version of each workflow.
    fn newest(&self) -> Vec<Option<gateway::workflow_types::definition::DefinitionDigest>> {
        let reads: &dyn ReadStore = &*self.life.reads;
        let flows = self.plan.flows.iter();
        let newest = flows.map(|flow| self.life.read(seen::newest(reads, flow.id)));
        newest.collect()
    }

    /// The execution that is stored although nobody was told of it.
    fn unknown(&self) -> Option<ExecutionId> {
        let ids = self.life.read(seen::ids(&*self.life.reads));
        let is_known = |id: &ExecutionId| self.reference.runs.iter().any(|run| run.id == *id);
        ids.into_iter().find(|id| !is_known(id))
    }

    /// Everything is as the reference says.
    fn compare(&mut self) -> Result<(), Difference> {
        let reads: &dyn ReadStore = &*self.life.reads;
        let known: Vec<_> = self.reference.runs.iter().map(|run| run.id).collect();
        let ids = self.life.read(seen::ids(reads));
        Difference::unless("the executions", &known, &ids)?;
        let transactions = self.life.pulse.transactions();
        if self.known.0 != transactions {
            // What is finished never changes again: it is read once more at the very end.
            self.known
                .1
                .retain(|_, seen| seen.execution.state.status().is_finished());
            self.known.0 = transactions;
        }
        for run in &self.reference.runs {
            let expected = run.seen();
            let found = match self.known.1.get(&run.id) {
                Some(found) => found.clone(),
                None => {
                    let found = self
                        .life
                        .read(seen::glance(reads, run.id, expected.clone()));
                    found.expect("it is in the list")
                }
            };
            compare::at_rest(run, &found, &self.ledger)?;
            self.known.1.insert(run.id, found);
        }
        let (due, running, queued) = self.life.read(async {
            (
                reads.next_due(Scope::All).await.unwrap(),
                reads.count_running().await.unwrap(),
                reads.count_queued().await.unwrap(),
            )
        });
        Difference::unless("what is due next", &self.reference.timers().min(), &due)?;
        let counts = self.reference.counts();
        Difference::unless(
            "how many run, and wait for their turn",
            &counts,
            &(running, queued),
        )
    }

    /// Everything, to the last column, is as the reference says.
    fn compare_all(&mut self) -> Result<(), Difference> {
        self.known.1.clear();
        self.compare()?;
        for (run, found) in self.reference.runs.iter().zip(&self.found()) {
            compare::at_rest(run, found, &self.ledger)?;
        }
        Ok(())
    }
}
