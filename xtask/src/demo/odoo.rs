//! Odoo's API, played: it gives the answers that the adapter's fixtures have.
//!
//! Owns one order that is paid and later refunded. What a question is answered stands in the fixtures; a question that is not
//! there is answered 404, so that the adapter cannot be shown to work with an API that the fixtures do not know.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::tool::Result;

/// How the order stands, by the fixture that says so.
const PAID: &str = "order-with-a-paid-invoice";
const REFUNDED: &str = "credit-note-for-all";
/// Who bought in the fixtures.
const LEARNER: &str = "zoe@learner.example";
/// How long a question may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// The API.
#[derive(Debug)]
pub(super) struct Odoo {
    /// Where it is.
    pub(super) address: SocketAddr,
    paid: Vec<Call>,
    refunded: Vec<Call>,
    now: Arc<Mutex<Vec<Call>>>,
}

/// A question and its answer.
#[derive(Debug, Clone)]
struct Call {
    path: String,
    body: Value,
    answer: Value,
}

impl Odoo {
    /// Begins to answer, for a buyer with this address. It goes on until the program ends.
    ///
    /// # Errors
    ///
    /// When the fixtures cannot be read, or no port is free.
    pub(super) fn start(root: &Path, learner: &str) -> Result<Self> {
        let paid = calls(root, PAID, learner)?;
        let refunded = calls(root, REFUNDED, learner)?;
        let now = Arc::new(Mutex::new(paid.clone()));
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let answers = Arc::clone(&now);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who breaks off is asked no further.
                let _ = answer(stream, &answers.lock().unwrap_or_else(PoisonError::into_inner));
            }
        });
        Ok(Self { address, paid, refunded, now })
    }

    /// From now on the order is like this.
    pub(super) fn turn(&self, event: &str) {
        let calls = if event == "refunded" { &self.refunded } else { &self.paid };
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone_from(calls);
    }
}

fn calls(root: &Path, fixture: &str, learner: &str) -> Result<Vec<Call>> {
    let file = root.join("plugins/odoo/fixtures").join(fixture).join("shop-api.json");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let recorded: Vec<Value> = serde_json::from_str(&text.replace(LEARNER, learner))?;
    let call = |call: &Value| {
        Some(Call {
            path: call.get("path")?.as_str()?.to_owned(),
            body: call.get("body")?.clone(),
            answer: call.pointer("/answer/body")?.clone(),
        })
    };
    recorded
        .iter()
        .map(|one| call(one).ok_or_else(|| format!("{}: a call without an answer", file.display()).into()))
        .collect()
}

fn answer(mut stream: TcpStream, calls: &[Call]) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let (path, body) = loop {
        if let Some(read) = parse(&request) {
            break read;
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            count => request.extend(piece.iter().take(count)),
        }
    };
    let found = calls.iter().find(|call| call.path == path && call.body == body);
    let (status, text) = match found {
        Some(call) => ("200 OK", call.answer.to_string()),
        None => ("404 Not Found", "{}".to_owned()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )?;
    Ok(())
}

/// Path and body of a request, once it is there whole.
fn parse(request: &[u8]) -> Option<(String, Value)> {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = request.split_at_checked(end + 4)?;
    let head = String::from_utf8_lossy(head).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    let path = head.split(' ').nth(1)?.to_owned();
    Some((path, serde_json::from_slice(body.get(..length)?).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_read_once_it_is_there_whole() {
        let request = b"POST /json/2/a HTTP/1.1\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
        assert_eq!(parse(request), Some(("/json/2/a".to_owned(), json!({ "a": 1 }))));
        assert_eq!(parse(&request[..request.len() - 1]), None);
    }

    #[test]
    fn the_order_is_refunded_when_it_is_turned_and_its_buyer_is_the_demos() {
        let odoo = Odoo::start(&crate::paths::root(), "mia@example.com").unwrap();
        let invoices =
            |calls: &[Call]| calls.iter().filter(|call| call.answer.to_string().contains("out_refund")).count();
        assert_eq!(invoices(&odoo.now.lock().unwrap()), 0);
        odoo.turn("refunded");
        assert_eq!(invoices(&odoo.now.lock().unwrap()), 1);
        assert!(odoo.now.lock().unwrap().iter().any(|call| call.answer.to_string().contains("mia@example.com")));
    }
}
