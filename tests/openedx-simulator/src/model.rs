//! Owns the state of the simulated LMS and what may be looked up in it; must never know HTTP.

pub(crate) mod access;
pub(crate) mod course_key;
pub(crate) mod credentials;
pub(crate) mod enroll;
pub(crate) mod listing;
pub(crate) mod people;
pub(crate) mod records;
pub(crate) mod registration;

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use self::course_key::CourseKey;
use self::credentials::Tokens;
use self::records::{Allowed, Application, Attribute, Course, Enrollment, Event, EventKind, Mode, User, UserId};
use crate::clock::later;

/// The number of the first account of a state. A fresh site has two accounts of its own before it.
const FIRST_USER_ID: u64 = 3;

/// Everything the LMS remembers.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    users: Vec<User>,
    by_id: HashMap<UserId, usize>,
    by_username: HashMap<String, usize>,
    by_email: HashMap<String, usize>,
    courses: Vec<Course>,
    enrollments: Vec<Enrollment>,
    /// Where a row is, by account and folded course key.
    place: HashMap<(UserId, String), usize>,
    pub(crate) allowed: Vec<Allowed>,
    pub(crate) applications: Vec<Application>,
    pub(crate) tokens: Tokens,
    pub(crate) events: Vec<Event>,
    /// Calls the LMS made to the old commerce service because an order number had no date beside it.
    pub(crate) commerce_calls: usize,
    default_mode: String,
    currency: String,
    next_user: u64,
    next_retirement: u64,
    last_stamp: Timestamp,
}

impl Model {
    pub(crate) fn new(default_mode: String, currency: String) -> Self {
        Self {
            users: Vec::new(),
            by_id: HashMap::new(),
            by_username: HashMap::new(),
            by_email: HashMap::new(),
            courses: Vec::new(),
            enrollments: Vec::new(),
            place: HashMap::new(),
            allowed: Vec::new(),
            applications: Vec::new(),
            tokens: Tokens::default(),
            events: Vec::new(),
            commerce_calls: 0,
            default_mode,
            currency,
            next_user: FIRST_USER_ID,
            next_retirement: 1,
            last_stamp: Timestamp::MIN,
        }
    }

    /// The moment to write into a new row. No two rows share one, so that a cursor can tell them apart.
    pub(crate) fn stamp(&mut self, now: Timestamp) -> Timestamp {
        let micros = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        let stamp = if micros > self.last_stamp { micros } else { later(self.last_stamp, Duration::from_micros(1)) };
        self.last_stamp = stamp;
        stamp
    }

    pub(crate) fn add_user(&mut self, mut user: User) -> UserId {
        if user.id == UserId(0) {
            user.id = UserId(self.next_user);
        }
        self.next_user = self.next_user.max(user.id.0.saturating_add(1));
        let id = user.id;
        let index = self.users.len();
        self.by_id.insert(id, index);
        self.by_username.insert(fold(&user.username), index);
        self.by_email.insert(fold(&user.email), index);
        self.users.push(user);
        id
    }

    pub(crate) fn users(&self) -> &[User] {
        &self.users
    }

    pub(crate) fn user(&self, id: UserId) -> Option<&User> {
        self.by_id.get(&id).and_then(|index| self.users.get(*index))
    }

    fn user_mut(&mut self, id: UserId) -> Option<&mut User> {
        self.by_id.get(&id).and_then(|index| self.users.get_mut(*index))
    }

    /// By username, in any case, as the database compares.
    pub(crate) fn user_by_name(&self, username: &str) -> Option<&User> {
        self.by_username.get(&fold(username)).and_then(|index| self.users.get(*index))
    }

    /// By address, in any case, as the database compares. Blanks count.
    pub(crate) fn user_by_email(&self, email: &str) -> Option<&User> {
        self.by_email.get(&fold(email)).and_then(|index| self.users.get(*index))
    }

    /// Gives the account another address; `false` when somebody has it.
    pub(crate) fn set_email(&mut self, id: UserId, email: &str) -> bool {
        let Some(index) = self.by_id.get(&id).copied() else { return false };
        if self.by_email.get(&fold(email)).is_some_and(|holder| *holder != index) {
            return false;
        }
        if let Some(user) = self.users.get_mut(index) {
            self.by_email.remove(&fold(&user.email));
            email.clone_into(&mut user.email);
            self.by_email.insert(fold(email), index);
        }
        true
    }

    pub(crate) fn add_course(&mut self, course: Course) {
        self.courses.retain(|known| known.key != course.key);
        self.courses.push(course);
    }

    pub(crate) fn courses(&self) -> &[Course] {
        &self.courses
    }

    /// By key, in any case, as the database compares.
    pub(crate) fn course(&self, key: &CourseKey) -> Option<&Course> {
        self.courses.iter().find(|course| course.key.is(key))
    }

    pub(crate) fn course_mut(&mut self, key: &CourseKey) -> Option<&mut Course> {
        self.courses.iter_mut().find(|course| course.key.is(key))
    }

    /// The modes on offer. A course that has none (left) offers the site's default mode for nothing.
    pub(crate) fn modes(&self, course: &Course, include_expired: bool, now: Timestamp) -> Vec<Mode> {
        let on_offer: Vec<Mode> = course
            .modes
            .iter()
            .filter(|mode| include_expired || mode.expires.is_none_or(|expires| expires >= now))
            .cloned()
            .collect();
        if !on_offer.is_empty() {
            return on_offer;
        }
        vec![Mode {
            slug: self.default_mode.clone(),
            name: crate::python::title(&self.default_mode),
            price: 0,
            currency: self.currency.clone(),
            expires: None,
            sku: None,
        }]
    }

    /// The mode of somebody who is enrolled without one being named.
    pub(crate) fn default_mode(&self, key: &CourseKey, now: Timestamp) -> String {
        let slugs: Vec<String> = match self.course(key) {
            Some(course) => self.modes(course, false, now).into_iter().map(|mode| mode.slug).collect(),
            None => vec![self.default_mode.clone()],
        };
        [self.default_mode.as_str(), "audit", "honor"]
            .into_iter()
            .find(|slug| slugs.iter().any(|offered| offered == slug))
            .unwrap_or(&self.default_mode)
            .to_owned()
    }

    pub(crate) fn enrollments(&self) -> &[Enrollment] {
        &self.enrollments
    }

    pub(crate) fn enrollment(&self, user: UserId, course: &CourseKey) -> Option<&Enrollment> {
        self.place.get(&(user, fold(course.as_str()))).and_then(|index| self.enrollments.get(*index))
    }

    fn enrollment_mut(&mut self, user: UserId, course: &CourseKey) -> Option<&mut Enrollment> {
        self.place.get(&(user, fold(course.as_str()))).and_then(|index| self.enrollments.get_mut(*index))
    }

    pub(crate) fn insert_enrollment(&mut self, row: Enrollment) {
        let place = (row.user, fold(row.course.as_str()));
        if let Some(known) = self.place.get(&place).and_then(|index| self.enrollments.get_mut(*index)) {
            *known = row;
            return;
        }
        self.place.insert(place, self.enrollments.len());
        self.enrollments.push(row);
    }

    fn remove_last_enrollment(&mut self) {
        if let Some(row) = self.enrollments.pop() {
            self.place.remove(&(row.user, fold(row.course.as_str())));
        }
    }

    fn tell(&mut self, what: EventKind, user: UserId, course: &CourseKey, mode: &str) {
        let username = self.user(user).map(|user| user.username.clone()).unwrap_or_default();
        self.events.push(Event { what, username, course: course.to_string(), mode: mode.to_owned() });
    }

    /// The last value of an attribute the LMS itself acts on.
    fn order_attribute<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
        attributes
            .iter()
            .rev()
            .find(|attribute| attribute.namespace == "order" && attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }
}

/// The form in which two texts are equal for the database.
pub(crate) fn fold(text: &str) -> String {
    text.to_lowercase()
}
