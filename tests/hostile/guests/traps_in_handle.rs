//! Runs into an instruction that ends it.

use hostile_guests::{Delivery, Hostile, Result};

/// The guest.
#[derive(Debug)]
pub struct TrapsInHandle;

impl Hostile for TrapsInHandle {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        std::arch::wasm32::unreachable()
    }
}

hostile_guests::guest!(TrapsInHandle);
