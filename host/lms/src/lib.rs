//! The Open edX LMS as typed calls: tokens, a budget of calls, and failures that say what to do next.
//!
//! Owns everything that knows an LMS's URL, status code or JSON key (`docs/lms.md` holds the facts; comments here cite
//! it where a rule is surprising). It decides nothing about who should have which course, keeps nothing but tokens,
//! budgets and whether the LMS is there, and knows no SQL, no wasm and no configuration file.
//!
//! An [`Lms`] is cheap to clone; all clones share tokens, budgets and the breaker. [`Lms::at`] gives a clone whose calls
//! wait in another [`Priority`]. An LMS that is away, or that refuses us, is left alone for a while: [`Lms::rests`]. Every
//! failure is an [`LmsError`]; [`LmsError::class`] says what kind, and [`LmsError::may_have_had_effect`] whether the LMS
//! may have done what it was asked.

mod accounts;
mod allowed;
mod answer;
mod breaker;
mod budget;
mod classify;
mod client;
mod config;
mod counts;
mod courses;
mod doctor;
mod enrollment_list;
mod enrollments;
mod error;
mod registration;
mod token;
mod transport;
mod wire;

pub use accounts::{Account, AccountLookup};
pub use allowed::{Allowed, AllowedCreation, AllowedDeletion};
pub use breaker::Outage;
pub use budget::Priority;
pub use bursar_domain::effect::Attribute;
pub use client::Lms;
pub use config::{CALL_TIMEOUT, CALLS_PER_MINUTE, CONNECT_TIMEOUT, LmsConfig, ServiceUser, TURN_TIMEOUT};
pub use counts::{CallCounts, CallKind};
pub use courses::{CourseDetails, OfferedMode};
pub use doctor::{Finding, Privilege};
pub use enrollment_list::EnrollmentFilter;
pub use enrollments::{Enrollment, EnrollmentChange};
pub use error::{Class, Doubt, Fault, LmsError, Refusal, Setback, UserProblem};
pub use registration::{Registered, Registration};
