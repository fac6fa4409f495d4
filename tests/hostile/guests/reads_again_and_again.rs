//! Has the host hand over the same body again and again.

use std::hint::black_box;

// Without the kit, which asks the host for a body once.
use bursar_adapter::component::bindings::{
    bursar::adapter::{
        incoming::{Delivery, Description, Request, Verdict},
        signatures::{Hash, KeyForm, Part, Proof, hmac},
        types::Problem,
    },
    export_adapter,
    exports::bursar::adapter::adapter::Guest,
};
use hostile_guests::{SECRET, SIGNATURE};

/// The guest.
#[derive(Debug)]
pub struct ReadsAgainAndAgain;

impl Guest for ReadsAgainAndAgain {
    fn describe() -> Description {
        let description = Description::new("reads-again-and-again", env!("CARGO_PKG_VERSION"));
        description.secret(SECRET, "signs requests");
        description
    }

    fn authenticate(request: &Request) -> Result<Verdict, Problem> {
        let proof = request.header(SIGNATURE)?;
        hmac(SECRET, KeyForm::Text, Hash::Sha256, &[Part::Body], Proof::Hex(&proof))?;
        Ok(Verdict::accept("attempt"))
    }

    fn handle(delivery: &Delivery) -> Result<(), Problem> {
        loop {
            black_box(delivery.request().body());
        }
    }
}

export_adapter!(ReadsAgainAndAgain with_types_in bursar_adapter::component::bindings);
