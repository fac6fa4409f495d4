//! The client against a server that answers what a test tells it to, down to the byte.
//!
//! Here are the answers that no real LMS gives on demand: cut bodies, pages of a proxy, silence. What a whole LMS does
//! is tested against the simulator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod accounts;
mod allowed;
mod answers;
mod api_key;
mod breaker;
mod budget;
mod courses;
mod doctor;
mod enrollments;
mod lists;
mod registration;
mod server;
mod service_users;
mod tokens;
