//! Owns the rows the LMS keeps; must never decide anything.

use jiff::Timestamp;
use serde::Serialize;

use super::course_key::CourseKey;

/// The number of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct UserId(pub u64);

/// An account.
#[derive(Debug, Clone)]
pub struct User {
    /// Its number.
    pub id: UserId,
    /// The public name, in the stored spelling.
    pub username: String,
    /// The address, in the stored spelling; after a retirement request no longer the person's own.
    pub email: String,
    /// The full name.
    pub name: String,
    /// Whether the address was confirmed.
    pub activated: bool,
    /// Whether the account may act for others.
    pub staff: bool,
    /// Whether the account may do everything.
    pub superuser: bool,
    /// When the account was made.
    pub joined: Timestamp,
    /// Set when the account came from the registration form: its sign-in on that occasion.
    pub last_login: Option<Timestamp>,
    /// Set when the account came from the registration form.
    pub activation_key: Option<String>,
    /// The retirement request, if there was one.
    pub retirement: Option<Retirement>,
}

/// A request to be forgotten.
#[derive(Debug, Clone)]
pub struct Retirement {
    /// Its number.
    pub id: u64,
    /// The address the person had.
    pub original_email: String,
    /// When it was made.
    pub requested: Timestamp,
}

/// A way of being enrolled in a course, with its price and deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mode {
    /// The short name, for example `verified`.
    pub slug: String,
    /// The name people see.
    pub name: String,
    /// In whole units of the currency.
    pub price: i64,
    /// Lower case.
    pub currency: String,
    /// When the mode stops being on offer.
    pub expires: Option<Timestamp>,
    /// The article number.
    pub sku: Option<String>,
}

/// A course run.
#[derive(Debug, Clone)]
pub struct Course {
    /// Its key.
    pub key: CourseKey,
    /// Its title.
    pub name: String,
    /// The modes it has, in the order in which they were made.
    pub modes: Vec<Mode>,
    /// First day of teaching.
    pub start: Option<Timestamp>,
    /// Last day of teaching.
    pub end: Option<Timestamp>,
    /// When enrollment opens.
    pub enrollment_start: Option<Timestamp>,
    /// When enrollment closes.
    pub enrollment_end: Option<Timestamp>,
    /// Whether nobody may enroll without invitation.
    pub invitation_only: bool,
    /// How many may be enrolled at a time.
    pub capacity: Option<usize>,
    /// Whether learners set their own pace.
    pub self_paced: bool,
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
pub struct Enrollment {
    /// Who.
    pub user: UserId,
    /// Where.
    pub course: CourseKey,
    /// The slug of the mode.
    pub mode: String,
    /// Whether it counts.
    pub is_active: bool,
    /// When the row was first made.
    pub created: Timestamp,
    /// Replaced as a whole by every call that changes the row and sends some.
    pub attributes: Vec<Attribute>,
}

/// Permission, by address, to enroll in a course in advance.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// For whom, in the spelling in which it was made.
    pub email: String,
    /// Where.
    pub course: CourseKey,
    /// Whether activation of a new account with this address enrolls it.
    pub auto_enroll: bool,
    /// Who used it.
    pub user: Option<UserId>,
    /// When it was made.
    pub created: Timestamp,
}

/// A client of the token endpoint.
#[derive(Debug, Clone)]
pub struct Application {
    /// Public part of its credentials.
    pub client_id: String,
    /// Secret part of its credentials.
    pub client_secret: String,
    /// The account its tokens act as.
    pub owner: UserId,
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
