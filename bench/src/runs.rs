//! One run of the WooCommerce adapter, without HTTP and without the store; and the same logic compiled natively.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bursar_domain::{
    Clock as _, Request, ShopName, SystemClock,
    ids::DeliveryId,
    statement::{ProductId, Statements},
};
use bursar_sandbox::{
    Adapter, Decision, DeliveryInput, FixedKeySets, HostFault, KnownLine, Origin, Sandbox, SandboxConfig, ShopContext,
    Surroundings, check_settings,
};
use bytes::Bytes;
use secrecy::SecretString;

use crate::Result;
use crate::arguments::Arguments;
use crate::figure::{Figure, Limit};
use crate::module::Empty;
use crate::native::Native;
use crate::orders;
use crate::servers::KEY;
use crate::statistics::{median, nanoseconds};

pub(crate) const NAMES: &[&str] =
    &["sandbox.authenticate_us", "sandbox.handle_us", "native.authenticate_us", "native.handle_us"];

/// Microseconds that one run of an adapter in Rust may take.
const LIMIT: Limit = Limit::AtMost(60.0);

/// Runs of each kind, in turn.
const RUNS: usize = 5_000;
/// Before them, not counted.
const WARM_UP: usize = 500;

/// A shop whose ledger and catalog are empty, so that nothing but the run itself is measured.
struct Nothing;

#[async_trait]
impl Surroundings for Nothing {
    async fn known(&self, _: &str) -> Result<Vec<KnownLine>, HostFault> {
        Ok(Vec::new())
    }

    async fn courses(&self, _: &[ProductId]) -> Result<Vec<(String, String)>, HostFault> {
        Ok(Vec::new())
    }
}

/// Measures them.
pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let sandbox = Sandbox::new(SandboxConfig::default())?;
    let adapter = sandbox.load(std::fs::read(arguments.adapters.join("woocommerce.wasm"))?).await?;
    let shop = Arc::new(shop(&adapter)?);
    let request = Arc::new(request()?);
    let empty = Empty::new()?;
    let native = Native::new(&request, &shop.settings_json);
    let (mut bare, mut authenticate, mut handle) = (Vec::new(), Vec::new(), Vec::new());
    let (mut native_authenticate, mut native_handle) = (Vec::new(), Vec::new());
    for run in 0..WARM_UP + RUNS {
        let took = once(&adapter, &shop, &request, &empty).await?.0;
        let native_took = (native.authenticate()?, native.handle()?);
        if run >= WARM_UP {
            bare.push(nanoseconds(took.bare));
            authenticate.push(nanoseconds(took.authenticate));
            handle.push(nanoseconds(took.handle));
            native_authenticate.push(nanoseconds(native_took.0));
            native_handle.push(nanoseconds(native_took.1));
        }
    }
    let figure = |name, values: &[u64], limit| Figure {
        name,
        unit: "µs",
        value: median(values),
        baseline: Some(median(&bare)),
        limit,
    };
    Ok(vec![
        figure("sandbox.authenticate_us", &authenticate, LIMIT),
        figure("sandbox.handle_us", &handle, LIMIT),
        figure("native.authenticate_us", &native_authenticate, Limit::None),
        figure("native.handle_us", &native_handle, Limit::None),
    ])
}

/// How long each thing took.
pub(crate) struct Took {
    pub(crate) bare: Duration,
    pub(crate) authenticate: Duration,
    pub(crate) handle: Duration,
}

/// A bare instantiation, and one run of each kind, which must end well; with what was stated.
pub(crate) async fn once(
    adapter: &Adapter,
    shop: &Arc<ShopContext>,
    request: &Arc<Request>,
    empty: &Empty,
) -> Result<(Took, Statements)> {
    let began = Instant::now();
    empty.run().await?;
    let bare = began.elapsed();

    let began = Instant::now();
    let authenticated = adapter.authenticate(shop, Arc::clone(request)).await?;
    let authenticate = began.elapsed();
    if !matches!(authenticated.decision, Decision::Accept { .. }) {
        return Err("the adapter does not accept the order".into());
    }

    let input = delivery(request);
    let began = Instant::now();
    let handled = adapter.handle(shop, input, Arc::new(Nothing)).await?;
    let handle = began.elapsed();
    Ok((Took { bare, authenticate, handle }, handled.result?))
}

fn shop(adapter: &Adapter) -> Result<ShopContext> {
    let settings = serde_json::Value::Object(serde_json::Map::new());
    Ok(ShopContext {
        name: ShopName::parse(orders::SHOP)?,
        secrets: BTreeMap::from([("webhook".to_owned(), vec![SecretString::from(KEY)])]),
        key_sets: Arc::new(FixedKeySets::default()),
        settings_json: check_settings(&adapter.description().settings, &settings)
            .map_err(|problem| format!("{problem:?}"))?,
        unsigned: false,
        permissions: BTreeSet::new(),
    })
}

fn request() -> Result<Request> {
    let message = orders::signed(1, "buyer1@example.com", KEY)?;
    let headers = message.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), Bytes::from(value)));
    Ok(Request {
        method: "POST".to_owned(),
        path: String::new(),
        query: String::new(),
        headers: headers.collect(),
        body: Bytes::from(message.body),
        received_at: SystemClock.now(),
    })
}

fn delivery(request: &Arc<Request>) -> DeliveryInput {
    DeliveryInput {
        id: DeliveryId::new(request.received_at),
        topic: "order.updated".to_owned(),
        origin: Origin::Webhook,
        attempt: 1,
        request: Arc::clone(request),
    }
}
