//! Names room outside of its memory for what the host hands over.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

use hostile_guests::{Hostile, Request, Result, Verdict, proven};

/// The guest.
#[derive(Debug)]
pub struct LiesAboutItsMemory;

impl Hostile for LiesAboutItsMemory {
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        ASKED.store(true, Ordering::Relaxed);
        proven(request)
    }
}

/// Is it asked something? Its description was honest.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Room, as the guest gives it.
#[derive(Debug)]
struct Room;

#[global_allocator]
static ROOM: Room = Room;

unsafe impl GlobalAlloc for Room {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Where a guest's memory ends at the latest.
        if ASKED.load(Ordering::Relaxed) { (usize::MAX - 15) as *mut u8 } else { unsafe { System.alloc(layout) } }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

hostile_guests::guest!(LiesAboutItsMemory);
