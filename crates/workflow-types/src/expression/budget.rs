//! How much work one evaluation may do, so that no data makes an expression run on.
//!
//! Knows nothing of values; whoever touches many of them asks first.

/// Steps of one evaluation: one for each part of the expression that is evaluated, each array
/// element that is looked at, and each [`TEXT_PER_STEP`] bytes of text that are read.
pub(crate) const MAX_STEPS: u64 = 4_000_000;
/// Bytes of text that one evaluation may make.
pub(crate) const MAX_TEXT: u64 = 4 * 1024 * 1024;
/// Arrays within arrays that are turned into text.
pub(super) const MAX_NESTING: u32 = 128;
/// Reading text is that much cheaper than evaluating.
const TEXT_PER_STEP: usize = 64;

/// Which bound was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exhausted {
    Steps,
    Text,
    Nesting,
}

/// What is left.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: u64,
    text: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: MAX_STEPS,
            text: MAX_TEXT,
        }
    }
}

impl Budget {
    pub(super) fn step(&mut self) -> Result<(), Exhausted> {
        self.steps(1)
    }

    pub(super) fn steps(&mut self, count: usize) -> Result<(), Exhausted> {
        take(&mut self.steps, count).ok_or(Exhausted::Steps)
    }

    /// To be asked before `bytes` of text are read.
    pub(super) fn read(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.steps(bytes / TEXT_PER_STEP)
    }

    /// To be asked before `bytes` of text are made.
    pub(super) fn make(&mut self, bytes: usize) -> Result<(), Exhausted> {
        take(&mut self.text, bytes).ok_or(Exhausted::Text)
    }
}

fn take(left: &mut u64, count: usize) -> Option<()> {
    *left = left.checked_sub(u64::try_from(count).ok()?)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_exactly_at_its_bound() {
        let mut budget = Budget { steps: 2, text: 3 };
        assert_eq!(budget.steps(2), Ok(()));
        assert_eq!(budget.step(), Err(Exhausted::Steps));
        assert_eq!(budget.make(4), Err(Exhausted::Text));
        assert_eq!(budget.make(3), Ok(()));
    }
}
