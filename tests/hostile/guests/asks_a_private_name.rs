//! Asks a shop whose name leads to a private address.

use hostile_guests::{Delivery, Hostile, Result, shop_api};

/// The guest.
#[derive(Debug)]
pub struct AsksAPrivateName;

impl Hostile for AsksAPrivateName {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        shop_api::get("/").send()?;
        Ok(())
    }
}

hostile_guests::guest!(AsksAPrivateName);
