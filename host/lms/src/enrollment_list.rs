//! Many enrollments at once, from the staff list.
//!
//! Owns the filter, which cannot be empty: without one the LMS lists the whole site. An LMS ignores filters that it does
//! not know, so what it lists is compared with the filter again.

use std::collections::{BTreeSet, HashSet};

use bursar_domain::{CourseRun, Username};
use serde_json::Value;

use crate::{
    answer::Answer,
    classify,
    client::Lms,
    counts::CallKind,
    enrollments::{Enrollment, read_row},
    error::{Doubt, LmsError, Refusal},
    transport::Call,
    wire::{escaped_len, pairs, same_run},
};

/// Most usernames in one call; the LMS refuses more.
const USERNAMES_MAX: usize = 100;

/// Most bytes of usernames in one call: common servers in front of the LMS take request lines of 4 kB, some of them with
/// the headers. More is sent as several calls.
const USERNAMES_BYTES_MAX: usize = 2_000;

/// Rows a page; the LMS gives no more.
const PAGE_SIZE: &str = "100";

/// Most pages of one list, ten thousand rows: each costs a call of the budget. A longer list fails as
/// [`Doubt::TooManyPages`].
const PAGES_MAX: usize = 100;

/// Which enrollments to list. There is no empty one.
///
/// There is no filter by e-mail address: its rows would not show whether an older LMS heeded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentFilter(Filter);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Filter {
    Run(CourseRun),
    Users { users: BTreeSet<Username>, run: Option<CourseRun> },
}

impl EnrollmentFilter {
    /// All enrollments in a run.
    #[must_use]
    pub fn run(run: CourseRun) -> Self {
        Self(Filter::Run(run))
    }

    /// All enrollments of one user.
    #[must_use]
    pub fn user(user: Username) -> Self {
        Self(Filter::Users { users: BTreeSet::from([user]), run: None })
    }

    /// All enrollments of these users; `None` if there are none of them.
    #[must_use]
    pub fn users(users: impl IntoIterator<Item = Username>) -> Option<Self> {
        let users: BTreeSet<Username> = users.into_iter().collect();
        (!users.is_empty()).then_some(Self(Filter::Users { users, run: None }))
    }

    /// Of these, only those in this run.
    #[must_use]
    pub fn within(self, run: CourseRun) -> Self {
        match self.0 {
            Filter::Run(_) => Self(Filter::Run(run)),
            Filter::Users { users, .. } => Self(Filter::Users { users, run: Some(run) }),
        }
    }

    fn course_run(&self) -> Option<&CourseRun> {
        match &self.0 {
            Filter::Run(run) => Some(run),
            Filter::Users { run, .. } => run.as_ref(),
        }
    }

    /// The lists of usernames to ask for, one call each.
    fn chunks(&self) -> Vec<Vec<&Username>> {
        let Filter::Users { users, .. } = &self.0 else { return vec![Vec::new()] };
        let mut chunks: Vec<Vec<&Username>> = Vec::new();
        let mut bytes = 0;
        for user in users {
            let more = escaped_len(user.as_str()) + escaped_len(",");
            match chunks.last_mut() {
                Some(chunk) if chunk.len() < USERNAMES_MAX && bytes + more <= USERNAMES_BYTES_MAX => {
                    chunk.push(user);
                    bytes += more;
                }
                _ => {
                    chunks.push(vec![user]);
                    bytes = more;
                }
            }
        }
        chunks
    }
}

impl Lms {
    /// Lists the enrollments that pass the filter, active ones and inactive ones. Costs one call of the budget for every
    /// hundred users and every hundred rows.
    ///
    /// # Errors
    /// [`Refusal::UnknownCourse`]; [`Refusal::UnusableUsername`] where the LMS refuses the whole list for one of the
    /// usernames, which must then be read alone with [`Lms::enrollment`]; else of any class but definite.
    pub async fn enrollments(&self, filter: &EnrollmentFilter) -> Result<Vec<Enrollment>, LmsError> {
        let rows = self.enrollments_verbatim(filter).await?;
        Ok(rows.into_iter().map(|(enrollment, _)| enrollment).collect())
    }

    /// As [`Lms::enrollments`], each with the LMS's own words for it.
    ///
    /// # Errors
    /// As there.
    pub async fn enrollments_verbatim(&self, filter: &EnrollmentFilter) -> Result<Vec<(Enrollment, Value)>, LmsError> {
        let mut rows = Vec::new();
        for users in filter.chunks() {
            self.list(&users, filter.course_run(), &mut rows).await?;
        }
        Ok(rows)
    }

    async fn list(
        &self,
        users: &[&Username],
        run: Option<&CourseRun>,
        into: &mut Vec<(Enrollment, Value)>,
    ) -> Result<(), LmsError> {
        let names: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
        let joined = names.join(",");
        let wanted: HashSet<String> = users.iter().map(|user| user.normalized()).collect();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = vec![("page_size", PAGE_SIZE)];
            if !names.is_empty() {
                query.push(("username", &joined));
            }
            query.extend(run.map(|run| ("course_id", run.as_str())));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let call = Call::get(CallKind::ListEnrollments, "/api/enrollment/v1/enrollments").query(pairs(query));
            let next = self
                .send(&call, |answer| {
                    let Some(rows) = answer
                        .data()
                        .filter(|_| answer.is_success())
                        .and_then(|data| data.get("results"))
                        .and_then(Value::as_array)
                    else {
                        return Err(refusal(answer, &names));
                    };
                    for row in rows {
                        into.extend(matching(row, &wanted, run)?.map(|enrollment| (enrollment, row.clone())));
                    }
                    Ok(next_cursor(answer)?)
                })
                .await?;
            if next.is_none() {
                return Ok(());
            }
            if next == cursor {
                return Err(Doubt::Unreadable { what: "a list of pages" }.into());
            }
            cursor = next;
        }
        Err(Doubt::TooManyPages { pages: PAGES_MAX }.into())
    }
}

/// The row, if it passes the filter. Whose key or name cannot be read passes none.
fn matching(row: &Value, users: &HashSet<String>, run: Option<&CourseRun>) -> Result<Option<Enrollment>, Doubt> {
    let text = |key| row.get(key).and_then(Value::as_str).ok_or(Doubt::Unreadable { what: "an enrollment" });
    let (Ok(row_run), Ok(user)) = (CourseRun::parse(text("course_id")?), Username::parse(text("user")?)) else {
        return Ok(None);
    };
    let passes = run.is_none_or(|run| same_run(run.as_str(), row_run.as_str()))
        && (users.is_empty() || users.contains(user.normalized().as_str()));
    if passes { read_row(row, row_run).map(Some) } else { Ok(None) }
}

/// The cursor of the next page. Only the cursor is taken from the link: its host is the one that the LMS believes to be
/// its own.
fn next_cursor(answer: &Answer) -> Result<Option<String>, Doubt> {
    let Some(next) = answer.text("next") else { return Ok(None) };
    let unreadable = Doubt::Unreadable { what: "a list of pages" };
    let query = next.split_once('?').map(|(_, query)| query);
    let cursor = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("cursor=")));
    let cursor = cursor.map(|text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned());
    cursor.filter(|cursor| !cursor.is_empty()).map(Some).ok_or(unreadable)
}

fn refusal(answer: &Answer, strike: &[&str]) -> LmsError {
    let about = |field: &str| {
        answer.data().and_then(|data| data.get("field_errors")).is_some_and(|fields| fields.get(field).is_some())
    };
    match answer.status {
        400 if about("course_id") => Refusal::UnknownCourse.into(),
        400 if about("username") => Refusal::UnusableUsername.into(),
        _ => classify::leftover(answer, CallKind::ListEnrollments, strike),
    }
}

#[cfg(test)]
mod tests {
    use bursar_domain::Timestamp;

    use super::*;
    use crate::answer::{Asker, Headers};

    #[test]
    fn there_is_no_empty_filter() {
        assert_eq!(EnrollmentFilter::users([]), None);
    }

    #[test]
    fn users_are_asked_for_in_calls_that_fit_into_a_request_line() {
        let names = |count: usize, length: usize| {
            let users = (0..count).map(|n| Username::parse(&format!("{n:0length$}")).unwrap());
            EnrollmentFilter::users(users).unwrap()
        };
        let sizes = |filter: &EnrollmentFilter| filter.chunks().iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(&names(150, 6)), [100, 50]);
        assert_eq!(sizes(&names(100, 37)), [50, 50]);
        assert_eq!(sizes(&EnrollmentFilter::run(CourseRun::parse("a/b/c").unwrap())), [0]);
    }

    #[test]
    fn the_next_page_is_asked_of_the_host_we_know() {
        let body = br#"{"next": "http://elsewhere/x?cursor=cD0yMDI2%2BMD&page_size=2", "results": []}"#;
        let headers = Headers { content_type: Some("application/json"), ..Headers::default() };
        let answer = Answer::new(Asker::Nobody, 200, headers, body, Timestamp::from_millis(0));
        assert_eq!(next_cursor(&answer).unwrap().unwrap(), "cD0yMDI2+MD");
    }
}
