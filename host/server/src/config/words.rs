//! The words that a configuration chooses between, beside those of the policies.
//!
//! Owns their spelling and meaning, once for reading, writing and help.

use bursar_sandbox::Permission;

bursar_domain::words! {
    /// How log lines are written.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line, for programs.
        Json = "json",
    }
}

/// Every permission with its word.
pub(super) const PERMISSIONS: &[(&str, Permission)] =
    &[("shop", Permission::Shop), ("lms-read", Permission::LmsRead), ("lms-write", Permission::LmsWrite)];
