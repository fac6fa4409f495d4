//! Why something could not be done, and who can still do something about it.

use std::fmt;

use crate::host::types;

pub use crate::host::types::Remedy;

/// What a call of the kit or of an adapter ends in.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// Why something could not be done. Travels by `?`.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Who or what can still turn it into a success.
    pub remedy: Remedy,
    /// A stable lower-case word for programs.
    pub code: String,
    /// One sentence for people: lower-case, naming the thing, without a secret or personal data.
    pub message: String,
    /// How long waiting makes sense, in seconds.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// Nothing can be done: the request is refused, or the delivery rejected for a person to see.
    #[must_use]
    pub fn rejected(code: &str, message: impl Into<String>) -> Self {
        Self::new(Remedy::None, code, message)
    }

    /// Time will help: it is tried again.
    #[must_use]
    pub fn later(code: &str, message: impl Into<String>) -> Self {
        Self::new(Remedy::Later, code, message)
    }

    /// A person must act first: a secret, a permission or a setting is missing or wrong.
    #[must_use]
    pub fn operator(code: &str, message: impl Into<String>) -> Self {
        Self::new(Remedy::Operator, code, message)
    }

    /// How long waiting makes sense, in seconds. The host keeps it within its own bounds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    fn new(remedy: Remedy, code: &str, message: impl Into<String>) -> Self {
        Self { remedy, code: code.to_owned(), message: message.into(), retry_after: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Problem {}

impl From<types::Problem> for Problem {
    fn from(problem: types::Problem) -> Self {
        Self { remedy: problem.remedy, code: problem.code, message: problem.message, retry_after: problem.retry_after }
    }
}

impl From<Problem> for types::Problem {
    fn from(problem: Problem) -> Self {
        Self { remedy: problem.remedy, code: problem.code, message: problem.message, retry_after: problem.retry_after }
    }
}
