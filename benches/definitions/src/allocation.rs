//! Counts what is allocated: in all, and at most at one time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static TOTAL: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn added(bytes: usize) {
    TOTAL.fetch_add(bytes, Relaxed);
    PEAK.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged; only numbers are kept beside it.
// `realloc` has its provided form, which allocates, copies and frees: a copy counts as one.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        added(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Bytes that some work has allocated.
#[derive(Clone, Copy)]
pub struct Allocated {
    /// In all.
    pub total: usize,
    /// At most at one time, beyond what was there before.
    pub peak: usize,
}

/// What `work` allocates, its result included.
pub fn during<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    let (now, total) = (NOW.load(Relaxed), TOTAL.load(Relaxed));
    PEAK.store(now, Relaxed);
    let result = work();
    let allocated = Allocated {
        total: TOTAL.load(Relaxed) - total,
        peak: PEAK.load(Relaxed) - now,
    };
    (result, allocated)
}
