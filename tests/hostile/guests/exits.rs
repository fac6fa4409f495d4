//! Ends the process, as it thinks.

use hostile_guests::{Delivery, Hostile, Result, wasi::cli::exit};

/// The guest.
#[derive(Debug)]
pub struct Exits;

impl Hostile for Exits {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        exit::exit(Err(()));
        Ok(())
    }
}

hostile_guests::guest!(Exits);
