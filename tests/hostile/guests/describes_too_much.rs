//! Names more secrets than anybody could give.

use hostile_guests::{Description, Hostile, described};

/// The guest.
#[derive(Debug)]
pub struct DescribesTooMuch;

impl Hostile for DescribesTooMuch {
    fn describe(name: &str) -> Description {
        (0..1_000).fold(described(name), |description, number| description.secret(&format!("secret-{number}"), "more"))
    }
}

hostile_guests::guest!(DescribesTooMuch);
