//! The way of a request: bytes of a connection through the real listener's reader, the real router, a real adapter and a real
//! store.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bursar_domain::{Clock, Request, ShopName, SystemClock};
use bursar_sandbox::{Limits, Sandbox, SandboxConfig};
use bursar_server::{
    adapters::Adapters,
    bell::Bell,
    config::{Config, Environment, SecretUse},
    gateway::{self, BODIES_MAX, Gateway, Room},
    serve,
    shops::Shops,
};
use bursar_store::{
    Purpose, Store,
    inbox::DeliveryState,
    people::{DeliveryFilter, DeliverySummary},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    runtime::{Builder, Runtime},
};

use crate::parts::{holds, replaced};

/// The shops' secret. Of characters that JSON writes as they are, and in another way too.
const SECRET: &str = "a \"secret\" for tests";

/// Stands in a request for the right signature of everything behind its head.
const PROOF: &[u8] = b"{proof}";

/// Stands in a request for the secret itself.
const GIVEN_AWAY: &[u8] = b"{secret}";

/// Stands in a request for the secret as JSON writes it.
const ESCAPED: &[u8] = b"{escaped}";

/// Which header holds the proof, by the adapter.
const PROOF_HEADER: &str = "x-shop-signature";

/// Stored deliveries of one shop beyond which everything begins anew, so that a long run does not fill the machine, nor the
/// shop that nobody serves, which answers 503 from 1,000 on.
const DELIVERIES_MAX: usize = 900;

/// The largest body that the gateway is told to take: small, so that the limit is met.
const BODY_MAX: usize = 4 << 10;

/// Bytes that fit into a connection before it is read.
const CONNECTION: usize = 64 << 10;

/// `campus` is served by the component that is kept for every version of the contract; `closed` by no adapter that there is.
const CONFIGURATION: &str = r#"
[[lms]]
name = "main"
url = "https://lms.example.org"
client_id = "bursar"
client_secret = { env = "SECRET" }

[[shops]]
name = "campus"
adapter = "PLATFORM"
lms = "main"
secrets.webhook = { env = "SECRET" }

[[shops]]
name = "closed"
adapter = "none-of-these"
lms = "main"
secrets.webhook = { env = "SECRET" }
"#;

struct Host {
    runtime: Runtime,
    shops: Shops,
    place: TempDir,
    serving: Option<(Store, axum::Router)>,
    requests: usize,
}

thread_local! {
    static HOST: std::cell::RefCell<Host> = std::cell::RefCell::new(Host::new());
}

/// Bytes are what a connection sends.
pub fn request(bytes: &[u8]) {
    HOST.with_borrow_mut(|host| host.receive(&sent(bytes)));
}

/// The bytes with a genuine signature and the secret in the places that are left for them.
fn sent(bytes: &[u8]) -> Vec<u8> {
    let given_away = replaced(&replaced(bytes, GIVEN_AWAY, SECRET.as_bytes()), ESCAPED, escaped().as_bytes());
    let body = given_away.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |end| end + 4);
    replaced(&given_away, PROOF, proof_of(&given_away[body..]).as_bytes())
}

fn proof_of(body: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    hex::encode(ring::hmac::sign(&key, body))
}

fn escaped() -> String {
    SECRET.replace('"', "\\\"")
}

impl Host {
    fn new() -> Self {
        // The store's writer is a task of its own.
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let place = tempfile::tempdir_in(memory()).unwrap();
        let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("../components/0.1.0");
        let directory = place.path().join("adapters");
        std::fs::create_dir(&directory).unwrap();
        std::fs::copy(components.join("rust.wasm"), directory.join("rust.wasm")).unwrap();
        let sandbox =
            SandboxConfig { limits: Limits::default(), cache_directory: None, compiler: None, count_fuel: false };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let adapters =
            runtime.block_on(async { Adapters::read(Sandbox::new(sandbox).unwrap(), &directory).await.unwrap() });
        let platform = adapters.sound.keys().next().unwrap_or_else(|| panic!("{:?}", adapters.broken));
        let text = CONFIGURATION.replace("PLATFORM", platform.as_str());
        let environment = Environment::Given([("SECRET".to_owned(), SECRET.to_owned())].into());
        let config = Config::parse(Path::new("bursar.toml"), &text, &environment, SecretUse::Read).unwrap();
        let shops = Shops::new(&config, &adapters, &clock);
        Self { runtime, shops, place, serving: None, requests: 0 }
    }

    fn receive(&mut self, sent: &[u8]) {
        if self.serving.is_none() || self.requests > DELIVERIES_MAX {
            self.begin_anew();
        }
        self.requests += 1;
        let (store, router) = self.serving.as_ref().unwrap();
        self.runtime.block_on(async {
            let before = newest(store).await;
            let answer = answered(router.clone(), sent).await;
            let status = judged(&answer);
            let after = newest(store).await;
            for (shop, before, after) in
                before.iter().zip(&after).map(|((shop, before), (_, after))| (shop, before, after))
            {
                let Some(stored) = after.as_ref().filter(|after| Some(after.id) != before.as_ref().map(|one| one.id))
                else {
                    continue;
                };
                assert!(status.contains(&200), "{shop}: stored, and answered {status:?}");
                let kept = store.delivery(stored.id).await.unwrap().request;
                match shop.as_str() {
                    "campus" => is_proved(stored, &kept),
                    _ => holds_no_secret(stored, &kept),
                }
                assert_eq!(kept.method, "POST");
                assert!(kept.path.is_empty() || kept.path.starts_with('/'), "{:?}", kept.path);
                assert!(kept.body.len() <= BODY_MAX);
                assert!(holds(sent, &kept.body) || kept.body.is_empty() || is_chunked(&kept.headers), "{kept:?}");
            }
        });
    }

    fn begin_anew(&mut self) {
        let file = self.place.path().join("ledger.db");
        let (shops, before) = (self.shops.clone(), self.serving.take());
        let store = self.runtime.block_on(async {
            if let Some((store, router)) = before {
                drop(router);
                store.close().await;
                drop(store);
            }
            for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
                drop(std::fs::remove_file(file.with_file_name(name)));
            }
            Store::create(&file).await.unwrap();
            Store::open(&file, Purpose::Serve).await.unwrap()
        });
        let gateway = Gateway {
            shops,
            store: store.clone(),
            clock: Arc::new(SystemClock),
            max_body: BODY_MAX,
            room: Room::new(BODIES_MAX),
            inbox: Bell::default(),
        };
        self.serving = Some((store, gateway::router(Arc::new(gateway))));
        self.requests = 0;
    }
}

/// What an adapter judged was signed with the shop's secret, as it is kept.
fn is_proved(stored: &DeliverySummary, kept: &Request) {
    assert_eq!(stored.state, DeliveryState::Queued, "not judged: {stored:?}");
    let proofs: Vec<_> = kept.headers.iter().filter(|(name, _)| name == PROOF_HEADER).collect();
    let [(_, proof)] = proofs.try_into().expect("believed with another number of proofs than one");
    assert_eq!(*proof, proof_of(&kept.body), "believed without a proof");
}

/// What nobody could judge is kept as it came, so it must not be what holds the secret.
fn holds_no_secret(stored: &DeliverySummary, kept: &Request) {
    assert_eq!(stored.state, DeliveryState::Parked, "judged by nobody: {stored:?}");
    let headers = kept.headers.iter().map(|(_, value)| value.as_ref());
    for part in headers.chain([kept.path.as_bytes(), kept.query.as_bytes(), &kept.body]) {
        let given_away = [SECRET, &escaped()].iter().any(|secret| holds(part, secret.as_bytes()));
        assert!(!given_away, "the secret is in the store: {kept:?}");
    }
}

async fn newest(store: &Store) -> Vec<(ShopName, Option<DeliverySummary>)> {
    let mut newest = Vec::new();
    for shop in ["campus", "closed"].map(|name| ShopName::parse(name).unwrap()) {
        let filter = DeliveryFilter { shop: Some(shop.clone()), limit: 1, ..DeliveryFilter::default() };
        newest.push((shop, store.deliveries(&filter).await.unwrap().pop()));
    }
    newest
}

/// Everything that the connection answers.
async fn answered(router: axum::Router, sent: &[u8]) -> Vec<u8> {
    let (mut sender, receiver) = tokio::io::duplex(CONNECTION);
    let serve = async {
        // A connection that ends badly is the sender's.
        drop(serve::reader().serve_connection(TokioIo::new(receiver), TowerToHyperService::new(router)).await);
    };
    let send = async {
        let mut answer = Vec::new();
        drop(sender.write_all(sent).await);
        drop(sender.shutdown().await);
        drop(sender.read_to_end(&mut answer).await);
        answer
    };
    tokio::join!(serve, send).1
}

/// The statuses of the answers. None of them is an accident.
fn judged(answer: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answer);
    let statuses: Vec<u16> =
        text.match_indices("HTTP/1.").filter_map(|(place, _)| text.get(place + 9..place + 12)?.parse().ok()).collect();
    for status in &statuses {
        assert!(
            [100, 200, 400, 401, 404, 405, 413, 414, 417, 431, 501, 503, 505].contains(status),
            "answered {status}: {text}"
        );
    }
    assert!(!holds(answer, SECRET.as_bytes()), "the secret is in the answer: {text}");
    statuses
}

fn is_chunked(headers: &[(String, bytes::Bytes)]) -> bool {
    headers.iter().any(|(name, _)| name == "transfer-encoding")
}

/// A folder in memory, where the machine has one: nothing here outlives the process.
fn memory() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}
