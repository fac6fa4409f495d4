//! Changes that an adapter asks for: each one is written into the run that is under way.

use std::cell::RefCell;

use super::lms_read::{checked_course, checked_email, checked_username, in_handle};
use super::types::{Problem, Remedy};
use crate::testing::proofs::problem;
use crate::testing::{AskedChange, during};

#[derive(Debug)]
pub struct EnrollmentChange(RefCell<Draft>);

#[derive(Debug, Clone)]
struct Draft {
    username: String,
    course: String,
    mode: Option<String>,
    active: Option<bool>,
    force: bool,
    attributes: Vec<(String, String, String)>,
}

impl EnrollmentChange {
    pub fn new(username: &str, course: &str) -> Self {
        let (username, course) = (username.to_owned(), course.to_owned());
        let attributes = Vec::new();
        Self(RefCell::new(Draft { username, course, mode: None, active: None, force: false, attributes }))
    }

    pub fn mode(&self, mode: &str) {
        self.0.borrow_mut().mode = Some(mode.to_owned());
    }

    pub fn active(&self, active: bool) {
        self.0.borrow_mut().active = Some(active);
    }

    pub fn force(&self) {
        self.0.borrow_mut().force = true;
    }

    pub fn attribute(&self, namespace: &str, name: &str, value: &str) {
        self.0.borrow_mut().attributes.push((namespace.to_owned(), name.to_owned(), value.to_owned()));
    }

    pub fn submit(&self, key: &str) -> Result<(), Problem> {
        let Draft { username, course, mode, active, force, attributes } = self.0.borrow().clone();
        in_handle("lms-write")?;
        checked_username(&username)?;
        checked_course(&course)?;
        if attributes.iter().any(|(space, name, value)| [space, name, value].iter().any(|part| part.trim().is_empty())) {
            return Err(problem(Remedy::None, "attribute-malformed", "enrollment attribute has a blank part"));
        }
        let active = if mode.is_none() { active.or(Some(true)) } else { active };
        hand_in(key, AskedChange::Enrollment { username, course, mode, active, force, attributes });
        Ok(())
    }
}

pub fn allow_enrollment(key: &str, email: &str, course: &str, auto_enroll: bool) -> Result<(), Problem> {
    in_handle("lms-write")?;
    checked_email(email)?;
    checked_course(course)?;
    hand_in(key, AskedChange::Allow { email: email.to_owned(), course: course.to_owned(), auto_enroll });
    Ok(())
}

pub fn disallow_enrollment(key: &str, email: &str, course: &str) -> Result<(), Problem> {
    in_handle("lms-write")?;
    checked_email(email)?;
    checked_course(course)?;
    hand_in(key, AskedChange::Disallow { email: email.to_owned(), course: course.to_owned() });
    Ok(())
}

pub fn register_account(key: &str, email: &str, username: &str, name: &str) -> Result<(), Problem> {
    in_handle("lms-write")?;
    checked_email(email)?;
    checked_username(username)?;
    if name.trim().is_empty() {
        return Err(problem(Remedy::None, "name-malformed", "full name is blank"));
    }
    let (email, username, name) = (email.to_owned(), username.to_owned(), name.to_owned());
    hand_in(key, AskedChange::Register { email, username, name });
    Ok(())
}

/// Of two with one key the first counts.
fn hand_in(key: &str, change: AskedChange) {
    during(|run| {
        if !run.effects.iter().any(|(known, _)| known == key) {
            run.effects.push((key.to_owned(), change));
        }
    });
}
