//! The functions that a component imports, with the same names and shapes, over a test's [`Run`](super::Run).

#![allow(missing_docs, unreachable_pub, reason = "names and shapes are those of the generated bindings")]

pub mod catalog;
pub mod incoming;
pub mod lms_read;
pub mod lms_write;
pub mod logging;
pub mod orders;
pub mod settings;
pub mod shop;
pub mod signatures;
pub mod types;
