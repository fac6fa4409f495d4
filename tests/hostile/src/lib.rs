//! What hostile guests have in common: they are adapters like any other but for the one thing that they do wrong.
//!
//! Owns what an honest adapter would do in the places in which a guest is honest. Never does anything hostile itself, so that
//! what a guest does stands in its own file.

use std::hint::black_box;
use std::marker::PhantomData;

pub use bursar_adapter::{
    Adapter, Delivery, Description, Problem, Request, Result, Verdict, catalog, lms_read, lms_write, log, orders,
    schemes, settings, shop_api, signatures,
};

/// The name of the shop's one secret.
pub const SECRET: &str = "webhook";

/// Holds the hexadecimal HMAC-SHA256 of the body.
pub const SIGNATURE: &str = "x-signature";

/// WASI, as a language's runtime would call it.
#[allow(unsafe_code, missing_docs, unreachable_pub, missing_debug_implementations, reason = "generated")]
#[allow(clippy::all, reason = "generated")]
pub mod wasi {
    wit_bindgen::generate!({
        path: [
            "../../host/sandbox/tests/guests/adapter-everything/wit/deps/io",
            "../../host/sandbox/tests/guests/adapter-everything/wit/deps/cli",
            "../../host/sandbox/tests/guests/adapter-everything/wit/deps/clocks",
            "../../host/sandbox/tests/guests/adapter-everything/wit/deps/filesystem",
            "../../host/sandbox/tests/guests/adapter-everything/wit/deps/random",
        ],
        inline: "
            package hostile:guests;
            world runtime {
                import wasi:cli/environment@0.2.6;
                import wasi:cli/exit@0.2.6;
                import wasi:cli/stdin@0.2.6;
                import wasi:cli/stdout@0.2.6;
                import wasi:clocks/monotonic-clock@0.2.6;
                import wasi:clocks/wall-clock@0.2.6;
                import wasi:filesystem/preopens@0.2.6;
                import wasi:random/random@0.2.6;
            }
        ",
        generate_all,
    });
    pub use self::wasi::*;
}

/// A guest. Where it says nothing it is honest.
pub trait Hostile {
    /// What it says of itself.
    #[must_use]
    fn describe(name: &str) -> Description {
        described(name)
    }

    /// What it makes of a request.
    ///
    /// # Errors
    /// As it likes.
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        proven(request)
    }

    /// What it makes of a delivery.
    ///
    /// # Errors
    /// As it likes.
    fn handle(_: &Delivery<'_>) -> Result<()> {
        Ok(())
    }
}

/// Makes an adapter of a type. It is called as its file is.
#[macro_export]
macro_rules! guest {
    ($guest:ty) => {
        /// How the guest is called: in its description, and in the table of all guests.
        #[derive(Debug)]
        struct Name;
        impl $crate::Named for Name {
            const NAME: &'static str = env!("CARGO_CRATE_NAME");
        }
        bursar_adapter::export!($crate::Guest<$guest, Name>);
    };
}

/// The name of a guest's file.
pub trait Named {
    /// With `_` in place of `-`.
    const NAME: &'static str;
}

/// A guest as an adapter.
#[derive(Debug)]
pub struct Guest<H, N>(PhantomData<(H, N)>);

impl<H: Hostile, N: Named> Adapter for Guest<H, N> {
    fn describe() -> Description {
        H::describe(&N::NAME.replace('_', "-"))
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        H::authenticate(request)
    }

    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        H::handle(delivery)
    }
}

/// An honest description.
#[must_use]
pub fn described(name: &str) -> Description {
    Description::new(name, env!("CARGO_PKG_VERSION")).topic("attempt", "nothing good").secret(SECRET, "signs requests")
}

/// An honest judgement.
///
/// # Errors
/// When the request is not the shop's.
pub fn proven(request: &Request<'_>) -> Result<Verdict> {
    schemes::body_hex(request, SIGNATURE, SECRET)?;
    Ok(Verdict::accept("attempt"))
}

/// Computes without end.
pub fn spin() -> ! {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Says what an attempt came to, to whoever reads the table: a guest that got through says so with a problem of its own.
///
/// # Errors
/// When it got through.
pub fn tried(delivery: &Delivery<'_>, got: &[String]) -> Result<()> {
    if got.is_empty() {
        delivery.ignored("nothing was gained");
        return Ok(());
    }
    Err(Problem::rejected("got-through", got.join("; ")))
}
