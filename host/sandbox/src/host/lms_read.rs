//! `lms-read`: what a run may ask of its shop's LMS.
//!
//! Owns the order of refusals (phase, permission, words that name nobody) and the count of calls. Whether and how the LMS
//! is reached is the business of [`LmsReader`](crate::LmsReader). Nothing malformed or blank gets that far: an empty
//! question is answered with the service user's own account (`docs/lms.md`, 7.1).

use std::sync::Arc;

use bursar_domain::{CourseRun, Email, Username};
use wasmtime::Result;

use super::{Answered, course, email, refusal, username};
use crate::{
    contract::bursar::adapter::{lms_read as wit, types::Remedy},
    limits,
    lms::{LmsAccount, LmsEnrollment, LmsReader},
    outcome::Problem,
    run::{book, state::RunState},
    shop::Permission,
};

/// The way to the LMS, unless it is refused. The outer error ends the run.
type Way = Result<Answered<Arc<dyn LmsReader>>>;

impl RunState {
    fn way_to_lms(&mut self, bytes: usize) -> Way {
        self.count_call(bytes)?;
        if let Err(refused) = self.permitted(Permission::LmsRead) {
            return Ok(Err(refused));
        }
        Ok(self
            .surroundings
            .as_ref()
            .and_then(|surroundings| surroundings.lms())
            .ok_or_else(|| refusal(Remedy::Operator, "not-available", "there is no LMS to read here".to_owned())))
    }

    /// Has the guest know what came of a call: its answer counts as handed over.
    fn answered<T>(
        &mut self,
        came: std::result::Result<T, Problem>,
        bytes: impl Fn(&T) -> usize,
    ) -> Result<Answered<T>> {
        match came {
            Ok(answer) => {
                self.count_bytes(bytes(&answer))?;
                Ok(Ok(answer))
            }
            Err(problem) => Ok(Err(problem.into())),
        }
    }
}

/// Gives the value, or hands the refusal to the guest.
macro_rules! or_refuse {
    ($checked:expr) => {
        match $checked {
            Ok(value) => value,
            Err(refused) => return Ok(Err(refused)),
        }
    };
}

impl wit::Host for RunState {
    async fn accounts_by_email(&mut self, emails: Vec<String>) -> Result<Answered<Vec<wit::Account>>> {
        let lms = or_refuse!(self.way_to_lms(emails.iter().map(String::len).sum())?);
        if emails.len() > limits::EMAILS {
            return Err(book::over("addresses of one call", limits::EMAILS).into());
        }
        let emails: Vec<Email> = or_refuse!(emails.iter().map(|address| email(address)).collect());
        if emails.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        self.count_lms_call()?;
        let came = self.outside(lms.accounts_by_email(&emails)).await;
        let accounts = self.answered(came, |accounts| accounts.iter().map(|account| account.json.len()).sum())?;
        Ok(accounts.map(|accounts| accounts.into_iter().map(Into::into).collect()))
    }

    async fn account_by_username(&mut self, name: String) -> Result<Answered<Option<wit::Account>>> {
        let lms = or_refuse!(self.way_to_lms(name.len())?);
        let name: Username = or_refuse!(username(&name));
        self.count_lms_call()?;
        let came = self.outside(lms.account_by_username(&name)).await;
        let account = self.answered(came, |account| account.as_ref().map_or(0, |account| account.json.len()))?;
        Ok(account.map(|account| account.map(Into::into)))
    }

    async fn enrollments_of(&mut self, name: String) -> Result<Answered<Vec<wit::Enrollment>>> {
        let lms = or_refuse!(self.way_to_lms(name.len())?);
        let name: Username = or_refuse!(username(&name));
        self.count_lms_call()?;
        let came = self.outside(lms.enrollments_of(&name)).await;
        let enrollments = self.answered(came, |rows| rows.iter().map(|row| row.json.len()).sum())?;
        Ok(enrollments.map(|rows| rows.into_iter().map(Into::into).collect()))
    }

    async fn enrollment_of(&mut self, name: String, run: String) -> Result<Answered<Option<wit::Enrollment>>> {
        let lms = or_refuse!(self.way_to_lms(name.len() + run.len())?);
        let name: Username = or_refuse!(username(&name));
        let run: CourseRun = or_refuse!(course(&run));
        self.count_lms_call()?;
        let came = self.outside(lms.enrollment_of(&name, &run)).await;
        let enrollment = self.answered(came, |row| row.as_ref().map_or(0, |row| row.json.len()))?;
        Ok(enrollment.map(|row| row.map(Into::into)))
    }

    async fn enrollments_allowed(&mut self, address: String) -> Result<Answered<String>> {
        let lms = or_refuse!(self.way_to_lms(address.len())?);
        let address: Email = or_refuse!(email(&address));
        self.count_lms_call()?;
        let came = self.outside(lms.enrollments_allowed(&address)).await;
        self.answered(came, String::len)
    }

    async fn course_details(&mut self, run: String) -> Result<Answered<Option<String>>> {
        let lms = or_refuse!(self.way_to_lms(run.len())?);
        let run: CourseRun = or_refuse!(course(&run));
        self.count_lms_call()?;
        let came = self.outside(lms.course_details(&run)).await;
        self.answered(came, |json| json.as_ref().map_or(0, String::len))
    }
}

impl From<LmsAccount> for wit::Account {
    fn from(account: LmsAccount) -> Self {
        let LmsAccount { id, username, email, active, json } = account;
        Self { id, username, email, active, json }
    }
}

impl From<LmsEnrollment> for wit::Enrollment {
    fn from(enrollment: LmsEnrollment) -> Self {
        let LmsEnrollment { course, mode, active, json } = enrollment;
        Self { course, mode, active, json }
    }
}
