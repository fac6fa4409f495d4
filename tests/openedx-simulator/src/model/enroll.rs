//! Owns the decision what an enrollment call does, in the order in which the LMS decides; must never know HTTP.

use jiff::Timestamp;
use serde_json::Value;

use super::Model;
use super::course_key::CourseKey;
use super::records::{Allowed, Attribute, Course, Enrollment, EventKind, Mode, UserId};
use crate::python;

/// Longest value a column of the attribute table takes.
const ATTRIBUTE_LENGTH: usize = 255;

/// Who calls.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Caller {
    /// The account the credentials belong to.
    pub(crate) user: Option<UserId>,
    /// Whether the shared key of the site came along.
    pub(crate) api_key: bool,
}

/// How an enrollment call ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Done, or already so: the row as it is.
    Enrollment(Box<Enrollment>),
    /// Somebody the caller may not act for.
    Hidden,
    NoCourseId,
    NoSuchCourse(String),
    NoSuchUser(String),
    NoSuchEmail(String),
    ModeForbidden(String),
    BadIsActive(String),
    BadForce(String),
    ModeMismatch {
        active: String,
        requested: String,
    },
    ModeUnavailable {
        mode: String,
        /// The course run in the caller's spelling.
        requested: String,
        course: Box<Course>,
        modes: Vec<Mode>,
    },
    MissingAttributes(String),
    BadAttribute(&'static str),
    NoSuchCohort(String),
    /// Closed, invitation-only or full: the caller is not told which.
    Refused {
        username: String,
        course: String,
    },
    /// The code of the LMS fell over; nothing of the call remains.
    Crash,
}

/// A path that ends the decision early. `Crash` undoes what was done; everything else leaves it.
type Step<T> = Result<T, Outcome>;

/// What the caller wants of the row.
struct Wish<'a> {
    mode: Option<&'a Value>,
    is_active: Option<bool>,
    attributes: Option<&'a Value>,
}

impl Model {
    /// Carries out `POST enrollment` (`docs/lms.md` 4.1).
    pub(crate) fn enroll(&mut self, caller: Caller, body: &Value, now: Timestamp) -> Outcome {
        let rows = self.enrollments.len();
        let named = self.resolve(caller, body);
        let (learner, course_key, username) = match named {
            Ok(named) => named,
            Err(outcome) => return outcome,
        };
        let before = self.enrollment(learner, &course_key).cloned();
        let events = self.events.len();
        let free: Vec<usize> = self.free_permissions(learner, &course_key);
        let outcome = match self.carry_out(caller, body, learner, &username, &course_key, now) {
            Ok(row) => Outcome::Enrollment(Box::new(row)),
            Err(outcome) => outcome,
        };
        if matches!(outcome, Outcome::Crash) {
            for index in free {
                if let Some(record) = self.allowed.get_mut(index) {
                    record.user = None;
                }
            }
            self.events.truncate(events);
            match before {
                Some(row) => self.insert_enrollment(row),
                None if self.enrollments.len() > rows => self.remove_last_enrollment(),
                None => {}
            }
        }
        outcome
    }

    pub(crate) fn is_staff(&self, caller: Caller) -> bool {
        caller.user.and_then(|id| self.user(id)).is_some_and(|user| user.staff)
    }

    pub(crate) fn username(&self, caller: Caller) -> String {
        caller.user.and_then(|id| self.user(id)).map(|user| user.username.clone()).unwrap_or_default()
    }

    /// Whose place in which course is meant, and under which name the messages speak of the learner.
    fn resolve(&self, caller: Caller, body: &Value) -> Step<(UserId, CourseKey, String)> {
        let Value::Object(body) = body else { return Err(Outcome::Crash) };
        let course_id = match body.get("course_details") {
            None => None,
            Some(Value::Object(details)) => details.get("course_id").filter(|id| python::truthy(id)),
            Some(_) => return Err(Outcome::Crash),
        };
        let course_key = match course_id {
            None => return Err(Outcome::NoCourseId),
            Some(Value::String(text)) => CourseKey::parse(text).map_err(|_| Outcome::NoSuchCourse(text.clone()))?,
            Some(_) => return Err(Outcome::Crash),
        };
        let privileged = caller.api_key || self.is_staff(caller);
        let own_name = self.username(caller);
        let given = body.get("user").filter(|user| python::truthy(user));
        if given.is_some_and(|user| *user != Value::String(own_name.clone())) && !privileged {
            return Err(Outcome::Hidden);
        }
        let username = match (given, body.get("email").filter(|email| python::truthy(email))) {
            (Some(user), _) => python::text(user),
            (None, None) => own_name,
            (None, Some(_)) if !privileged => return Err(Outcome::Hidden),
            (None, Some(email)) => {
                let found = email.as_str().and_then(|email| self.user_by_email(email));
                found.ok_or_else(|| Outcome::NoSuchEmail(python::text(email)))?.username.clone()
            }
        };
        let free = match body.get("mode") {
            None | Some(Value::Null) => true,
            Some(mode) => mode == "audit" || mode == "honor",
        };
        if !free && !privileged {
            return Err(Outcome::ModeForbidden(body.get("mode").map(python::text).unwrap_or_default()));
        }
        match self.user_by_name(&username) {
            Some(user) => Ok((user.id, course_key, username)),
            None => Err(Outcome::NoSuchUser(username)),
        }
    }

    fn carry_out(
        &mut self,
        caller: Caller,
        body: &Value,
        learner: UserId,
        username: &str,
        course_key: &CourseKey,
        now: Timestamp,
    ) -> Step<Enrollment> {
        let is_active = flag(body.get("is_active")).map_err(Outcome::BadIsActive)?;
        let force = flag(body.get("force_enrollment")).map_err(Outcome::BadForce)?;
        let staff = self.is_staff(caller);
        let force = force == Some(true) && staff;
        let wish = Wish { mode: present(body, "mode"), is_active, attributes: present(body, "enrollment_attributes") };

        let stored = self.enrollment(learner, course_key).cloned();
        let mode_changed =
            matches!((&stored, wish.mode), (Some(row), Some(mode)) if *mode != Value::String(row.mode.clone()));
        let active_changed = matches!((&stored, is_active), (Some(row), Some(is_active)) if row.is_active != is_active);
        let incomplete = lacks_credit_provider(&wish)?;

        let row = match stored {
            Some(stored) if (staff || caller.api_key) && (mode_changed || active_changed) => {
                if mode_changed && active_changed && is_active == Some(false) {
                    let requested = wish.mode.map(python::text).unwrap_or_default();
                    return Err(Outcome::ModeMismatch { active: stored.mode, requested });
                }
                if incomplete {
                    return Err(Outcome::MissingAttributes(wish.mode.map(python::text).unwrap_or_default()));
                }
                self.update(&wish, learner, course_key, caller.api_key, now)?
            }
            _ => match self.add(&wish, learner, username, course_key, force, now)? {
                Added::Already(row) => return Ok(row),
                Added::Row(row) => row,
            },
        };
        if let Some(cohort) = present(body, "cohort") {
            return Err(Outcome::NoSuchCohort(python::text(cohort)));
        }
        // The preference is written for the caller, and the shared key has no account to write it for.
        if present(body, "email_opt_in").is_some() && caller.user.is_none() {
            return Err(Outcome::Crash);
        }
        Ok(row)
    }

    fn update(
        &mut self,
        wish: &Wish<'_>,
        learner: UserId,
        course_key: &CourseKey,
        api_key: bool,
        now: Timestamp,
    ) -> Step<Enrollment> {
        if let Some(mode) = wish.mode {
            self.check_mode(mode, wish.is_active, api_key, course_key, now)?;
        }
        self.set(learner, course_key, wish.mode.map(python::text).as_deref(), wish.is_active)?;
        // The answer is made before the attributes are written, but they are not part of it.
        self.write_attributes(learner, course_key, wish.attributes)?;
        self.enrollment(learner, course_key).cloned().ok_or(Outcome::Crash)
    }

    fn add(
        &mut self,
        wish: &Wish<'_>,
        learner: UserId,
        username: &str,
        course_key: &CourseKey,
        force: bool,
        now: Timestamp,
    ) -> Step<Added> {
        let default_mode = self.default_mode(course_key, now);
        let default_value = Value::String(default_mode.clone());
        let mode = wish.mode.unwrap_or(&default_value);
        self.check_mode(mode, wish.is_active, force, course_key, now)?;
        let (Some(course), Some(user)) = (self.course(course_key), self.user(learner)) else {
            return Err(Outcome::Crash);
        };
        let closed = self.is_closed(user, course, now) && !force;
        if closed || self.is_full(course) {
            return Err(Outcome::Refused { username: username.to_owned(), course: course_key.to_string() });
        }
        if let Some(row) = self.enrollment(learner, course_key).filter(|row| row.is_active) {
            return Ok(Added::Already(row.clone()));
        }
        self.enroll_in_default_mode(learner, course_key, now)?;
        self.set(learner, course_key, Some(&python::text(mode)), wish.is_active)?;
        self.write_attributes(learner, course_key, wish.attributes)?;
        self.enrollment(learner, course_key).cloned().map(Added::Row).ok_or(Outcome::Crash)
    }

    /// Makes the row if need be and activates it in the default mode, which is what plugins are told of first.
    pub(super) fn enroll_in_default_mode(
        &mut self,
        learner: UserId,
        course_key: &CourseKey,
        now: Timestamp,
    ) -> Step<()> {
        let default_mode = self.default_mode(course_key, now);
        if self.enrollment(learner, course_key).is_none() {
            let created = self.stamp(now);
            self.insert_enrollment(Enrollment {
                user: learner,
                // In the spelling of the course, whatever that of the caller.
                course: self.course(course_key).map_or_else(|| course_key.clone(), |course| course.key.clone()),
                mode: default_mode.clone(),
                is_active: false,
                created,
                attributes: Vec::new(),
            });
        }
        for index in self.free_permissions(learner, course_key) {
            if let Some(record) = self.allowed.get_mut(index) {
                record.user = Some(learner);
            }
        }
        self.set(learner, course_key, Some(&default_mode), Some(true))
    }

    /// Where the permissions are that the learner's next enrollment will use up.
    fn free_permissions(&self, learner: UserId, course_key: &CourseKey) -> Vec<usize> {
        let email = self.user(learner).map(|user| super::fold(&user.email)).unwrap_or_default();
        let free = |record: &Allowed| {
            record.user.is_none() && record.course.is(course_key) && super::fold(&record.email) == email
        };
        self.allowed.iter().enumerate().filter(|(_, record)| free(record)).map(|(index, _)| index).collect()
    }

    /// Sets mode and activation, with everything the LMS does on such a change.
    pub(super) fn set(
        &mut self,
        learner: UserId,
        course_key: &CourseKey,
        mode: Option<&str>,
        is_active: Option<bool>,
    ) -> Step<()> {
        let Some(row) = self.enrollment_mut(learner, course_key) else { return Err(Outcome::Crash) };
        let activation = is_active.filter(|is_active| *is_active != row.is_active);
        let change = mode.filter(|mode| *mode != row.mode).map(str::to_owned);
        if let Some(is_active) = activation {
            row.is_active = is_active;
        }
        if let Some(mode) = &change {
            row.mode.clone_from(mode);
        }
        let row = row.clone();
        match activation {
            Some(true) => self.tell(EventKind::Enrolled, learner, course_key, &row.mode),
            Some(false) => {
                self.look_for_a_refund(&row.attributes)?;
                self.tell(EventKind::Unenrolled, learner, course_key, &row.mode);
            }
            None => {}
        }
        if change.is_some() {
            self.tell(EventKind::ModeChanged, learner, course_key, &row.mode);
        }
        Ok(())
    }

    /// On every unenrollment the LMS asks when the order was placed, and falls over when the date has another form.
    fn look_for_a_refund(&mut self, attributes: &[Attribute]) -> Step<()> {
        match Self::order_attribute(attributes, "date_placed").filter(|date| !date.is_empty()) {
            Some(date) if is_order_date(date) => {}
            Some(_) => return Err(Outcome::Crash),
            None if Self::order_attribute(attributes, "order_number").is_some_and(|number| !number.is_empty()) => {
                self.commerce_calls = self.commerce_calls.saturating_add(1);
            }
            None => {}
        }
        Ok(())
    }

    fn check_mode(
        &self,
        mode: &Value,
        is_active: Option<bool>,
        include_expired: bool,
        course_key: &CourseKey,
        now: Timestamp,
    ) -> Step<()> {
        let Some(course) = self.course(course_key) else { return Err(Outcome::NoSuchCourse(course_key.to_string())) };
        let modes = self.modes(course, include_expired || is_active == Some(false), now);
        if modes.iter().any(|offered| *mode == Value::String(offered.slug.clone())) {
            return Ok(());
        }
        Err(Outcome::ModeUnavailable {
            mode: python::text(mode),
            requested: course_key.to_string(),
            course: Box::new(course.clone()),
            modes,
        })
    }

    fn write_attributes(&mut self, learner: UserId, course_key: &CourseKey, sent: Option<&Value>) -> Step<()> {
        let Some(sent) = sent else { return Ok(()) };
        let attributes = read_attributes(sent)?;
        if let Some(row) = self.enrollment_mut(learner, course_key) {
            row.attributes = attributes;
        }
        Ok(())
    }
}

/// How adding ended: with a row that was there already, of which nothing changes, or with a new state of it.
enum Added {
    Already(Enrollment),
    Row(Enrollment),
}

/// A member that is there and not null.
fn present<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

/// True, false or nothing; anything else comes back as the LMS quotes it.
fn flag(value: Option<&Value>) -> Result<Option<bool>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(python::text(other)),
    }
}

/// Whether the attributes lack what the credit mode needs. Falls over when one has no namespace or no name.
fn lacks_credit_provider(wish: &Wish<'_>) -> Step<bool> {
    let Some(sent) = wish.attributes.filter(|sent| python::truthy(sent)) else { return Ok(false) };
    let Value::Array(sent) = sent else { return Err(Outcome::Crash) };
    let mut provider = false;
    for attribute in sent {
        let (Some(namespace), Some(name)) = (attribute.get("namespace"), attribute.get("name")) else {
            return Err(Outcome::Crash);
        };
        provider |= namespace == "credit" && name == "provider_id";
    }
    Ok(wish.mode.is_some_and(|mode| mode == "credit") && !provider)
}

fn read_attributes(sent: &Value) -> Step<Vec<Attribute>> {
    let sent: &[Value] = match sent {
        Value::Array(sent) => sent,
        Value::String(text) if text.is_empty() => &[],
        Value::Object(members) if members.is_empty() => &[],
        _ => return Err(Outcome::Crash),
    };
    for attribute in sent {
        for (key, message) in [
            ("namespace", "'namespace' not in enrollment attribute"),
            ("name", "'name' not in enrollment attribute"),
            ("value", "'value' not in enrollment attribute"),
        ] {
            if attribute.get(key).is_none() {
                return Err(Outcome::BadAttribute(message));
            }
        }
    }
    sent.iter()
        .map(|attribute| {
            let column = |key| match attribute.get(key) {
                None | Some(Value::Null) => Err(Outcome::Crash),
                Some(value) => Some(python::text(value))
                    .filter(|text| text.chars().count() <= ATTRIBUTE_LENGTH)
                    .ok_or(Outcome::Crash),
            };
            Ok(Attribute { namespace: column("namespace")?, name: column("name")?, value: column("value")? })
        })
        .collect()
}

/// Whether the LMS can read an order date: `YYYY-MM-DDTHH:MM:SSZ`, without fraction or offset.
fn is_order_date(text: &str) -> bool {
    let Some(rest) = text.strip_suffix('Z') else { return false };
    let Some((date, time)) = rest.split_once('T') else { return false };
    let numbers = |text: &str, separator| -> Option<Vec<u32>> {
        text.split(separator)
            .map(|part| {
                let short = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
                if short { part.parse().ok() } else { None }
            })
            .collect()
    };
    let year_is_full = date.split('-').next().is_some_and(|year| year.len() == 4);
    let parts_are_short = date.split('-').skip(1).chain(time.split(':')).all(|part| part.len() <= 2);
    match (numbers(date, '-').as_deref(), numbers(time, ':').as_deref()) {
        (Some(&[year, month, day]), Some(&[hour, minute, second])) => {
            let day_exists = match (i16::try_from(year), i8::try_from(month), i8::try_from(day)) {
                (Ok(year), Ok(month), Ok(day)) => jiff::civil::Date::new(year, month, day).is_ok(),
                _ => false,
            };
            year_is_full && parts_are_short && year > 0 && day_exists && hour < 24 && minute < 60 && second < 62
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_form_of_order_date_can_be_read() {
        assert!(is_order_date("2027-01-15T09:29:58Z"));
        for bad in ["2027-01-15T09:29:58.123Z", "2027-01-15T09:29:58+00:00", "2027-01-15", "2027-02-30T00:00:00Z", "x"]
        {
            assert!(!is_order_date(bad), "{bad}");
        }
    }
}
