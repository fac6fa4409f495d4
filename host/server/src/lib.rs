//! The binary `bursar` as a library: configuration, commands, output for people, the two listeners, and the workers behind
//! them.
//!
//! Owns everything an operator sees and types, and the putting together of the other crates. The rules are
//! `bursar-domain`'s; nothing here decides who gets what.

pub mod adapters;
pub mod admin;
pub mod bell;
pub mod cli;
pub mod config;
pub mod dispatcher;
pub mod fulfillment;
pub mod gateway;
mod key_sets;
mod lms_reader;
pub mod logging;
pub mod notices;
pub mod output;
pub mod serve;
mod shop_api;
pub mod shops;
pub mod webhook;
