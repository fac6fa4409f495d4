//! The client of one LMS: what every call goes through.
//!
//! Owns the order of things: leave of the breaker, a turn in the budget, which names the service user, that user's token,
//! the exchange, one renewal after a 401, the pause after a 429, and what the breaker is told. The calls themselves are in
//! the modules named after what they are about.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use bursar_domain::{Clock, Username};
use secrecy::SecretString;

use crate::{
    answer::Answer,
    breaker::{Breaker, Outage, Outcome, Permit},
    budget::{Budget, Priority},
    classify,
    config::LmsConfig,
    counts::{CallCounts, CallKind, Counters},
    error::{Doubt, LmsError, Refusal, Setback},
    token::{EndpointPause, NoToken, Tokens},
    transport::{Call, Credentials, Transport},
};

/// How many times a minute details of courses may be asked for. The LMS ignores our token there and counts by address,
/// as for anybody: 40 a minute (`docs/lms.md`).
const COURSE_CALLS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(25).unwrap();

/// The service user who makes the calls that the LMS does not throttle.
const FIRST: usize = 0;

#[derive(Debug)]
struct Inner {
    transport: Transport,
    breaker: Breaker,
    /// One for each service user.
    tokens: Vec<Tokens>,
    api_key: Option<SecretString>,
    counters: Counters,
    /// Of the service users: all enrollment endpoints share one throttle for each.
    budget: Budget,
    /// Of this address, for course details.
    course_budget: Budget,
    turn_timeout: Duration,
    longest_call: Duration,
}

/// The client of one LMS. Cheap to clone; all clones share tokens, budgets and the breaker.
#[derive(Debug, Clone)]
pub struct Lms {
    inner: Arc<Inner>,
    priority: Priority,
    /// The service user who is being examined: calls go in their name, whatever the breaker says, and tell it nothing.
    examined: Option<usize>,
}

/// As whom a call is made.
enum Asking<'a> {
    AsServiceUser,
    With(Credentials<'a>),
}

/// How far a call came.
struct Tried {
    answer: Result<Answer, LmsError>,
    /// Whose token was used.
    user: Option<usize>,
    /// Was the LMS asked for anything?
    asked: bool,
}

impl Tried {
    fn unsent(error: LmsError) -> Self {
        Self { answer: Err(error), user: None, asked: false }
    }
}

impl Lms {
    /// A client. Sends nothing yet. `clock` decides when a token is to be renewed and when an LMS that was away is asked
    /// again. Calls wait as [`Priority::Upkeep`] unless [`Lms::at`] says otherwise.
    ///
    /// # Errors
    /// [`crate::Fault::Url`] or [`crate::Fault::Tls`].
    pub fn new(config: LmsConfig, clock: Arc<dyn Clock>) -> Result<Self, LmsError> {
        let transport = Transport::new(&config, Arc::clone(&clock))?;
        let longest_call = config.longest_call();
        let limited = config.calls_per_minute;
        let pause = Arc::new(EndpointPause::default());
        let users = std::iter::once(config.user).chain(config.more_users);
        let tokens: Vec<Tokens> = users.map(|user| Tokens::new(user, Arc::clone(&clock), Arc::clone(&pause))).collect();
        let inner = Inner {
            breaker: Breaker::new(transport.root().to_owned(), clock),
            transport,
            budget: Budget::new(limited, tokens.len()),
            tokens,
            api_key: config.api_key,
            counters: Counters::default(),
            course_budget: Budget::new(limited.map(|limit| limit.min(COURSE_CALLS_PER_MINUTE)), 1),
            turn_timeout: config.turn_timeout,
            longest_call,
        };
        Ok(Self { inner: Arc::new(inner), priority: Priority::default(), examined: None })
    }

    /// The same client, whose calls wait in this priority.
    #[must_use]
    pub fn at(&self, priority: Priority) -> Self {
        Self { priority, ..self.clone() }
    }

    /// The same client as this service user alone, without the breaker.
    pub(crate) fn examining(&self, user: usize) -> Self {
        Self { examined: Some(user), ..self.clone() }
    }

    /// The client ids of the service users, in the order of the configuration.
    pub(crate) fn client_ids(&self) -> impl Iterator<Item = &str> {
        self.inner.tokens.iter().map(|tokens| &**tokens.client_id())
    }

    /// Requests sent so far, by all clones.
    #[must_use]
    pub fn counts(&self) -> CallCounts {
        self.inner.counters.snapshot()
    }

    /// [`LmsConfig::longest_call`] of this client.
    #[must_use]
    pub fn longest_call(&self) -> Duration {
        self.inner.longest_call
    }

    /// Is there a budget of calls a minute? Without one no call waits for its turn.
    #[must_use]
    pub fn has_budget(&self) -> bool {
        self.inner.budget.is_limited()
    }

    /// How long calls rest: until then every one of them fails at once, unsent, as [`Setback::Resting`]. `None` when calls
    /// may go, or one of them ([`Lms::wants_probe`]).
    #[must_use]
    pub fn rests(&self) -> Option<Duration> {
        self.outage()?.rests
    }

    /// May one call go and no other, to see whether the LMS is back? Whoever takes up work should then take up one thing.
    #[must_use]
    pub fn wants_probe(&self) -> bool {
        self.outage().is_some_and(|outage| outage.rests.is_none())
    }

    /// Since when and why calls rest, or only a probe may go. `None` when all is well, as far as is known.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        self.inner.breaker.outage()
    }

    /// Who the token is. Not throttled.
    ///
    /// # Errors
    /// Of any class but definite.
    pub async fn who_am_i(&self) -> Result<Username, LmsError> {
        self.send(&Call::get(CallKind::WhoAmI, "/api/user/v1/me"), |answer| {
            match answer.text("username").map(Username::parse) {
                Some(Ok(username)) if answer.is_success() => Ok(username),
                Some(_) if answer.is_success() => Err(Doubt::Unreadable { what: "a user" }.into()),
                _ => Err(classify::leftover(answer, CallKind::WhoAmI, &[])),
            }
        })
        .await
    }

    /// Makes sure that there is a token.
    pub(crate) async fn obtain_token(&self, user: usize) -> Result<(), LmsError> {
        let inner = &*self.inner;
        let Some(tokens) = inner.tokens.get(user) else { return Ok(()) };
        tokens.get(&inner.transport, &inner.counters).await.map(drop).map_err(|failure| failure.error)
    }

    pub(crate) fn api_key(&self) -> Option<&SecretString> {
        self.inner.api_key.as_ref()
    }

    /// Sends a call as a service user. `read` judges the answer; only the call itself can.
    pub(crate) async fn send<T>(
        &self,
        call: &Call,
        read: impl FnOnce(&Answer) -> Result<T, LmsError>,
    ) -> Result<T, LmsError> {
        self.conclude(call, Asking::AsServiceUser, read).await
    }

    /// Sends a call that needs no credentials: they would be ignored.
    pub(crate) async fn send_anonymously<T>(
        &self,
        call: &Call,
        read: impl FnOnce(&Answer) -> Result<T, LmsError>,
    ) -> Result<T, LmsError> {
        self.conclude(call, Asking::With(Credentials::None), read).await
    }

    /// Sends a call with the API key. No token goes with it: the key alone has the right, and were it not taken, the LMS
    /// would judge the call by the token, without a word about the key (`docs/lms.md`).
    pub(crate) async fn send_with_api_key<T>(
        &self,
        call: &Call,
        read: impl FnOnce(&Answer) -> Result<T, LmsError>,
    ) -> Result<T, LmsError> {
        let key = self.api_key().ok_or(Refusal::NoApiKey)?;
        self.conclude(call, Asking::With(Credentials::ApiKey(key)), read).await
    }

    async fn conclude<T>(
        &self,
        call: &Call,
        asking: Asking<'_>,
        read: impl FnOnce(&Answer) -> Result<T, LmsError>,
    ) -> Result<T, LmsError> {
        let permit = match self.examined {
            Some(_) => None,
            None => Some(self.inner.breaker.admit(matches!(asking, Asking::AsServiceUser))?),
        };
        let tried = match asking {
            Asking::AsServiceUser => self.try_as_service_user(call, permit.as_ref()).await,
            Asking::With(credentials) => self.try_with(call, credentials, permit.as_ref()).await,
        };
        let result = tried.answer.and_then(|answer| read(&answer));
        if let Some(permit) = permit {
            permit.report(if tried.asked { Outcome::of(&result, tried.user) } else { Outcome::Unsent });
        }
        result
    }

    async fn try_as_service_user(&self, call: &Call, permit: Option<&Permit<'_>>) -> Tried {
        let inner = &*self.inner;
        let only = self.examined.or_else(|| permit.and_then(Permit::user));
        let user = match self.turn(call.kind, only, permit).await {
            Ok(user) => user,
            Err(error) => return Tried::unsent(error),
        };
        let Some(tokens) = inner.tokens.get(user) else {
            return Tried::unsent(Setback::NoTurn { after: inner.turn_timeout }.into());
        };
        let tried = |answer| Tried { answer, user: Some(user), asked: true };
        let mut renewed = false;
        loop {
            let token = match tokens.get(&inner.transport, &inner.counters).await {
                Ok(token) => token,
                Err(NoToken { error, asked }) => return Tried { answer: Err(error), user: Some(user), asked },
            };
            inner.counters.count(call.kind);
            let credentials = Credentials::Token { client_id: tokens.client_id(), jwt: &token.jwt };
            let answer = match inner.transport.exchange(call, credentials).await {
                Ok(answer) => answer,
                Err(error) => return tried(Err(error)),
            };
            if answer.status == 401 {
                // The LMS does not say why: the token may have expired, or its keys may have changed.
                tokens.drop_refused(&token).await;
                if !renewed {
                    renewed = true;
                    continue;
                }
            }
            return tried(self.judged(answer, call.kind, user));
        }
    }

    async fn try_with(&self, call: &Call, credentials: Credentials<'_>, permit: Option<&Permit<'_>>) -> Tried {
        let place = match self.turn(call.kind, None, permit).await {
            Ok(place) => place,
            Err(error) => return Tried::unsent(error),
        };
        self.inner.counters.count(call.kind);
        let answer = self.inner.transport.exchange(call, credentials).await;
        let answer = answer.and_then(|answer| self.judged(answer, call.kind, place));
        Tried { answer, user: None, asked: true }
    }

    /// `whose`: what [`Lms::turn`] said.
    fn judged(&self, answer: Answer, kind: CallKind, whose: usize) -> Result<Answer, LmsError> {
        let Some(failure) = classify::ruled(&answer, kind) else { return Ok(answer) };
        if let LmsError::TryAgain(Setback::Throttled { after }) = &failure {
            self.inner.counters.count_throttled();
            if let Some(budget) = self.budget_of(kind) {
                budget.pause(whose, *after);
            }
        }
        Err(failure)
    }

    /// Waits until the call may go, and answers as which service user: `only`, if it must be that one.
    async fn turn(&self, kind: CallKind, only: Option<usize>, permit: Option<&Permit<'_>>) -> Result<usize, LmsError> {
        let Some(budget) = self.budget_of(kind) else { return Ok(only.unwrap_or(FIRST)) };
        let turn = budget.turn(self.priority, self.inner.turn_timeout, only).await;
        let user = turn.map_err(|after| Setback::NoTurn { after })?;
        // While this call waited, others may have found out that the LMS is away.
        permit.map_or(Ok(()), Permit::confirm)?;
        Ok(user)
    }

    /// The LMS throttles the enrollment endpoints and not those of accounts, and never the API key (`docs/lms.md`). What
    /// throttles course modes is not known, so they are taken to share.
    fn budget_of(&self, kind: CallKind) -> Option<&Budget> {
        match kind {
            CallKind::Token
            | CallKind::WhoAmI
            | CallKind::SearchEmails
            | CallKind::ReadAccount
            | CallKind::ChangeEnrollmentWithApiKey
            | CallKind::CheckApiKey
            | CallKind::Register => None,
            CallKind::ReadCourse => Some(&self.inner.course_budget),
            CallKind::ReadEnrollment
            | CallKind::ListEnrollments
            | CallKind::ChangeEnrollment
            | CallKind::ReadAllowed
            | CallKind::ChangeAllowed
            | CallKind::ReadModes => Some(&self.inner.budget),
        }
    }
}
