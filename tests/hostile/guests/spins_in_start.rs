//! Computes without end in what runs before any of its functions is called, but not yet when it is loaded: then no request has come, and
//! the clock stands at 0.

use hostile_guests::wasi::clocks::wall_clock;
use hostile_guests::{Hostile, spin};

/// What the component calls when it is made.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    if wall_clock::now().seconds > 0 {
        spin();
    }
}

/// The guest.
#[derive(Debug)]
pub struct SpinsInStart;

impl Hostile for SpinsInStart {}

hostile_guests::guest!(SpinsInStart);
