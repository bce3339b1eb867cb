//! What a power cut leaves: the synced state, and of what was not synced whatever is worst.
//!
//! A disk owes nothing for what was not synced: it may have written none of it, all, or any part,
//! in any order, torn between sectors. Which part is chosen here, by a seed.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::Arc;

use crate::chance::Chance;
use crate::disk::{Image, put};
use crate::event::{Event, FileName};

const SECTOR: usize = 512;
const PAGE: usize = 4096;

/// What becomes of bytes beside those that are being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Neighbours {
    /// They stay.
    Safe,
    /// The whole sector may be lost.
    Endangered,
}

/// What is chosen of that which was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing.
    Nothing,
    /// All of it, as if only the process had been killed.
    All,
    /// Some of it.
    Some(u64),
}

impl Outcome {
    /// The first `count` outcomes for a place in the record, the plain ones first.
    pub fn first(count: usize, place: usize, seed: u64) -> impl Iterator<Item = Self> {
        (0..count).map(move |index| match index {
            0 => Self::Nothing,
            1 => Self::All,
            _ => {
                let mut chance = Chance::new(seed ^ ((place as u64) << 20) ^ index as u64);
                // The manner is taken in turn, so that none is left to chance.
                let manner = (index + place) as u64 % MANNERS;
                Self::Some((chance.bits() / MANNERS * MANNERS) | manner)
            }
        })
    }
}

/// A disk in the course of a record.
#[derive(Debug, Clone)]
pub struct Remains {
    names: BTreeMap<FileName, usize>,
    renamed: Vec<Renamed>,
    files: Vec<File>,
    events: usize,
}

#[derive(Debug, Clone)]
enum Renamed {
    Created(FileName, usize),
    Deleted(FileName),
}

#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    current: Vec<u8>,
    pending: Vec<Pending>,
    /// Rises whenever what is durable changes.
    version: u64,
}

#[derive(Debug, Clone)]
struct Pending {
    event: usize,
    change: Change,
    /// A sync has failed since, so that no later one covers it.
    forsaken: bool,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, data: Arc<[u8]> },
    Truncate { length: usize },
}

/// One choice: which files have names, and which bytes of which changes were written.
#[derive(Debug, Clone, Default, Hash)]
pub struct Choice {
    versions: Vec<u64>,
    names: BTreeMap<FileName, usize>,
    pieces: Vec<Piece>,
    spoilt: Vec<(usize, Range<usize>, u64)>,
}

#[derive(Debug, Clone, Hash)]
struct Piece {
    file: usize,
    event: usize,
    index: usize,
    part: Range<usize>,
}

/// In how many manners parts are chosen.
const MANNERS: u64 = 8;

impl Remains {
    /// An empty database, before anything was done to it.
    pub fn new() -> Self {
        Self {
            names: BTreeMap::from([(FileName::Database, 0)]),
            renamed: Vec::new(),
            files: vec![File::default()],
            events: 0,
        }
    }

    /// What a record leads to.
    pub fn after(events: &[Event]) -> Self {
        let mut remains = Self::new();
        for event in events {
            remains.follow(event);
        }
        remains
    }

    /// Follows the record by one event.
    pub fn follow(&mut self, event: &Event) {
        self.events += 1;
        match event {
            Event::Create { name, file } => {
                self.files.resize_with(file + 1, File::default);
                self.renamed.push(Renamed::Created(*name, *file));
            }
            Event::Delete { name, synced } => {
                self.renamed.push(Renamed::Deleted(*name));
                if *synced {
                    self.names = self.named(self.renamed.len());
                    self.renamed.clear();
                }
            }
            Event::Write { file, offset, data } => {
                let (offset, data) = (*offset, Arc::clone(data));
                put(&mut self.files[*file].current, offset, &data);
                self.change(*file, Change::Write { offset, data });
            }
            Event::Truncate { file, length } => {
                self.files[*file].current.resize(*length, 0);
                self.change(*file, Change::Truncate { length: *length });
            }
            Event::Sync { file, names } => {
                self.files[*file].sync();
                if *names {
                    self.names = self.named(self.renamed.len());
                    self.renamed.clear();
                }
            }
            Event::SyncFailed { file } => {
                for change in &mut self.files[*file].pending {
                    change.forsaken = true;
                }
            }
            Event::Seen(_) => {}
        }
    }

    fn change(&mut self, file: usize, change: Change) {
        self.files[file].pending.push(Pending {
            event: self.events,
            change,
            forsaken: false,
        });
    }

    /// The names after the first `count` changes that are not durable yet.
    fn named(&self, count: usize) -> BTreeMap<FileName, usize> {
        let mut names = self.names.clone();
        for renamed in &self.renamed[..count] {
            match renamed {
                Renamed::Created(name, file) => names.insert(*name, *file),
                Renamed::Deleted(name) => names.remove(name),
            };
        }
        names
    }

    /// Chooses what survives.
    pub fn choose(&self, outcome: Outcome, neighbours: Neighbours) -> Choice {
        let mut choice = Choice {
            versions: self.files.iter().map(|file| file.version).collect(),
            names: self.names.clone(),
            ..Choice::default()
        };
        match outcome {
            Outcome::Nothing => {}
            Outcome::All => {
                choice.names = self.named(self.renamed.len());
                choice.pieces = self.pieces(usize::MAX);
            }
            Outcome::Some(seed) => {
                let mut chance = Chance::new(seed);
                choice.names = self.named(chance.below(self.renamed.len() + 1));
                choice.pieces = self.some((seed % MANNERS, &mut chance));
                if neighbours == Neighbours::Endangered {
                    choice.spoilt = self.spoilt(&mut chance);
                }
            }
        }
        choice
    }

    fn some(&self, (manner, chance): (u64, &mut Chance)) -> Vec<Piece> {
        let mut pieces = match manner {
            0..=2 => self.pieces(SECTOR),
            3 | 4 => self.pieces(PAGE),
            _ => self.pieces(usize::MAX),
        };
        match manner {
            // In order, and then no more: torn in the middle of a write, or between two.
            0 | 5 => pieces.truncate(chance.below(pieces.len() + 1)),
            // In any order.
            1 | 3 | 6 => pieces.retain(|_| chance.coin()),
            // All but one.
            2 | 7 if !pieces.is_empty() => {
                pieces.remove(chance.below(pieces.len()));
            }
            // Only the last few.
            _ => {
                pieces.drain(..chance.below(pieces.len() + 1));
            }
        }
        pieces
    }

    /// Everything that was not synced, cut at multiples of a length.
    fn pieces(&self, length: usize) -> Vec<Piece> {
        let mut all = Vec::new();
        for (file, found) in self.files.iter().enumerate() {
            for (index, pending) in found.pending.iter().enumerate() {
                let piece = |part| Piece {
                    file,
                    event: pending.event,
                    index,
                    part,
                };
                match &pending.change {
                    Change::Write { offset, data } => {
                        all.extend(cuts(*offset, data.len(), length).map(piece));
                    }
                    Change::Truncate { .. } => all.push(piece(0..0)),
                }
            }
        }
        all.sort_by_key(|piece| piece.event);
        all
    }

    /// Bytes that share a sector with some that were being written.
    fn spoilt(&self, chance: &mut Chance) -> Vec<(usize, Range<usize>, u64)> {
        let mut spoilt = Vec::new();
        for (file, found) in self.files.iter().enumerate() {
            for pending in &found.pending {
                let Change::Write { offset, data } = &pending.change else {
                    continue;
                };
                let end = offset + data.len();
                for beside in [
                    offset / SECTOR * SECTOR..*offset,
                    end..end.next_multiple_of(SECTOR),
                ] {
                    if !beside.is_empty() && chance.coin() {
                        spoilt.push((file, beside, chance.bits()));
                    }
                }
            }
        }
        spoilt
    }

    /// The files as they are after a choice.
    pub fn image(&self, choice: &Choice) -> Image {
        let mut files: Vec<_> = self.files.iter().map(|file| file.durable.clone()).collect();
        for piece in &choice.pieces {
            let content = &mut files[piece.file];
            match &self.files[piece.file].pending[piece.index].change {
                Change::Write { offset, data } => {
                    let part = piece.part.clone();
                    put(content, offset + part.start, &data[part]);
                }
                Change::Truncate { length } => content.resize(*length, 0),
            }
        }
        for (file, range, seed) in &choice.spoilt {
            let mut chance = Chance::new(*seed);
            let content = &mut files[*file];
            let range = range.start.min(content.len())..range.end.min(content.len());
            for byte in &mut content[range] {
                *byte = chance.bits().to_le_bytes()[0];
            }
        }
        let names = choice.names.iter();
        names
            .map(|(name, file)| (*name, std::mem::take(&mut files[*file])))
            .collect()
    }
}

impl Default for Remains {
    fn default() -> Self {
        Self::new()
    }
}

impl Choice {
    /// The same for two choices that leave the same.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

impl File {
    fn sync(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        self.version += 1;
        if !self.pending.iter().any(|change| change.forsaken) {
            self.pending.clear();
            self.durable.clone_from(&self.current);
            return;
        }
        // Only what was written since the sync that failed is on its way to the disk; but always
        // in whole pages, with whatever else stands there by now.
        let pending = std::mem::take(&mut self.pending);
        let (forsaken, fresh): (Vec<_>, Vec<_>) =
            pending.into_iter().partition(|change| change.forsaken);
        let mut covered = Vec::new();
        for change in fresh {
            match change.change {
                Change::Write { offset, data } => {
                    let end = (offset + data.len()).next_multiple_of(PAGE);
                    let pages = offset / PAGE * PAGE..end.min(self.current.len());
                    put(&mut self.durable, pages.start, &self.current[pages.clone()]);
                    covered.push(pages);
                }
                Change::Truncate { length } => self.durable.resize(length, 0),
            }
        }
        self.pending = forsaken;
        self.pending.retain(|change| match &change.change {
            Change::Write { offset, data } => !covered
                .iter()
                .any(|pages| pages.start < offset + data.len() && *offset < pages.end),
            Change::Truncate { .. } => false,
        });
    }
}

/// The parts of a write at `offset`, cut at multiples of `length` of the file.
fn cuts(offset: usize, size: usize, length: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= size {
            return None;
        }
        let next = if length == usize::MAX {
            size
        } else {
            ((offset + start) / length + 1) * length - offset
        };
        let part = start..next.min(size);
        start = part.end;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(offset: usize, data: &[u8]) -> Event {
        Event::Write {
            file: 0,
            offset,
            data: Arc::from(data),
        }
    }

    fn database(remains: &Remains, outcome: Outcome) -> Vec<u8> {
        let choice = remains.choose(outcome, Neighbours::Safe);
        remains.image(&choice).remove(&FileName::Database).unwrap()
    }

    const SYNC: Event = Event::Sync {
        file: 0,
        names: false,
    };

    #[test]
    fn what_was_synced_always_survives_and_what_was_not_sometimes() {
        let remains = Remains::after(&[write(0, b"old!"), SYNC, write(2, b"new")]);
        assert_eq!(database(&remains, Outcome::Nothing), b"old!");
        assert_eq!(database(&remains, Outcome::All), b"olnew");
        let all: Vec<_> = (0..64)
            .map(|seed| database(&remains, Outcome::Some(seed)))
            .collect();
        assert!(all.contains(&b"old!".to_vec()) && all.contains(&b"olnew".to_vec()));
        assert_eq!(
            all.iter().filter(|found| found.starts_with(b"ol")).count(),
            64
        );
    }

    #[test]
    fn writes_are_torn_between_sectors_and_reach_the_disk_in_any_order() {
        let remains = Remains::after(&[write(0, &[1; 1024]), write(1024, &[2; 512])]);
        let found: std::collections::BTreeSet<_> = (0..512)
            .map(|seed| database(&remains, Outcome::Some(seed)))
            .collect();
        let late_without_early = |content: &Vec<u8>| {
            content.len() == 1536 && content[..1024] == [0; 1024] && content[1024] == 2
        };
        assert!(found.iter().any(late_without_early));
        assert!(found.iter().any(|content| content.len() == 512));
        assert!(
            found
                .iter()
                .all(|content| content.len().is_multiple_of(512))
        );
    }

    #[test]
    fn a_sync_does_not_make_up_for_one_that_failed() {
        let failed = Event::SyncFailed { file: 0 };
        let events = [write(0, b"a"), failed, write(8192, b"b"), SYNC];
        let mut remains = Remains::after(&events);
        let survivor = database(&remains, Outcome::Nothing);
        assert_eq!((survivor[0], survivor[8192]), (0, b'b'));
        assert_eq!(database(&remains, Outcome::All)[0], b'a');
        // Written once more, it is.
        remains.follow(&write(0, b"c"));
        remains.follow(&SYNC);
        assert_eq!(database(&remains, Outcome::Nothing)[0], b'c');
    }

    #[test]
    fn a_name_is_durable_with_its_directory() {
        let create = Event::Create {
            name: FileName::Log,
            file: 1,
        };
        let mut remains = Remains::after(&[create]);
        let names = |remains: &Remains, outcome| {
            let choice = remains.choose(outcome, Neighbours::Safe);
            remains.image(&choice).len()
        };
        assert_eq!(names(&remains, Outcome::Nothing), 1);
        assert_eq!(names(&remains, Outcome::All), 2);
        remains.follow(&Event::Sync {
            file: 1,
            names: true,
        });
        assert_eq!(names(&remains, Outcome::Nothing), 2);
    }
}
