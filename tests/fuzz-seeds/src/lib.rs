//! What is fuzzed, as plain functions: bytes in, nothing out, and a panic where a promise is broken.
//!
//! Owns the promises. `fuzz/` feeds these functions what libFuzzer makes up, which needs a nightly toolchain; the tests here
//! replay the seeds and the found cases of `fuzz/seeds/` with any. They must never depend on anything but their bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target fails by panicking"
)]

mod component;
mod config;
mod fixtures;
mod hmac;
mod keys;
mod parts;
mod redact;
mod request;
mod schemes;
mod values;

pub use component::component;
pub use config::config;
pub use fixtures::fixtures;
pub use hmac::hmac;
pub use keys::keys;
pub use redact::redact;
pub use request::request;
pub use schemes::schemes;
pub use values::values;

pub use parts::SEPARATOR;

/// A target: what it is called, and what is done with the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its folder of seeds.
pub const TARGETS: [Target; 9] = [
    ("component", component),
    ("config", config),
    ("fixtures", fixtures),
    ("hmac", hmac),
    ("keys", keys),
    ("redact", redact),
    ("request", request),
    ("schemes", schemes),
    ("values", values),
];
