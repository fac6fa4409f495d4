//! The LMS of a test: what it holds, and what it is asked to change.

use std::collections::BTreeMap;

use crate::Problem;
use crate::lms_read::{Account, Enrollment};

/// What the shop's LMS holds, for adapters that read it. Changes that an adapter asks for do not show here: the real host
/// makes them after the run.
#[derive(Debug, Clone, Default)]
pub struct LmsFacts {
    pub(super) accounts: Vec<Account>,
    pub(super) enrollments: BTreeMap<String, Vec<Enrollment>>,
    pub(super) allowed: BTreeMap<String, String>,
    pub(super) courses: BTreeMap<String, String>,
    pub(super) problem: Option<Problem>,
}

impl LmsFacts {
    /// An LMS of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more account.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// One more enrollment of a user.
    #[must_use]
    pub fn enrollment(mut self, username: &str, enrollment: Enrollment) -> Self {
        self.enrollments.entry(username.to_lowercase()).or_default().push(enrollment);
        self
    }

    /// The permissions of an address, as the LMS's JSON array.
    #[must_use]
    pub fn allowed(mut self, email: &str, json: &str) -> Self {
        self.allowed.insert(email.to_lowercase(), json.to_owned());
        self
    }

    /// A course run, as the LMS's JSON object.
    #[must_use]
    pub fn course(mut self, run: &str, json: &str) -> Self {
        self.courses.insert(run.to_owned(), json.to_owned());
        self
    }

    /// Every call ends in this problem: `lms-unavailable`, say.
    #[must_use]
    pub fn failing(mut self, problem: Problem) -> Self {
        self.problem = Some(problem);
        self
    }
}

/// A change that the LMS is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in `lms_write`")]
pub enum AskedChange {
    /// An enrollment to make or change.
    Enrollment {
        username: String,
        course: String,
        mode: Option<String>,
        active: Option<bool>,
        force: bool,
        /// Namespace, name and value.
        attributes: Vec<(String, String, String)>,
    },
    /// Leave to enroll.
    Allow { email: String, course: String, auto_enroll: bool },
    /// That leave taken away.
    Disallow { email: String, course: String },
    /// An account.
    Register { email: String, username: String, name: String },
}
