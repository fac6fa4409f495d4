//! The LMS that the test made up.

use super::orders::email;
use super::types::{Problem, Remedy};
use crate::testing::proofs::problem;
use crate::testing::{LmsFacts, during};

/// An account of the LMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The LMS's user id, which never changes.
    pub id: u64,
    pub username: String,
    pub email: String,
    /// The address is confirmed.
    pub active: bool,
    /// The LMS's own answer.
    pub json: String,
}

/// An enrollment of the LMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrollment {
    /// The course run's key.
    pub course: String,
    pub mode: String,
    pub active: bool,
    /// The LMS's own answer.
    pub json: String,
}

pub fn accounts_by_email(emails: &[&str]) -> Result<Vec<Account>, Problem> {
    in_handle("lms-read")?;
    for address in emails {
        checked_email(address)?;
    }
    let asked = |account: &Account| emails.iter().any(|email| email.trim().eq_ignore_ascii_case(&account.email));
    read(|lms| lms.accounts.iter().filter(|account| asked(account)).cloned().collect())
}

pub fn account_by_username(username: &str) -> Result<Option<Account>, Problem> {
    in_handle("lms-read")?;
    checked_username(username)?;
    read(|lms| lms.accounts.iter().find(|account| account.username.eq_ignore_ascii_case(username)).cloned())
}

pub fn enrollments_of(username: &str) -> Result<Vec<Enrollment>, Problem> {
    in_handle("lms-read")?;
    checked_username(username)?;
    read(|lms| lms.enrollments.get(&username.to_lowercase()).cloned().unwrap_or_default())
}

pub fn enrollment_of(username: &str, course: &str) -> Result<Option<Enrollment>, Problem> {
    in_handle("lms-read")?;
    checked_username(username)?;
    checked_course(course)?;
    let of_user = |lms: &LmsFacts| lms.enrollments.get(&username.to_lowercase()).cloned().unwrap_or_default();
    read(|lms| of_user(lms).into_iter().find(|enrollment| enrollment.course == course))
}

pub fn enrollments_allowed(email: &str) -> Result<String, Problem> {
    in_handle("lms-read")?;
    checked_email(email)?;
    read(|lms| lms.allowed.get(&email.trim().to_lowercase()).cloned().unwrap_or_else(|| "[]".to_owned()))
}

pub fn course_details(run: &str) -> Result<Option<String>, Problem> {
    in_handle("lms-read")?;
    checked_course(run)?;
    read(|lms| lms.courses.get(run).cloned())
}

fn read<T>(look: impl FnOnce(&LmsFacts) -> T) -> Result<T, Problem> {
    during(|run| match &run.shop.lms.problem {
        Some(problem) => Err(problem.clone().into()),
        None => Ok(look(&run.shop.lms)),
    })
}

pub(super) fn in_handle(interface: &str) -> Result<(), Problem> {
    if during(|run| run.handling) {
        return Ok(());
    }
    Err(problem(Remedy::Operator, "wrong-phase", &format!("`{interface}` may be called in `handle` only")))
}

pub(super) fn checked_email(address: &str) -> Result<(), Problem> {
    match email(address)? {
        Some(_) => Ok(()),
        None => Err(problem(Remedy::None, "email-malformed", "e-mail address is blank")),
    }
}

pub(super) fn checked_username(name: &str) -> Result<(), Problem> {
    if name.trim().is_empty() || name.contains(|letter: char| letter.is_whitespace() || letter == ',') {
        return Err(problem(Remedy::None, "username-malformed", "that is no username"));
    }
    Ok(())
}

pub(super) fn checked_course(run: &str) -> Result<(), Problem> {
    if run.trim().is_empty() || run.contains(char::is_whitespace) {
        return Err(problem(Remedy::None, "course-malformed", "that is no key of a course run"));
    }
    Ok(())
}
