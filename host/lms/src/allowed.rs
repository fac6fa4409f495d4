//! Enrollment-allowed records: leave, given to an e-mail address, to enroll in a course run.
//!
//! Owns their three calls. The LMS checks neither the run nor the address here, and records leave no trace of who made
//! them: whoever deletes one must know that it is theirs.

use bursar_domain::{CourseRun, Email};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Content},
    classify,
    client::Lms,
    counts::CallKind,
    error::{Doubt, LmsError, Refusal},
    transport::{Call, Payload},
    wire::{pairs, same_run},
};

/// With its slash: without it the LMS redirects, and a followed redirect turns the POST into a GET that succeeds.
const ALLOWED: &str = "/api/enrollment/v1/enrollment_allowed/";

/// An enrollment-allowed record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The address, as the LMS spells it.
    pub email: Email,
    /// The run.
    pub run: CourseRun,
    /// Does the LMS enroll the learner by itself, in the default mode, when a new account is activated?
    pub auto_enroll: bool,
    /// The LMS's id of the user who made use of the record.
    pub user_id: Option<i64>,
}

/// What became of making a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedCreation {
    /// It is new.
    Created,
    /// There was one, perhaps with another `auto_enroll`; it was left as it was.
    Existed,
}

/// What became of deleting a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedDeletion {
    /// It is gone.
    Deleted,
    /// There was none.
    Absent,
}

impl Lms {
    /// The records of an address.
    ///
    /// # Errors
    /// [`Refusal::Unsupported`] by LMSs before 2023, else of any class but definite.
    pub async fn enrollment_allowed(&self, email: &Email) -> Result<Vec<Allowed>, LmsError> {
        Ok(self.enrollment_allowed_verbatim(email).await?.into_iter().map(|(record, _)| record).collect())
    }

    /// As [`Lms::enrollment_allowed`], each with the LMS's own words for it.
    ///
    /// # Errors
    /// As there.
    pub async fn enrollment_allowed_verbatim(&self, email: &Email) -> Result<Vec<(Allowed, Value)>, LmsError> {
        let call = Call::get(CallKind::ReadAllowed, ALLOWED).query(pairs([("email", email.as_str())]));
        self.send(&call, |answer| {
            let Some(rows) = answer.data().and_then(Value::as_array).filter(|_| answer.is_success()) else {
                return Err(leftover(answer, CallKind::ReadAllowed, email));
            };
            let mut records = Vec::new();
            for row in rows {
                let text = |key| row.get(key).and_then(Value::as_str).ok_or(Doubt::Unreadable { what: "a record" });
                // The LMS takes any text for a run; what is none concerns nobody.
                let (Ok(found), Ok(run)) = (Email::parse(text("email")?), CourseRun::parse(text("course_id")?)) else {
                    continue;
                };
                if found.normalized() == email.normalized() {
                    let auto_enroll = row.get("auto_enroll").and_then(Value::as_bool).unwrap_or(false);
                    let user_id = row.get("user").and_then(Value::as_i64);
                    records.push((Allowed { email: found, run, auto_enroll, user_id }, row.clone()));
                }
            }
            Ok(records)
        })
        .await
    }

    /// Makes a record. Does nothing for somebody who has an account, except that it opens a closed or invitation-only
    /// run for their next enrollment.
    ///
    /// # Errors
    /// As [`Lms::enrollment_allowed`].
    pub async fn create_enrollment_allowed(
        &self,
        email: &Email,
        run: &CourseRun,
        auto_enroll: bool,
    ) -> Result<AllowedCreation, LmsError> {
        let body = json!({ "email": email.as_str(), "course_id": run.as_str(), "auto_enroll": auto_enroll });
        self.send(&change_allowed(Method::POST, body), |answer| match (answer.status, &answer.content) {
            (201, Content::Data(_)) => {
                let is = |key, expected: &str| answer.text(key).is_some_and(|text| text.to_lowercase() == expected);
                if !is("email", &email.normalized()) {
                    return Err(Doubt::WrongEcho { what: "e-mail address" }.into());
                }
                if !answer.text("course_id").is_some_and(|text| same_run(text, run.as_str())) {
                    return Err(Doubt::WrongEcho { what: "course run" }.into());
                }
                Ok(AllowedCreation::Created)
            }
            (409, Content::Data(_)) => Ok(AllowedCreation::Existed),
            _ => Err(leftover(answer, CallKind::ChangeAllowed, email)),
        })
        .await
    }

    /// Deletes a record. Whoever made use of it stays enrolled.
    ///
    /// # Errors
    /// As [`Lms::enrollment_allowed`].
    pub async fn delete_enrollment_allowed(&self, email: &Email, run: &CourseRun) -> Result<AllowedDeletion, LmsError> {
        let body = json!({ "email": email.as_str(), "course_id": run.as_str() });
        self.send(&change_allowed(Method::DELETE, body), |answer| match answer.status {
            204 => Ok(AllowedDeletion::Deleted),
            404 if answer.text("message").is_some_and(|text| text.starts_with("An enrollment allowed with")) => {
                Ok(AllowedDeletion::Absent)
            }
            _ => Err(leftover(answer, CallKind::ChangeAllowed, email)),
        })
        .await
    }
}

fn change_allowed(method: Method, body: Value) -> Call {
    Call::send(CallKind::ChangeAllowed, method, ALLOWED, Payload::Json(body))
}

fn leftover(answer: &Answer, kind: CallKind, email: &Email) -> LmsError {
    if answer.status == 404 && answer.content == Content::Page {
        return Refusal::Unsupported { what: "enrollment-allowed records" }.into();
    }
    classify::leftover(answer, kind, &[email.as_str()])
}
