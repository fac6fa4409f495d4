//! Imports sockets, and would call somebody with what it saw.

use hostile_guests::{Delivery, Hostile, Result};

use sockets::wasi::sockets::tcp_create_socket::make;

#[allow(unsafe_code, missing_docs, unreachable_pub, missing_debug_implementations, reason = "generated")]
#[allow(clippy::all, reason = "generated")]
mod sockets {
    wit_bindgen::generate!({
        inline: "
            package hostile:sockets;
            world caller { import wasi:sockets/tcp-create-socket@0.2.6; }
            package wasi:sockets@0.2.6 { interface tcp-create-socket { make: func(); } }
        ",
        generate_all,
    });
}

/// The guest.
#[derive(Debug)]
pub struct OpensSockets;

impl Hostile for OpensSockets {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        make();
        Ok(())
    }
}

hostile_guests::guest!(OpensSockets);
