//! Proving that the service users can do what Bursar needs, and that the LMS takes the API key.
//!
//! Owns the questions; changes nothing in the LMS. For the command that examines an installation.

use std::collections::HashMap;

use bursar_domain::{Email, Username};

use crate::{
    answer::Content,
    classify,
    client::Lms,
    counts::CallKind,
    enrollment_list::EnrollmentFilter,
    enrollments::ENROLLMENT,
    error::{Fault, LmsError, UserProblem},
    transport::Call,
    wire::pairs,
};

/// An address that no learner can have: RFC 2606 reserves the domain.
const NOBODY: &str = "nobody@bursar.invalid";

/// Whose enrollments are asked for with the API key. It does not matter whether there is such a user.
const SOMEBODY: &str = "bursar-doctor";

/// What must be possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Privilege {
    /// Get a token.
    Token,
    /// Say who they are, who is nobody else.
    Identity,
    /// Look up other people's accounts: proves that they are staff.
    Accounts,
    /// List enrollments.
    Enrollments,
    /// Read enrollment-allowed records.
    EnrollmentAllowed,
    /// Of the site, where it has one: call with its API key.
    ApiKey,
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
            Self::ApiKey => "api key",
        }
    }
}

/// What came of proving one privilege.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Of the service user of this client; `None` for [`Privilege::ApiKey`].
    pub client_id: Option<String>,
    /// Which.
    pub privilege: Privilege,
    /// What was seen, in words; or why it failed.
    pub outcome: Result<String, LmsError>,
}

impl Lms {
    /// Proves the privileges of each service user one by one, in the order of [`Privilege`], then the API key if there is
    /// one. Ends early with a user of whom the rest cannot be asked. Goes past the breaker, whatever it says, and tells it
    /// nothing.
    pub async fn check_privileges(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut owners = HashMap::new();
        for (user, client_id) in self.client_ids().enumerate() {
            let mut found = Vec::new();
            self.examining(user).check_user(user, client_id, &mut owners, &mut found).await;
            let finding = |(privilege, outcome)| Finding { client_id: Some(client_id.to_owned()), privilege, outcome };
            findings.extend(found.into_iter().map(finding));
        }
        if self.has_api_key() {
            let outcome = self.examining(0).check_api_key().await.map(|()| "is taken".to_owned());
            findings.push(Finding { client_id: None, privilege: Privilege::ApiKey, outcome });
        }
        findings
    }

    async fn check_user(
        &self,
        user: usize,
        client_id: &str,
        owners: &mut HashMap<Username, String>,
        found: &mut Vec<(Privilege, Result<String, LmsError>)>,
    ) {
        let token = self.obtain_token(user).await.map(|()| "obtained".to_owned());
        let stop = token.is_err();
        found.push((Privilege::Token, token));
        if stop {
            return;
        }
        let me = self.who_am_i().await;
        let outcome = me.clone().and_then(|me| match owners.get(&me) {
            None => Ok(format!("the service user is {me}")),
            Some(other) => {
                let problem = UserProblem::SharedOwner { other: other.clone() };
                Err(Fault::ServiceUser { client_id: client_id.to_owned(), problem }.into())
            }
        });
        found.push((Privilege::Identity, outcome));
        let Ok(me) = me else { return };
        owners.entry(me.clone()).or_insert_with(|| client_id.to_owned());
        let Ok(nobody) = Email::parse(NOBODY) else { return };

        // The answer to somebody who is not staff is a 404, to staff an empty list.
        let searched = self.search_emails(std::slice::from_ref(&nobody)).await;
        found.push((Privilege::Accounts, searched.map(|_| "the service user is staff".to_owned())));

        let listed = self.enrollments(&EnrollmentFilter::user(me)).await;
        found.push((Privilege::Enrollments, listed.map(|_| "can be read".to_owned())));

        let records = self.enrollment_allowed(&nobody).await;
        found.push((Privilege::EnrollmentAllowed, records.map(|_| "can be read".to_owned())));
    }

    /// Reads with the API key what nobody may read without one.
    async fn check_api_key(&self) -> Result<(), LmsError> {
        let call = Call::get(CallKind::CheckApiKey, ENROLLMENT).query(pairs([("user", SOMEBODY)]));
        self.send_with_api_key(&call, |answer| match (answer.status, &answer.content) {
            (200, Content::Data(_)) => Ok(()),
            _ => Err(classify::leftover(answer, call.kind, &[])),
        })
        .await
    }
}
