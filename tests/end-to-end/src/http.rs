//! HTTP by hand: every byte of a request is the test's, so that it may be wrong in every way.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::wait::LONG;

/// How long a connection may be silent before a test gives up on it.
const PATIENCE: Duration = LONG;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A connection to the server.
#[derive(Debug)]
pub struct Connection(TcpStream);

impl Connection {
    /// Opens one.
    #[must_use]
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// Sends bytes; false when the server does not take them any more.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).and_then(|()| self.0.flush()).is_ok()
    }

    /// Says that nothing more will come.
    pub fn end_sending(&self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    /// Reads one answer; none when the connection was closed without one.
    pub fn answer(&mut self) -> Option<Answer> {
        let mut read = Vec::new();
        let mut part = [0; 4096];
        loop {
            if let Some(answer) = parse(&read) {
                return Some(answer);
            }
            match self.0.read(&mut part) {
                Ok(0) => return None,
                Ok(count) => read.extend_from_slice(&part[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no answer within {} s: {error}", PATIENCE.as_secs()),
            }
        }
    }

    /// Whether the server closes the connection.
    #[must_use]
    pub fn is_closed(&mut self) -> bool {
        let mut rest = [0; 1];
        match self.0.read(&mut rest) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

/// Opens a connection, sends bytes, and reads one answer.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Answer {
    try_exchange(address, bytes).expect("the connection was closed without an answer")
}

/// Opens a connection, sends bytes, and reads one answer, if nothing is in the way.
#[must_use]
pub fn try_exchange(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut connection = Connection(stream);
    // A server that answers before everything is sent may close; its answer counts.
    connection.send(bytes);
    connection.answer()
}

/// The head of a request, up to and with the blank line.
#[must_use]
pub fn head<N: AsRef<str>, V: AsRef<str>>(method: &str, path: &str, headers: &[(N, V)]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers {
        head.extend_from_slice(name.as_ref().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_ref().as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.trim().to_owned())
        })
        .collect();
    let answer = Answer { status, headers, body: Vec::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some(Answer { body, ..answer })
}
