//! The real `bursar` as a process, with a real adapter, a simulated LMS and sockets between them: what the tests of this
//! crate run it in.
//!
//! Owns the harness only. It must never know how the server does anything: it speaks to it by its configuration, its command
//! line, HTTP and its log, and looks at its ledger only to read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

pub mod case;
pub mod hostile;
pub mod http;
pub mod ledger;
pub mod lms;
pub mod log;
pub mod places;
pub mod plan;
pub mod process;
pub mod recorded;
pub mod site;
pub mod wait;
pub mod woocommerce;
