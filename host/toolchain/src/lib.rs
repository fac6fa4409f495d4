//! From nothing to an adapter: a new project's folder, and the way from its source to a component's file.
//!
//! Owns the authors' side of adapters: templates, what is known of each language's tools, and what is written into a
//! component about itself. Never runs a component, and lets none out that imports what the contract does not have.
//!
//! # In short
//!
//! - [`template::write`] makes a folder that builds.
//! - [`Project::read`] says what a folder holds, by its manifest.
//! - [`build::build`] makes `dist/NAME.wasm` of it.
//! - [`component::Identity`] is what a component says that it is, without running it.

pub mod build;
pub mod command;
pub mod component;
pub mod contract;
mod error;
mod project;
pub mod template;

pub use error::{Error, Result};
pub use project::{Language, Project};
