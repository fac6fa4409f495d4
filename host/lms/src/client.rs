//! The client of one LMS: what every call goes through.
//!
//! Owns the order of things: a token, a turn in the budget, the exchange, one renewal after a 401, and the pause after a
//! 429. The calls themselves are in the modules named after what they are about.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use bursar_domain::{Clock, Username};

use crate::{
    answer::Answer,
    budget::{Budget, Priority},
    classify,
    config::LmsConfig,
    counts::{CallCounts, CallKind, Counters},
    error::{Doubt, LmsError, Setback},
    token::Tokens,
    transport::{Call, Transport},
};

/// How many times a minute details of courses may be asked for. The LMS ignores our token there and counts by address,
/// as for anybody: 40 a minute (`docs/lms.md`).
const COURSE_CALLS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(25).unwrap();

#[derive(Debug)]
struct Inner {
    transport: Transport,
    tokens: Tokens,
    counters: Counters,
    /// Of the service user: all enrollment endpoints share one throttle.
    budget: Budget,
    /// Of this address, for course details.
    course_budget: Budget,
    turn_timeout: Duration,
    longest_call: Duration,
}

/// The client of one LMS. Cheap to clone; all clones share one token and one budget.
#[derive(Debug, Clone)]
pub struct Lms {
    inner: Arc<Inner>,
    priority: Priority,
}

impl Lms {
    /// A client. Sends nothing yet. `clock` decides when a token is to be renewed. Calls wait as [`Priority::Upkeep`]
    /// unless [`Lms::at`] says otherwise.
    ///
    /// # Errors
    /// [`crate::Fault::Url`] or [`crate::Fault::Tls`].
    pub fn new(config: LmsConfig, clock: Arc<dyn Clock>) -> Result<Self, LmsError> {
        let transport = Transport::new(&config)?;
        let longest_call = config.longest_call();
        let limited = config.calls_per_minute;
        let inner = Inner {
            transport,
            tokens: Tokens::new(config.client_id, config.client_secret, clock),
            counters: Counters::default(),
            budget: Budget::new(limited),
            course_budget: Budget::new(limited.map(|limit| limit.min(COURSE_CALLS_PER_MINUTE))),
            turn_timeout: config.turn_timeout,
            longest_call,
        };
        Ok(Self { inner: Arc::new(inner), priority: Priority::default() })
    }

    /// The same client, whose calls wait in this priority.
    #[must_use]
    pub fn at(&self, priority: Priority) -> Self {
        Self { inner: Arc::clone(&self.inner), priority }
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

    /// Who the token is. Not throttled.
    ///
    /// # Errors
    /// Of any class but definite.
    pub async fn who_am_i(&self) -> Result<Username, LmsError> {
        let answer = self.send(Call::get(CallKind::WhoAmI, "/api/user/v1/me")).await?;
        match answer.text("username").map(Username::parse) {
            Some(Ok(username)) if answer.is_success() => Ok(username),
            Some(_) if answer.is_success() => Err(Doubt::Unreadable { what: "a user" }.into()),
            _ => Err(classify::leftover(&answer, CallKind::WhoAmI, &[])),
        }
    }

    /// Makes sure that there is a token.
    pub(crate) async fn obtain_token(&self) -> Result<(), LmsError> {
        self.inner.tokens.get(&self.inner.transport, &self.inner.counters).await.map(drop)
    }

    /// Sends a call with our token. What comes back is an answer that only the call itself can judge.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer, LmsError> {
        let inner = &*self.inner;
        let budget = self.budget_of(call.kind);
        // First, so that no turn is spent on a call that cannot be sent.
        self.obtain_token().await?;
        self.turn(budget).await?;
        let mut renewed = false;
        loop {
            let token = inner.tokens.get(&inner.transport, &inner.counters).await?;
            inner.counters.count(call.kind);
            let answer = inner.transport.exchange(&call, Some(&token.jwt)).await?;
            if answer.status == 401 {
                // The LMS does not say why: the token may have expired, or its keys may have changed.
                inner.tokens.drop_refused(&token).await;
                if !renewed {
                    renewed = true;
                    continue;
                }
            }
            return self.judged(answer, call.kind, budget);
        }
    }

    /// Sends a call that needs no token: it would be ignored.
    pub(crate) async fn send_anonymously(&self, call: Call) -> Result<Answer, LmsError> {
        let budget = self.budget_of(call.kind);
        self.turn(budget).await?;
        self.inner.counters.count(call.kind);
        let answer = self.inner.transport.exchange(&call, None).await?;
        self.judged(answer, call.kind, budget)
    }

    fn judged(&self, answer: Answer, kind: CallKind, budget: Option<&Budget>) -> Result<Answer, LmsError> {
        let Some(failure) = classify::ruled(&answer, kind) else { return Ok(answer) };
        if let LmsError::TryAgain(Setback::Throttled { after }) = &failure {
            self.inner.counters.count_throttled();
            if let Some(budget) = budget {
                budget.pause(*after);
            }
        }
        Err(failure)
    }

    async fn turn(&self, budget: Option<&Budget>) -> Result<(), LmsError> {
        match budget {
            Some(budget) => budget
                .turn(self.priority, self.inner.turn_timeout)
                .await
                .map_err(|after| Setback::NoTurn { after }.into()),
            None => Ok(()),
        }
    }

    /// The LMS throttles the enrollment endpoints and not those of accounts (`docs/lms.md`). What throttles course modes
    /// is not known, so they are taken to share.
    fn budget_of(&self, kind: CallKind) -> Option<&Budget> {
        match kind {
            CallKind::Token
            | CallKind::WhoAmI
            | CallKind::SearchEmails
            | CallKind::ReadAccount
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
