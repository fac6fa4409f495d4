//! Guesses the shop's secret, one after the other.

use hostile_guests::{Hostile, Request, Result, SECRET, Verdict, proven, signatures};

/// The guest.
#[derive(Debug)]
pub struct GuessesTheSecret;

impl Hostile for GuessesTheSecret {
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        for guess in 0..u32::MAX {
            if signatures::shared_key(SECRET, format!("secret-{guess}").as_bytes()).is_ok() {
                break;
            }
        }
        proven(request)
    }
}

hostile_guests::guest!(GuessesTheSecret);
