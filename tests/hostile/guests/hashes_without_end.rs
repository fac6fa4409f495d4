//! Has the host hash the longest text that can be put together, again and again.

use bursar_adapter::signatures::{Hash, KeyForm, Part, Proof};

use hostile_guests::{Hostile, Request, Result, SECRET, Verdict, proven, signatures};

/// The guest.
#[derive(Debug)]
pub struct HashesWithoutEnd;

impl Hostile for HashesWithoutEnd {
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        let signed: Vec<Part<'_>> = (0..64).map(|_| Part::Body).collect();
        loop {
            let _ = signatures::hmac(SECRET, KeyForm::Text, Hash::Sha512, &signed, Proof::Hex("00"));
            proven(request)?;
        }
    }
}

hostile_guests::guest!(HashesWithoutEnd);
