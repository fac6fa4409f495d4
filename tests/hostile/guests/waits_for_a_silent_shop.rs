//! Asks a shop that never answers, again and again.

use hostile_guests::{Delivery, Hostile, Result, shop_api};

/// The guest.
#[derive(Debug)]
pub struct WaitsForASilentShop;

impl Hostile for WaitsForASilentShop {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        loop {
            let _ = shop_api::get("/orders").send();
        }
    }
}

hostile_guests::guest!(WaitsForASilentShop);
