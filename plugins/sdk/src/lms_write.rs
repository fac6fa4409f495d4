//! Changes to Open edX beside the ledger, for what no order line can say. Needs the permission `lms-write`, and works in
//! [`handle`](crate::Adapter::handle) only.
//!
//! Nothing happens during the run: a change is kept with its statements and done once for its key, which counts in the shop
//! for ever. So a key names the cause, not the moment, and holds nothing personal.
//!
//! ```no_run
//! # fn handle() -> bursar_adapter::Result<()> {
//! use bursar_adapter::lms_write::{self, EnrollmentChange};
//!
//! EnrollmentChange::new("ada", "course-v1:DemoX+CS101+2026").mode("honor").active(true).submit("order 7 honor")?;
//! lms_write::allow_enrollment("order 7 leave", "bo@example.org", "course-v1:DemoX+CS101+2026", false)?;
//! # Ok(())
//! # }
//! ```

use crate::Result;
use crate::host::lms_write as host;

/// An enrollment to create or change. If neither [`mode`](Self::mode) nor [`active`](Self::active) is called, to enroll in
/// the course run's default mode.
#[derive(Debug)]
pub struct EnrollmentChange(host::EnrollmentChange);

impl EnrollmentChange {
    /// Whose enrollment, and in which course run.
    #[must_use]
    pub fn new(username: &str, course: &str) -> Self {
        Self(host::EnrollmentChange::new(username, course))
    }

    /// The mode to have. Alone, it leaves the enrollment as active as it is. With `active(false)`: end it only if it is in
    /// this mode.
    #[must_use]
    pub fn mode(self, mode: &str) -> Self {
        self.0.mode(mode);
        self
    }

    /// Give access, or end it.
    #[must_use]
    pub fn active(self, active: bool) -> Self {
        self.0.active(active);
        self
    }

    /// Enroll although the course run is closed or by invitation only. Counts for new enrollments only.
    #[must_use]
    pub fn force(self) -> Self {
        self.0.force();
        self
    }

    /// A note on the enrollment. New notes replace all old ones.
    #[must_use]
    pub fn attribute(self, namespace: &str, name: &str, value: &str) -> Self {
        self.0.attribute(namespace, name, value);
        self
    }

    /// Hands it in.
    ///
    /// # Errors
    ///
    /// `username-malformed`, `course-malformed`, `attribute-malformed`; then nothing was handed in.
    pub fn submit(self, key: &str) -> Result<()> {
        Ok(self.0.submit(key)?)
    }
}

/// Lets the owner of an address enroll; with `auto_enroll` the LMS enrolls them by itself when they register and confirm it.
///
/// # Errors
///
/// `email-malformed`, `course-malformed`.
pub fn allow_enrollment(key: &str, email: &str, course: &str, auto_enroll: bool) -> Result<()> {
    Ok(host::allow_enrollment(key, email, course, auto_enroll)?)
}

/// Takes such a permission away.
///
/// # Errors
///
/// `email-malformed`, `course-malformed`.
pub fn disallow_enrollment(key: &str, email: &str, course: &str) -> Result<()> {
    Ok(host::disallow_enrollment(key, email, course)?)
}

/// Registers an account; done as well where the address has one.
///
/// # Errors
///
/// `email-malformed`, `username-malformed`, `name-malformed`.
pub fn register_account(key: &str, email: &str, username: &str, name: &str) -> Result<()> {
    Ok(host::register_account(key, email, username, name)?)
}
