//! Bursar's adapter for a Django Oscar `ecommerce` service that goes on selling while Bursar takes fulfilment over.
//!
//! Oscar sends no webhooks: it calls the enrollment API of the LMS. A rule of the site's proxy brings those calls here, and they are
//! answered as the LMS would. What cannot be brought into the ledger is refused at the door, because Oscar takes 200 for
//! *the learner has it*, and anything else for an error that it tries again and shows (fact 5). Its world is `minimal`. The
//! facts that it rests on are numbered in `docs/shops/oscar.md`.
//!
//! | call | statement | holds |
//! |---|---|---|
//! | `is_active: true` | patch of the order: the course run is a line, paid | |
//! | `is_active: false` | patch of the order that sold it | the line: *refunded* |
//! | of credit, of an entitlement, any other | refused | |
//!
//! Nothing is ever lifted: a line that is fulfilled again after it was revoked stays held, and a person is asked.
//!
//! # Which order is revoked
//!
//! The call that revokes names learner, course run and mode, and no order (fact 4). So every sale is noted a second time, under
//! the learner: see `seats`.
//!
//! # Revision
//!
//! `[0]`, always: no call takes back what another said, so none has to be newer.

mod call;
mod gate;
mod seats;
mod statement;
#[cfg(test)]
mod tests;

use bursar_adapter::{Adapter, Delivery, Description, Request, Result, Verdict};

use call::{Body, Call};

/// Of every statement.
const REVISION: [u64; 1] = [0];

/// Headers that say who learns where, and that no rule needs.
const PERSONAL: [&str; 4] = ["x-forwarded-for", "x-real-ip", "forwarded", "x-edx-ga-client-id"];

/// The adapter.
#[derive(Debug)]
pub struct Oscar;

impl Adapter for Oscar {
    fn describe() -> Description {
        let description = Description::new("oscar", env!("CARGO_PKG_VERSION"))
            .topic(gate::ENROLL, "a seat was sold")
            .topic(gate::REVOKE, "the money for a seat went back")
            .secret(gate::SECRET, "`EDX_API_KEY` of the ecommerce service")
            .redact_header(gate::HEADER);
        PERSONAL.into_iter().fold(description, Description::redact_header)
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        gate::authenticate(request)
    }

    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let body: Body<'_> = delivery.request().json()?;
        match Call::read(&body)? {
            Call::Enroll(sale) => statement::enroll(&sale),
            Call::Revoke(seat) => {
                statement::revoke(&seat, delivery);
                Ok(())
            }
        }
    }
}

bursar_adapter::export!(Oscar);
