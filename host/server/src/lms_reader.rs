//! What adapters read of an LMS.
//!
//! Owns the way from a run to the LMS of its shop: behind fulfillment in the budget of calls, with an end to waiting, and
//! every failure as a problem that the adapter can return. Changes nothing, and shows no run another shop's LMS.

use std::{future::Future, time::Duration};

use async_trait::async_trait;
use bursar_domain::{CourseRun, Email, Username};
use bursar_lms::{Account, Class, Enrollment, EnrollmentFilter, Lms, LmsError, Priority, Refusal};
use bursar_sandbox::{LmsAccount, LmsEnrollment, LmsReader, Problem, Remedy};
use serde_json::Value;

/// How long an adapter waits for one answer, its turn in the budget included: a third of what a run has, so that it can
/// still say what it makes of there being none. Beyond it the answer is `lms-unavailable`.
const PATIENCE: Duration = Duration::from_secs(10);

/// An LMS as adapters of one shop see it.
#[derive(Debug)]
pub(crate) struct ReadOnlyLms(Lms);

impl ReadOnlyLms {
    /// The LMS, behind everything else that asks it.
    pub(crate) fn new(lms: &Lms) -> Self {
        Self(lms.at(Priority::Upkeep))
    }
}

#[async_trait]
impl LmsReader for ReadOnlyLms {
    async fn accounts_by_email(&self, emails: &[Email]) -> Result<Vec<LmsAccount>, Problem> {
        let accounts = in_time(self.0.accounts_by_email_verbatim(emails)).await?;
        Ok(accounts.into_iter().map(account).collect())
    }

    async fn account_by_username(&self, username: &Username) -> Result<Option<LmsAccount>, Problem> {
        Ok(in_time(self.0.account_by_username_verbatim(username)).await?.map(account))
    }

    async fn enrollments_of(&self, username: &Username) -> Result<Vec<LmsEnrollment>, Problem> {
        let filter = EnrollmentFilter::user(username.clone());
        let enrollments = in_time(self.0.enrollments_verbatim(&filter)).await?;
        Ok(enrollments.into_iter().map(enrollment).collect())
    }

    async fn enrollment_of(&self, username: &Username, run: &CourseRun) -> Result<Option<LmsEnrollment>, Problem> {
        let read = in_time(async { none_if_unknown(self.0.enrollment_verbatim(username, run).await) }).await?;
        Ok(read.flatten().map(enrollment))
    }

    async fn enrollments_allowed(&self, email: &Email) -> Result<String, Problem> {
        let records = in_time(self.0.enrollment_allowed_verbatim(email)).await?;
        Ok(Value::Array(records.into_iter().map(|(_, json)| json).collect()).to_string())
    }

    async fn course_details(&self, run: &CourseRun) -> Result<Option<String>, Problem> {
        let read = in_time(async { none_if_unknown(self.0.course_details_verbatim(run).await) }).await?;
        Ok(read.map(|(_, json)| json.to_string()))
    }
}

fn account((account, json): (Account, Value)) -> LmsAccount {
    LmsAccount {
        id: u64::try_from(account.id).unwrap_or_default(),
        username: account.username.to_string(),
        email: account.email.as_ref().map(ToString::to_string).unwrap_or_default(),
        active: account.is_active.unwrap_or_default(),
        json: json.to_string(),
    }
}

fn enrollment((enrollment, json): (Enrollment, Value)) -> LmsEnrollment {
    LmsEnrollment {
        course: enrollment.run.to_string(),
        mode: enrollment.mode.to_string(),
        active: enrollment.is_active,
        json: json.to_string(),
    }
}

fn none_if_unknown<T>(read: Result<T, LmsError>) -> Result<Option<T>, LmsError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(LmsError::Definite(Refusal::UnknownCourse)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn in_time<T>(read: impl Future<Output = Result<T, LmsError>>) -> Result<T, Problem> {
    match tokio::time::timeout(PATIENCE, read).await {
        Ok(read) => read.map_err(|error| problem(&error)),
        Err(_) => Err(unavailable(format!("the LMS did not answer within {} s", PATIENCE.as_secs()), None)),
    }
}

/// What a failure of the LMS is to an adapter. The words are those of the LMS's client, which name nobody.
fn problem(error: &LmsError) -> Problem {
    let told = |remedy, code: &str| Problem {
        remedy,
        code: code.to_owned(),
        message: format!("{error} ({})", error.code()),
        retry_after: None,
    };
    match error.class() {
        Class::TryAgain { after } => unavailable(format!("{error} ({})", error.code()), after),
        Class::Unclear => unavailable(format!("{error} ({})", error.code()), None),
        Class::Ours => told(Remedy::Operator, "lms-misconfigured"),
        Class::Definite => told(Remedy::None, "lms-refused"),
    }
}

fn unavailable(message: String, retry_after: Option<Duration>) -> Problem {
    Problem { remedy: Remedy::Later, code: "lms-unavailable".to_owned(), message, retry_after }
}

#[cfg(test)]
mod tests {
    use bursar_lms::{Doubt, Fault, Setback};

    use super::*;

    #[test]
    fn time_helps_against_an_lms_that_is_away_a_person_against_a_wrong_set_up_and_nothing_against_a_no() {
        let after = Duration::from_secs(40);
        let throttled = problem(&Setback::Throttled { after }.into());
        assert_eq!((throttled.remedy, throttled.code.as_str()), (Remedy::Later, "lms-unavailable"));
        assert_eq!(throttled.retry_after, Some(after));
        for (error, remedy, code) in [
            (Doubt::TimedOut.into(), Remedy::Later, "lms-unavailable"),
            (Fault::NotAcceptable.into(), Remedy::Operator, "lms-misconfigured"),
            (Refusal::UnusableUsername.into(), Remedy::None, "lms-refused"),
        ] {
            let problem = problem(&error);
            assert_eq!((problem.remedy, problem.code.as_str()), (remedy, code), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_an_answer_has_an_end() {
        let problem = in_time(std::future::pending::<Result<(), LmsError>>()).await.unwrap_err();
        assert_eq!((problem.remedy, problem.code.as_str()), (Remedy::Later, "lms-unavailable"));
    }
}
