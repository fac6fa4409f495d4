//! The component's heap.
//!
//! Owns the memory that an instance begins with. Rust's own allocator asks for more memory with the first thing that it keeps; here
//! a call that keeps little never asks, and so the host changes no mapping for it (`docs/benchmarks.md`). What is kept beyond
//! that is asked for as always. Nothing here is for authors.
#![allow(unsafe_code, reason = "an allocator hands out memory")]

use core::alloc::Layout;
use core::arch::wasm32::memory_grow;
use core::mem::{self, MaybeUninit};

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

/// Bytes that an instance begins with: several times what an order of a few kilobytes takes.
const FIRST: usize = 64 << 10;

/// Bytes of a page of WebAssembly.
const PAGE: usize = 64 << 10;

/// Bytes that the allocator keeps for itself of what it is given, and more.
const BOOKKEEPING: usize = 64;

static mut FIRST_MEMORY: [MaybeUninit<u8>; FIRST] = [MaybeUninit::uninit(); FIRST];

#[global_allocator]
static HEAP: TalcSyncCell<FirstThenMore, WasmBinning> = TalcSyncCell::new_wasm(FirstThenMore { is_given: false });

/// Where the allocator has its memory from: the first, then more.
#[derive(Debug)]
struct FirstThenMore {
    is_given: bool,
}

// SAFETY: nothing is allocated here.
unsafe impl Source for FirstThenMore {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let (base, size) = if mem::replace(&mut talc.source.is_given, true) {
            let pages = (layout.size() + layout.align() + BOOKKEEPING).div_ceil(PAGE);
            let before = memory_grow::<0>(pages);
            if before == usize::MAX {
                return Err(());
            }
            ((before * PAGE) as *mut u8, pages * PAGE)
        } else {
            ((&raw mut FIRST_MEMORY).cast(), FIRST)
        };
        // SAFETY: the memory is nobody else's: the first is given once and has no other name, the rest has just come into being.
        unsafe { talc.claim(base, size) }.map(drop).ok_or(())
    }
}
