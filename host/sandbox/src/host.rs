//! The host's side of the contract: what each function that an adapter may call does.
//!
//! Owns the translation between the contract's types and the state of the run. Whatever lies outside the run is reached
//! through [`Surroundings`](crate::Surroundings) only.

mod incoming;
mod later;
pub(crate) mod marks;
mod orders;
mod plain;
mod signatures;

use bursar_domain::Request;
use std::{sync::Arc, time::Duration};

pub(crate) use marks::*;

use crate::{
    contract::bursar::adapter::types as wit,
    error::RunErrorKind,
    limits,
    outcome::{Problem, Remedy},
    run::state::RunState,
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

impl RunState {
    /// The request of the run. Only `describe` has none, and no handle of one; but it may call `signatures`.
    fn served(&self) -> Result<&Arc<Request>, RunErrorKind> {
        self.request.as_ref().ok_or_else(|| RunErrorKind::Misuse("there is no request in `describe`".to_owned()))
    }
}
