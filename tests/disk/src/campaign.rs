//! Cuts the power at every place of a recorded life, in many ways, and holds what survives against
//! what was promised.
//!
//! The life is lived once. Whatever a cut leaves follows from the record up to its place, so that no
//! life has to be lived for each. Each image is recovered by SQLite and read; each state that is
//! found is given to a new gateway, which has to bring everything to the end that it had.

pub(crate) mod judge;
mod places;
mod trial;

use std::sync::Arc;

use gateway::Durability;

use crate::disk::{Device, Disk};
use crate::event::{Event, Seen};
use crate::facts::Broken;
use crate::figures::Figures;
use crate::life::{Ends, Life, Trust, runtime};
use crate::mount::Slot;
use crate::remains::Neighbours;
use crate::world::Work;
use trial::Trial;

pub use places::Places;
pub(crate) use places::spread;

/// What is done, and how it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    /// What runs.
    pub work: Work,
    /// How the gateway is told to write.
    pub durability: Durability,
    /// The promise that it is held to: the same, except where a test wants to see it broken.
    pub promised: Durability,
    /// What kind of disk it runs on.
    pub device: Device,
    /// What a cut does to bytes beside those that are being written.
    pub neighbours: Neighbours,
    /// How many ways of losing what was not synced are tried at each place.
    pub outcomes: usize,
    /// Where the power is cut.
    pub places: Places,
    /// How many of the states that survived are lived on from, at most.
    pub lives: usize,
    /// Decides what is tried where not everything is.
    pub seed: u64,
}

/// A recorded life, and how it ended.
pub(crate) struct Recorded {
    pub(crate) events: Vec<Event>,
    pub(crate) ends: Ends,
}

impl Campaign {
    /// Steps of every kind under a promise.
    pub fn new(work: Work, durability: Durability) -> Self {
        Self {
            work,
            durability,
            promised: durability,
            device: Device::default(),
            neighbours: Neighbours::Safe,
            outcomes: 6,
            places: Places::All,
            lives: usize::MAX,
            seed: 1,
        }
    }

    /// Records a life and cuts its power everywhere.
    pub fn run(&self) -> Figures {
        match self.record() {
            Ok(recorded) => Trial::new(*self, recorded).run(),
            Err(broken) => {
                let figures = Figures::default();
                figures.breaks(&broken, "while it was recorded");
                figures
            }
        }
    }

    fn record(&self) -> Result<Recorded, Broken> {
        let disk = Disk::recording(self.device);
        let slot = Slot::new();
        let life = Life {
            slot: &slot,
            disk: Arc::clone(&disk),
            work: self.work,
            durability: self.durability,
            earlier: Arc::default(),
        };
        let ends = life.live(Trust::Sound, &runtime())?;
        let events = disk.record();
        Ok(Recorded { events, ends })
    }
}

/// What the world saw in an event.
pub(crate) fn seen(event: &Event) -> Option<&Seen> {
    match event {
        Event::Seen(seen) => Some(seen),
        Event::Create { .. }
        | Event::Delete { .. }
        | Event::Write { .. }
        | Event::Truncate { .. }
        | Event::Sync { .. }
        | Event::SyncFailed { .. } => None,
    }
}

/// The part of the work that is one worker's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    worker: usize,
    workers: usize,
}

impl Share {
    pub(crate) fn is_mine(self, place: usize) -> bool {
        place % self.workers == self.worker
    }
}

/// Does work on every processor, each with a slot of its own.
pub(crate) fn workers(work: impl Fn(&Slot, Share) + Sync) {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let work = &work;
            scope.spawn(move || work(&Slot::new(), Share { worker, workers }));
        }
    });
}
