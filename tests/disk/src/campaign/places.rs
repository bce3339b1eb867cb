//! Where a record is cut, and where it may have made another state of what is stored.

use crate::chance::Chance;
use crate::event::Event;

/// Where the power is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// After every event.
    All,
    /// At so many places: a third of them where the log has just begun anew, a third where something
    /// other than the log is changed.
    Spread(usize),
    /// At so many places where the log has just begun anew.
    LogBegins(usize),
}

impl Places {
    /// The places in a record, in their order.
    pub(super) fn of(self, events: &[Event], seed: u64) -> Vec<usize> {
        let all: Vec<usize> = (0..=events.len()).collect();
        let (mut anew, mut unusual) = (Vec::new(), Vec::new());
        let mut left = 0_usize;
        for (event, place) in events.iter().zip(1..) {
            match manner(event) {
                Manner::BeginsLog => left = NEAR,
                Manner::Unusual => unusual.push(place),
                Manner::Usual => {}
            }
            if left > 0 {
                anew.push(place);
                left -= 1;
            }
        }
        let (most, kinds) = match self {
            Self::All => return all,
            Self::Spread(most) if most >= all.len() => return all,
            Self::Spread(most) => (most.div_ceil(3), vec![all, anew, unusual]),
            Self::LogBegins(most) => (most, vec![anew]),
        };
        let mut places = Vec::new();
        for some in kinds {
            let chosen = spread(some.len(), most, seed);
            places.extend(chosen.into_iter().map(|index| some[index]));
        }
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// At most so many of a number of things, spread over all of them.
pub(crate) fn spread(count: usize, most: usize, seed: u64) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    let mut chance = Chance::new(seed);
    let part = |index| {
        let (from, to) = (index * count / most, (index + 1) * count / most);
        from + chance.below(to - from)
    };
    (0..most).map(part).collect()
}

/// Events after the log has begun anew that are looked at more closely.
const NEAR: usize = 300;
/// The length of the header of a log, and of the header of one of its frames.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What an event is to the log.
enum Manner {
    /// The log begins, or begins anew.
    BeginsLog,
    /// Something else is changed.
    Unusual,
    /// It grows, or the disk is not changed.
    Usual,
}

fn manner(event: &Event) -> Manner {
    match event {
        Event::Write { data, .. } if data.len() == LOG_HEADER => Manner::BeginsLog,
        Event::Write { file: 0, .. }
        | Event::Sync { file: 0, .. }
        | Event::Create { .. }
        | Event::Delete { .. }
        | Event::Truncate { .. }
        | Event::SyncFailed { .. } => Manner::Unusual,
        Event::Write { .. } | Event::Sync { .. } | Event::Seen(_) => Manner::Usual,
    }
}

/// What is being written to the log: only the page behind the header of a commit's last frame makes
/// another state of what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// There is no log yet.
    None,
    Middle,
    Last,
}

impl Frame {
    pub(super) fn may_commit(&mut self, event: &Event) -> bool {
        match event {
            Event::Seen(_) | Event::Sync { .. } | Event::SyncFailed { .. } => false,
            Event::Create { .. } | Event::Delete { .. } | Event::Truncate { .. } => true,
            Event::Write { data, .. } if data.len() == FRAME_HEADER => {
                let is_last = data[4..8] != [0; 4];
                *self = if is_last { Self::Last } else { Self::Middle };
                false
            }
            Event::Write { .. } => {
                let may = *self != Self::Middle;
                if *self == Self::Last {
                    *self = Self::Middle;
                }
                may
            }
        }
    }
}
