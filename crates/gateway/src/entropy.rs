//! Ids and the randomness of backoffs: the one source of chance.

use std::sync::{Mutex, PoisonError};

use uuid::{Builder, Uuid};
use workflow_types::Timestamp;
use workflow_types::id::{ExecutionId, GateId};

/// Makes version 7 ids from the clock's time and chance.
#[derive(Debug)]
pub(crate) struct Entropy {
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Drawn from the system a few at a time: to ask it costs more than to make an id, and each step
    /// makes one, for the gate that it may have.
    System(Mutex<Vec<u64>>),
    /// Tests repeat exactly: a counter spread over the bits by `SplitMix64`.
    Seeded(Mutex<u64>),
}

impl Entropy {
    pub(crate) fn system() -> Self {
        Self {
            source: Source::System(Mutex::default()),
        }
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            source: Source::Seeded(Mutex::new(seed)),
        }
    }

    pub(crate) fn execution_id(&self, now: Timestamp) -> ExecutionId {
        ExecutionId::new(self.uuid(now))
    }

    pub(crate) fn gate_id(&self, now: Timestamp) -> GateId {
        GateId::new(self.uuid(now))
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn spread(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let number = (self.bits() >> 11) as f64;
        number / 9_007_199_254_740_992.0
    }

    fn uuid(&self, now: Timestamp) -> Uuid {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.bits().to_le_bytes());
        bytes[8..].copy_from_slice(&self.bits().to_le_bytes()[..2]);
        let ms = u64::try_from(now.as_millis()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(ms, &bytes).into_uuid()
    }

    fn bits(&self) -> u64 {
        match &self.source {
            Source::System(drawn) => {
                let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
                if drawn.is_empty() {
                    drawn.extend(draw());
                }
                drawn.pop().unwrap_or_default()
            }
            Source::Seeded(counter) => {
                let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
                *counter = counter.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mut z = *counter;
                z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                z ^ (z >> 31)
            }
        }
    }
}

/// Numbers from the system.
fn draw() -> Vec<u64> {
    let mut bytes = [0_u8; 256];
    if let Err(error) = getrandom::fill(&mut bytes) {
        // An id that another execution has is refused by the database; but a system without
        // randomness must not be run on in silence.
        tracing::error!(%error, "the system gives no randomness");
    }
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().copied().map(u64::from_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_order_by_time_and_differ_within_one_instant() {
        let entropy = Entropy::seeded(7);
        let at = |ms| Timestamp::from_millis(ms).unwrap();
        let (a, b) = (
            entropy.execution_id(at(1_000)),
            entropy.execution_id(at(1_000)),
        );
        assert_ne!(a, b);
        assert!(entropy.execution_id(at(1_001)) > a.max(b));
        assert!((0.0..1.0).contains(&entropy.spread()));
    }

    #[test]
    fn the_system_is_drawn_from_again_when_what_was_drawn_is_used_up() {
        let entropy = Entropy::system();
        let at = Timestamp::EPOCH;
        let ids: std::collections::BTreeSet<_> = (0..200).map(|_| entropy.gate_id(at)).collect();
        assert_eq!(ids.len(), 200);
    }
}
