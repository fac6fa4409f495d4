//! The sandbox: loads, checks, limits, links and runs adapters, WebAssembly components that each understand one commerce
//! platform.
//!
//! Owns everything that touches wasmtime, and the promise that an adapter can neither see, reach nor use up what it was
//! not given (`docs/sandbox.md`). Knows no HTTP server, no SQL and no LMS: what a run may look up comes through
//! [`Surroundings`], [`LmsReader`], [`ShopApi`] and [`KeySets`], and what it says goes back as plain data.
//!
//! # In short
//!
//! - [`inspect`] says what a file is without compiling or running it.
//! - [`Sandbox::new`] sets wasmtime up; [`Sandbox::load`] turns bytes into an [`Adapter`], which has described itself
//!   ([`Adapter::description`]).
//! - [`check_settings`] checks an operator's settings against [`Description::settings`] and fills in the defaults.
//! - [`ShopContext`] is what the operator configured for a shop, shared by [`Arc`](std::sync::Arc).
//! - [`Adapter::authenticate`] comes to a [`Decision`] about a request. [`redact`] blanks it for the inbox.
//! - [`Adapter::handle`] returns [`Statements`](bursar_domain::statement::Statements) or a [`Problem`].
//! - Either may end in a [`RunError`] instead: its [`class`](RunError::class) says whether the adapter or the host is at
//!   fault, its [`code`](RunErrorKind::code) how it ended. Logs and usage come along in any case.
//! - [`FailedCheck::diagnose`] looks for the usual mistakes behind a signature that did not match.
//!
//! Every call runs in a fresh instance on the caller's task and must be awaited on a tokio runtime with time enabled.
//! Dropping the future ends the run.

mod adapter;
mod compiler;
mod contract;
mod description;
mod engine;
mod error;
mod host;
mod inspect;
mod key_sets;
pub mod limits;
mod lms;
mod outcome;
#[doc(hidden)]
pub mod probe;
mod proof;
mod redact;
mod run;
mod settings;
mod shop;
mod shop_api;
mod text;
mod wasi;

pub use adapter::{Adapter, Sandbox, SandboxConfig, SandboxStatus};
pub use compiler::{CompilerProcess, compile_from_input};
pub use description::{Description, Document, Named};
pub use error::{LoadError, LoadErrorClass, LoadErrorKind, RunError, RunErrorClass, RunErrorKind, SandboxError};
pub use inspect::{ADAPTER, Inspection, LINE, PACKAGE, VERSION, inspect};
pub use key_sets::{FixedKeySets, KeySets, KeysFault};
pub use limits::{Limit, Limits};
pub use lms::{LmsAccount, LmsEnrollment, LmsReader};
pub use outcome::{Answer, Authenticated, Decision, Handled, LogLevel, LogLine, Logs, Problem, Remedy, Usage};
pub use proof::{FailedCheck, KeysProblem, PublicKeys};
pub use redact::{BLANK, redact};
pub use settings::{Kind, Property, SettingsProblem, SettingsSchema, check_settings};
pub use shop::{DeliveryInput, HostFault, KnownLine, Origin, Permission, ShopContext, Surroundings};
pub use shop_api::{ShopAnswer, ShopApi, ShopBody, ShopCall, ShopFault, ShopMethod};
