//! Lets the disk fail under a gateway, at every operation, once or for a while, and then heals it:
//! everything has to end as it would have, without another start.
//!
//! Afterwards the power is cut at every call of a tool in the record: what the call was made for had
//! to be durable by then, whatever failed before.

use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway::{Clock as _, Durability, SystemClock};
use tokio::runtime::Runtime;

use crate::campaign::judge::{self, Calls, Second, recorded_calls, same_ends};
use crate::campaign::{Recorded, seen, spread, workers};
use crate::disk::{Device, Disk};
use crate::event::Event;
use crate::facts::{Broken, Facts};
use crate::fault::{Cause, Fault, Lasts, Operation};
use crate::figures::Figures;
use crate::life::{Life, Trust, runtime};
use crate::mount::Slot;
use crate::remains::{Neighbours, Outcome, Remains};
use crate::world::{Work, effects};

/// Operations that fail one after the other before the disk is well again.
const WHILE: u64 = 6;

/// Which operations of a kind fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operations {
    /// So many, spread over all.
    Spread(usize),
    /// The first few.
    First(usize),
}

/// Which faults are tried.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// What runs.
    pub work: Work,
    /// What fails, and why.
    pub kinds: &'static [(Operation, Cause)],
    /// Which operations of each kind fail, each in a life of its own.
    pub operations: Operations,
    /// Decides what is tried where not everything is.
    pub seed: u64,
}

/// What a life without faults does.
struct Model {
    recorded: Recorded,
    calls: Calls,
    counts: [u64; Operation::ALL.len()],
}

impl Trouble {
    /// Everything that may fail, in every way in which it does.
    pub const KINDS: &'static [(Operation, Cause)] = &[
        (Operation::Open, Cause::Device),
        (Operation::Read, Cause::Device),
        (Operation::Read, Cause::Memory),
        (Operation::Write, Cause::Device),
        (Operation::Write, Cause::Full),
        (Operation::Write, Cause::Memory),
        (Operation::Truncate, Cause::Device),
        (Operation::Sync, Cause::Device),
        (Operation::Sync, Cause::Full),
        (Operation::Delete, Cause::Device),
        (Operation::Map, Cause::Memory),
    ];

    /// Lets operations fail, each in a life of its own.
    pub fn run(&self) -> Figures {
        let figures = Figures::default();
        let slot = Slot::new();
        let model = match self.model(&slot) {
            Ok(model) => model,
            Err(broken) => {
                figures.breaks(&broken, "without a fault");
                return figures;
            }
        };
        let panics = count_panics();
        let faults = self.faults(&model);
        let next = AtomicUsize::new(0);
        workers(|slot, _| {
            let runtime = runtime();
            while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                let place = (slot, &runtime, &figures);
                let suffered = match fault.lasts {
                    Lasts::Once | Lasts::Times(_) => self.suffer(*fault, &model, place),
                    Lasts::Forever => self.die(*fault, &model, place),
                };
                if let Err(broken) = suffered {
                    figures.breaks(&broken, &fault.to_string());
                }
            }
        });
        if panics.load(Ordering::Relaxed) > 0 {
            figures.breaks(&Broken::Stuck("something panicked".to_owned()), "in a life");
        }
        figures
    }

    fn life<'a>(&self, slot: &'a Slot, disk: &Arc<Disk>) -> Life<'a> {
        Life {
            slot,
            disk: Arc::clone(disk),
            work: self.work,
            durability: Durability::Full,
            earlier: Arc::default(),
        }
    }

    fn model(&self, slot: &Slot) -> Result<Model, Broken> {
        let disk = Disk::recording(Device::default());
        let ends = self.life(slot, &disk).live(Trust::Sound, &runtime())?;
        let events = disk.record();
        let recorded = Recorded { events, ends };
        Ok(Model {
            calls: recorded_calls(&recorded),
            recorded,
            counts: disk.counts(),
        })
    }

    fn faults(&self, model: &Model) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (operation, cause) in self.kinds {
            let count = usize::try_from(model.counts[*operation as usize]).unwrap_or_default();
            let chosen = match self.operations {
                Operations::Spread(most) => spread(count, most, self.seed),
                Operations::First(most) => (0..count.min(most)).collect(),
            };
            for index in chosen {
                for lasts in [Lasts::Once, Lasts::Times(WHILE), Lasts::Forever] {
                    faults.push(Fault {
                        operation: *operation,
                        nth: index as u64 + 1,
                        cause: *cause,
                        lasts,
                    });
                }
            }
        }
        faults
    }

    fn suffer(
        &self,
        fault: Fault,
        model: &Model,
        (slot, runtime, figures): (&Slot, &Runtime, &Figures),
    ) -> Result<(), Broken> {
        let device = Device {
            fault: Some(fault),
            ..Device::default()
        };
        let disk = Disk::recording(device);
        let ends = self.life(slot, &disk).live(Trust::Failing, runtime)?;
        figures.add_life();
        if disk.failed() > 0 {
            figures.add_places(1);
        }
        disk.heal();
        same_ends(&ends, &model.recorded.ends)?;
        let events = disk.record();
        judge::judge(&ends, &effects(&events), (&model.calls, true))?;
        judge::check(slot, runtime, &Facts::read(slot.database())?)?;
        cut_at_calls(&events, slot, figures)
    }
}

impl Trouble {
    /// The disk fails for good, until the process is killed and the power goes.
    fn die(
        &self,
        fault: Fault,
        model: &Model,
        (slot, runtime, figures): (&Slot, &Runtime, &Figures),
    ) -> Result<(), Broken> {
        let device = Device {
            fault: Some(fault),
            ..Device::default()
        };
        let disk = Disk::recording(device);
        self.life(slot, &disk).live_until(async {
            while disk.failed() < WHILE {
                let soon = SystemClock.now().saturating_add(Duration::from_millis(2));
                SystemClock.sleep_until(soon).await;
            }
        });
        figures.add_life();
        if disk.failed() > 0 {
            figures.add_places(1);
        }
        let events = disk.record();
        cut_at_calls(&events, slot, figures)?;
        let remains = Remains::after(&events);
        for outcome in Outcome::first(3, events.len(), self.seed) {
            figures.add_cut();
            figures.add_image();
            let choice = remains.choose(outcome, Neighbours::Safe);
            let second = Second {
                work: self.work,
                promised: Durability::Full,
                outcome,
                earlier: effects(&events),
                image: remains.image(&choice),
            };
            second.live((slot, runtime), &model.recorded)?;
        }
        Ok(())
    }
}

/// What the world had seen at any time is true of what was durable at that time.
fn cut_at_calls(events: &[Event], slot: &Slot, figures: &Figures) -> Result<(), Broken> {
    let mut remains = Remains::new();
    let mut read: Option<(u64, Facts)> = None;
    let mut owed = Vec::new();
    for (place, event) in events.iter().enumerate() {
        remains.follow(event);
        let Some(seen) = seen(event) else {
            continue;
        };
        owed.push(seen);
        figures.add_cut();
        let choice = remains.choose(Outcome::Nothing, Neighbours::Safe);
        let image = choice.fingerprint();
        if read.as_ref().is_none_or(|(known, _)| *known != image) {
            figures.add_image();
            slot.insert(Disk::holding(remains.image(&choice)));
            read = Some((image, Facts::read(slot.database())?));
        }
        if let Some((_, facts)) = &read {
            for seen in &owed {
                facts.keep(seen).map_err(|broken| {
                    Broken::Lost(format!("{broken}, in a power cut after event {place}"))
                })?;
            }
        }
    }
    Ok(())
}

/// Counts every panic of the process from now on.
fn count_panics() -> &'static AtomicUsize {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        before(info);
    }));
    &PANICS
}
