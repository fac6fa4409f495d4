//! `[[lms]]`: an Open edX site.
//!
//! Owns its keys, defaults and bounds; calls nothing.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use bursar_domain::{LmsName, Mode, retry::LOOK_AGAIN_DEFAULT};
use reqwest::Url;

use super::{
    reader::{Table, Value},
    secret::{Secret, secret},
};

/// Calls a minute unless told otherwise: the site allows a service user 120, and others use it too.
pub const DEFAULT_CALLS_PER_MINUTE: NonZeroU32 = match NonZeroU32::new(90) {
    Some(calls) => calls,
    None => NonZeroU32::MIN,
};
/// Modes from least to most, unless told otherwise.
pub const DEFAULT_MODE_LADDER: [&str; 5] = ["audit", "honor", "verified", "no-id-professional", "professional"];
/// How long a call may take unless told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Least and greatest value of `timeout`: a shorter one gives up writes that the site goes on with, a longer one
/// outlives the lease of the work.
pub const TIMEOUT_BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// Least and greatest value of `look_again`: more often than hourly costs calls that purchases need.
pub const LOOK_AGAIN_BOUNDS: (Duration, Duration) = (Duration::from_secs(3_600), Duration::from_secs(90 * 86_400));
/// How many learners may be registered in seven days unless told otherwise: below the 60 tries that an LMS takes from one
/// address, because failed ones count too.
pub const DEFAULT_REGISTRATIONS_PER_WEEK: NonZeroU32 = match NonZeroU32::new(50) {
    Some(registrations) => registrations,
    None => NonZeroU32::MIN,
};
/// Fields of the registration form that Bursar fills in by itself.
const OWN_FIELDS: [&str; 6] = ["email", "username", "name", "password", "terms_of_service", "honor_code"];

/// How often an LMS may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallBudget {
    /// This many calls in any minute.
    PerMinute(NonZeroU32),
    /// As often as there is something to call about: for a site of one's own without throttling.
    Unlimited,
}

/// A service user of Bursar's.
#[derive(Debug, Clone)]
pub struct ServiceUserConfig {
    /// Its OAuth client.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
}

/// One LMS.
#[derive(Debug, Clone)]
pub struct LmsConfig {
    /// What shops call it.
    pub name: LmsName,
    /// The site's address.
    pub url: Url,
    /// As whom Bursar acts there.
    pub user: ServiceUserConfig,
    /// Further service users who share the load.
    pub more_users: Vec<ServiceUserConfig>,
    /// The site's shared key, for what only it can do.
    pub api_key: Option<Secret>,
    /// How often each service user may call.
    pub calls_per_minute: CallBudget,
    /// Modes from least to most. Enrollments in other modes are never changed.
    pub mode_ladder: Vec<Mode>,
    /// How long a call may take.
    pub timeout: Duration,
    /// How long after it was found right an enrollment is looked at again; none for never.
    pub look_again: Option<Duration>,
    /// What else the site's registration form asks for.
    pub registration: BTreeMap<String, String>,
    /// How many learners may be registered in seven days.
    pub registrations_per_week: NonZeroU32,
    /// What the LMS proves itself with when it says that somebody has registered. None: it says nothing.
    pub notice_token: Option<Secret>,
}

/// Reads one `[[lms]]`.
pub(super) fn lms(mut table: Table<'_>) -> Option<LmsConfig> {
    let name = table.required("name", "\"main\"").and_then(|value| value.parsed(LmsName::parse));
    let url = table.required("url", "\"https://lms.example.org\"").and_then(|value| value.url());
    let user = service_user(&mut table);
    let more_users: Option<Vec<_>> = table.tables("more_users").into_iter().map(further_user).collect();
    let taken = user.iter().map(|user| user.client_id.clone());
    let more_users = more_users.filter(|users| are_different(&table, taken, users));
    let api_key = table.optional("api_key").map(|value| secret(&value));
    let calls_per_minute = table.optional("calls_per_minute").and_then(|value| call_budget(&value));
    let mode_ladder = table.optional("mode_ladder").and_then(|value| mode_ladder(&value));
    let timeout = table.optional("timeout").and_then(|value| value.duration(TIMEOUT_BOUNDS.0, TIMEOUT_BOUNDS.1));
    let look_again = table.optional("look_again").map(|value| look_again(&value));
    let registration = table.optional("registration").map(|value| registration(&value));
    let registrations_per_week = table.optional("registrations_per_week").and_then(|value| whole_number(&value));
    let notice_token = table.optional("notice_token").map(|value| secret(&value));
    table.finish();
    Some(LmsConfig {
        name: name?,
        url: url?,
        user: user?,
        more_users: more_users?,
        api_key: match api_key {
            Some(api_key) => Some(api_key?),
            None => None,
        },
        calls_per_minute: calls_per_minute.unwrap_or(CallBudget::PerMinute(DEFAULT_CALLS_PER_MINUTE)),
        mode_ladder: mode_ladder.unwrap_or_else(default_mode_ladder),
        timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
        look_again: match look_again {
            Some(read) => read?,
            None => Some(LOOK_AGAIN_DEFAULT),
        },
        registration: registration.unwrap_or_else(|| Some(BTreeMap::new()))?,
        registrations_per_week: registrations_per_week.unwrap_or(DEFAULT_REGISTRATIONS_PER_WEEK),
        // A token that cannot be read must not leave the address open to nobody in silence.
        notice_token: notice_token.map_or(Some(None), |read| read.map(Some))?,
    })
}

/// A duration, or `never`.
fn look_again(value: &Value<'_>) -> Option<Option<Duration>> {
    if value.raw().as_str() == Some("never") {
        return Some(None);
    }
    value.duration(LOOK_AGAIN_BOUNDS.0, LOOK_AGAIN_BOUNDS.1).map(Some)
}

fn service_user(table: &mut Table<'_>) -> Option<ServiceUserConfig> {
    let client_id = table.required("client_id", "\"bursar\"").and_then(|value| not_blank(&value));
    let client_secret =
        table.required("client_secret", "{ env = \"BURSAR_LMS_SECRET\" }").and_then(|value| secret(&value));
    Some(ServiceUserConfig { client_id: client_id?, client_secret: client_secret? })
}

fn further_user(mut table: Table<'_>) -> Option<ServiceUserConfig> {
    let user = service_user(&mut table);
    table.finish();
    user
}

/// One client listed twice would have two budgets here and one throttle in the LMS.
fn are_different(table: &Table<'_>, taken: impl Iterator<Item = String>, more: &[ServiceUserConfig]) -> bool {
    let mut taken: Vec<String> = taken.collect();
    for user in more {
        if taken.contains(&user.client_id) {
            table.refuse(format!("names the client \"{}\" twice", user.client_id), None);
            return false;
        }
        taken.push(user.client_id.clone());
    }
    true
}

fn default_mode_ladder() -> Vec<Mode> {
    DEFAULT_MODE_LADDER.iter().filter_map(|slug| Mode::parse(slug).ok()).collect()
}

fn not_blank(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.trim().is_empty() {
        value.refuse("is blank", None);
        return None;
    }
    Some(text.to_owned())
}

fn call_budget(value: &Value<'_>) -> Option<CallBudget> {
    if value.raw().as_str() == Some("unlimited") {
        return Some(CallBudget::Unlimited);
    }
    let hint = || Some("write a number of calls, or \"unlimited\"".to_owned());
    if value.raw().is_str() {
        value.refuse("must be a whole number", hint());
        return None;
    }
    let budget = u32::try_from(value.integer()?).ok().and_then(NonZeroU32::new).map(CallBudget::PerMinute);
    if budget.is_none() {
        value.refuse("allows no calls, or more than can be counted", hint());
    }
    budget
}

fn registration(value: &Value<'_>) -> Option<BTreeMap<String, String>> {
    let fields = value.table()?;
    let read: Vec<_> = fields
        .entries()
        .map(|(name, value)| {
            if OWN_FIELDS.contains(&name) {
                value.refuse("is filled in by Bursar", Some("name only what else the form asks for".to_owned()));
                return None;
            }
            Some((name.to_owned(), value.text()?.to_owned()))
        })
        .collect();
    read.into_iter().collect()
}

fn whole_number(value: &Value<'_>) -> Option<NonZeroU32> {
    let number = u32::try_from(value.integer()?).ok().and_then(NonZeroU32::new);
    if number.is_none() {
        value.refuse("is none, or more than can be counted", None);
    }
    number
}

fn mode_ladder(value: &Value<'_>) -> Option<Vec<Mode>> {
    let mut ladder: Vec<Mode> = Vec::new();
    for step in value.list()? {
        let mode = step.parsed(Mode::parse)?;
        if ladder.contains(&mode) {
            step.refuse(format!("names \"{mode}\" twice"), None);
            return None;
        }
        ladder.push(mode);
    }
    if ladder.is_empty() {
        value.refuse("names no mode", Some("list the modes from least to most".to_owned()));
        return None;
    }
    Some(ladder)
}
