//! A client that sends exactly what a test says and shows exactly what came back.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a test waits for an answer that is due.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer, its header names in small letters.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }
}

/// Sends one request on a connection of its own. `Err` when the connection ended before the answer was whole.
pub fn send(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body.unwrap_or_default())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let reply = Reply { status, headers, body: body.to_owned() };
    assert_eq!(reply.header("transfer-encoding"), None, "answers have a length");
    let promised = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
    if method != "HEAD" && reply.body.len() < promised { Err(cut()) } else { Ok(reply) }
}

/// A form body.
pub fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    let escape = |text: &str| {
        text.bytes()
            .map(
                |byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") },
            )
            .collect::<String>()
    };
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{}={}", escape(key), escape(value))).collect();
    pairs.join("&").into_bytes()
}

/// The content type of forms.
pub const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
/// The content type of JSON.
pub const JSON: (&str, &str) = ("Content-Type", "application/json");

/// A token of the application, signed unless `bearer`.
pub fn token(to: SocketAddr, client_id: &str, client_secret: &str, bearer: bool) -> String {
    let kind = if bearer { "bearer" } else { "jwt" };
    let body = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", client_secret),
        ("token_type", kind),
    ]);
    let reply = send(to, "POST", "/oauth2/access_token", &[FORM], Some(&body)).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}
