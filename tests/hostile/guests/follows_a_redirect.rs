//! Asks a shop that sends it on to a private address.

use hostile_guests::{Delivery, Hostile, Result, shop_api, tried};

/// The guest.
#[derive(Debug)]
pub struct FollowsARedirect;

impl Hostile for FollowsARedirect {
    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let answer = shop_api::get("/redirect").send()?;
        let gained = (answer.status() == 200).then(|| "the page behind the redirect".to_owned());
        tried(delivery, gained.as_slice())
    }
}

hostile_guests::guest!(FollowsARedirect);
