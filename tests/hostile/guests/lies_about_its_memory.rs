//! Names room outside of its memory for what the host hands over.

use std::alloc::{GlobalAlloc, Layout};

use hostile_guests::{Hostile, Request, Result, Verdict, proven};

/// The guest.
#[derive(Debug)]
pub struct LiesAboutItsMemory;

impl Hostile for LiesAboutItsMemory {
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        proven(request)
    }
}

/// Room, as the guest gives it.
#[derive(Debug)]
struct Room;

#[global_allocator]
static ROOM: Room = Room;

unsafe impl GlobalAlloc for Room {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        // Where a guest's memory ends at the latest.
        (usize::MAX - 15) as *mut u8
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

hostile_guests::guest!(LiesAboutItsMemory);
