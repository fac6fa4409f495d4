//! Answers that mean the same whatever was asked.
//!
//! Owns two readings: [`ruled`], made before a call looks at its answer, and [`leftover`], made when the call does not
//! know the answer. What one call's own refusals mean stands beside that call.

use crate::{
    answer::{Answer, Asker, Content},
    counts::CallKind,
    error::{Doubt, Fault, LmsError, Refusal, Setback, UserProblem},
    wire::quote,
};

/// The LMS's words for mistakes that only our own request can make.
const OUR_MISTAKES: &[&str] =
    &["Course ID must be specified", "Please provide a value for", "'emails' field is required", "Too many usernames"];

/// The failure that an answer is by its status alone, if it is one.
pub(crate) fn ruled(answer: &Answer, kind: CallKind) -> Option<LmsError> {
    let status = answer.status;
    Some(match status {
        300..=399 => {
            let location = answer.location.as_deref().unwrap_or("nowhere");
            // A query may hold what the request held.
            let location = location.split(['?', '#']).next().unwrap_or_default();
            Fault::Redirected { status, location: quote(location, &[]) }.into()
        }
        401 => against_asker(answer, UserProblem::TokenRejected),
        405 => Fault::WrongUrl { status, endpoint: kind.label() }.into(),
        406 if answer.text("detail").is_some() => Fault::NotAcceptable.into(),
        415 => Fault::UnsupportedMedia.into(),
        429 => Setback::Throttled { after: answer.pause() }.into(),
        502..=504 => Setback::Unavailable { status, after: answer.retry_after }.into(),
        500..=599 => Doubt::ServerError { status }.into(),
        _ => return None,
    })
}

/// The failure that an answer is when the call knows no better. `strike`: what must not be quoted from it.
pub(crate) fn leftover(answer: &Answer, kind: CallKind, strike: &[&str]) -> LmsError {
    let status = answer.status;
    let said = answer
        .text("message")
        .or_else(|| answer.text("developer_message"))
        .or_else(|| answer.text("detail"))
        .or_else(|| answer.text("error_code"));
    match (status, &answer.content) {
        (200..300, Content::Page | Content::Empty) => Doubt::NotData { status }.into(),
        (200..300, Content::Data(_)) => Doubt::Unreadable { what: kind.label() }.into(),
        (400, Content::Data(_)) if answer.text("detail").is_some() => bad_request(said, strike),
        (400, Content::Data(_)) if said.is_some_and(|text| OUR_MISTAKES.iter().any(|m| text.starts_with(m))) => {
            bad_request(said, strike)
        }
        // Django answers a host that is not in ALLOWED_HOSTS with a 400 page.
        (400 | 403, Content::Page | Content::Empty) => Fault::Blocked { status }.into(),
        (403, Content::Data(_)) if answer.text("detail").or_else(|| answer.text("developer_message")).is_some() => {
            against_asker(answer, UserProblem::NotStaff)
        }
        // Deliberate: the LMS does not admit that others are there to be enrolled.
        (404, Content::Empty) if matches!(kind, CallKind::ReadEnrollment | CallKind::ChangeEnrollment) => {
            against_asker(answer, UserProblem::LostStaff)
        }
        (404, Content::Page | Content::Empty) => Fault::WrongUrl { status, endpoint: kind.label() }.into(),
        (404, Content::Data(_)) if answer.text("developer_message") == Some("not_found") => {
            against_asker(answer, UserProblem::NotStaff)
        }
        _ => Doubt::Unknown { status, said: quote(said.unwrap_or_default(), strike) }.into(),
    }
}

/// The LMS has something against whoever asked.
fn against_asker(answer: &Answer, problem: UserProblem) -> LmsError {
    match &answer.asker {
        Asker::ServiceUser(client_id) => Fault::ServiceUser { client_id: client_id.to_string(), problem }.into(),
        Asker::ApiKey => Refusal::ApiKeyRefused.into(),
        // The LMS asks nobody for credentials there, so it was not the LMS.
        Asker::Nobody => Fault::Blocked { status: answer.status }.into(),
    }
}

fn bad_request(said: Option<&str>, strike: &[&str]) -> LmsError {
    Fault::BadRequest { said: quote(said.unwrap_or_default(), strike) }.into()
}
