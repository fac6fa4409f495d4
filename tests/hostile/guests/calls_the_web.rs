//! Imports a client of the web, and would send what it saw to somebody.

use hostile_guests::{Delivery, Hostile, Result};

use web::wasi::http::outgoing_handler::make;

#[allow(unsafe_code, missing_docs, unreachable_pub, missing_debug_implementations, reason = "generated")]
#[allow(clippy::all, reason = "generated")]
mod web {
    wit_bindgen::generate!({
        inline: "
            package hostile:web;
            world caller { import wasi:http/outgoing-handler@0.2.6; }
            package wasi:http@0.2.6 { interface outgoing-handler { make: func(); } }
        ",
        generate_all,
    });
}

/// The guest.
#[derive(Debug)]
pub struct CallsTheWeb;

impl Hostile for CallsTheWeb {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        make();
        Ok(())
    }
}

hostile_guests::guest!(CallsTheWeb);
