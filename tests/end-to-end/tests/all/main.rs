//! The whole of Bursar from the outside: webhooks in, enrollments out, and everything that may go wrong between.
//!
//! One binary, so that tests run side by side: most of them wait most of the time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod accounts;
mod adapters;
mod admin;
mod bad_requests;
mod cases;
mod commands;
mod configuration;
mod crashes;
mod fixtures;
mod forged;
mod life;
mod lms_calls;
mod lms_trouble;
mod people;
mod platforms;
mod purchases;
mod recorded;
mod renewed;
mod scripted;
mod sequences;
mod stopping;
