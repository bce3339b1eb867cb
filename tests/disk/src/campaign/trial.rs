//! One record, all of its cuts, and what was found so far.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use gateway::Durability;

use super::places::Frame;
use super::{Campaign, Recorded, judge, seen, spread, workers};
use crate::disk::Disk;
use crate::event::Event;
use crate::facts::{Broken, Facts};
use crate::figures::Figures;
use crate::life::runtime;
use crate::mount::Slot;
use crate::remains::{Outcome, Remains};
use crate::world::effects;

/// A record that is tried.
pub(super) struct Trial {
    campaign: Campaign,
    recorded: Recorded,
    figures: Figures,
    read: Mutex<Read>,
    /// Every state that the record went through, and the first place at which it stood.
    committed: HashMap<u64, usize>,
    survivors: Mutex<HashMap<State, Survivor>>,
}

/// What was read: of each image once, and of each state once.
#[derive(Default)]
struct Read {
    images: HashMap<u64, Result<u64, Broken>>,
    states: HashMap<u64, Arc<Facts>>,
}

/// What a second life may depend on: the rows, how many calls were made before, and whether
/// anything was lost.
type State = (u64, usize, bool);

/// A place in the record from which to live on.
#[derive(Debug, Clone, Copy)]
struct Survivor {
    place: usize,
    outcome: Outcome,
}

impl Trial {
    pub(super) fn new(campaign: Campaign, recorded: Recorded) -> Self {
        Self {
            campaign,
            recorded,
            figures: Figures::default(),
            read: Mutex::default(),
            committed: HashMap::new(),
            survivors: Mutex::default(),
        }
    }

    pub(super) fn run(mut self) -> Figures {
        self.committed = self.committed();
        let seed = self.campaign.seed;
        let places = self.campaign.places.of(&self.recorded.events, seed);
        self.figures.add_places(places.len());
        workers(|slot, share| {
            self.walk(|place, remains| {
                if share.is_mine(place) && places.binary_search(&place).is_ok() {
                    self.cut(place, remains, slot);
                }
            });
        });
        let survivors = std::mem::take(self.survivors.get_mut().expect("no worker panics"));
        let mut survivors: Vec<_> = survivors.into_values().collect();
        survivors.sort_by_key(|survivor| survivor.place);
        let chosen = spread(survivors.len(), self.campaign.lives, seed);
        let chosen: Vec<_> = chosen.iter().map(|index| survivors[*index]).collect();
        self.live_on(&chosen);
        self.figures
    }

    /// Follows the record from place to place.
    fn walk(&self, mut at: impl FnMut(usize, &Remains)) {
        let mut remains = Remains::new();
        at(0, &remains);
        for (event, place) in self.recorded.events.iter().zip(1..) {
            remains.follow(event);
            at(place, &remains);
        }
    }

    fn committed(&self) -> HashMap<u64, usize> {
        let committed = Mutex::new(HashMap::new());
        workers(|slot, share| {
            let mut frame = Frame::None;
            self.walk(|place, remains| {
                let event = place.checked_sub(1).map(|last| &self.recorded.events[last]);
                let may_differ = event.is_none_or(|event| frame.may_commit(event));
                if !may_differ || !share.is_mine(place) {
                    return;
                }
                match self.look(remains, Outcome::All, slot) {
                    Ok(facts) => {
                        let mut committed = committed.lock().expect("no worker panics");
                        let first = committed.entry(facts.fingerprint).or_insert(place);
                        *first = place.min(*first);
                    }
                    Err(broken) => self.breaks(&broken, place, Outcome::All),
                }
            });
        });
        committed.into_inner().expect("no worker panics")
    }

    /// Cuts the power at a place, in as many ways as are asked for.
    fn cut(&self, place: usize, remains: &Remains, slot: &Slot) {
        let (outcomes, seed) = (self.campaign.outcomes, self.campaign.seed);
        let calls = effects(&self.recorded.events[..place]).len();
        for outcome in Outcome::first(outcomes, place, seed) {
            self.figures.add_cut();
            let looked = self.look(remains, outcome, slot);
            let judged = looked.and_then(|facts| {
                self.keeps(&facts, place, outcome)?;
                Ok(facts)
            });
            match judged {
                Ok(facts) => {
                    let state = (facts.fingerprint, calls, outcome == Outcome::All);
                    let mut survivors = self.survivors.lock().expect("no worker panics");
                    let known = survivors.entry(state);
                    known.or_insert(Survivor { place, outcome });
                }
                Err(broken) => self.breaks(&broken, place, outcome),
            }
        }
    }

    /// What survives of an outcome; each image is read once.
    fn look(&self, remains: &Remains, outcome: Outcome, slot: &Slot) -> Result<Arc<Facts>, Broken> {
        let choice = remains.choose(outcome, self.campaign.neighbours);
        let image = choice.fingerprint();
        if let Some(known) = self.known(image) {
            return known;
        }
        self.figures.add_image();
        slot.insert(Disk::holding(remains.image(&choice)));
        let facts = Facts::read(slot.database()).map(Arc::new);
        let mut read = self.read.lock().expect("no worker panics");
        let state = facts.as_ref().map(|facts| facts.fingerprint);
        read.images.insert(image, state.map_err(Clone::clone));
        if let Ok(facts) = &facts {
            let known = read.states.entry(facts.fingerprint);
            known.or_insert_with(|| Arc::clone(facts));
        }
        facts
    }

    fn known(&self, image: u64) -> Option<Result<Arc<Facts>, Broken>> {
        let read = self.read.lock().expect("no worker panics");
        let state = read.images.get(&image)?.clone();
        Some(state.map(|state| Arc::clone(&read.states[&state])))
    }

    /// What survives was committed at some time before; and what was seen before the cut is still
    /// true. Without full durability only a cut that loses nothing, as a killed process, owes the
    /// latter.
    fn keeps(&self, facts: &Facts, place: usize, outcome: Outcome) -> Result<(), Broken> {
        let first = self.committed.get(&facts.fingerprint);
        if first.is_none_or(|first| *first > place) {
            let message = "a state that was never committed".to_owned();
            return Err(Broken::Corrupt(message));
        }
        if self.campaign.promised == Durability::Normal && outcome != Outcome::All {
            return Ok(());
        }
        let mut seen = self.recorded.events[..place].iter().filter_map(seen);
        seen.try_for_each(|seen| facts.keep(seen))
    }

    /// Starts a gateway on what survived.
    fn live_on(&self, survivors: &[Survivor]) {
        let next = AtomicUsize::new(0);
        workers(|slot, _| {
            let runtime = runtime();
            while let Some(survivor) = survivors.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.figures.add_life();
                let events: &[Event] = &self.recorded.events[..survivor.place];
                let remains = Remains::after(events);
                let choice = remains.choose(survivor.outcome, self.campaign.neighbours);
                let second = judge::Second {
                    work: self.campaign.work,
                    promised: self.campaign.promised,
                    outcome: survivor.outcome,
                    earlier: effects(events),
                    image: remains.image(&choice),
                };
                if let Err(broken) = second.live((slot, &runtime), &self.recorded) {
                    self.breaks(&broken, survivor.place, survivor.outcome);
                }
            }
        });
    }

    fn breaks(&self, broken: &Broken, place: usize, outcome: Outcome) {
        let seed = self.campaign.seed;
        let told = format!("cut after event {place} with {outcome:?}, seed {seed}");
        self.figures.breaks(broken, &told);
    }
}
