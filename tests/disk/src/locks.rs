//! Locks and shared memory of one file, as SQLite's connections in one process need them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use libsqlite3_sys as ffi;

/// Who holds a lock: an open file.
pub(crate) type Holder = u64;

/// The locks on a file; the levels are SQLite's, which rise.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: BTreeMap<Holder, i32>,
}

impl Locks {
    pub(crate) fn raise(&mut self, holder: Holder, level: i32) -> Result<(), i32> {
        if self.level(holder) >= level {
            return Ok(());
        }
        let highest = self.highest_but(holder);
        let is_free = match level {
            ffi::SQLITE_LOCK_SHARED => highest < ffi::SQLITE_LOCK_PENDING,
            _ => highest < ffi::SQLITE_LOCK_RESERVED,
        };
        if !is_free {
            return Err(ffi::SQLITE_BUSY);
        }
        if level == ffi::SQLITE_LOCK_EXCLUSIVE && highest >= ffi::SQLITE_LOCK_SHARED {
            // Nobody new comes in while those who read leave.
            self.held.insert(holder, ffi::SQLITE_LOCK_PENDING);
            return Err(ffi::SQLITE_BUSY);
        }
        self.held.insert(holder, level);
        Ok(())
    }

    pub(crate) fn lower(&mut self, holder: Holder, level: i32) {
        if self.level(holder) > level {
            self.held.insert(holder, level);
        }
        if level == ffi::SQLITE_LOCK_NONE {
            self.held.remove(&holder);
        }
    }

    pub(crate) fn is_reserved(&self) -> bool {
        let highest = self.held.values().max();
        highest.is_some_and(|level| *level >= ffi::SQLITE_LOCK_RESERVED)
    }

    fn level(&self, holder: Holder) -> i32 {
        let level = self.held.get(&holder);
        level.copied().unwrap_or(ffi::SQLITE_LOCK_NONE)
    }

    fn highest_but(&self, holder: Holder) -> i32 {
        let others = self.held.iter().filter(|(other, _)| **other != holder);
        let highest = others.map(|(_, level)| *level).max();
        highest.unwrap_or(ffi::SQLITE_LOCK_NONE)
    }
}

/// Memory that the connections to a log share, with its eight locks.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    regions: Vec<Box<[AtomicU64]>>,
    slots: [Slot; 8],
    mapped: Vec<Holder>,
}

#[derive(Debug, Default)]
struct Slot {
    readers: Vec<Holder>,
    writer: Option<Holder>,
}

impl Shared {
    /// The memory of a region; none if there is none and none is to be made.
    ///
    /// It stays where it is until nobody maps it any more.
    pub(crate) fn map(
        &mut self,
        holder: Holder,
        region: usize,
        (size, extend): (usize, bool),
    ) -> Option<NonNull<u8>> {
        if !self.mapped.contains(&holder) {
            self.mapped.push(holder);
        }
        while extend && self.regions.len() <= region {
            let words = size.div_ceil(size_of::<AtomicU64>());
            let memory = (0..words).map(|_| AtomicU64::new(0)).collect();
            self.regions.push(memory);
        }
        let memory = self.regions.get(region)?;
        NonNull::new(memory.as_ptr().cast_mut().cast())
    }

    pub(crate) fn unmap(&mut self, holder: Holder) {
        self.mapped.retain(|other| *other != holder);
        for slot in &mut self.slots {
            slot.release(holder);
        }
        if self.mapped.is_empty() {
            self.regions.clear();
        }
    }

    pub(crate) fn lock(
        &mut self,
        holder: Holder,
        slots: Range<usize>,
        flags: i32,
    ) -> Result<(), i32> {
        let slots = &mut self.slots[slots];
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            for slot in slots {
                slot.release(holder);
            }
            return Ok(());
        }
        let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
        if !slots.iter().all(|slot| slot.is_free_for(holder, exclusive)) {
            return Err(ffi::SQLITE_BUSY);
        }
        for slot in slots {
            if exclusive {
                slot.writer = Some(holder);
            } else if !slot.readers.contains(&holder) {
                slot.readers.push(holder);
            }
        }
        Ok(())
    }
}

impl Slot {
    fn is_free_for(&self, holder: Holder, exclusive: bool) -> bool {
        let is_read = self.readers.iter().any(|other| *other != holder);
        let is_written = self.writer.is_some_and(|other| other != holder);
        !(is_written || exclusive && is_read)
    }

    fn release(&mut self, holder: Holder) {
        self.readers.retain(|other| *other != holder);
        if self.writer == Some(holder) {
            self.writer = None;
        }
    }
}
