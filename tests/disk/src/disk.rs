//! A disk in memory: the files of one database as its process sees them, and a record of all that
//! was done to them.
//!
//! What a power cut leaves is not decided here but afterwards, from the record.

use std::collections::BTreeMap;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libsqlite3_sys as ffi;

pub(crate) use crate::event::FileName;
use crate::event::{Event, Seen};
use crate::fault::{Fault, Faults, Operation};
use crate::locks::{Holder, Locks, Shared};

/// What SQLite is told of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Claim {
    /// What SQLite assumes of every real file: bytes beside those that are being written are safe.
    #[default]
    PowersafeOverwrite,
    /// Nothing.
    Nothing,
    /// The same, and that writes reach the disk in their order.
    Sequential,
}

/// What kind of disk it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Device {
    /// What SQLite is told of it.
    pub claim: Claim,
    /// Whether it makes `PRAGMA synchronous = OFF` of what our code asks for.
    pub synchronous_off: bool,
    /// What fails.
    pub fault: Option<Fault>,
}

/// The content of the files of a database.
pub type Image = BTreeMap<FileName, Vec<u8>>;

/// A disk.
#[derive(Debug)]
pub struct Disk {
    device: Device,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    names: BTreeMap<FileName, usize>,
    files: Vec<File>,
    faults: Faults,
    record: Vec<Event>,
    records: bool,
    next_holder: Holder,
    /// Its power was cut: nothing is done any more.
    is_dead: bool,
}

#[derive(Debug, Default)]
struct File {
    content: Vec<u8>,
    locks: Locks,
    shared: Shared,
    /// Its name is made durable when it is for the first time.
    is_named: bool,
}

impl Disk {
    /// A disk with an empty database, which records what is done to it.
    pub fn recording(device: Device) -> Arc<Self> {
        let mut image = Image::new();
        image.insert(FileName::Database, Vec::new());
        Self::new(device, image, true)
    }

    /// A disk that holds what survived, and records nothing.
    pub fn holding(image: Image) -> Arc<Self> {
        Self::new(Device::default(), image, false)
    }

    fn new(device: Device, image: Image, records: bool) -> Arc<Self> {
        let mut names = BTreeMap::new();
        let mut files = Vec::new();
        for (name, content) in image {
            names.insert(name, files.len());
            files.push(File {
                content,
                is_named: true,
                ..File::default()
            });
        }
        let state = State {
            names,
            files,
            faults: Faults::of(device.fault),
            record: Vec::new(),
            records,
            next_holder: 0,
            is_dead: false,
        };
        Arc::new(Self {
            device,
            state: Mutex::new(state),
        })
    }

    /// Records what the world has seen; nothing is seen of a process without power.
    pub fn saw(&self, seen: Seen) {
        let mut state = self.state();
        if !state.is_dead {
            state.record.push(Event::Seen(seen));
        }
    }

    /// Cuts the power: whatever is asked from now on fails.
    pub fn cut(&self) {
        self.state().is_dead = true;
    }

    /// Makes the disk well: nothing fails any more.
    pub fn heal(&self) {
        self.state().faults.heal();
    }

    /// What was recorded.
    pub fn record(&self) -> Vec<Event> {
        self.state().record.clone()
    }

    /// How many operations of each kind there were.
    pub fn counts(&self) -> [u64; Operation::ALL.len()] {
        self.state().faults.counts()
    }

    /// How many operations failed.
    pub fn failed(&self) -> u64 {
        self.state().faults.failed
    }

    pub(crate) fn open(self: &Arc<Self>, name: FileName, create: bool) -> Result<Handle, i32> {
        let mut state = self.state();
        state.pass(Operation::Open)?;
        let file = match state.names.get(&name) {
            Some(file) => *file,
            None if create => state.create(name),
            None => return Err(ffi::SQLITE_CANTOPEN),
        };
        state.next_holder += 1;
        Ok(Handle {
            disk: Arc::clone(self),
            file,
            holder: state.next_holder,
        })
    }

    pub(crate) fn delete(&self, name: FileName, synced: bool) -> Result<(), i32> {
        let mut state = self.state();
        state.pass(Operation::Delete)?;
        let removed = state.names.remove(&name);
        if removed.is_none() {
            return Err(ffi::SQLITE_IOERR_DELETE_NOENT);
        }
        state.note(|| Event::Delete { name, synced });
        Ok(())
    }

    pub(crate) fn has(&self, name: FileName) -> bool {
        self.state().names.contains_key(&name)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pass(&mut self, operation: Operation) -> Result<(), i32> {
        if self.is_dead {
            return Err(ffi::SQLITE_IOERR);
        }
        self.faults.pass(operation)
    }

    fn note(&mut self, event: impl FnOnce() -> Event) {
        if self.records {
            self.record.push(event());
        }
    }

    fn create(&mut self, name: FileName) -> usize {
        let file = self.files.len();
        self.files.push(File::default());
        self.names.insert(name, file);
        self.note(|| Event::Create { name, file });
        file
    }

    fn put(&mut self, file: usize, offset: usize, data: &[u8]) {
        put(&mut self.files[file].content, offset, data);
        self.note(|| Event::Write {
            file,
            offset,
            data: Arc::from(data),
        });
    }
}

/// Writes bytes into a content, which grows as needed.
pub(crate) fn put(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}

/// A file that is open.
#[derive(Debug)]
pub(crate) struct Handle {
    disk: Arc<Disk>,
    file: usize,
    holder: Holder,
}

impl Handle {
    /// Fills a buffer, with zeros where the file has ended.
    pub(crate) fn read(&self, buffer: &mut [u8], offset: usize) -> Result<(), i32> {
        let mut state = self.disk.state();
        state.pass(Operation::Read)?;
        let content = &state.files[self.file].content;
        let found = content.get(offset..).unwrap_or_default();
        let length = found.len().min(buffer.len());
        buffer[..length].copy_from_slice(&found[..length]);
        buffer[length..].fill(0);
        if length < buffer.len() {
            return Err(ffi::SQLITE_IOERR_SHORT_READ);
        }
        Ok(())
    }

    /// A write that fails has written its first half.
    pub(crate) fn write(&self, data: &[u8], offset: usize) -> Result<(), i32> {
        let mut state = self.disk.state();
        match state.pass(Operation::Write) {
            Ok(()) => state.put(self.file, offset, data),
            Err(code) => {
                if !state.is_dead {
                    state.put(self.file, offset, &data[..data.len() / 2]);
                }
                return Err(code);
            }
        }
        Ok(())
    }

    pub(crate) fn truncate(&self, length: usize) -> Result<(), i32> {
        let mut state = self.disk.state();
        state.pass(Operation::Truncate)?;
        let file = self.file;
        state.files[file].content.resize(length, 0);
        state.note(|| Event::Truncate { file, length });
        Ok(())
    }

    /// After a sync that failed, the operating system holds what was not written for written: a
    /// later one does not make up for it.
    pub(crate) fn sync(&self) -> Result<(), i32> {
        let mut state = self.disk.state();
        let file = self.file;
        if let Err(code) = state.pass(Operation::Sync) {
            if !state.is_dead {
                state.note(|| Event::SyncFailed { file });
            }
            return Err(code);
        }
        let names = !std::mem::replace(&mut state.files[file].is_named, true);
        state.note(|| Event::Sync { file, names });
        Ok(())
    }

    pub(crate) fn size(&self) -> usize {
        self.disk.state().files[self.file].content.len()
    }

    pub(crate) fn lock(&self, level: i32) -> Result<(), i32> {
        let mut state = self.disk.state();
        state.files[self.file].locks.raise(self.holder, level)
    }

    pub(crate) fn unlock(&self, level: i32) {
        let mut state = self.disk.state();
        state.files[self.file].locks.lower(self.holder, level);
    }

    pub(crate) fn is_reserved(&self) -> bool {
        self.disk.state().files[self.file].locks.is_reserved()
    }

    pub(crate) fn characteristics(&self) -> i32 {
        match self.disk.device.claim {
            Claim::PowersafeOverwrite => ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE,
            Claim::Nothing => 0,
            Claim::Sequential => {
                ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE | ffi::SQLITE_IOCAP_SEQUENTIAL
            }
        }
    }

    pub(crate) fn turns_synchronous_off(&self) -> bool {
        self.disk.device.synchronous_off
    }

    pub(crate) fn map(
        &self,
        region: usize,
        size: usize,
        extend: bool,
    ) -> Result<Option<NonNull<u8>>, i32> {
        let mut state = self.disk.state();
        state.pass(Operation::Map)?;
        let shared = &mut state.files[self.file].shared;
        Ok(shared.map(self.holder, region, (size, extend)))
    }

    pub(crate) fn lock_shared(&self, slots: Range<usize>, flags: i32) -> Result<(), i32> {
        let mut state = self.disk.state();
        let shared = &mut state.files[self.file].shared;
        shared.lock(self.holder, slots, flags)
    }

    pub(crate) fn unmap(&self) {
        let mut state = self.disk.state();
        state.files[self.file].shared.unmap(self.holder);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.unlock(ffi::SQLITE_LOCK_NONE);
        self.unmap();
    }
}
