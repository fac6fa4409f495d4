//! `POST /lms/{name}/notices`: an LMS says that somebody has registered, so that who waits for that is not kept waiting.
//!
//! Owns the token and the answers. The token comes as `Bearer`, or as the password of `Basic`, for what can send an address with
//! a password in it and no header of its own. A right token is always answered 202, whether or not anybody waits: nobody may find out
//! here who bought something. A notice changes no access; it only has the LMS asked sooner.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bursar_domain::{Clock, Email, LmsName, Timestamp};
use bursar_store::Store;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::{
    bell::Bell,
    config::{Config, SecretUnread},
};

/// The largest body, in bytes: an event has a few hundred. A longer one is answered 413.
const BODY_MAX: usize = 64 << 10;

/// How long a body may take to arrive. Then 408.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How often at most everybody who waits is looked up because of notices that name nobody. A notice that comes sooner takes
/// effect when this is over.
const EVERYBODY_EVERY: Duration = Duration::from_secs(60);

/// Where an address may stand: as a plain field, and in the events of Open edX, with or without their envelope, or under the
/// name of their type.
const ADDRESSES: [&str; 4] =
    ["/email", "/user/pii/email", "/data/user/pii/email", "/openedx_events.learning.data.UserData/pii/email"];

/// What the notices of all LMSs need.
#[derive(Debug)]
pub struct Notices {
    lms: BTreeMap<LmsName, Noticed>,
    store: Store,
    clock: Arc<dyn Clock>,
    fulfillment: Bell,
}

#[derive(Debug)]
struct Noticed {
    token: SecretString,
    /// When everybody who waits was, or is to be, looked up because of a notice, in milliseconds.
    everybody_at: AtomicI64,
}

impl Notices {
    /// The addresses of the LMSs that have a token; `fulfillment` is rung after a notice.
    ///
    /// # Errors
    /// When the configuration was loaded without its secrets.
    pub fn new(
        config: &Config,
        store: &Store,
        clock: &Arc<dyn Clock>,
        fulfillment: &Bell,
    ) -> Result<Self, SecretUnread> {
        let mut lms = BTreeMap::new();
        for site in &config.lms {
            if let Some(token) = &site.notice_token {
                let noticed = Noticed { token: token.get()?.clone(), everybody_at: AtomicI64::new(i64::MIN) };
                lms.insert(site.name.clone(), noticed);
            }
        }
        Ok(Self { lms, store: store.clone(), clock: Arc::clone(clock), fulfillment: fulfillment.clone() })
    }

    async fn receive(&self, name: &str, request: Request) -> Response {
        let Some((name, noticed)) = LmsName::parse(name).ok().and_then(|name| self.lms.get_key_value(&name)) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        if request.method() != Method::POST {
            return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")]).into_response();
        }
        let (head, body) = request.into_parts();
        if !noticed.lets_in(&head.headers) {
            tracing::warn!(lms = %name, "a notice had not the token of the LMS");
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let body = match read(body).await {
            Ok(body) => body,
            Err(status) => return (status, [(header::CONNECTION, "close")]).into_response(),
        };
        let now = self.clock.now();
        let noted = match address(&body) {
            Some(email) => self.store.notice(name, &email, now).await,
            None => match noticed.everybody(now) {
                Some(due_at) => self.store.notice_somebody(name, due_at, now).await,
                None => Ok(()),
            },
        };
        match noted {
            Ok(()) => {
                self.fulfillment.ring();
                StatusCode::ACCEPTED.into_response()
            }
            Err(error) => {
                tracing::warn!(lms = %name, error = %error.chain(), "a notice could not be taken");
                let after = HeaderValue::from_static("30");
                (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, after)]).into_response()
            }
        }
    }
}

impl Noticed {
    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let presented = headers.get(header::AUTHORIZATION).and_then(|value| presented(value.to_str().ok()?));
        presented.is_some_and(|presented| presented.ct_eq(self.token.expose_secret().as_bytes()).into())
    }

    /// When everybody is to be looked up; none if that is settled by an earlier notice.
    fn everybody(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.everybody_at.load(Ordering::Relaxed);
        let at = now.max(Timestamp::from_millis(last).plus(EVERYBODY_EVERY));
        let settled = last > now.as_millis()
            || self.everybody_at.compare_exchange(last, at.as_millis(), Ordering::Relaxed, Ordering::Relaxed).is_err();
        (!settled).then_some(at)
    }
}

/// The token that came with a request.
fn presented(authorization: &str) -> Option<Vec<u8>> {
    if let Some(token) = authorization.strip_prefix("Bearer ") {
        return Some(token.as_bytes().to_vec());
    }
    let pair = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    pair.get(colon + 1..).map(<[u8]>::to_vec)
}

/// The address of notices.
pub fn router(notices: Arc<Notices>) -> Router {
    Router::new().route("/lms/{name}/notices", any(notice)).with_state(notices)
}

async fn notice(State(notices): State<Arc<Notices>>, Path(name): Path<String>, request: Request) -> Response {
    notices.receive(&name, request).await
}

async fn read(body: Body) -> Result<Vec<u8>, StatusCode> {
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_MAX)).await {
        Ok(Ok(body)) => Ok(body.into()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Who registered; none where the body does not say so in a form that is known.
fn address(body: &[u8]) -> Option<Email> {
    let json: Value = serde_json::from_slice(body).ok()?;
    ADDRESSES.iter().find_map(|pointer| json.pointer(pointer)?.as_str().and_then(|text| Email::parse(text).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_where_it_may_stand_and_nowhere_else() {
        for body in [
            r#"{"email": "Ada@example.org"}"#,
            r#"{"user": {"id": 7, "pii": {"username": "ada", "email": "Ada@example.org"}}}"#,
            r#"{"data": {"user": {"pii": {"email": "Ada@example.org"}}}, "source": "lms"}"#,
            r#"{"openedx_events.learning.data.UserData": {"pii": {"email": "Ada@example.org"}}, "event_metadata": {}}"#,
        ] {
            assert_eq!(address(body.as_bytes()).unwrap().as_str(), "Ada@example.org", "{body}");
        }
        for body in ["", "ada@example.org", "{}", r#"{"email": "ada"}"#, r#"{"email": ["ada@example.org"]}"#] {
            assert_eq!(address(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn the_token_comes_as_bearer_or_as_a_password() {
        assert_eq!(presented("Bearer s3cret").unwrap(), b"s3cret");
        assert_eq!(presented(&format!("Basic {}", STANDARD.encode("lms:s3:cret"))).unwrap(), b"s3:cret");
        for other in ["", "s3cret", "Basic s3cret", "Bearer", "JWT s3cret"] {
            assert_eq!(presented(other), None, "{other}");
        }
    }

    #[test]
    fn notices_that_name_nobody_have_everybody_looked_up_once_a_minute_and_none_is_lost() {
        let noticed = Noticed { token: "t".to_owned().into(), everybody_at: AtomicI64::new(i64::MIN) };
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        assert_eq!(noticed.everybody(at(100)), Some(at(100)));
        assert_eq!(noticed.everybody(at(110)), Some(at(160)), "it takes effect when the minute is over");
        assert_eq!(noticed.everybody(at(120)), None, "that one serves this one too");
        assert_eq!(noticed.everybody(at(300)), Some(at(300)));
    }
}
