//! One enrollment: reading it, and changing it.
//!
//! Owns the request's form and the meaning of the LMS's refusals of a change. Every change names its user, because a
//! change without one enrolls the service user (`docs/lms.md`), and every answer is compared with what was asked,
//! because the LMS says 200 to changes that it did not make.

use bursar_domain::{CourseRun, Mode, Timestamp, Username, effect::Attribute};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Content},
    classify,
    client::Lms,
    counts::CallKind,
    error::{Doubt, Fault, LmsError, Refusal},
    transport::{Call, Payload},
    wire::{moment, path_part, quote, run_in_path, same_run},
};

pub(crate) const ENROLLMENT: &str = "/api/enrollment/v1/enrollment";

/// An enrollment as the LMS holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrollment {
    /// As the LMS spells it.
    pub username: Username,
    /// As the LMS spells it, which ignores case in what it is asked.
    pub run: CourseRun,
    /// The mode; that of an inactive enrollment is the one it had.
    pub mode: Mode,
    /// Does it give access?
    pub is_active: bool,
    /// When the enrollment was first made; an upgrade or a reactivation does not move it.
    pub created: Option<Timestamp>,
}

/// A change of an enrollment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentChange {
    /// Whose.
    pub username: Username,
    /// In which run.
    pub run: CourseRun,
    /// The mode to have; with `is_active: false`, the mode that the enrollment must have to be ended. `None` keeps the
    /// mode of an existing enrollment, and takes the run's default one for a new one.
    pub mode: Option<Mode>,
    /// To give access or to end it. `None` leaves an existing enrollment as it is, which for an inactive one in another
    /// mode means inactive.
    pub is_active: Option<bool>,
    /// Enroll although the run is closed, by invitation only, or its mode has expired. Works for new enrollments only,
    /// and never for a full course (`docs/lms.md`).
    pub force: bool,
    /// Notes. Ignored by the LMS where nothing else changes.
    pub attributes: Vec<Attribute>,
}

impl EnrollmentChange {
    /// A change that says nothing yet but whose and where.
    #[must_use]
    pub fn new(username: Username, run: CourseRun) -> Self {
        Self { username, run, mode: None, is_active: None, force: false, attributes: Vec::new() }
    }

    fn body(&self) -> Value {
        let mut body = json!({
            "user": self.username.as_str(),
            "course_details": { "course_id": self.run.as_str() },
        });
        if let Some(object) = body.as_object_mut() {
            // A key with null is not the same as no key to every release of the LMS.
            if let Some(mode) = &self.mode {
                object.insert("mode".to_owned(), json!(mode.as_str()));
            }
            if let Some(is_active) = self.is_active {
                object.insert("is_active".to_owned(), json!(is_active));
            }
            if self.force {
                object.insert("force_enrollment".to_owned(), json!(true));
            }
            if !self.attributes.is_empty() {
                object.insert("enrollment_attributes".to_owned(), json!(self.attributes));
            }
        }
        body
    }

    /// What the LMS should have answered, it has answered.
    fn check(&self, enrollment: &Enrollment) -> Result<(), Doubt> {
        let wrong = |what| Err(Doubt::WrongEcho { what });
        if enrollment.username.normalized() != self.username.normalized() {
            return wrong("user");
        }
        if !same_run(enrollment.run.as_str(), self.run.as_str()) {
            return wrong("course run");
        }
        if self.mode.as_ref().is_some_and(|mode| *mode != enrollment.mode) {
            return wrong("mode");
        }
        if self.is_active.is_some_and(|is_active| is_active != enrollment.is_active) {
            return wrong("activation");
        }
        Ok(())
    }
}

impl Lms {
    /// Reads one enrollment, active or not. `None`: there is none, which the LMS also says of a user or a run that it
    /// does not know.
    ///
    /// # Errors
    /// [`Refusal::UnknownCourse`] for a key that no LMS can have, else of any class but definite.
    pub async fn enrollment(&self, username: &Username, run: &CourseRun) -> Result<Option<Enrollment>, LmsError> {
        Ok(self.enrollment_verbatim(username, run).await?.map(|(enrollment, _)| enrollment))
    }

    /// As [`Lms::enrollment`], with the LMS's own words for it.
    ///
    /// # Errors
    /// As there.
    pub async fn enrollment_verbatim(
        &self,
        username: &Username,
        run: &CourseRun,
    ) -> Result<Option<(Enrollment, Value)>, LmsError> {
        let run_part = run_in_path(run).ok_or(Refusal::UnknownCourse)?;
        let path = format!("{ENROLLMENT}/{},{run_part}", path_part(username.as_str()));
        self.send(&Call::get(CallKind::ReadEnrollment, path), |answer| match (answer.status, &answer.content) {
            // 200 without a body is the LMS's "none" (`docs/lms.md`), not a mistake.
            (200, Content::Empty) => Ok(None),
            (200, Content::Data(data)) => {
                let enrollment = read_detailed(data, run)?;
                if enrollment.username.normalized() != username.normalized() {
                    return Err(Doubt::WrongEcho { what: "user" }.into());
                }
                if !same_run(enrollment.run.as_str(), run.as_str()) {
                    return Err(Doubt::WrongEcho { what: "course run" }.into());
                }
                Ok(Some((enrollment, data.clone())))
            }
            _ => Err(classify::leftover(answer, CallKind::ReadEnrollment, &[username.as_str()])),
        })
        .await
    }

    /// Changes one enrollment, and checks that the LMS answered with what was asked for. Two changes for one learner and
    /// run must never be on their way at once: the last to arrive wins (`docs/lms.md`).
    ///
    /// # Errors
    /// Of any class. After an unclear one, and after one that may have had its effect, read before doing anything.
    pub async fn enroll(&self, change: &EnrollmentChange) -> Result<Enrollment, LmsError> {
        let payload = Payload::Json(change.body());
        let call = Call::send(CallKind::ChangeEnrollment, Method::POST, ENROLLMENT, payload);
        self.send(&call, |answer| changed(answer, call.kind, change)).await
    }

    /// Is there an API key, for [`Lms::enroll_with_api_key`]?
    #[must_use]
    pub fn has_api_key(&self) -> bool {
        self.api_key().is_some()
    }

    /// Changes one enrollment as [`Lms::enroll`] does, but with the site's API key, for what only it can do: bring an
    /// **existing** enrollment, active or not, into a mode that has expired. A service user gets
    /// [`Refusal::ModeUnavailable`] for that, with force as well. Takes no turn in the budget: the LMS does not throttle
    /// the key. `force` is not sent, as the LMS heeds it for staff users only.
    ///
    /// # Errors
    /// As [`Lms::enroll`], and [`Refusal::NoApiKey`], [`Refusal::ApiKeyRefused`].
    pub async fn enroll_with_api_key(&self, change: &EnrollmentChange) -> Result<Enrollment, LmsError> {
        let change = EnrollmentChange { force: false, ..change.clone() };
        let payload = Payload::Json(change.body());
        let call = Call::send(CallKind::ChangeEnrollmentWithApiKey, Method::POST, ENROLLMENT, payload);
        self.send_with_api_key(&call, |answer| changed(answer, call.kind, &change)).await
    }
}

fn changed(answer: &Answer, kind: CallKind, change: &EnrollmentChange) -> Result<Enrollment, LmsError> {
    match (answer.status, &answer.content) {
        (200, Content::Data(data)) => {
            let enrollment = read_detailed(data, &change.run)?;
            change.check(&enrollment)?;
            Ok(enrollment)
        }
        _ => Err(refusal(answer, kind, change)),
    }
}

/// What the LMS means when it does not make a change. Its messages are for people, but they have not changed in years
/// and are not translated; the ends of them hold what was asked.
fn refusal(answer: &Answer, kind: CallKind, change: &EnrollmentChange) -> LmsError {
    let strike = [change.username.as_str()];
    let leftover = || classify::leftover(answer, kind, &strike);
    let Some(message) = answer.text("message") else { return leftover() };
    let begins = |prefix: &str| message.starts_with(prefix);
    match answer.status {
        // The same status stands for an Accept header that cannot be met, but then the key is `detail`.
        406 if begins("The user with the email address") => Refusal::UnknownEmail.into(),
        406 => Refusal::UnknownUser.into(),
        400 if begins("No course ") => Refusal::UnknownCourse.into(),
        400 if begins("The [") && message.contains("course mode is expired or otherwise unavailable") => {
            Refusal::ModeUnavailable { mode: change.mode.clone() }.into()
        }
        400 if begins("Enrollment mode mismatch: ") => mismatch(message, change).unwrap_or_else(leftover),
        400 if begins("An error occurred while creating the new course enrollment") => {
            // Older LMSs say the same of an attribute without a value, but an `Attribute` has one.
            Refusal::EnrollmentRefused.into()
        }
        400 if begins("Missing enrollment attributes") => Refusal::CreditAttributesMissing.into(),
        400 if begins("An error occured while adding to cohort") => Doubt::AfterTheEffect { what: "the cohort" }.into(),
        400 if message.ends_with("not in enrollment attribute") => {
            Doubt::AfterTheEffect { what: "an attribute" }.into()
        }
        400 if message.contains("is an invalid enrollment activation status")
            || message.contains("is an invalid force enrollment status") =>
        {
            Fault::BadRequest { said: quote(message, &strike) }.into()
        }
        403 if begins("User does not have permission to create enrollment with mode") => {
            Refusal::PaidModeForbidden.into()
        }
        403 if begins("Users from this location cannot access") || answer.text("user_message_url").is_some() => {
            Refusal::Embargo.into()
        }
        403 => Refusal::Vetoed { said: quote(message, &strike) }.into(),
        _ => leftover(),
    }
}

/// `Enrollment mode mismatch: active mode=verified, requested mode=audit. Won't deactivate.`
fn mismatch(message: &str, change: &EnrollmentChange) -> Option<LmsError> {
    let (_, rest) = message.split_once("active mode=")?;
    let (active, _) = rest.split_once(',')?;
    Some(Refusal::ModeMismatch { active: Mode::parse(active).ok()?, requested: change.mode.clone()? }.into())
}

/// An enrollment as the calls about one enrollment write it. `course_details` is null where the course was deleted; it
/// is then the run that was asked for.
fn read_detailed(data: &Value, asked: &CourseRun) -> Result<Enrollment, Doubt> {
    let run = match data.get("course_details") {
        Some(Value::Null) => Some(asked.clone()),
        Some(details) => details.get("course_id").and_then(Value::as_str).and_then(|text| CourseRun::parse(text).ok()),
        None => None,
    };
    let run = run.ok_or(Doubt::Unreadable { what: "an enrollment" })?;
    read_row(data, run)
}

/// An enrollment whose run is known.
pub(crate) fn read_row(data: &Value, run: CourseRun) -> Result<Enrollment, Doubt> {
    let text = |key| data.get(key).and_then(Value::as_str);
    let read = || {
        Some(Enrollment {
            username: Username::parse(text("user")?).ok()?,
            run,
            mode: Mode::parse(text("mode")?).ok()?,
            is_active: data.get("is_active")?.as_bool()?,
            created: text("created").and_then(moment),
        })
    };
    read().ok_or(Doubt::Unreadable { what: "an enrollment" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_only_what_it_has_to_say() {
        let mut change =
            EnrollmentChange::new(Username::parse("ada").unwrap(), CourseRun::parse("course-v1:A+B+1").unwrap());
        let bare = json!({"user": "ada", "course_details": {"course_id": "course-v1:A+B+1"}});
        assert_eq!(change.body(), bare);
        change.mode = Some(Mode::parse("verified").unwrap());
        change.is_active = Some(false);
        change.force = true;
        change.attributes = vec![Attribute::new("bursar", "order", "7").unwrap()];
        assert_eq!(
            change.body(),
            json!({"user": "ada", "course_details": {"course_id": "course-v1:A+B+1"}, "mode": "verified",
                   "is_active": false, "force_enrollment": true,
                   "enrollment_attributes": [{"namespace": "bursar", "name": "order", "value": "7"}]})
        );
    }
}
