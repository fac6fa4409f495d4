//! Details and modes of course runs.
//!
//! Owns what decides whether an enrollment can succeed: the window, the invitation, the modes and their deadlines.
//! Prices are not read: Bursar sells nothing.

use bursar_domain::{CourseRun, Mode, Timestamp};
use serde_json::Value;

use crate::{
    answer::Content,
    classify,
    client::Lms,
    counts::CallKind,
    error::{Doubt, LmsError, Refusal},
    transport::Call,
    wire::{moment, pairs, run_in_path, same_run},
};

/// A mode that a run offers or offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedMode {
    /// The mode.
    pub mode: Mode,
    /// Its name, for people.
    pub name: Option<String>,
    /// From when on it is no longer offered; `None` is never.
    pub expires: Option<Timestamp>,
}

impl OfferedMode {
    /// Is it offered at `now`?
    #[must_use]
    pub fn is_offered(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// A course run as the LMS describes it. Dates are `None` where the LMS has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseDetails {
    /// The run.
    pub run: CourseRun,
    /// The course's name.
    pub name: Option<String>,
    /// When enrollment opens.
    pub enrollment_start: Option<Timestamp>,
    /// When it closes.
    pub enrollment_end: Option<Timestamp>,
    /// When the course begins.
    pub course_start: Option<Timestamp>,
    /// When it ends.
    pub course_end: Option<Timestamp>,
    /// Is it by invitation only?
    pub invitation_only: bool,
    /// Its modes, expired ones too. A run without any shows the default mode.
    pub modes: Vec<OfferedMode>,
}

impl CourseDetails {
    /// Can people enroll at `now`, as far as the window goes?
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.enrollment_start.is_none_or(|start| start <= now) && self.enrollment_end.is_none_or(|end| now < end)
    }
}

impl Lms {
    /// Details of a run. The LMS keeps them for a minute, so a change may show late; and it counts these calls by
    /// address, 40 a minute, with a budget of their own here.
    ///
    /// # Errors
    /// [`Refusal::UnknownCourse`], else of any class but definite.
    pub async fn course_details(&self, run: &CourseRun) -> Result<CourseDetails, LmsError> {
        Ok(self.course_details_verbatim(run).await?.0)
    }

    /// As [`Lms::course_details`], with the LMS's own words for it.
    ///
    /// # Errors
    /// As there.
    pub async fn course_details_verbatim(&self, run: &CourseRun) -> Result<(CourseDetails, Value), LmsError> {
        let run_part = run_in_path(run).ok_or(Refusal::UnknownCourse)?;
        let call = Call::get(CallKind::ReadCourse, format!("/api/enrollment/v1/course/{run_part}"))
            .query(pairs([("include_expired", "1")]));
        self.send_anonymously(&call, |answer| match (answer.status, &answer.content) {
            (200, Content::Data(data)) => {
                let details = details(data).ok_or(Doubt::Unreadable { what: "a course" })?;
                if same_run(details.run.as_str(), run.as_str()) {
                    Ok((details, data.clone()))
                } else {
                    Err(Doubt::WrongEcho { what: "course run" }.into())
                }
            }
            // A 400, not a 404 (`docs/lms.md`).
            (400, Content::Data(_)) if answer.text("message").is_some_and(|text| text.starts_with("No course ")) => {
                Err(Refusal::UnknownCourse.into())
            }
            _ => Err(classify::leftover(answer, CallKind::ReadCourse, &[])),
        })
        .await
    }

    /// The modes of a run as staff see them, expired ones too.
    ///
    /// # Errors
    /// [`Refusal::Unsupported`] by LMSs without this call, else of any class but definite.
    pub async fn course_modes(&self, run: &CourseRun) -> Result<Vec<OfferedMode>, LmsError> {
        let run_part = run_in_path(run).ok_or(Refusal::UnknownCourse)?;
        let call = Call::get(CallKind::ReadModes, format!("/api/course_modes/v1/courses/{run_part}/"));
        self.send(&call, |answer| match (answer.status, &answer.content) {
            (200, Content::Data(Value::Array(rows))) => {
                modes(rows, "mode_slug", "mode_display_name").ok_or(Doubt::Unreadable { what: "modes" }.into())
            }
            (404, Content::Page) => Err(Refusal::Unsupported { what: "list of course modes" }.into()),
            _ => Err(classify::leftover(answer, CallKind::ReadModes, &[])),
        })
        .await
    }
}

fn details(data: &Value) -> Option<CourseDetails> {
    let text = |key| data.get(key).and_then(Value::as_str);
    let date = |key| text(key).and_then(moment);
    Some(CourseDetails {
        run: CourseRun::parse(text("course_id")?).ok()?,
        name: text("course_name").map(str::to_owned),
        enrollment_start: date("enrollment_start"),
        enrollment_end: date("enrollment_end"),
        course_start: date("course_start"),
        course_end: date("course_end"),
        invitation_only: data.get("invite_only").and_then(Value::as_bool)?,
        modes: modes(data.get("course_modes")?.as_array()?, "slug", "name")?,
    })
}

fn modes(rows: &[Value], slug: &str, name: &str) -> Option<Vec<OfferedMode>> {
    let read = |row: &Value| {
        let text = |key| row.get(key).and_then(Value::as_str);
        Some(OfferedMode {
            mode: Mode::parse(text(slug)?).ok()?,
            name: text(name).map(str::to_owned),
            expires: text("expiration_datetime").and_then(moment),
        })
    };
    rows.iter().map(read).collect()
}
