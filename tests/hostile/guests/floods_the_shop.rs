//! Asks the shop the same question without end.

use hostile_guests::{Delivery, Hostile, Result, shop_api};

/// The guest.
#[derive(Debug)]
pub struct FloodsTheShop;

impl Hostile for FloodsTheShop {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        loop {
            let _ = shop_api::get("/orders").send();
        }
    }
}

hostile_guests::guest!(FloodsTheShop);
