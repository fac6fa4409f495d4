//! The rules of Bursar as pure functions over plain data: what facts do to orders and lines, what lines owe, and what
//! to do next about an enrollment.
//!
//! No I/O, no clock of its own, no randomness but for making ids. Every other crate of the host may use this one; it
//! uses none of them.

pub mod brake;
pub mod decision;
pub mod effect;
pub mod fulfillment;
pub mod grants;
pub mod ids;
pub mod ledger;
pub mod names;
pub mod policy;
pub mod reason;
pub mod registration;
pub mod request;
pub mod retry;
pub mod statement;
pub mod time;
mod words;

pub use names::{AdapterName, CourseRun, Email, LmsName, Malformed, Mode, ShopName, Username};
pub use request::Request;
pub use time::{Clock, SystemClock, Timestamp};
