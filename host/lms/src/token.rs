//! The token: fetched when needed, kept until shortly before it expires, fetched once however many calls wait for it.
//!
//! Owns the client id and secret of one service user, and the readings of the token endpoint. Keeps nothing on disk and
//! shows nothing in logs.

use std::{
    fmt,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bursar_domain::{Clock, Timestamp};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use crate::{
    answer::Answer,
    classify,
    config::ServiceUser,
    counts::{CallKind, Counters},
    error::{Doubt, Fault, LmsError, Setback, UserProblem},
    transport::{Call, Credentials, Payload, Transport},
    wire::{pairs, quote},
};

/// How long before its end a token is replaced: longer than any call takes, so that none expires on its way. Of a token
/// that lives shorter than twice this, half the life.
const RENEW_EARLY: Duration = Duration::from_secs(60);

/// A token in use.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) jwt: SecretString,
    /// Which of our tokens it is, so that only this one is dropped when it is refused.
    serial: u64,
    renew_at: Timestamp,
}

#[derive(Default)]
struct Kept {
    token: Option<Token>,
    /// What the last fetch ended in, if badly.
    failure: Option<LmsError>,
    serials: u64,
}

/// Until when the token endpoint is left alone. All service users share it: the endpoint counts tries by address.
#[derive(Debug, Default)]
pub(crate) struct EndpointPause(std::sync::Mutex<Option<Timestamp>>);

impl EndpointPause {
    fn left(&self, now: Timestamp) -> Option<Duration> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.map(|until| until.since(now)).filter(|left| !left.is_zero())
    }

    fn set(&self, until: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}

/// No token.
pub(crate) struct NoToken {
    pub(crate) error: LmsError,
    /// Was the LMS asked for this very call? If not, the failure is that of another call, or a pause of our own.
    pub(crate) asked: bool,
}

pub(crate) struct Tokens {
    client_id: Arc<str>,
    client_secret: SecretString,
    clock: Arc<dyn Clock>,
    pause: Arc<EndpointPause>,
    /// Held while a token is fetched: the others wait for it and use what it brought.
    kept: Mutex<Kept>,
    /// How many fetches ended. Whoever waited through one shares its failure instead of repeating it.
    fetches: AtomicU64,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Tokens {
    pub(crate) fn new(user: ServiceUser, clock: Arc<dyn Clock>, pause: Arc<EndpointPause>) -> Self {
        let ServiceUser { client_id, client_secret } = user;
        let client_id = client_id.into();
        Self { client_id, client_secret, clock, pause, kept: Mutex::default(), fetches: AtomicU64::new(0) }
    }

    pub(crate) fn client_id(&self) -> &Arc<str> {
        &self.client_id
    }

    /// A token that will still be good when the call arrives. Whatever goes wrong here, the call itself was not sent, so
    /// no failure of this is ever unclear.
    pub(crate) async fn get(&self, transport: &Transport, counters: &Counters) -> Result<Token, NoToken> {
        let fetches = self.fetches.load(Ordering::Acquire);
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some(token) = kept.token.as_ref().filter(|token| now < token.renew_at) {
            return Ok(token.clone());
        }
        if let Some(failure) = &kept.failure
            && self.fetches.load(Ordering::Acquire) != fetches
        {
            return Err(NoToken { error: failure.clone(), asked: false });
        }
        if let Some(after) = self.pause.left(now) {
            return Err(NoToken { error: Setback::Throttled { after }.into(), asked: false });
        }
        kept.token = None;
        let serial = kept.serials + 1;
        kept.serials = serial;
        let fetched = self.fetch(transport, counters, serial).await;
        match &fetched {
            Ok(token) => (kept.token, kept.failure) = (Some(token.clone()), None),
            Err(error) => {
                kept.failure = Some(error.clone());
                if let LmsError::TryAgain(Setback::Throttled { after }) = error {
                    self.pause.set(self.clock.now().plus(*after));
                }
            }
        }
        self.fetches.fetch_add(1, Ordering::Release);
        fetched.map_err(|error| NoToken { error, asked: true })
    }

    /// The LMS refused this token. A newer one stays.
    pub(crate) async fn drop_refused(&self, refused: &Token) {
        let mut kept = self.kept.lock().await;
        if kept.token.as_ref().is_some_and(|token| token.serial == refused.serial) {
            kept.token = None;
        }
    }

    async fn fetch(&self, transport: &Transport, counters: &Counters, serial: u64) -> Result<Token, LmsError> {
        // A form: the endpoint does not read JSON. Without `token_type` the token would be an opaque one, which
        // enrollment_allowed refuses (`docs/lms.md`).
        let form = pairs([
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            ("token_type", "jwt"),
        ]);
        let call = Call::send(CallKind::Token, Method::POST, "/oauth2/access_token", Payload::Form(form.into()));
        counters.count(CallKind::Token);
        // The token's life is counted from before the call: rather too short than too long.
        let asked_at = self.clock.now();
        let answer = transport.exchange(&call, Credentials::None).await.map_err(not_sent)?;
        if answer.status == 429 {
            counters.count_throttled();
        }
        let (jwt, life) = read(&answer).map_err(|failure| not_sent(self.named(failure)))?;
        let renew_at = asked_at.plus(life.saturating_sub(RENEW_EARLY.min(life / 2)));
        Ok(Token { jwt, serial, renew_at })
    }

    fn named(&self, failure: NotAToken) -> LmsError {
        match failure {
            NotAToken::Refused(problem) => Fault::ServiceUser { client_id: self.client_id.to_string(), problem }.into(),
            NotAToken::Failed(error) => error,
        }
    }
}

/// What the token endpoint's answer means when it is no token.
enum NotAToken {
    Refused(UserProblem),
    Failed(LmsError),
}

impl From<UserProblem> for NotAToken {
    fn from(problem: UserProblem) -> Self {
        Self::Refused(problem)
    }
}

impl From<Doubt> for NotAToken {
    fn from(doubt: Doubt) -> Self {
        Self::Failed(doubt.into())
    }
}

/// A token call that failed unclearly is, for the call that needed it, a call that was not sent.
fn not_sent(error: LmsError) -> LmsError {
    match error {
        LmsError::Unclear(_) | LmsError::TryAgain(Setback::Unavailable { .. }) => {
            Setback::NoToken { why: error.to_string() }.into()
        }
        LmsError::Definite(_) | LmsError::TryAgain(_) | LmsError::Ours(_) => error,
    }
}

fn read(answer: &Answer) -> Result<(SecretString, Duration), NotAToken> {
    if let Some(error) = answer.text("error") {
        return Err(match (answer.status, error) {
            (401, _) | (_, "invalid_client") => UserProblem::UnknownClient.into(),
            _ => UserProblem::TokenRefused { error: quote(error, &[]) }.into(),
        });
    }
    if let Some(failure) = classify::ruled(answer, CallKind::Token) {
        return Err(NotAToken::Failed(failure));
    }
    if !answer.is_success() {
        return Err(NotAToken::Failed(classify::leftover(answer, CallKind::Token, &[])));
    }
    let Some(data) = answer.data() else { return Err(Doubt::NotData { status: answer.status }.into()) };
    let unusable = |problem| NotAToken::from(UserProblem::UnusableToken { problem });
    if !answer.text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("jwt")) {
        return Err(unusable("is not a JWT"));
    }
    let jwt = answer.text("access_token").filter(|jwt| !jwt.is_empty()).ok_or_else(|| unusable("is missing"))?;
    let seconds = data.get("expires_in").and_then(serde_json::Value::as_i64).unwrap_or(0);
    let life = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
    Ok((jwt.into(), life.ok_or_else(|| unusable("has expired already"))?))
}
