//! The public listener: a shop's request in, an answer out, and nothing answered 200 that is not on disk.
//!
//! Owns what a shop can see: addresses, statuses, caps. It never says why it refuses: that is the log's. Never a 4xx for a
//! business reason, never 429, because shops take both for a broken receiver and switch the webhook off.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::{
    bell::Bell,
    shops::{Ready, Shop, Shops},
};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use bursar_domain::{Clock, Timestamp, ids::DeliveryId};
use bursar_sandbox::{Answer, Decision, Problem, Remedy, RunErrorClass, redact};
use bursar_store::{
    Store,
    inbox::{Accepted, DeliveryState, NewDelivery, Origin},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a whole body may take to arrive. A sender that is slower gets a 408 and its connection closed.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How much memory the bodies of all requests may take together, those counted whole that do not say how long they are. A
/// request for which there is no room is answered 503.
pub const BODIES_MAX: usize = 256 << 20;

/// What a body is given to begin with; more only as it comes, so that announcing a long one costs nothing.
const BODY_BEGINNING: usize = 16 << 10;

/// How many requests of one shop are kept that nobody could judge. More are answered 503, so that shops that try again do.
pub const PARKED_MAX: u32 = 1_000;

/// What a 503 asks the shop to wait: long enough for a restart, short enough for the shop's patience.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("30");

/// How often at most the usual mistakes are tried on a wrong signature of one shop: each try costs a few HMACs, and
/// anybody can send wrong ones.
const DIAGNOSIS_EVERY: Duration = Duration::from_secs(5);

/// What the public listener needs.
#[derive(Debug)]
pub struct Gateway {
    /// The connected shops.
    pub shops: Shops,
    /// Where deliveries go.
    pub store: Store,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// The largest body, in bytes.
    pub max_body: usize,
    /// The memory for bodies.
    pub room: Room,
    /// Rung when a delivery has come.
    pub inbox: Bell,
}

/// The public addresses.
pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/webhooks/{shop}", any(webhook))
        .route("/webhooks/{shop}/", any(webhook))
        .route("/webhooks/{shop}/{*below}", any(webhook_below))
        .with_state(gateway)
}

async fn webhook(State(gateway): State<Arc<Gateway>>, Path(shop): Path<String>, request: Request) -> Response {
    gateway.receive(&shop, request).await.into_response()
}

async fn webhook_below(
    State(gateway): State<Arc<Gateway>>,
    Path((shop, _)): Path<(String, String)>,
    request: Request,
) -> Response {
    gateway.receive(&shop, request).await.into_response()
}

/// What a shop is answered.
#[derive(Debug)]
enum Reply {
    Ok,
    Answer(Answer),
    NotAuthentic,
    UnknownShop,
    WrongMethod,
    TooSlow,
    TooLarge,
    BrokenOff,
    Unavailable,
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Self::Ok => StatusCode::OK.into_response(),
            Self::Answer(answer) => {
                let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
                let content_type = HeaderValue::from_str(&answer.content_type)
                    .unwrap_or(HeaderValue::from_static("application/octet-stream"));
                (status, [(header::CONTENT_TYPE, content_type)], answer.body).into_response()
            }
            Self::NotAuthentic => StatusCode::UNAUTHORIZED.into_response(),
            Self::UnknownShop => StatusCode::NOT_FOUND.into_response(),
            Self::WrongMethod => {
                (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, HeaderValue::from_static("POST"))]).into_response()
            }
            // What is left of the body will not be read, so the connection is of no further use.
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, CLOSE).into_response(),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, CLOSE).into_response(),
            Self::BrokenOff => (StatusCode::BAD_REQUEST, CLOSE).into_response(),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER)]).into_response()
            }
        }
    }
}

const CLOSE: [(header::HeaderName, HeaderValue); 1] = [(header::CONNECTION, HeaderValue::from_static("close"))];

impl Gateway {
    async fn receive(&self, shop: &str, request: Request) -> Reply {
        let Some(shop) = self.shops.get(shop) else { return Reply::UnknownShop };
        if request.method() != Method::POST {
            return Reply::WrongMethod;
        }
        let (head, body) = request.into_parts();
        let announced = announced(&head.headers);
        // A body announced as too large is refused before it is sent: a sender that asks by `Expect` never sends it.
        if announced.is_some_and(|length| length > self.max_body) {
            return Reply::TooLarge;
        }
        let Some(_place) = self.room.take(announced.unwrap_or(self.max_body)) else {
            tracing::warn!(shop = %shop.config.name, "there is no memory for another request");
            return Reply::Unavailable;
        };
        let body = match tokio::time::timeout(BODY_TIMEOUT, read(body, self.max_body)).await {
            Ok(Ok(body)) => body,
            Ok(Err(reply)) => return reply,
            Err(_) => return Reply::TooSlow,
        };
        let request = Arc::new(bursar_domain::Request {
            method: head.method.as_str().to_owned(),
            path: below(head.uri.path()),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: headers(&head.headers),
            body,
            received_at: self.clock.now(),
        });
        match shop.ready(request.received_at) {
            Ok(permitted) => self.authenticate(&shop, permitted.ready, request).await,
            Err(obstacle) => self.park(&shop, &request, obstacle.code, &obstacle.message).await,
        }
    }

    async fn authenticate(&self, shop: &Shop, ready: &Ready, request: Arc<bursar_domain::Request>) -> Reply {
        let name = &shop.config.name;
        let Ready { adapter, context, .. } = ready;
        let authenticated = match adapter.authenticate(context, Arc::clone(&request)).await {
            Ok(authenticated) => {
                self.shops.run_ended(ready, None, request.received_at);
                authenticated
            }
            Err(error) if error.class() == RunErrorClass::Adapter => {
                self.shops.run_ended(ready, Some(&error), self.clock.now());
                let backtrace = error.backtrace.as_deref().unwrap_or_default();
                tracing::error!(shop = %name, adapter = %shop.config.adapter, code = error.kind.code(), %error, backtrace, "the adapter failed while it judged a request; the request is kept");
                return self.park(shop, &request, error.kind.code(), &error.to_string()).await;
            }
            Err(error) => {
                tracing::warn!(shop = %name, code = error.kind.code(), %error, "a request could not be judged");
                return Reply::Unavailable;
            }
        };
        match authenticated.decision {
            Decision::Accept { topic, subject, key, occurred_at, answer } => {
                let redacted = redact(adapter.description(), &request);
                if adapter.description().redacts() && holds_secret(shop, &redacted) {
                    tracing::warn!(shop = %name, "a request was refused, because it holds its secret where nobody blanks it");
                    return Reply::NotAuthentic;
                }
                let delivery = NewDelivery {
                    id: DeliveryId::new(request.received_at),
                    shop: name.clone(),
                    adapter: shop.config.adapter.clone(),
                    origin: Origin::Webhook,
                    state: DeliveryState::Queued,
                    topic,
                    subject,
                    dedupe_key: key,
                    occurred_at,
                    problem: None,
                    due_at: request.received_at,
                    body_sha256: NewDelivery::digest(&request.body),
                    request: redacted,
                };
                match self.store.accept(delivery).await {
                    Ok(_) => {
                        self.inbox.ring();
                        answer.map_or(Reply::Ok, Reply::Answer)
                    }
                    Err(error) => {
                        tracing::error!(shop = %name, error = %error.chain(), "a delivery could not be stored");
                        Reply::Unavailable
                    }
                }
            }
            Decision::Ignore { reason } => {
                tracing::debug!(shop = %name, reason, "a request is of no interest");
                Reply::Ok
            }
            Decision::Respond(answer) => Reply::Answer(answer),
            Decision::Problem(Problem { remedy: Remedy::None, code, message, .. }) => {
                let mistake = authenticated
                    .failed_check
                    .filter(|_| may_diagnose(shop, request.received_at))
                    .and_then(|check| check.diagnose(context));
                tracing::warn!(shop = %name, code, why = message, mistake, "a request was refused as not authentic");
                Reply::NotAuthentic
            }
            Decision::Problem(Problem { code, message, .. }) => self.park(shop, &request, &code, &message).await,
        }
    }

    /// Keeps a request that nobody can judge now.
    async fn park(&self, shop: &Shop, request: &bursar_domain::Request, code: &str, message: &str) -> Reply {
        let name = &shop.config.name;
        // Kept whole, because whoever judges it later needs every byte; so what holds the secret itself is not kept.
        if holds_secret(shop, request) {
            tracing::warn!(shop = %name, code, why = message, "a request cannot be judged, and cannot be kept, because it holds its secret");
            return Reply::Unavailable;
        }
        let delivery = NewDelivery {
            id: DeliveryId::new(request.received_at),
            shop: name.clone(),
            adapter: shop.config.adapter.clone(),
            origin: Origin::Webhook,
            state: DeliveryState::Parked,
            topic: String::new(),
            subject: None,
            dedupe_key: None,
            occurred_at: None,
            problem: Some((code.to_owned(), message.to_owned())),
            due_at: request.received_at,
            body_sha256: NewDelivery::digest(&request.body),
            request: request.clone(),
        };
        let id = delivery.id;
        match self.store.park(delivery, PARKED_MAX).await {
            Ok(Accepted::NoRoom) => {
                tracing::error!(shop = %name, code, why = message, kept = PARKED_MAX, "a request cannot be judged, and too many of them are kept already");
                Reply::Unavailable
            }
            Ok(Accepted::New(_) | Accepted::Duplicate(_)) => {
                tracing::warn!(shop = %name, delivery = %id, code, why = message, "a request cannot be judged now and is kept");
                self.inbox.ring();
                Reply::Ok
            }
            Err(error) => {
                tracing::error!(shop = %name, error = %error.chain(), "a request that cannot be judged could not be kept");
                Reply::Unavailable
            }
        }
    }
}

fn may_diagnose(shop: &Shop, now: Timestamp) -> bool {
    let last = shop.diagnosed_at.load(Ordering::Relaxed);
    now.since(Timestamp::from_millis(last)) >= DIAGNOSIS_EVERY
        && shop.diagnosed_at.compare_exchange(last, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// Does the request carry one of the shop's secrets as it is?
fn holds_secret(shop: &Shop, request: &bursar_domain::Request) -> bool {
    let holds = |secret: &str| {
        // In a JSON body it may stand with escapes.
        let escaped = serde_json::Value::from(secret).to_string();
        let forms = [secret.as_bytes(), escaped.trim_matches('"').as_bytes()];
        let parts = request.headers.iter().map(|(_, value)| value.as_ref());
        parts
            .chain([request.body.as_ref(), request.path.as_bytes(), request.query.as_bytes()])
            .any(|part| forms.iter().any(|form| contains(part, form)))
    };
    let secrets = shop.config.secrets.values().flatten().filter_map(|secret| secret.get().ok());
    secrets.map(ExposeSecret::expose_secret).any(|secret| !secret.is_empty() && holds(secret))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// What follows `/webhooks/{shop}`.
fn below(path: &str) -> String {
    let after_prefix = path.strip_prefix("/webhooks/").unwrap_or_default();
    after_prefix.find('/').and_then(|slash| after_prefix.get(slash..)).unwrap_or_default().to_owned()
}

fn headers(map: &HeaderMap) -> Vec<(String, Bytes)> {
    map.iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect()
}

/// How long the sender says that the body is. A length that does not read is as good as none.
fn announced(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok()?;
    Some(usize::try_from(length).unwrap_or(usize::MAX))
}

async fn read(mut body: Body, max: usize) -> Result<Bytes, Reply> {
    let mut read = BytesMut::with_capacity(BODY_BEGINNING);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(Reply::BrokenOff) };
        if let Ok(data) = frame.into_data() {
            if read.len() + data.len() > max {
                return Err(Reply::TooLarge);
            }
            read.extend_from_slice(&data);
        }
    }
    Ok(read.freeze())
}

/// Memory that is handed out and comes back by itself.
#[derive(Debug)]
pub struct Room(Semaphore);

impl Room {
    /// Counted in pieces of this many bytes.
    const PIECE: usize = 1 << 10;

    /// Room for so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Semaphore::new(bytes / Self::PIECE))
    }

    /// Takes so many bytes until the answer is dropped; nothing if there are not as many.
    fn take(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let pieces = u32::try_from(bytes.div_ceil(Self::PIECE)).ok()?;
        self.0.try_acquire_many(pieces).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_was_taken_is_there_again_once_it_is_given_back() {
        let room = Room::new(10 << 10);
        let most = room.take(9 << 10);
        assert!(most.is_some());
        assert!(room.take(2 << 10).is_none());
        assert!(room.take(1).is_some());
        drop(most);
        assert!(room.take(10 << 10).is_some());
        assert!(room.take(usize::MAX).is_none());
    }

    #[test]
    fn what_follows_the_shops_name_is_kept_as_it_came() {
        assert_eq!(below("/webhooks/campus"), "");
        assert_eq!(below("/webhooks/campus/"), "/");
        assert_eq!(below("/webhooks/campus/a%2Fb/c"), "/a%2Fb/c");
    }
}
