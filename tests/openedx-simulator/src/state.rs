//! Owns the form in which the state of an LMS is written down, in a file or by a test; must never run anything.

mod build;
pub(crate) mod date;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub use self::date::Date;

/// The state could not be read, or says something that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Not JSON, or not of the expected form.
    #[error("the state is not in the expected form")]
    Form(#[from] serde_json::Error),
    /// A course key that is none.
    #[error("{0} is not a course key")]
    CourseKey(String),
    /// A date that is neither absolute nor relative.
    #[error("{0} is not a date; write 2026-01-31T00:00:00Z, \"-10 d\" or \"+10 d\"")]
    Date(String),
    /// Somebody is mentioned who is not among the users.
    #[error("no user is called {0}")]
    NoSuchUser(String),
}

/// What the LMS holds when it starts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct State {
    /// The accounts. A username of the form `load000 … load299` stands for all of them.
    pub users: Vec<UserSpec>,
    /// The clients of the token endpoint.
    pub applications: Vec<ApplicationSpec>,
    /// The course runs.
    pub courses: Vec<CourseSpec>,
    /// What courses have unless they say otherwise.
    pub defaults: Defaults,
    /// Enrollments that exist from the start.
    pub enrollments: Vec<EnrollmentSpec>,
    /// Permissions that exist from the start.
    pub enrollment_allowed: Vec<AllowedSpec>,
}

/// An account, or a row of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct UserSpec {
    /// The username, or `first … last`.
    pub username: String,
    /// The address; made from the username when absent.
    pub email: Option<String>,
    /// The full name; made from the username when absent.
    pub name: Option<String>,
    /// The number of the account; the next free one when absent.
    pub id: Option<u64>,
    /// Whether the account may act for others.
    #[serde(alias = "is_staff")]
    pub staff: bool,
    /// Whether the account may do everything.
    #[serde(alias = "is_superuser")]
    pub superuser: bool,
    /// Whether the address was confirmed; true when absent.
    #[serde(alias = "is_active", alias = "active")]
    pub activated: Option<bool>,
    /// Whether the person has asked to be forgotten.
    #[serde(alias = "retirement_requested", alias = "retiring")]
    pub retired: bool,
    /// The address before the retirement, when `email` is the one after it.
    #[serde(alias = "old_email")]
    pub original_email: Option<String>,
}

/// A client of the token endpoint.
#[derive(Debug, Clone, Deserialize)]
pub struct ApplicationSpec {
    /// Public part of its credentials.
    pub client_id: String,
    /// Secret part of its credentials.
    pub client_secret: String,
    /// The account its tokens act as.
    #[serde(alias = "user")]
    pub owner: String,
}

/// A course run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CourseSpec {
    /// Its key.
    #[serde(alias = "course_id")]
    pub id: String,
    /// Its title.
    pub name: String,
    /// Its modes, in the order in which they were made.
    pub modes: Modes,
    /// First day of teaching.
    #[serde(alias = "course_start", deserialize_with = "mentioned")]
    pub start: Option<Option<Date>>,
    /// Last day of teaching.
    #[serde(alias = "course_end", deserialize_with = "mentioned")]
    pub end: Option<Option<Date>>,
    /// When enrollment opens.
    pub enrollment_start: Option<Date>,
    /// When enrollment closes.
    pub enrollment_end: Option<Date>,
    /// Whether nobody may enroll without invitation.
    #[serde(alias = "invite_only")]
    pub invitation_only: bool,
    /// How many may be enrolled at a time.
    pub capacity: Option<usize>,
    /// `Self Paced` or `Instructor Paced`.
    #[serde(alias = "pacing_type")]
    pub pacing: Option<String>,
}

/// The modes of a course run, in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub struct Modes(pub Vec<(String, ModeSpec)>);

/// A price, or a price with more about the mode.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum ModeSpec {
    /// Only the price.
    Price(i64),
    /// The price and more.
    Full {
        /// In whole units of the currency.
        #[serde(alias = "min_price", default)]
        price: i64,
        /// When the mode stops, or stopped, being on offer.
        #[serde(alias = "expires", alias = "expiration_datetime", default)]
        expired: Option<Date>,
        /// The article number; made from the slug when absent.
        #[serde(default)]
        sku: Option<String>,
        /// The name people see; made from the slug when absent.
        #[serde(default)]
        name: Option<String>,
    },
}

/// What courses have unless they say otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Defaults {
    /// First day of teaching.
    pub course_start: Option<Date>,
    /// Last day of teaching.
    pub course_end: Option<Date>,
    /// The currency of every price.
    pub currency: String,
    /// The pattern of article numbers; only modes with a price have one.
    pub sku: String,
    /// The mode of a course without modes, and of an enrollment without one.
    pub default_mode: String,
    /// `Self Paced` or `Instructor Paced`.
    pub pacing: String,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            course_start: Some(Date::days(-30)),
            course_end: Some(Date::days(300)),
            currency: "usd".to_owned(),
            sku: "SKU-<mode>".to_owned(),
            default_mode: "audit".to_owned(),
            pacing: "Instructor Paced".to_owned(),
        }
    }
}

/// An enrollment that exists from the start.
#[derive(Debug, Clone, Deserialize)]
pub struct EnrollmentSpec {
    /// Whose.
    #[serde(alias = "username")]
    pub user: String,
    /// In which course run.
    #[serde(alias = "course_id")]
    pub course: String,
    /// In which mode.
    pub mode: String,
    /// Whether it counts; true when absent.
    #[serde(alias = "active", default = "yes")]
    pub is_active: bool,
}

/// A permission that exists from the start.
#[derive(Debug, Clone, Deserialize)]
pub struct AllowedSpec {
    /// For whom.
    pub email: String,
    /// In which course run.
    #[serde(alias = "course_id")]
    pub course: String,
    /// Whether activation enrolls.
    #[serde(default)]
    pub auto_enroll: bool,
}

impl State {
    /// Reads a state: the object itself, or a document that has it under the key `state`.
    ///
    /// # Errors
    /// When the text is not JSON or not of that form.
    pub fn from_json(text: &str) -> Result<Self, StateError> {
        #[derive(Deserialize)]
        struct Wrapped<'a> {
            // Kept as text, because the order of the modes counts and a parsed object would lose it.
            #[serde(borrow)]
            state: Option<&'a RawValue>,
        }
        let wrapped: Wrapped<'_> = serde_json::from_str(text)?;
        Ok(serde_json::from_str(wrapped.state.map_or(text, RawValue::get))?)
    }

    /// An LMS with a staff service account `worker`, its application `worker-key` with secret `worker-secret`, and
    /// nothing else.
    #[must_use]
    pub fn with_worker() -> Self {
        Self::default().user(UserSpec::new("worker").as_staff()).application("worker-key", "worker-secret", "worker")
    }

    /// Adds an account.
    #[must_use]
    pub fn user(mut self, user: UserSpec) -> Self {
        self.users.push(user);
        self
    }

    /// Adds an activated account with this username and address.
    #[must_use]
    pub fn learner(self, username: &str, email: &str) -> Self {
        self.user(UserSpec { email: Some(email.to_owned()), ..UserSpec::new(username) })
    }

    /// Adds a client of the token endpoint that acts as `owner`.
    #[must_use]
    pub fn application(mut self, client_id: &str, client_secret: &str, owner: &str) -> Self {
        self.applications.push(ApplicationSpec {
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            owner: owner.to_owned(),
        });
        self
    }

    /// Adds a course run.
    #[must_use]
    pub fn course(mut self, course: CourseSpec) -> Self {
        self.courses.push(course);
        self
    }

    /// Adds an active enrollment.
    #[must_use]
    pub fn enrollment(mut self, user: &str, course: &str, mode: &str) -> Self {
        self.enrollments.push(EnrollmentSpec {
            user: user.to_owned(),
            course: course.to_owned(),
            mode: mode.to_owned(),
            is_active: true,
        });
        self
    }
}

impl UserSpec {
    /// An activated account without rights.
    #[must_use]
    pub fn new(username: &str) -> Self {
        Self { username: username.to_owned(), ..Self::default() }
    }

    /// With the right to act for others.
    #[must_use]
    pub fn as_staff(self) -> Self {
        Self { staff: true, ..self }
    }

    /// With an address that was never confirmed.
    #[must_use]
    pub fn not_activated(self) -> Self {
        Self { activated: Some(false), ..self }
    }

    /// Of somebody who has asked to be forgotten.
    #[must_use]
    pub fn as_retired(self) -> Self {
        Self { retired: true, ..self }
    }
}

impl CourseSpec {
    /// An open course run without modes.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    /// Adds a mode at a price.
    #[must_use]
    pub fn mode(mut self, slug: &str, price: i64) -> Self {
        self.modes.0.push((slug.to_owned(), ModeSpec::Price(price)));
        self
    }

    /// Adds a mode with a deadline.
    #[must_use]
    pub fn mode_until(mut self, slug: &str, price: i64, deadline: Date) -> Self {
        let spec = ModeSpec::Full { price, expired: Some(deadline), sku: None, name: None };
        self.modes.0.push((slug.to_owned(), spec));
        self
    }

    /// Enrollment only between these dates.
    #[must_use]
    pub fn window(self, start: Option<Date>, end: Option<Date>) -> Self {
        Self { enrollment_start: start, enrollment_end: end, ..self }
    }

    /// Enrollment only by invitation.
    #[must_use]
    pub fn invitation_only(self) -> Self {
        Self { invitation_only: true, ..self }
    }

    /// With so many seats.
    #[must_use]
    pub fn seats(self, capacity: usize) -> Self {
        Self { capacity: Some(capacity), ..self }
    }
}

fn yes() -> bool {
    true
}

/// Tells a date that is written as null from one that is not written.
fn mentioned<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Date>>, D::Error> {
    Option::<Date>::deserialize(from).map(Some)
}

impl<'de> Deserialize<'de> for Modes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Modes;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("modes by slug")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Modes, A::Error> {
                let mut modes = Vec::new();
                while let Some(mode) = map.next_entry()? {
                    modes.push(mode);
                }
                Ok(Modes(modes))
            }
        }
        from.deserialize_map(InOrder)
    }
}
