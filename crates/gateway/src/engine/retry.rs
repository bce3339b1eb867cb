//! What a new execution takes over of a finished one that it repeats.

use std::collections::BTreeMap;

use workflow_types::execution::{Execution, ExecutionStatus, History, Start, Started, VisitState};
use workflow_types::id::{ExecutionId, StepId};

use super::Engine;
use super::decide::{self, Advance, Situation};
use crate::error::{During as _, Error, ErrorKind};
use crate::store::StoreError;

/// Visits that are read at once.
const PAGE: usize = 100;

/// What is repeated of a finished execution: its visits before `first` stand.
#[derive(Debug, Clone)]
pub(crate) struct Repeat {
    /// The finished execution.
    pub(crate) origin: ExecutionId,
    /// The number of the visit with which the new one begins.
    pub(crate) first: u32,
    /// The step of that visit.
    pub(crate) step: StepId,
    /// What the visits before amount to.
    pub(crate) history: History,
}

/// The visits of a journal that a repetition may begin with.
struct Starts {
    /// The latest visit of each step.
    latest: BTreeMap<StepId, u32>,
    first: Option<(u32, StepId)>,
    last: Option<(u32, StepId)>,
}

/// The beginning of an execution: at its first step, or where it repeats another one.
pub(super) fn begin(situation: Situation<'_>, repeat: Option<&Repeat>) -> (History, Advance) {
    let mut history = repeat.map_or_else(History::default, |repeat| repeat.history.clone());
    let advance = match repeat {
        None => decide::begin(situation, &mut history),
        Some(repeat) => decide::again(situation, &mut history, &repeat.step),
    };
    (history, advance)
}

impl Engine {
    /// Stores a new execution, with what it takes over of another one.
    pub(super) async fn store_start(
        &self,
        start: Start,
        repeat: Option<&Repeat>,
    ) -> Result<Started, StoreError> {
        match repeat {
            None => self.store.start(start, &self.owner).await,
            Some(repeat) => self.store.retry(start, repeat.first, &self.owner).await,
        }
    }

    /// What is repeated of `origin` from a step on; if none is named, from the one at which it
    /// failed, or else from the first.
    pub(crate) async fn repeat(
        &self,
        origin: &Execution,
        from: Option<StepId>,
    ) -> Result<Repeat, Error> {
        let id = origin.id;
        let starts = self.starts(id).await?;
        let begin = match &from {
            Some(step) => starts
                .latest
                .get(step)
                .map(|number| (*number, step.clone())),
            None if origin.state.status() == ExecutionStatus::Failed => starts.last,
            None => starts.first,
        };
        let Some((first, step)) = begin else {
            let reached: Vec<String> = starts.latest.keys().map(|id| format!("`{id}`")).collect();
            let from = from.map_or_else(String::new, |step| format!(" `{step}`"));
            let context = format!(
                "execution {id} did not reach a step{from}; it can be repeated from {}",
                reached.join(", ")
            );
            return Err(Error::new(ErrorKind::Invalid, context));
        };
        let history = self.history_before(id, first).await?;
        Ok(Repeat {
            origin: id,
            first,
            step,
            history,
        })
    }

    async fn starts(&self, id: ExecutionId) -> Result<Starts, Error> {
        let mut starts = Starts {
            latest: BTreeMap::new(),
            first: None,
            last: None,
        };
        let mut from = 1;
        loop {
            let page = self.reads.journal(id, from, PAGE).await;
            let page = page.during("reading a journal")?;
            let is_last = page.len() < PAGE;
            for visit in page {
                from = visit.number + 1;
                starts.latest.insert(visit.step.clone(), visit.number);
                let place = (visit.number, visit.step);
                starts.first.get_or_insert_with(|| place.clone());
                starts.last = Some(place);
            }
            if is_last {
                return Ok(starts);
            }
        }
    }

    async fn history_before(&self, id: ExecutionId, first: u32) -> Result<History, Error> {
        let mut history = History::default();
        let mut from = 1;
        while from < first {
            let page = self.reads.journal(id, from, PAGE).await;
            let page = page.during("reading a journal")?;
            if page.is_empty() {
                let context = format!("the journal of execution {id} ends before visit {first}");
                return Err(Error::new(ErrorKind::Unusable, context));
            }
            for visit in page.into_iter().filter(|visit| visit.number < first) {
                history.arrive(visit.number);
                if let VisitState::Done { at, outcome } = visit.state {
                    history.record(visit.step, visit.attempt, outcome, at);
                }
            }
            from = from.saturating_add(u32::try_from(PAGE).unwrap_or(u32::MAX));
        }
        Ok(history)
    }
}
