//! Never finishes making room for what the host hands over.

use std::alloc::{GlobalAlloc, Layout};

use hostile_guests::{Hostile, Request, Result, Verdict, proven, spin};

/// The guest.
#[derive(Debug)]
pub struct AllocatesWithoutEnd;

impl Hostile for AllocatesWithoutEnd {
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
        spin()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

hostile_guests::guest!(AllocatesWithoutEnd);
