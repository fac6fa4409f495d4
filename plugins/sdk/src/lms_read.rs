//! Open edX as it is now. Needs the permission `lms-read`, and works in [`handle`](crate::Adapter::handle) only.
//!
//! Calls wait their turn behind what was bought, and a run may make 32 of them. A problem may be returned as it is: the LMS
//! being away has the delivery run again later.

use crate::Result;
use crate::host::lms_read as host;

pub use host::{Account, Enrollment};

/// The accounts of these addresses; unknown ones are left out.
///
/// # Errors
///
/// `email-malformed` (also for a blank one), and what the LMS does: `lms-unavailable`, `lms-misconfigured`, `lms-refused`.
pub fn accounts_by_email<S: AsRef<str>>(emails: &[S]) -> Result<Vec<Account>> {
    let emails: Vec<&str> = emails.iter().map(AsRef::as_ref).collect();
    Ok(host::accounts_by_email(&emails)?)
}

/// The account of this name, if there is one.
///
/// # Errors
///
/// `username-malformed`, and what the LMS does.
pub fn account_by_username(username: &str) -> Result<Option<Account>> {
    Ok(host::account_by_username(username)?)
}

/// Every enrollment of a user, inactive ones too.
///
/// # Errors
///
/// `username-malformed`, and what the LMS does.
pub fn enrollments_of(username: &str) -> Result<Vec<Enrollment>> {
    Ok(host::enrollments_of(username)?)
}

/// One enrollment, active or not.
///
/// # Errors
///
/// `username-malformed`, `course-malformed`, and what the LMS does.
pub fn enrollment_of(username: &str, course: &str) -> Result<Option<Enrollment>> {
    Ok(host::enrollment_of(username, course)?)
}

/// The permissions to enroll that an address has, as the LMS's JSON array.
///
/// # Errors
///
/// `email-malformed`, and what the LMS does.
pub fn enrollments_allowed(email: &str) -> Result<String> {
    Ok(host::enrollments_allowed(email)?)
}

/// Dates and modes of a course run, as the LMS's JSON object; none if it does not exist.
///
/// # Errors
///
/// `course-malformed`, and what the LMS does.
pub fn course_details(run: &str) -> Result<Option<String>> {
    Ok(host::course_details(run)?)
}
