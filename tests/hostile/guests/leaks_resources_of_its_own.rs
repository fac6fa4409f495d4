//! Makes resources of its own without end, each of which the host must keep in mind. No call of the host makes them.

use hostile_guests::{Delivery, Hostile, Result};
use std::mem::forget;

use things::exports::hostile::things::things::{Guest, GuestThing, Thing};

#[allow(unsafe_code, missing_docs, unreachable_pub, missing_debug_implementations, reason = "generated")]
#[allow(clippy::all, reason = "generated")]
mod things {
    wit_bindgen::generate!({
        inline: "
            package hostile:things;
            interface things { resource thing; }
            world keeper { export things; }
        ",
    });
}

struct Keeper;

struct Nothing;

impl GuestThing for Nothing {}

impl Guest for Keeper {
    type Thing = Nothing;
}

things::export!(Keeper with_types_in things);

/// The guest.
#[derive(Debug)]
pub struct LeaksResourcesOfItsOwn;

impl Hostile for LeaksResourcesOfItsOwn {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        loop {
            forget(Thing::new(Nothing));
        }
    }
}

hostile_guests::guest!(LeaksResourcesOfItsOwn);
