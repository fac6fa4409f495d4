//! Owns what people do in the LMS besides the calls of a client: activating, retiring, unenrolling, closing a course;
//! must never be reached by a client's call.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Model;
use super::course_key::CourseKey;
use super::records::{Retirement, User, UserId};
use crate::clock::later;

/// For how long a retirement can be taken back.
const COOL_OFF: Duration = Duration::from_secs(14 * 24 * 3600);
/// How every address of a retiring account starts.
pub(crate) const RETIRED_PREFIX: &str = "retired__user_";
/// How far in the past a deadline is put that is made to have passed.
const JUST_PASSED: Duration = Duration::from_secs(60);

/// Something people cannot do, because it is about something that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    /// No account has this username.
    #[error("there is no account {0}")]
    NoSuchUser(String),
    /// The address or the username is taken.
    #[error("{0} is taken")]
    Taken(String),
    /// There is no such course run.
    #[error("there is no course run {0}")]
    NoSuchCourse(String),
    /// The course run has no such mode.
    #[error("the course run has no mode {0}")]
    NoSuchMode(String),
    /// The account has no enrollment in that course run.
    #[error("{0} is not enrolled")]
    NotEnrolled(String),
    /// The LMS fell over, and nothing changed.
    #[error("the LMS fell over")]
    Crash,
}

impl Model {
    fn named(&self, username: &str) -> Result<UserId, PeopleError> {
        self.user_by_name(username).map(|user| user.id).ok_or_else(|| PeopleError::NoSuchUser(username.to_owned()))
    }

    fn keyed(&self, course: &str) -> Result<CourseKey, PeopleError> {
        let missing = || PeopleError::NoSuchCourse(course.to_owned());
        let key = CourseKey::parse(course).map_err(|_| missing())?;
        self.course(&key).map(|course| course.key.clone()).ok_or_else(missing)
    }

    /// Makes an account as the registration form does: inactive, and signed in once.
    pub(crate) fn register(
        &mut self,
        username: &str,
        email: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<UserId, PeopleError> {
        if self.user_by_name(username).is_some() {
            return Err(PeopleError::Taken(username.to_owned()));
        }
        if self.user_by_email(email).is_some() || self.retired_account(email).is_some() {
            return Err(PeopleError::Taken(email.to_owned()));
        }
        let key = hex(&Sha256::digest(format!("activation key of {username} at {now}")), 32);
        Ok(self.add_user(User {
            id: UserId(0),
            username: username.to_owned(),
            email: email.to_owned(),
            name: name.to_owned(),
            activated: false,
            staff: false,
            superuser: false,
            joined: now,
            last_login: Some(now),
            activation_key: Some(key),
            retirement: None,
        }))
    }

    /// The learner follows the link in the mail: records that ask for it now enroll, in the default mode, whatever the
    /// window of the course (`docs/lms.md` 6.4).
    pub(crate) fn activate(&mut self, username: &str, now: Timestamp) -> Result<(), PeopleError> {
        let id = self.named(username)?;
        let Some(user) = self.user_mut(id) else { return Err(PeopleError::NoSuchUser(username.to_owned())) };
        if user.activated {
            return Ok(());
        }
        user.activated = true;
        let email = super::fold(&user.email);
        let waiting: Vec<CourseKey> = self
            .allowed
            .iter()
            .filter(|record| record.auto_enroll && super::fold(&record.email) == email)
            .map(|record| record.course.clone())
            .collect();
        for course in waiting {
            if self.course(&course).is_some() && self.enroll_in_default_mode(id, &course, now).is_err() {
                return Err(PeopleError::Crash);
            }
        }
        Ok(())
    }

    pub(crate) fn set_flags(
        &mut self,
        username: &str,
        staff: Option<bool>,
        activated: Option<bool>,
    ) -> Result<(), PeopleError> {
        let id = self.named(username)?;
        if let Some(user) = self.user_mut(id) {
            user.staff = staff.unwrap_or(user.staff);
            user.activated = activated.unwrap_or(user.activated);
        }
        Ok(())
    }

    pub(crate) fn change_email(&mut self, username: &str, email: &str) -> Result<(), PeopleError> {
        let id = self.named(username)?;
        if self.set_email(id, email) { Ok(()) } else { Err(PeopleError::Taken(email.to_owned())) }
    }

    /// The person asks to be forgotten: the address is replaced at once, the account goes on existing.
    pub(crate) fn retire(&mut self, username: &str, now: Timestamp) -> Result<(), PeopleError> {
        let id = self.named(username)?;
        let number = self.next_retirement;
        let Some(user) = self.user_mut(id) else { return Err(PeopleError::NoSuchUser(username.to_owned())) };
        if user.retirement.is_some() {
            return Ok(());
        }
        let original_email = user.email.clone();
        user.retirement = Some(Retirement { id: number, original_email: original_email.clone(), requested: now });
        self.next_retirement = number.saturating_add(1);
        let retired = retired_address(&original_email);
        if self.set_email(id, &retired) { Ok(()) } else { Err(PeopleError::Taken(retired)) }
    }

    /// The retirement of the account that once had this address.
    pub(crate) fn retired_account(&self, email: &str) -> Option<&Retirement> {
        let email = super::fold(email);
        self.users()
            .iter()
            .filter_map(|user| user.retirement.as_ref())
            .find(|retirement| super::fold(&retirement.original_email) == email)
    }

    /// An instructor removes the learner: the mode stays, the row becomes inactive.
    pub(crate) fn unenroll(&mut self, username: &str, course: &str) -> Result<(), PeopleError> {
        let id = self.named(username)?;
        let key = self.keyed(course)?;
        let Some(before) = self.enrollment(id, &key).cloned() else {
            return Err(PeopleError::NotEnrolled(username.to_owned()));
        };
        let events = self.events.len();
        self.set(id, &key, None, Some(false)).map_err(|_| {
            self.insert_enrollment(before);
            self.events.truncate(events);
            PeopleError::Crash
        })
    }

    pub(crate) fn expire_mode(&mut self, course: &str, slug: &str, now: Timestamp) -> Result<(), PeopleError> {
        let key = self.keyed(course)?;
        let mode = self.course_mut(&key).and_then(|course| course.modes.iter_mut().find(|mode| mode.slug == slug));
        let mode = mode.ok_or_else(|| PeopleError::NoSuchMode(slug.to_owned()))?;
        mode.expires = now.checked_sub(JUST_PASSED).ok();
        Ok(())
    }

    pub(crate) fn set_window_open(&mut self, course: &str, open: bool, now: Timestamp) -> Result<(), PeopleError> {
        let key = self.keyed(course)?;
        if let Some(course) = self.course_mut(&key) {
            course.enrollment_end = if open { None } else { now.checked_sub(JUST_PASSED).ok() };
            course.enrollment_start = course.enrollment_start.filter(|_| !open);
        }
        Ok(())
    }
}

impl Retirement {
    /// Whether the person may still change their mind.
    pub(crate) fn can_be_cancelled(&self, now: Timestamp) -> bool {
        now < later(self.requested, COOL_OFF)
    }
}

/// The address a retiring account gets, made from the one it had.
pub(crate) fn retired_address(email: &str) -> String {
    format!("{RETIRED_PREFIX}{}@retired.invalid", hex(&Sha256::digest(super::fold(email)), 40))
}

fn hex(bytes: &[u8], length: usize) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().chars().take(length).collect()
}
