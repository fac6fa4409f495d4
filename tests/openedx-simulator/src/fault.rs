//! Owns the ways in which the simulated LMS can be made to misbehave, and when; must never touch its state.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::http::route::Route;

/// What a request is about, for faults and for counting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Every one of them.
    #[default]
    Any,
    /// `POST /oauth2/access_token`.
    Token,
    /// `POST enrollment`: enroll, change, unenroll.
    EnrollmentPost,
    /// `GET enrollment/{username},{course}`.
    EnrollmentGet,
    /// `GET enrollment?user=`.
    EnrollmentsOfUser,
    /// `GET enrollments`, the list for staff.
    EnrollmentList,
    /// `enrollment_allowed/`, whatever the method.
    EnrollmentAllowed,
    /// `POST accounts/search_emails`.
    SearchEmails,
    /// `GET accounts` and `GET accounts/{username}`.
    Accounts,
    /// `GET me`.
    Me,
    /// The registration form.
    Registration,
    /// `GET course/{id}` of the enrollment API.
    CourseDetails,
    /// The catalogue: modes and courses.
    Catalogue,
    /// Everything else.
    Other,
}

impl Endpoint {
    pub(crate) fn of(method: &str, path: &str) -> Self {
        match Route::of(path) {
            Some(Route::Token) => Self::Token,
            Some(Route::Enrollment) if method == "POST" => Self::EnrollmentPost,
            Some(Route::Enrollment) => Self::EnrollmentsOfUser,
            Some(Route::OneEnrollment { .. }) => Self::EnrollmentGet,
            Some(Route::Enrollments) => Self::EnrollmentList,
            Some(Route::Allowed) => Self::EnrollmentAllowed,
            Some(Route::SearchEmails) => Self::SearchEmails,
            Some(Route::Accounts | Route::Account { .. }) => Self::Accounts,
            Some(Route::Me) => Self::Me,
            Some(Route::Registration) => Self::Registration,
            Some(Route::Course { .. }) => Self::CourseDetails,
            Some(
                Route::CourseModes { .. } | Route::CourseMode { .. } | Route::Courses | Route::CourseDetail { .. },
            ) => Self::Catalogue,
            Some(Route::Unenroll | Route::Roles | Route::Entitlements) | None => Self::Other,
        }
    }

    /// Whether a fault or a question about `self` is about `other`.
    pub(crate) fn covers(self, other: Self) -> bool {
        self == Self::Any || self == other
    }
}

/// A misbehaviour, the requests it is for, and how many of them it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which requests.
    #[serde(default)]
    pub endpoint: Endpoint,
    /// Of these, only those of this method; of any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What happens to them.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// To how many; to all until it is cleared when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How many matching requests pass first.
    #[serde(default)]
    pub after: u32,
}

/// The misbehaviours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum FaultKind {
    /// 500 as a page, and nothing done.
    ServerErrorBefore,
    /// 500 as a page, although everything was done.
    ServerErrorAfter,
    /// Nothing done, and no answer.
    TimeoutBefore {
        /// How long the connection is held before it is cut; an hour when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold_ms: Option<u64>,
    },
    /// Everything done, but no answer.
    TimeoutAfter {
        /// How long the connection is held before it is cut; an hour when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold_ms: Option<u64>,
    },
    /// Nothing done, and the connection closed without a word.
    CutBefore,
    /// Everything done, and the connection closed in the middle of the answer.
    CutAfter,
    /// 429, and nothing done.
    TooManyRequests {
        /// The seconds in `Retry-After`; no such header when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// 401 as for a token that has expired, and nothing done.
    Unauthorized,
    /// 403 without permission, and nothing done.
    Forbidden,
    /// 404 with nothing in it, and nothing done.
    NotFoundEmpty,
    /// 406 as for a form of answer that the LMS does not have, and nothing done.
    NotAcceptable,
    /// 406 as the enrollment API says that there is no such user, and nothing done.
    NoSuchUser,
    /// 409, and nothing done.
    Conflict,
    /// 502 as a page of a proxy, and nothing done.
    BadGateway,
    /// 200 with the page of a site under maintenance, and nothing done.
    Maintenance,
    /// 301 to somewhere else, and nothing done.
    Redirect {
        /// Where to; the request's own address with a slash when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<String>,
    },
    /// Everything done, but the answer says something else.
    WrongEcho {
        /// The mode it tells of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<String>,
        /// The activation it tells of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        is_active: Option<bool>,
    },
    /// Everything as usual, but late. Adds to the other faults.
    Slow {
        /// How late.
        delay_ms: u64,
    },
}

impl Fault {
    /// A fault that strikes every request until it is cleared.
    #[must_use]
    pub fn always(endpoint: Endpoint, kind: FaultKind) -> Self {
        Self { endpoint, method: None, kind, times: None, after: 0 }
    }

    /// A fault that strikes the next `times` requests.
    #[must_use]
    pub fn next(endpoint: Endpoint, times: u32, kind: FaultKind) -> Self {
        Self { endpoint, method: None, kind, times: Some(times), after: 0 }
    }

    /// The same fault, but only of requests of this method.
    #[must_use]
    pub fn of_method(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// The same fault, but only after `count` matching requests have passed.
    #[must_use]
    pub fn after(self, count: u32) -> Self {
        Self { after: count, ..self }
    }
}

/// What is to be done to one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    pub(crate) fault: Option<FaultKind>,
}

/// The faults that are switched on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.0
    }

    /// Takes what is due for a request. Of several faults the one switched on first strikes; slowness adds up.
    pub(crate) fn take(&mut self, endpoint: Endpoint, method: &str) -> Plan {
        let mut plan = Plan::default();
        let strikes = |fault: &Fault| {
            fault.endpoint.covers(endpoint) && fault.method.as_ref().is_none_or(|struck| struck == method)
        };
        for fault in self.0.iter_mut().filter(|fault| strikes(fault)) {
            let slow = match fault.kind {
                FaultKind::Slow { delay_ms } => Some(Duration::from_millis(delay_ms)),
                _ => None,
            };
            if slow.is_none() && plan.fault.is_some() {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            match slow {
                Some(delay) => plan.delay = plan.delay.saturating_add(delay),
                None => plan.fault = Some(fault.kind.clone()),
            }
            fault.times = fault.times.map(|times| times.saturating_sub(1));
        }
        self.0.retain(|fault| fault.times != Some(0));
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_it_was_told_and_only_its_own_endpoint() {
        let mut faults = Faults::default();
        faults.add(Fault::next(Endpoint::EnrollmentPost, 1, FaultKind::Conflict).after(1));
        assert_eq!(faults.take(Endpoint::Token, "POST").fault, None);
        assert_eq!(faults.take(Endpoint::EnrollmentPost, "POST").fault, None);
        assert_eq!(faults.take(Endpoint::EnrollmentPost, "POST").fault, Some(FaultKind::Conflict));
        assert_eq!(faults.take(Endpoint::EnrollmentPost, "POST").fault, None);
    }

    #[test]
    fn a_fault_of_one_method_spares_the_others() {
        let mut faults = Faults::default();
        faults.add(Fault::always(Endpoint::EnrollmentAllowed, FaultKind::Conflict).of_method("DELETE"));
        assert_eq!(faults.take(Endpoint::EnrollmentAllowed, "GET").fault, None);
        assert_eq!(faults.take(Endpoint::EnrollmentAllowed, "DELETE").fault, Some(FaultKind::Conflict));
    }

    #[test]
    fn slowness_adds_to_another_fault() {
        let mut faults = Faults::default();
        faults.add(Fault::always(Endpoint::Any, FaultKind::Slow { delay_ms: 20 }));
        faults.add(Fault::always(Endpoint::Token, FaultKind::Unauthorized));
        let plan = faults.take(Endpoint::Token, "POST");
        assert_eq!(plan, Plan { delay: Duration::from_millis(20), fault: Some(FaultKind::Unauthorized) });
    }
}
