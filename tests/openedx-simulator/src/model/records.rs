//! Owns the rows the LMS keeps; must never decide anything.

use jiff::Timestamp;
use serde::Serialize;

use super::course_key::CourseKey;

/// The number of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct UserId(pub(crate) u64);

/// An account.
#[derive(Debug, Clone)]
pub(crate) struct User {
    /// Its number.
    pub(crate) id: UserId,
    /// The public name, in the stored spelling.
    pub(crate) username: String,
    /// The address, in the stored spelling; after a retirement request no longer the person's own.
    pub(crate) email: String,
    /// The full name.
    pub(crate) name: String,
    /// Whether the address was confirmed.
    pub(crate) activated: bool,
    /// Whether the account may act for others.
    pub(crate) staff: bool,
    /// Whether the account may do everything.
    pub(crate) superuser: bool,
    /// When the account was made.
    pub(crate) joined: Timestamp,
    /// Set when the account came from the registration form: its sign-in on that occasion.
    pub(crate) last_login: Option<Timestamp>,
    /// Set when the account came from the registration form.
    pub(crate) activation_key: Option<String>,
    /// The retirement request, if there was one.
    pub(crate) retirement: Option<Retirement>,
}

/// A request to be forgotten.
#[derive(Debug, Clone)]
pub(crate) struct Retirement {
    /// Its number.
    pub(crate) id: u64,
    /// The address the person had.
    pub(crate) original_email: String,
    /// When it was made.
    pub(crate) requested: Timestamp,
}

/// A way of being enrolled in a course, with its price and deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mode {
    /// The short name, for example `verified`.
    pub(crate) slug: String,
    /// The name people see.
    pub(crate) name: String,
    /// In whole units of the currency.
    pub(crate) price: i64,
    /// Lower case.
    pub(crate) currency: String,
    /// When the mode stops being on offer.
    pub(crate) expires: Option<Timestamp>,
    /// The article number.
    pub(crate) sku: Option<String>,
}

/// A course run.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// Its key.
    pub(crate) key: CourseKey,
    /// Its title.
    pub(crate) name: String,
    /// The modes it has, in the order in which they were made.
    pub(crate) modes: Vec<Mode>,
    /// First day of teaching.
    pub(crate) start: Option<Timestamp>,
    /// Last day of teaching.
    pub(crate) end: Option<Timestamp>,
    /// When enrollment opens.
    pub(crate) enrollment_start: Option<Timestamp>,
    /// When enrollment closes.
    pub(crate) enrollment_end: Option<Timestamp>,
    /// Whether nobody may enroll without invitation.
    pub(crate) invitation_only: bool,
    /// How many may be enrolled at a time.
    pub(crate) capacity: Option<usize>,
    /// Whether learners set their own pace.
    pub(crate) self_paced: bool,
}

/// A note on an enrollment that only the LMS itself ever reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attribute {
    /// Who the note is for.
    pub namespace: String,
    /// What it is about.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// A learner's place in a course.
#[derive(Debug, Clone)]
pub(crate) struct Enrollment {
    /// Who.
    pub(crate) user: UserId,
    /// Where.
    pub(crate) course: CourseKey,
    /// The slug of the mode.
    pub(crate) mode: String,
    /// Whether it counts.
    pub(crate) is_active: bool,
    /// When the row was first made.
    pub(crate) created: Timestamp,
    /// Replaced as a whole by every call that changes the row and sends some.
    pub(crate) attributes: Vec<Attribute>,
}

/// Permission, by address, to enroll in a course in advance.
#[derive(Debug, Clone)]
pub(crate) struct Allowed {
    /// For whom, in the spelling in which it was made.
    pub(crate) email: String,
    /// Where.
    pub(crate) course: CourseKey,
    /// Whether activation of a new account with this address enrolls it.
    pub(crate) auto_enroll: bool,
    /// Who used it.
    pub(crate) user: Option<UserId>,
    /// When it was made.
    pub(crate) created: Timestamp,
}

/// A client of the token endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Application {
    /// Public part of its credentials.
    pub(crate) client_id: String,
    /// Secret part of its credentials.
    pub(crate) client_secret: String,
    /// The account its tokens act as.
    pub(crate) owner: UserId,
}

/// Something that happened to an enrollment and that the LMS tells its plugins and its mail service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// What happened.
    pub what: EventKind,
    /// To whom.
    pub username: String,
    /// Where.
    pub course: String,
    /// The mode just then.
    pub mode: String,
}

/// The kinds of [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An enrollment became active.
    Enrolled,
    /// An enrollment became inactive.
    Unenrolled,
    /// The mode of an enrollment became another.
    ModeChanged,
}
