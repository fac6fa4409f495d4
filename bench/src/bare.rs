//! The baseline of accepting: a server that does by hand, for one platform, what the gateway does for any.
//!
//! Owns nothing that Bursar does not have: the listener is the same function, the row is committed by the same store. It
//! checks the signature natively, redacts nothing and runs no adapter.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bursar_domain::{AdapterName, Clock as _, ShopName, SystemClock, ids::DeliveryId};
use bursar_store::inbox::{DeliveryState, NewDelivery, Origin};
use bursar_store::{Purpose, Store};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Result;
use crate::orders::SHOP;
use crate::servers::KEY;

/// How long stopping may take. It is killed, so this is never waited for.
const DRAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Bare {
    store: Store,
    shop: ShopName,
    adapter: AdapterName,
}

#[derive(Debug, Deserialize)]
struct Subject {
    id: u64,
}

/// Serves until it is killed.
pub(crate) fn serve(directory: &Path, address: SocketAddr) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let bare = Bare {
            store: Store::open(&directory.join("bursar.db"), Purpose::Serve).await?,
            shop: ShopName::parse(SHOP)?,
            adapter: AdapterName::parse("woocommerce")?,
        };
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/webhooks/{shop}", post(webhook))
            .with_state(Arc::new(bare));
        let (_stop, stopped) = watch::channel(false);
        bursar_server::serve::accept(TcpListener::bind(address).await?, router, stopped, DRAIN).await;
        Ok(())
    })
}

async fn webhook(State(bare): State<Arc<Bare>>, request: Request) -> StatusCode {
    match accept(&bare, request).await {
        Ok(()) => StatusCode::OK,
        Err(status) => status,
    }
}

async fn accept(bare: &Bare, request: Request) -> Result<(), StatusCode> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| StatusCode::BAD_REQUEST)?.to_bytes();
    let header = |name: &str| head.headers.get(name).map(|value| value.as_bytes()).unwrap_or_default();
    let signature = STANDARD.decode(header("x-wc-webhook-signature")).map_err(|_| StatusCode::UNAUTHORIZED)?;
    let mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    mac.chain_update(&body).verify_slice(&signature).map_err(|_| StatusCode::UNAUTHORIZED)?;
    let Subject { id } = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;

    let now = SystemClock.now();
    let delivery = NewDelivery {
        id: DeliveryId::new(now),
        shop: bare.shop.clone(),
        adapter: bare.adapter.clone(),
        origin: Origin::Webhook,
        state: DeliveryState::Queued,
        topic: String::from_utf8_lossy(header("x-wc-webhook-topic")).into_owned(),
        subject: Some(id.to_string()),
        dedupe_key: None,
        occurred_at: None,
        problem: None,
        due_at: now,
        body_sha256: NewDelivery::digest(&body),
        request: bursar_domain::Request {
            method: head.method.as_str().to_owned(),
            path: String::new(),
            query: String::new(),
            headers: headers(&head.headers),
            body,
            received_at: now,
        },
    };
    bare.store.accept(delivery).await.map(drop).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

fn headers(map: &HeaderMap) -> Vec<(String, Bytes)> {
    map.iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect()
}
