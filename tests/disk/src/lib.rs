//! Never shipped: a disk in memory below SQLite that loses its power, fills up and fails, and the
//! campaigns that hold a gateway to its promises on such a disk.
//!
//! The disk stands below Diesel without a change to what is shipped: it is SQLite's default file
//! system in a process of tests, and leaves every file alone but those of mounted databases.
#![deny(unsafe_code)]

mod campaign;
mod chance;
mod clock;
mod disk;
mod event;
mod facts;
mod fault;
mod figures;
mod life;
mod locks;
mod mount;
mod remains;
mod trouble;
mod vfs;
mod world;

pub use campaign::{Campaign, Places};
pub use disk::{Claim, Device, Disk, Image};
pub use event::{Effect, Event, FileName, Seen};
pub use facts::{Broken, Facts};
pub use fault::{Cause, Fault, Lasts, Operation};
pub use figures::Figures;
pub use mount::Slot;
pub use remains::{Choice, Neighbours, Outcome, Remains};
pub use trouble::{Operations, Trouble};
pub use world::{Work, Workflow};
