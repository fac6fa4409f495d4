//! The host's side of the contract: what each function that an adapter may call does.
//!
//! Owns the translation between the contract's types and the state of the run. Whatever lies outside the run is reached
//! through [`Surroundings`](crate::Surroundings) only.

mod incoming;
mod lms_read;
pub(crate) mod lms_write;
pub(crate) mod marks;
mod orders;
mod plain;
pub(crate) mod shop;
mod signatures;

use bursar_domain::{CourseRun, Email, Malformed, Request, Username};
use std::{sync::Arc, time::Duration};

pub(crate) use marks::*;

use crate::{
    contract::bursar::adapter::types as wit,
    error::RunErrorKind,
    limits,
    outcome::{Problem, Remedy},
    run::state::{Phase, RunState},
    shop::Permission,
    text,
};

impl From<wit::Remedy> for Remedy {
    fn from(remedy: wit::Remedy) -> Self {
        match remedy {
            wit::Remedy::None => Self::None,
            wit::Remedy::Later => Self::Later,
            wit::Remedy::Operator => Self::Operator,
        }
    }
}

impl From<wit::Problem> for Problem {
    /// Cleans what the guest wrote; a code that is no word becomes `unnamed`.
    fn from(problem: wit::Problem) -> Self {
        let code = if text::is_code(&problem.code, limits::CODE) { problem.code } else { "unnamed".to_owned() };
        Self {
            remedy: problem.remedy.into(),
            code,
            message: text::words(&problem.message, limits::MESSAGE),
            retry_after: problem.retry_after.map(|seconds| Duration::from_secs(u64::from(seconds))),
        }
    }
}

/// A problem for the guest, in the host's words.
pub(crate) fn refusal(remedy: wit::Remedy, code: &str, message: impl Into<String>) -> wit::Problem {
    wit::Problem { remedy, code: code.to_owned(), message: message.into(), retry_after: None }
}

/// What a function of the contract gives, or the problem that the guest is told.
pub(crate) type Answered<T> = std::result::Result<T, wit::Problem>;

impl From<Problem> for wit::Problem {
    fn from(problem: Problem) -> Self {
        let remedy = match problem.remedy {
            Remedy::None => wit::Remedy::None,
            Remedy::Later => wit::Remedy::Later,
            Remedy::Operator => wit::Remedy::Operator,
        };
        let retry_after = problem.retry_after.map(seconds);
        Self { remedy, code: problem.code, message: problem.message, retry_after }
    }
}

/// A pause as the contract says it.
fn seconds(pause: Duration) -> u32 {
    u32::try_from(pause.as_secs()).unwrap_or(u32::MAX)
}

/// An address that names somebody. Nothing else is ever asked of an LMS.
fn email(address: &str) -> Answered<Email> {
    Email::parse(address).map_err(|error| malformed("email-malformed", &error))
}

/// A username that names somebody.
fn username(name: &str) -> Answered<Username> {
    Username::parse(name).map_err(|error| malformed("username-malformed", &error))
}

/// The key of a course run.
fn course(run: &str) -> Answered<CourseRun> {
    CourseRun::parse(run).map_err(|error| malformed("course-malformed", &error))
}

/// A problem that says what is wrong with a word, and never the word.
fn malformed(code: &str, error: &Malformed) -> wit::Problem {
    refusal(wit::Remedy::None, code, error.to_string())
}

impl RunState {
    /// May a function of this interface be called now?
    fn permitted(&self, permission: Permission) -> Answered<()> {
        let refused = |code, message| Err(refusal(wit::Remedy::Operator, code, message));
        if self.phase != Phase::Handle {
            return refused("wrong-phase", format!("`{permission}` may be called in `handle` only"));
        }
        if !self.shop.as_ref().is_some_and(|shop| shop.permissions.contains(&permission)) {
            return refused("not-granted", format!("the shop does not grant the permission `{permission}`"));
        }
        Ok(())
    }

    /// The request of the run. Only `describe` has none, and no handle of one; but it may call `signatures`.
    fn served(&self) -> Result<&Arc<Request>, RunErrorKind> {
        self.request.as_ref().ok_or_else(|| RunErrorKind::Misuse("there is no request in `describe`".to_owned()))
    }
}
