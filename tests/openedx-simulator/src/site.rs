//! Owns the running site: model, throttles, cache and settings at one moment; must never know how requests arrive.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::clock::later;
use crate::http::request::Request;
use crate::model::Model;
use crate::model::course_key::CourseKey;
use crate::model::enroll::Caller;
use crate::model::records::UserId;
use crate::throttle::{Fixed, Sliding};

/// Calls a staff account may make to the enrollment views in a minute. Fixed in the code of the LMS.
pub const STAFF_CALLS_PER_MINUTE: usize = 120;
/// Calls everybody else may make to the enrollment views in a minute. Fixed in the code of the LMS.
pub const OTHER_CALLS_PER_MINUTE: usize = 40;
/// Calls one address may make to the token endpoint in a minute. The default of a site.
pub const TOKEN_CALLS_PER_MINUTE: usize = 120;
/// Registrations one address may try in a week. The default of a site.
pub const REGISTRATIONS_PER_WEEK: usize = 60;

const MINUTE: Duration = Duration::from_secs(60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// For how long the public view of a course is remembered. The default of a site.
const COURSE_MEMORY: Duration = Duration::from_secs(60);

/// How the site is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether anything is throttled.
    pub throttle: bool,
    /// The value of `X-Edx-Api-Key` that is accepted; `None` switches the feature off.
    pub api_key: Option<String>,
    /// How the site calls itself in addresses it makes up, without a slash at the end.
    pub public_url: String,
    /// Whether a 429 of the staff list says when to come back, as only the newest releases do.
    pub retry_after_on_list: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { throttle: true, api_key: None, public_url: "http://lms.example".to_owned(), retry_after_on_list: false }
    }
}

/// Whose calls are counted together. Staff and others have buckets of their own, so a change of rights empties it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Bucket {
    Staff(UserId),
    User(UserId),
    Address(String),
}

/// The site at the moment of a request.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) model: Model,
    pub(crate) settings: Settings,
    pub(crate) now: Timestamp,
    calls: Sliding<Bucket>,
    token_calls: Fixed<String>,
    registrations: Fixed<String>,
    courses: HashMap<(CourseKey, bool), (Timestamp, Value)>,
}

impl Site {
    pub(crate) fn new(model: Model, settings: Settings, now: Timestamp) -> Self {
        Self {
            model,
            settings,
            now,
            calls: Sliding::new(MINUTE),
            token_calls: Fixed::new(MINUTE),
            registrations: Fixed::new(WEEK),
            courses: HashMap::new(),
        }
    }

    pub(crate) fn has_api_key(&self, request: &Request) -> bool {
        self.settings.api_key.is_some() && request.header("x-edx-api-key") == self.settings.api_key.as_deref()
    }

    /// Takes a place in the bucket all enrollment views share, or tells after how many seconds there will be one.
    pub(crate) fn throttle(&mut self, caller: Caller, request: &Request) -> Result<(), u64> {
        if caller.api_key || !self.settings.throttle {
            return Ok(());
        }
        let account = caller.user.and_then(|id| self.model.user(id));
        let (bucket, limit) = match account {
            Some(user) if user.staff || user.superuser => (Bucket::Staff(user.id), STAFF_CALLS_PER_MINUTE),
            Some(user) => (Bucket::User(user.id), OTHER_CALLS_PER_MINUTE),
            None => (Bucket::Address(request.ident()), OTHER_CALLS_PER_MINUTE),
        };
        self.calls.take(bucket, limit, self.now)
    }

    pub(crate) fn admit_token_call(&mut self, request: &Request) -> bool {
        !self.settings.throttle || self.token_calls.take(request.ident(), TOKEN_CALLS_PER_MINUTE, self.now)
    }

    pub(crate) fn admit_registration(&mut self, request: &Request) -> bool {
        !self.settings.throttle || self.registrations.take(request.ident(), REGISTRATIONS_PER_WEEK, self.now)
    }

    pub(crate) fn remembered_course(&self, key: &CourseKey, include_expired: bool) -> Option<Value> {
        let (until, details) = self.courses.get(&(key.clone(), include_expired))?;
        (self.now < *until).then(|| details.clone())
    }

    pub(crate) fn remember_course(&mut self, key: &CourseKey, include_expired: bool, details: &Value) {
        let until = later(self.now, COURSE_MEMORY);
        self.courses.insert((key.clone(), include_expired), (until, details.clone()));
    }
}
