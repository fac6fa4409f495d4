//! Cases that read like stories, played against the real host.
//!
//! Owns the form of a case (`README.md` explains it), the playing of it, and the judging. Gateway, dispatcher, sandbox,
//! adapters, store, fulfillment, the client of the LMS and the commands are the real ones; the LMS is
//! `tests/openedx-simulator` behind a real socket. Only time is made up: it stands still while anything works and jumps to
//! the next moment at which something is due. It must never know how the host does anything.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "what this crate does is fail tests, and it says why in words"
)]

pub mod action;
pub mod case;
pub mod clock;
pub mod expectation;
pub mod host;
pub mod judge;
pub mod lms;
pub mod matrix;
pub mod order;
pub mod play;
pub mod shop;
pub mod words;

/// What went wrong, in words for whoever wrote the case.
pub type Result<T, E = String> = std::result::Result<T, E>;
