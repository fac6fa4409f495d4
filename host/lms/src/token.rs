//! The token: fetched when needed, kept until shortly before it expires, fetched once however many calls wait for it.
//!
//! Owns the client id and secret, and the readings of the token endpoint. Keeps nothing on disk and shows nothing in
//! logs.

use std::{
    fmt,
    sync::{
        Arc,
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
    counts::{CallKind, Counters},
    error::{Doubt, Fault, LmsError, Setback},
    transport::{Call, Payload, Transport},
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
    /// Not before this moment may the endpoint be asked again: it counts tries by address, for everybody behind it.
    paused_until: Option<Timestamp>,
    serials: u64,
}

pub(crate) struct Tokens {
    client_id: String,
    client_secret: SecretString,
    clock: Arc<dyn Clock>,
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
    pub(crate) fn new(client_id: String, client_secret: SecretString, clock: Arc<dyn Clock>) -> Self {
        Self { client_id, client_secret, clock, kept: Mutex::default(), fetches: AtomicU64::new(0) }
    }

    /// A token that will still be good when the call arrives. Whatever goes wrong here, the call itself was not sent, so
    /// no failure of this is ever unclear.
    pub(crate) async fn get(&self, transport: &Transport, counters: &Counters) -> Result<Token, LmsError> {
        let fetches = self.fetches.load(Ordering::Acquire);
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some(token) = kept.token.as_ref().filter(|token| now < token.renew_at) {
            return Ok(token.clone());
        }
        if let Some(failure) = &kept.failure
            && self.fetches.load(Ordering::Acquire) != fetches
        {
            return Err(failure.clone());
        }
        if let Some(until) = kept.paused_until.filter(|until| now < *until) {
            return Err(Setback::Throttled { after: until.since(now) }.into());
        }
        kept.token = None;
        let serial = kept.serials + 1;
        kept.serials = serial;
        let fetched = self.fetch(transport, counters, serial).await;
        match &fetched {
            Ok(token) => (kept.token, kept.failure, kept.paused_until) = (Some(token.clone()), None, None),
            Err(error) => {
                kept.failure = Some(error.clone());
                if let LmsError::TryAgain(Setback::Throttled { after }) = error {
                    kept.paused_until = Some(self.clock.now().plus(*after));
                }
            }
        }
        self.fetches.fetch_add(1, Ordering::Release);
        fetched
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
        let answer = transport.exchange(&call, None).await.map_err(not_sent)?;
        if answer.status == 429 {
            counters.count_throttled();
        }
        let (jwt, life) = read(&answer).map_err(not_sent)?;
        let renew_at = asked_at.plus(life.saturating_sub(RENEW_EARLY.min(life / 2)));
        Ok(Token { jwt, serial, renew_at })
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

fn read(answer: &Answer) -> Result<(SecretString, Duration), LmsError> {
    if let Some(error) = answer.text("error") {
        return Err(match (answer.status, error) {
            (401, _) | (_, "invalid_client") => Fault::UnknownClient.into(),
            _ => Fault::TokenRefused { error: quote(error, &[]) }.into(),
        });
    }
    if let Some(failure) = classify::ruled(answer, CallKind::Token) {
        return Err(match failure {
            // There was no token yet that could have been refused.
            LmsError::Ours(Fault::TokenRejected) => Fault::Blocked { status: answer.status }.into(),
            other => other,
        });
    }
    if !answer.is_success() {
        return Err(classify::leftover(answer, CallKind::Token, &[]));
    }
    let Some(data) = answer.data() else { return Err(Doubt::NotData { status: answer.status }.into()) };
    let unusable = |problem| LmsError::from(Fault::UnusableToken { problem });
    if !answer.text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("jwt")) {
        return Err(unusable("is not a JWT"));
    }
    let jwt = answer.text("access_token").filter(|jwt| !jwt.is_empty()).ok_or_else(|| unusable("is missing"))?;
    let seconds = data.get("expires_in").and_then(serde_json::Value::as_i64).unwrap_or(0);
    let life = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
    Ok((jwt.into(), life.ok_or_else(|| unusable("has expired already"))?))
}
