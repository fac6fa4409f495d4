//! Owns what a test or the control page may see of the LMS's state; must never be used to answer a client.

use serde::Serialize;

use crate::clock::wire;
use crate::fault::Endpoint;
use crate::model::Model;
use crate::model::course_key::CourseKey;
use crate::model::records::{Attribute, Enrollment, Event};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserSnapshot {
    /// The number of the account.
    pub id: u64,
    /// The public name.
    pub username: String,
    /// The address.
    pub email: String,
    /// The full name.
    pub name: String,
    /// Whether the address was confirmed.
    pub activated: bool,
    /// Whether the account may act for others.
    pub staff: bool,
    /// Whether the account is being forgotten.
    pub retiring: bool,
}

/// A course run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CourseSnapshot {
    /// Its key.
    pub id: String,
    /// Its title.
    pub name: String,
    /// The slugs of its modes.
    pub modes: Vec<String>,
    /// How many active enrollments it has.
    pub active: usize,
}

/// An enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnrollmentSnapshot {
    /// Whose.
    pub username: String,
    /// In which course run.
    pub course: String,
    /// In which mode.
    pub mode: String,
    /// Whether it counts.
    pub is_active: bool,
    /// When the row was made.
    pub created: String,
    /// The notes no client can read back.
    pub attributes: Vec<Attribute>,
}

/// A permission to enroll in advance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AllowedSnapshot {
    /// For whom.
    pub email: String,
    /// In which course run.
    pub course: String,
    /// Whether activation enrolls.
    pub auto_enroll: bool,
    /// Who used it.
    pub user: Option<u64>,
}

/// A request the LMS received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Received {
    /// What it was about.
    pub endpoint: Endpoint,
    /// Its method.
    pub method: String,
    /// Its path and query, as they came.
    pub path: String,
    /// Its body, as far as it is text.
    pub body: String,
    /// When it came, in the time of the LMS.
    pub at: String,
    /// The status it was answered with; absent when it was not.
    pub status: Option<u16>,
    /// The fault that struck it, as the control page names it.
    pub fault: Option<String>,
}

/// Everything at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The accounts.
    pub users: Vec<UserSnapshot>,
    /// The course runs.
    pub courses: Vec<CourseSnapshot>,
    /// The enrollments.
    pub enrollments: Vec<EnrollmentSnapshot>,
    /// The permissions.
    pub enrollment_allowed: Vec<AllowedSnapshot>,
    /// What the LMS told its plugins.
    pub events: Vec<Event>,
    /// Calls the LMS made to the old commerce service.
    pub commerce_calls: usize,
}

impl Snapshot {
    pub(crate) fn of(model: &Model) -> Self {
        let active =
            |key: &CourseKey| model.enrollments().iter().filter(|row| row.is_active && row.course.is(key)).count();
        Self {
            users: model
                .users()
                .iter()
                .map(|user| UserSnapshot {
                    id: user.id.0,
                    username: user.username.clone(),
                    email: user.email.clone(),
                    name: user.name.clone(),
                    activated: user.activated,
                    staff: user.staff,
                    retiring: user.retirement.is_some(),
                })
                .collect(),
            courses: model
                .courses()
                .iter()
                .map(|course| CourseSnapshot {
                    id: course.key.to_string(),
                    name: course.name.clone(),
                    modes: course.modes.iter().map(|mode| mode.slug.clone()).collect(),
                    active: active(&course.key),
                })
                .collect(),
            enrollments: model.enrollments().iter().map(|row| EnrollmentSnapshot::of(model, row)).collect(),
            enrollment_allowed: model
                .allowed
                .iter()
                .map(|record| AllowedSnapshot {
                    email: record.email.clone(),
                    course: record.course.to_string(),
                    auto_enroll: record.auto_enroll,
                    user: record.user.map(|user| user.0),
                })
                .collect(),
            events: model.events.clone(),
            commerce_calls: model.commerce_calls,
        }
    }
}

impl EnrollmentSnapshot {
    pub(crate) fn of(model: &Model, row: &Enrollment) -> Self {
        Self {
            username: model.user(row.user).map(|user| user.username.clone()).unwrap_or_default(),
            course: row.course.to_string(),
            mode: row.mode.clone(),
            is_active: row.is_active,
            created: wire(row.created),
            attributes: row.attributes.clone(),
        }
    }
}
