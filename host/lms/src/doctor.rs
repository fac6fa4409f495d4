//! Proving that the service user can do what Bursar needs.
//!
//! Owns the questions; changes nothing in the LMS. For the command that examines an installation.

use bursar_domain::Email;

use crate::{client::Lms, enrollment_list::EnrollmentFilter, error::LmsError};

/// An address that no learner can have: RFC 2606 reserves the domain.
const NOBODY: &str = "nobody@bursar.invalid";

/// What the service user must be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Privilege {
    /// Get a token.
    Token,
    /// Say who they are.
    Identity,
    /// Look up other people's accounts: proves that they are staff.
    Accounts,
    /// List enrollments.
    Enrollments,
    /// Read enrollment-allowed records.
    EnrollmentAllowed,
}

impl Privilege {
    /// In words, for a list of findings.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Identity => "identity",
            Self::Accounts => "accounts",
            Self::Enrollments => "list of enrollments",
            Self::EnrollmentAllowed => "enrollment-allowed records",
        }
    }
}

/// What came of proving one privilege.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub privilege: Privilege,
    /// What was seen, in words; or why it failed.
    pub outcome: Result<String, LmsError>,
}

impl Lms {
    /// Proves the service user's privileges one by one, in the order of [`Privilege`]. Ends early where the rest cannot
    /// be asked.
    pub async fn check_privileges(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let token = self.obtain_token().await.map(|()| "obtained".to_owned());
        let stop = token.is_err();
        findings.push(Finding { privilege: Privilege::Token, outcome: token });
        if stop {
            return findings;
        }
        let me = self.who_am_i().await;
        let outcome = me.as_ref().map(|me| format!("the service user is {me}")).map_err(Clone::clone);
        findings.push(Finding { privilege: Privilege::Identity, outcome });
        let Ok(me) = me else { return findings };
        let Ok(nobody) = Email::parse(NOBODY) else { return findings };

        // The answer to somebody who is not staff is a 404, to staff an empty list.
        let searched = self.search_emails(std::slice::from_ref(&nobody)).await;
        let outcome = searched.map(|_| "the service user is staff".to_owned());
        findings.push(Finding { privilege: Privilege::Accounts, outcome });

        let listed = self.enrollments(&EnrollmentFilter::user(me)).await;
        let outcome = listed.map(|_| "can be read".to_owned());
        findings.push(Finding { privilege: Privilege::Enrollments, outcome });

        let outcome = self.enrollment_allowed(&nobody).await.map(|_| "can be read".to_owned());
        findings.push(Finding { privilege: Privilege::EnrollmentAllowed, outcome });
        findings
    }
}
