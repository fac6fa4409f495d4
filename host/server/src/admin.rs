//! The admin listener: for operators and their machines, never for shops.
//!
//! Owns the token and the `Host` check. It says, to machines and to people, whether the server is ready and how its adapters and
//! shops are doing. Nothing can be changed here.

use std::sync::Arc;

mod metrics;
mod pages;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bursar_domain::Clock;
use bursar_store::Store;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::{
    adapters::status::Row,
    shops::{Service, Shops},
};

/// What somebody without a token is asked for.
const ASKS: &str = "Basic realm=\"Bursar: any name, and the admin token\", charset=\"UTF-8\"";

/// What the admin listener needs.
#[derive(Debug)]
pub struct Admin {
    token: SecretString,
    store: Store,
    clock: Arc<dyn Clock>,
    shops: Shops,
    adapters: watch::Receiver<Vec<Row>>,
}

impl Admin {
    /// Everything that the admin listener shows, behind this token.
    #[must_use]
    pub fn new(
        token: SecretString,
        store: Store,
        clock: Arc<dyn Clock>,
        shops: Shops,
        adapters: watch::Receiver<Vec<Row>>,
    ) -> Self {
        Self { token, store, clock, shops, adapters }
    }

    fn may_enter(&self, headers: &HeaderMap) -> bool {
        let presented = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(token);
        presented.is_some_and(|presented| presented.ct_eq(self.token.expose_secret().as_bytes()).into())
    }
}

/// The token that somebody presents. Machines bear it (RFC 6750); browsers ask their person for a name and a password (RFC 7617), of
/// which the password is the token and the name is not looked at.
fn token(authorization: &str) -> Option<Vec<u8>> {
    let (scheme, credentials) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = BASE64.decode(credentials).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    pair.get(colon + 1..).map(<[u8]>::to_vec)
}

/// The admin addresses.
pub fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/adapters") }))
        .route("/adapters", get(adapters))
        .route("/style.css", get(pages::style))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn_with_state(Arc::clone(&admin), guard))
        .with_state(admin)
}

async fn guard(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    // A page elsewhere that had its own name point at this machine would come with that name.
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_own_name(host) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    if !admin.may_enter(request.headers()) {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, ASKS)]).into_response();
    }
    next.run(request).await
}

/// An address, or this machine: a name that somebody else owns is neither.
fn is_own_name(host: &str) -> bool {
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.chars().all(|c| c.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    name == "localhost" || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

async fn adapters(State(admin): State<Arc<Admin>>) -> Response {
    let rows = admin.adapters.borrow().clone();
    pages::adapters(&rows, &admin.shops.all(), admin.clock.now())
}

async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    let waiting: Vec<_> = admin
        .shops
        .all()
        .into_iter()
        .filter_map(|shop| {
            let why = match &shop.service {
                Service::Waiting(obstacle) => obstacle.message.clone(),
                Service::Ready(ready) => ready.health.quarantine()?.words(),
            };
            Some(json!({ "shop": shop.config.name.as_str(), "why": why }))
        })
        .collect();
    match admin.store.backlog().await {
        Ok(backlog) => {
            let adapters = admin.adapters.borrow().clone();
            let body = json!({
                "adapters": adapters,
                "ready": true, "at": admin.clock.now().to_string(), "shops_waiting": waiting,
                "deliveries": backlog.deliveries, "learners": backlog.learners,
                "enrollments": backlog.enrollments, "effects": backlog.effects, "reviews": backlog.reviews,
            });
            ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
        Err(error) => {
            tracing::error!(error = %error.chain(), "not ready: the store cannot be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let adapters = admin.adapters.borrow().clone();
    match metrics::text(&adapters, admin.shops.all().iter()) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_bear_the_token_and_browsers_send_it_as_a_password() {
        let basic = |pair: &str| format!("Basic {}", BASE64.encode(pair));
        assert_eq!(token("Bearer abc").unwrap(), b"abc");
        assert_eq!(token(&basic("ida:a:b")).unwrap(), b"a:b");
        assert_eq!(token(&basic(":abc")).unwrap(), b"abc");
        for wrong in ["", "abc", "Bearer", "Digest abc", "Basic abc:def", &basic("abc")] {
            assert_eq!(token(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_addresses_and_localhost_are_names_of_this_machine() {
        for host in ["localhost", "localhost:8081", "127.0.0.1:8081", "[::1]:8081", "10.0.0.5"] {
            assert!(is_own_name(host), "{host}");
        }
        for host in ["", "evil.example", "evil.example:8081", "localhost.evil.example"] {
            assert!(!is_own_name(host), "{host}");
        }
    }
}
