//! One run of the same adapter written in each of three languages.
//!
//! Owns a request of the made-up shop that the templates are written for. The components are those that are kept as tests of the
//! contract (`tests/components`), so they were built by the toolchains once, and all can be measured without them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bursar_domain::{Clock as _, Request, ShopName, SystemClock};
use bursar_sandbox::{Adapter, FixedKeySets, Sandbox, SandboxConfig, ShopContext};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::SecretString;
use serde_json::json;
use sha2::Sha256;

use crate::Result;
use crate::figure::{Figure, Limit};
use crate::module::Empty;
use crate::runs::once;
use crate::servers::KEY;
use crate::statistics::{median, nanoseconds};

pub(crate) const NAMES: &[&str] = &[
    "languages.rust_authenticate_us",
    "languages.rust_handle_us",
    "languages.javascript_authenticate_us",
    "languages.javascript_handle_us",
    "languages.python_authenticate_us",
    "languages.python_handle_us",
];

/// Where the kept components are.
const COMPONENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/components/0.1.0");

/// A language, the names of its figures, and how many microseconds one of its runs may take.
const LANGUAGES: [(&str, [&str; 2], f64); 3] = [
    ("rust", ["languages.rust_authenticate_us", "languages.rust_handle_us"], 60.0),
    ("javascript", ["languages.javascript_authenticate_us", "languages.javascript_handle_us"], 2_000.0),
    ("python", ["languages.python_authenticate_us", "languages.python_handle_us"], 3_000.0),
];

/// Runs of each kind, in turn.
const RUNS: usize = 500;
/// Before them, not counted.
const WARM_UP: usize = 50;

/// Lines of the order, as many as that of WooCommerce has.
const LINES: u32 = 3;

/// Bytes of what the adapter does not read, as most of an order is: they make the body three kilobytes long.
const REST: usize = 2_600;

/// Measures them.
pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let sandbox = Sandbox::new(SandboxConfig::default())?;
    let empty = Empty::new()?;
    let mut figures = Vec::new();
    for (language, [authenticate, handle], limit) in LANGUAGES {
        let adapter = sandbox.load(std::fs::read(Path::new(COMPONENTS).join(format!("{language}.wasm")))?).await?;
        let [bare, judged, handled] = runs(&adapter, &empty).await?;
        let figure =
            |name, value| Figure { name, unit: "µs", value, baseline: Some(bare), limit: Limit::AtMost(limit) };
        figures.extend([figure(authenticate, judged), figure(handle, handled)]);
    }
    Ok(figures)
}

/// The medians of a bare instantiation, of `authenticate` and of `handle`.
async fn runs(adapter: &Adapter, empty: &Empty) -> Result<[u64; 3]> {
    let shop = Arc::new(shop()?);
    let request = Arc::new(request());
    let (mut bare, mut judged, mut handled) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..WARM_UP + RUNS {
        let (took, stated) = once(adapter, &shop, &request, empty).await?;
        let lines: usize = stated.orders.iter().map(|order| order.lines.len()).sum();
        if lines != usize::try_from(LINES)? {
            return Err(format!("the adapter stated {lines} lines").into());
        }
        if run >= WARM_UP {
            bare.push(nanoseconds(took.bare));
            judged.push(nanoseconds(took.authenticate));
            handled.push(nanoseconds(took.handle));
        }
    }
    Ok([median(&bare), median(&judged), median(&handled)])
}

fn shop() -> Result<ShopContext> {
    Ok(ShopContext {
        name: ShopName::parse("campus")?,
        secrets: BTreeMap::from([("webhook".to_owned(), vec![SecretString::from(KEY)])]),
        key_sets: Arc::new(FixedKeySets::default()),
        settings_json: "{}".to_owned(),
        unsigned: false,
        permissions: BTreeSet::new(),
    })
}

fn request() -> Request {
    let lines: Vec<_> = (1..=LINES)
        .map(|id| json!({"id": id, "sku": format!("SAIL-{id:04}"), "title": "Sailing for beginners, evening classes", "quantity": 1, "refunded": 0}))
        .collect();
    let order = json!({"id": 1042, "changed_at": 1_772_445_641_000_u64, "learner": "zoe@learner.example", "lines": lines,
        "note": "x".repeat(REST)});
    let body = Bytes::from(json!({"event": "order.paid", "order": order}).to_string());
    let mut proof =
        Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).map(|mac| mac.chain_update(&body).finalize().into_bytes());
    let proof = proof.as_mut().map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    Request {
        method: "POST".to_owned(),
        path: String::new(),
        query: String::new(),
        headers: vec![("x-shop-signature".to_owned(), Bytes::from(proof.unwrap_or_default()))],
        body,
        received_at: SystemClock.now(),
    }
}
