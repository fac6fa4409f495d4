//! The kit for writing Bursar adapters in Rust.
//!
//! An adapter is one type that implements [`Adapter`] and one line that exports it:
//!
//! ```
//! use bursar_adapter::orders::{self, Payment};
//! use bursar_adapter::{Adapter, Delivery, Description, Request, Result, Verdict, schemes};
//!
//! #[derive(serde::Deserialize)]
//! struct Sale {
//!     number: u64,
//!     changed: u64,
//!     learner: String,
//!     course: String,
//! }
//!
//! struct Example;
//!
//! impl Adapter for Example {
//!     fn describe() -> Description {
//!         Description::new("example", "1.0.0").secret("webhook", "the secret of the webhook form")
//!     }
//!
//!     fn authenticate(request: &Request<'_>) -> Result<Verdict> {
//!         schemes::body_hex(request, "x-example-signature", "webhook")?;
//!         Ok(Verdict::accept("sale").about(request.json::<Sale>()?.number))
//!     }
//!
//!     fn handle(delivery: &Delivery<'_>) -> Result<()> {
//!         let sale: Sale = delivery.request().json()?;
//!         let order = orders::snapshot(sale.number, &[sale.changed]);
//!         order.payment(Payment::Paid).learner_email(&sale.learner)?;
//!         order.line("1").product([("sku", sale.course)], "A course");
//!         Ok(())
//!     }
//! }
//!
//! bursar_adapter::export!(Example);
//! ```
//!
//! [`shop_api`], [`lms_read`] and [`lms_write`] need a permission each: an adapter that calls a function of them imports the interface, and
//! is run only where the shop grants it. One that calls none imports none of them.
//!
//! Compiled to wasm, the kit talks to the host through the interfaces of `bursar:adapter`, and a panic is logged with its
//! message and place before the instance ends. Compiled natively it talks to the fake host in [`testing`], so an adapter's
//! rules are tested with plain `cargo test`.
//!
//! The kit must never hold a rule of its own about orders: what is said here is said by the adapter.

mod adapter;
pub mod catalog;
mod delivery;
mod description;
pub mod field;
pub mod lms_read;
pub mod lms_write;
pub mod log;
pub mod loose;
pub mod moment;
pub mod money;
pub mod orders;
mod problem;
mod request;
pub mod schemes;
pub mod settings;
pub mod shop_api;
pub mod signatures;
mod verdict;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod component;
#[cfg(all(target_family = "wasm", feature = "heap"))]
mod heap;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

/// The host as this build knows it: the imports of the component, or the fake with the same functions.
#[cfg(target_family = "wasm")]
use component::bindings::bursar::adapter as host;
#[cfg(not(target_family = "wasm"))]
use testing::host;

pub use adapter::Adapter;
pub use delivery::{Delivery, Origin};
pub use description::Description;
pub use problem::{Problem, Remedy, Result};
pub use request::Request;
pub use verdict::Verdict;

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
pub type Instant = u64;
