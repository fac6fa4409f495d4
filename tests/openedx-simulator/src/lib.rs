//! A faithful stand-in for the parts of an Open edX LMS a commerce integration talks to.
//!
//! It owns the behaviour written down in `docs/lms.md` and must never know anything of its client. A [`Simulator`] runs
//! in the process of a test or, as the binary of this crate, in one of its own, where `/_simulator/` steers it.

mod clock;
mod control;
mod fault;
mod http;
mod lms;
mod model;
mod python;
mod server;
mod simulator;
mod site;
mod snapshot;
mod state;
mod throttle;

pub use clock::{Clock, ManualClock, SystemClock};
pub use fault::{Endpoint, Fault, FaultKind};
pub use model::credentials::{BEARER_LIFETIME, JWT_LIFETIME};
pub use model::people::PeopleError;
pub use model::records::{Attribute, Event, EventKind};
pub use simulator::{Options, Simulator, StartError};
pub use site::{
    OTHER_CALLS_PER_MINUTE, REGISTRATIONS_PER_WEEK, STAFF_CALLS_PER_MINUTE, Settings, TOKEN_CALLS_PER_MINUTE,
};
pub use snapshot::{AllowedSnapshot, CourseSnapshot, EnrollmentSnapshot, Received, Snapshot, UserSnapshot};
pub use state::{
    AllowedSpec, ApplicationSpec, CourseSpec, Date, Defaults, EnrollmentSpec, ModeSpec, Modes, State, StateError,
    UserSpec,
};
