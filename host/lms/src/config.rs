//! What a client of one LMS is made from.
//!
//! Owns the limits of a call and their defaults. Reads no file and no environment: the server does.

use std::{num::NonZeroU32, time::Duration};

use secrecy::SecretString;

/// How many calls a minute one service user may make of the endpoints that the LMS throttles. The LMS allows staff 120
/// in any 60 seconds (`docs/lms.md`); the rest is left to whatever else uses the same account. More is answered 429.
pub const CALLS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(90).unwrap();

/// Longest wait for a connection. A host that does not answer in this time is down; the call fails as unreachable.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for a whole answer, connecting included. An LMS on two cores needs 0.1 to 0.5 s (`docs/lms.md`), one
/// under load some seconds; after this the outcome is unclear.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for a turn in the budget. A call that would wait longer fails at once as [`crate::Setback::NoTurn`], so
/// that nobody's lease runs out in a queue.
pub const TURN_TIMEOUT: Duration = Duration::from_secs(30);

/// A service user of Bursar's in the LMS.
#[derive(Debug, Clone)]
pub struct ServiceUser {
    /// Of an OAuth application in the LMS's admin, whose owner is a staff user.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
}

/// What a client of one LMS is made from.
#[derive(Debug, Clone)]
pub struct LmsConfig {
    /// The LMS's root: `https://lms.example.org`, with or without a slash at its end. `http://` is allowed.
    pub url: String,
    /// As whom calls are made.
    pub user: ServiceUser,
    /// Further users who share the load. Each owner has a throttle of its own in the LMS, so each has a budget of its own.
    pub more_users: Vec<ServiceUser>,
    /// The site's shared key (`EDX_API_KEY` of the LMS), where it has one: for what only it can do.
    pub api_key: Option<SecretString>,
    /// The budget of throttled calls of each user; `None` is no limit, for an LMS whose throttle is off.
    pub calls_per_minute: Option<NonZeroU32>,
    /// See [`CONNECT_TIMEOUT`].
    pub connect_timeout: Duration,
    /// See [`CALL_TIMEOUT`].
    pub call_timeout: Duration,
    /// See [`TURN_TIMEOUT`].
    pub turn_timeout: Duration,
}

impl LmsConfig {
    /// A configuration with one service user and the default limits.
    #[must_use]
    pub fn new(url: impl Into<String>, client_id: impl Into<String>, client_secret: SecretString) -> Self {
        Self {
            url: url.into(),
            user: ServiceUser { client_id: client_id.into(), client_secret },
            more_users: Vec::new(),
            api_key: None,
            calls_per_minute: Some(CALLS_PER_MINUTE),
            connect_timeout: CONNECT_TIMEOUT,
            call_timeout: CALL_TIMEOUT,
            turn_timeout: TURN_TIMEOUT,
        }
    }

    /// The longest that one call can take, waiting for its turn, fetching a token and renewing it once included. A lease
    /// under which something is changed must outlive it. Lists and searches of several requests take this for each.
    #[must_use]
    pub fn longest_call(&self) -> Duration {
        // Token, call, and both again after a 401. A token that somebody else is fetching is waited for as well.
        self.turn_timeout.saturating_add(self.call_timeout.saturating_mul(6))
    }
}
