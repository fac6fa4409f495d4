//! The binary `bursar` as a library: configuration, commands, output for people.
//!
//! Owns everything an operator sees and types. The rules are `bursar-domain`'s; nothing here decides who gets what.

pub mod cli;
pub mod config;
pub mod logging;
pub mod output;
pub mod webhook;
