//! The load generator: connections that stay open, and two ways of using them.
//!
//! Owns the clock of every figure that is taken over HTTP. The same code drives subject and baseline.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::Result;

/// Room for the head of an answer.
const HEAD_ROOM: usize = 1_024;
const OK: u16 = 200;

/// A connection that stays open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(HEAD_ROOM) })
    }

    /// Sends a request and reads the whole answer: its status and body.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        self.stream.write_all(request).await?;
        self.read.clear();
        loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some((status, head, length)) = head(&self.read)
                && let Some(body) = self.read.get(head..head + length)
            {
                return Ok((status, body.to_vec()));
            }
        }
    }
}

/// Status, length of the head, and length of the body, once the head is there.
fn head(read: &[u8]) -> Option<(u16, usize, usize)> {
    const END: &[u8] = b"\r\n\r\n";
    let end = read.windows(END.len()).position(|window| window == END)?;
    let text = std::str::from_utf8(read.get(..end)?).ok()?;
    let status = text.get("HTTP/1.1 ".len()..)?.get(..3)?.parse().ok()?;
    let length = text.lines().filter_map(|line| line.split_once(": ")).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
    });
    Some((status, end + END.len(), length.unwrap_or(0)))
}

/// What a closed load came to: as many requests as there are connections are under way at any time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closed {
    pub(crate) answered: u64,
    pub(crate) took: Duration,
}

/// Sends as fast as answers come, for this long. Every answer must be 200.
pub(crate) async fn closed(
    address: SocketAddr,
    requests: Rc<Vec<Vec<u8>>>,
    connections: usize,
    duration: Duration,
) -> Result<Closed> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let began = Instant::now();
    let until = began + duration;
    let local = LocalSet::new();
    let workers: Vec<_> = open
        .into_iter()
        .enumerate()
        .map(|(number, mut connection)| {
            let requests = Rc::clone(&requests);
            local.spawn_local(async move {
                let mut answered = 0_u64;
                for request in requests.iter().cycle().skip(number * requests.len() / connections) {
                    if Instant::now() >= until {
                        break;
                    }
                    let (status, _) = connection.exchange(request).await?;
                    if status != OK {
                        return Err(io::Error::other(format!("answered {status}")));
                    }
                    answered += 1;
                }
                Ok(answered)
            })
        })
        .collect();
    let mut answered = 0;
    local
        .run_until(async {
            for worker in workers {
                answered += worker.await??;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
        .await?;
    Ok(Closed { answered, took: began.elapsed() })
}

/// Sends each request at its own moment, whether earlier ones were answered or not, and answers how long after that
/// moment each answer came. Every answer must be 200.
pub(crate) async fn open(
    address: SocketAddr,
    requests: Rc<Vec<Vec<u8>>>,
    connections: usize,
    every: Duration,
) -> Result<Vec<Duration>> {
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(Connection::open(address).await?);
    }
    let began = tokio::time::Instant::now();
    let local = LocalSet::new();
    let workers: Vec<_> = opened
        .into_iter()
        .enumerate()
        .map(|(number, mut connection)| {
            let requests = Rc::clone(&requests);
            local.spawn_local(async move {
                let mut took = Vec::with_capacity(requests.len() / connections + 1);
                for (place, request) in requests.iter().enumerate().skip(number).step_by(connections) {
                    let moment = began + every * u32::try_from(place).unwrap_or(u32::MAX);
                    tokio::time::sleep_until(moment).await;
                    let (status, _) = connection.exchange(request).await?;
                    if status != OK {
                        return Err(io::Error::other(format!("answered {status}")));
                    }
                    took.push(moment.elapsed());
                }
                Ok(took)
            })
        })
        .collect();
    let mut took = Vec::with_capacity(requests.len());
    local
        .run_until(async {
            for worker in workers {
                took.extend(worker.await??);
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
        .await?;
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_answer_is_read() {
        assert_eq!(head(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nabc"), Some((200, 39, 12)));
        assert_eq!(head(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 30\r\n\r\n"), Some((503, 53, 0)));
        assert_eq!(head(b"HTTP/1.1 200 OK\r\n"), None);
    }
}
