//! Which executions are held by a task of this process: one task carries an execution at a time, and
//! whoever else wants it carried leaves word.

use std::collections::{HashMap, hash_map};
use std::sync::{Arc, MutexGuard, PoisonError};

use workflow_types::execution::Claimed;
use workflow_types::id::ExecutionId;

use super::Engine;
use super::admission::Slot;

impl Engine {
    /// Whether a task of this process carries an execution. When it leaves, followers of the
    /// execution's rest are woken.
    pub(crate) fn is_held(&self, id: &ExecutionId) -> bool {
        self.held().contains_key(id)
    }

    /// Holds an execution for a task; none if another task holds it, which is then asked to see to
    /// it that the execution is taken up again when it leaves.
    pub(super) fn hold(self: &Arc<Self>, id: ExecutionId) -> Option<Hold> {
        match self.held().entry(id) {
            hash_map::Entry::Occupied(mut entry) => {
                entry.get_mut().again = true;
                return None;
            }
            hash_map::Entry::Vacant(entry) => {
                entry.insert(Asked::NOTHING);
            }
        }
        Some(self.held_by_now(id))
    }

    /// Holds an execution that a round has taken up; none if another task holds it: that one goes
    /// on with the claim if it asks for one, else it is asked as by [`Engine::hold`].
    pub(super) fn hold_admitted(
        self: &Arc<Self>,
        claim: Claimed,
        slot: Slot,
    ) -> Option<(Hold, Claimed, Slot)> {
        let id = claim.execution.id;
        match self.held().entry(id) {
            hash_map::Entry::Occupied(mut entry) => {
                let asked = entry.get_mut();
                match asked.claim {
                    ForHolder::NotWanted => asked.again = true,
                    ForHolder::Wanted | ForHolder::Left(..) => {
                        asked.claim = ForHolder::Left(claim.into(), slot);
                    }
                }
                return None;
            }
            hash_map::Entry::Vacant(entry) => {
                entry.insert(Asked::NOTHING);
            }
        }
        Some((self.held_by_now(id), claim, slot))
    }

    /// The hold of an execution that was just entered as held.
    fn held_by_now(self: &Arc<Self>, id: ExecutionId) -> Hold {
        let mut stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        stuck.remove(&id);
        drop(stuck);
        self.changes.goes_on(id);
        let engine = Arc::clone(self);
        Hold { engine, id }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<ExecutionId, Asked>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What others wanted of an execution while a task has held it.
pub(super) struct Asked {
    /// That it be taken up once more when its task leaves.
    again: bool,
    claim: ForHolder,
}

impl Asked {
    const NOTHING: Self = Self {
        again: false,
        claim: ForHolder::NotWanted,
    };
}

/// Whether the task that holds an execution goes on with the claim of a round.
enum ForHolder {
    /// It has one of its own, or does not need any.
    NotWanted,
    /// It is about to queue the execution, and would rather go on with it.
    Wanted,
    Left(Box<Claimed>, Slot),
}

/// The hold of a task on an execution; let go when it is dropped, by a panic too.
pub(super) struct Hold {
    engine: Arc<Engine>,
    pub(super) id: ExecutionId,
}

impl Hold {
    /// From now on, a round that takes up the execution leaves it to this task.
    pub(super) fn ask_for_claim(&self) {
        if let Some(asked) = self.engine.held().get_mut(&self.id) {
            asked.claim = ForHolder::Wanted;
        }
    }

    /// What a round has left; if none came by, none will leave anything any more.
    pub(super) fn claim(&self) -> Option<(Claimed, Slot)> {
        let mut held = self.engine.held();
        let asked = held.get_mut(&self.id)?;
        match std::mem::replace(&mut asked.claim, ForHolder::NotWanted) {
            ForHolder::Left(claim, slot) => Some((*claim, slot)),
            ForHolder::NotWanted | ForHolder::Wanted => None,
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let asked = self.engine.held().remove(&self.id);
        self.engine.changes.tell_rest(self.id);
        let Some(Asked { again, claim }) = asked else {
            return;
        };
        let is_left = matches!(claim, ForHolder::Left(..));
        if (again || is_left) && !self.engine.is_draining() {
            self.engine.take_up(self.id);
        }
    }
}
