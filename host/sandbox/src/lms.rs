//! What a run may read of its shop's LMS.
//!
//! Owns the trait that the server implements, and the answers in the contract's terms. Reads nothing itself.

use async_trait::async_trait;
use bursar_domain::{CourseRun, Email, Username};

use crate::outcome::Problem;

/// An account of the LMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LmsAccount {
    /// The LMS's user id.
    pub id: u64,
    /// The username, as the LMS spells it.
    pub username: String,
    /// The address, as the LMS spells it.
    pub email: String,
    /// Is the address confirmed?
    pub active: bool,
    /// The LMS's own words.
    pub json: String,
}

/// An enrollment of the LMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LmsEnrollment {
    /// The course run.
    pub course: String,
    /// The mode.
    pub mode: String,
    /// Does it give access?
    pub active: bool,
    /// The LMS's own words.
    pub json: String,
}

/// The LMS of one shop, for reading. A problem is one that the adapter may return as it is: time helps against an LMS that
/// is away or cannot be understood, a person against one that does not know this host, and nothing against a definite no.
/// No call may take longer than a run has.
#[async_trait]
pub trait LmsReader: Send + Sync {
    /// The accounts of these addresses; unknown ones are left out.
    ///
    /// # Errors
    /// When the LMS does not answer, or refuses.
    async fn accounts_by_email(&self, emails: &[Email]) -> Result<Vec<LmsAccount>, Problem>;

    /// The account of this name.
    ///
    /// # Errors
    /// As above.
    async fn account_by_username(&self, username: &Username) -> Result<Option<LmsAccount>, Problem>;

    /// Every enrollment of a user, inactive ones too.
    ///
    /// # Errors
    /// As above.
    async fn enrollments_of(&self, username: &Username) -> Result<Vec<LmsEnrollment>, Problem>;

    /// One enrollment, active or not.
    ///
    /// # Errors
    /// As above.
    async fn enrollment_of(&self, username: &Username, run: &CourseRun) -> Result<Option<LmsEnrollment>, Problem>;

    /// The permissions to enroll that an address has, as a JSON array in the LMS's own words.
    ///
    /// # Errors
    /// As above.
    async fn enrollments_allowed(&self, email: &Email) -> Result<String, Problem>;

    /// A course run, as a JSON object in the LMS's own words; none if it does not exist.
    ///
    /// # Errors
    /// As above.
    async fn course_details(&self, run: &CourseRun) -> Result<Option<String>, Problem>;
}
