//! The APIs of many shops in one place, each with its own calls in their order: `shop-api.json` of a fixture over a real socket.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

/// The largest body of a call.
const BODY_MAX: usize = 1 << 20;

/// The APIs.
#[derive(Debug)]
pub(crate) struct Apis {
    address: SocketAddr,
    scripts: Arc<Mutex<Vec<Script>>>,
}

#[derive(Debug)]
struct Script {
    calls: Vec<Value>,
    made: usize,
    /// Calls that were not due.
    others: Vec<String>,
}

impl Apis {
    /// One for each list of calls.
    pub(crate) fn open(calls: impl IntoIterator<Item = Vec<Value>>) -> Self {
        let scripts = calls.into_iter().map(|calls| Script { calls, made: 0, others: Vec::new() }).collect();
        let scripts = Arc::new(Mutex::new(scripts));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&scripts));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { address, scripts }
    }

    /// Where this one is.
    pub(crate) fn url(&self, number: usize) -> String {
        format!("http://{}/{number}", self.address)
    }

    /// What was called otherwise than it should have been, if anything was. A shop that failed is called again.
    pub(crate) fn wrong(&self, number: usize) -> Option<String> {
        let scripts = self.scripts.lock().unwrap();
        let Script { calls, made, others } = &scripts[number];
        let failed = calls
            .last()
            .is_some_and(|call| status(call).is_server_error() || status(call) == StatusCode::TOO_MANY_REQUESTS);
        let as_it_should = *made == calls.len() && (others.is_empty() || failed);
        (!as_it_should).then(|| format!("{made} of {} calls, and {others:?}", calls.len()))
    }
}

fn status(call: &Value) -> StatusCode {
    StatusCode::from_u16(u16::try_from(call["answer"]["status"].as_u64().unwrap_or(200)).unwrap()).unwrap()
}

async fn answer(State(scripts): State<Arc<Mutex<Vec<Script>>>>, request: Request) -> (StatusCode, HeaderMap, String) {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_MAX).await.unwrap();
    let path = head.uri.path_and_query().unwrap().as_str();
    let (number, path) = path[1..].split_at(path[1..].find('/').unwrap());
    let mut scripts = scripts.lock().unwrap();
    let script = &mut scripts[number.parse::<usize>().unwrap()];
    let is_due = |call: &&Value| {
        let is_body = |expected: &Value| serde_json::from_slice::<Value>(&body).is_ok_and(|body| body == *expected);
        call["method"].as_str().unwrap_or("GET") == head.method.as_str()
            && call["path"] == path
            && call.get("body").is_none_or(is_body)
    };
    let Some(call) = script.calls.get(script.made).filter(is_due) else {
        script.others.push(format!("{} {path} {}", head.method, String::from_utf8_lossy(&body)));
        return (StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), String::new());
    };
    script.made += 1;
    let answer = &call["answer"];
    let headers = answer["headers"].as_object().into_iter().flatten().map(|(name, value)| {
        (name.parse::<HeaderName>().unwrap(), value.as_str().unwrap().parse::<HeaderValue>().unwrap())
    });
    let body = match &answer["body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    (status(call), headers.collect(), body)
}
