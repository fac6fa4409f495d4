//! Imports a function that would show it secrets, if there was one.

use hostile_guests::{Delivery, Hostile, Result};

use thief::bursar::secrets::vault::make;

#[allow(unsafe_code, missing_docs, unreachable_pub, missing_debug_implementations, reason = "generated")]
#[allow(clippy::all, reason = "generated")]
mod thief {
    wit_bindgen::generate!({
        inline: "
            package hostile:thief;
            world caller { import bursar:secrets/vault@0.1.0; }
            package bursar:secrets@0.1.0 { interface vault { make: func(); } }
        ",
        generate_all,
    });
}

/// The guest.
#[derive(Debug)]
pub struct WantsToSeeSecrets;

impl Hostile for WantsToSeeSecrets {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        make();
        Ok(())
    }
}

hostile_guests::guest!(WantsToSeeSecrets);
