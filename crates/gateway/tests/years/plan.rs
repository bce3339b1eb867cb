//! When a process dies.

/// The transaction at which a process dies, counted from one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    pub(crate) transaction: usize,
    pub(crate) side: Side,
}

/// Whether the transaction at which a process dies is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}
