//! WASI that is there and empty, for languages whose runtime calls it whatever the adapter does.
//!
//! Owns what little there is in it: standard output and error become lines of the run's log, the clock stands at the moment
//! when the request arrived, and randomness follows from the request. No file, network, environment, argument or input.
//! Nothing of it is made for a run that does not call it.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use rand::{SeedableRng as _, rngs::StdRng};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWrite;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamError, StreamResult},
};

use crate::{limits, outcome::LogLevel, run::state::RunState};

/// Bytes that one write may hand over: more than a line of the log keeps, and few enough lines to hold until the next call.
const WRITE: usize = 64 << 10;

/// Adds every interface of preview 2.
pub(crate) fn add_to_linker(linker: &mut Linker<RunState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)
}

/// The empty WASI of one run.
pub(crate) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    out: Printer,
    error: Printer,
}

impl Wasi {
    fn new(now: Duration, seed: [u8; 32]) -> Self {
        let (out, error) = (Printer::default(), Printer::default());
        let mut words = [0; 16];
        words.copy_from_slice(Sha256::digest(seed).get(..16).unwrap_or(&[0; 16]));
        let context = WasiCtx::builder()
            .stdout(out.clone())
            .stderr(error.clone())
            .wall_clock(Standing(now))
            .monotonic_clock(Coarse(Instant::now()))
            .secure_random(StdRng::from_seed(seed))
            .insecure_random(StdRng::from_seed(seed))
            .insecure_random_seed(u128::from_le_bytes(words))
            .max_random_size(limits::RANDOM_BYTES)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits::WASI_RESOURCES);
        Self { context, table, out, error }
    }

    /// Whole lines printed since this was last asked, and how important they are.
    pub(crate) fn printed(&mut self) -> Vec<(LogLevel, String)> {
        self.lines(|printed| std::mem::take(&mut printed.lines))
    }

    /// What was printed after the last end of line.
    pub(crate) fn unfinished(&mut self) -> Vec<(LogLevel, String)> {
        self.lines(|printed| {
            printed.end_line();
            std::mem::take(&mut printed.lines)
        })
    }

    fn lines(&mut self, take: impl Fn(&mut Printed) -> Vec<Vec<u8>>) -> Vec<(LogLevel, String)> {
        let text = |level| move |line: Vec<u8>| (level, String::from_utf8_lossy(&line).into_owned());
        let mut lines: Vec<_> = self.out.with(&take).into_iter().map(text(LogLevel::Info)).collect();
        lines.extend(self.error.with(&take).into_iter().map(text(LogLevel::Warning)));
        lines
    }
}

impl WasiView for RunState {
    /// Every call of WASI comes through here: so a call finds the lines of the one before in the log, and what is printed
    /// cannot pile up.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.take_printed();
        let (request, delivery) = (&self.request, &self.delivery);
        let wasi = self.wasi.get_or_insert_with(|| {
            let received = request.as_ref().map_or(0, |request| request.received_at.as_millis());
            let now = Duration::from_millis(u64::try_from(received).unwrap_or(0));
            let mut seed = Sha256::new();
            seed.update(received.to_le_bytes());
            if let Some(delivery) = delivery {
                seed.update(delivery.id.as_bytes());
                seed.update(delivery.attempt.to_le_bytes());
            }
            if let Some(request) = request {
                seed.update(&request.body);
            }
            Box::new(Wasi::new(now, seed.finalize().into()))
        });
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}

/// A clock that stands still: the request's moment is the only one by which anything may be judged.
struct Standing(Duration);

impl HostWallClock for Standing {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

/// Time since the run's first call of WASI, in steps as coarse as guest time is measured: enough to see that a pause is
/// over, and useless for measuring others.
struct Coarse(Instant);

impl HostMonotonicClock for Coarse {
    fn resolution(&self) -> u64 {
        u64::try_from(limits::TICK.as_nanos()).unwrap_or(u64::MAX)
    }

    fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX);
        elapsed - elapsed % self.resolution().max(1)
    }
}

/// Standard output or error of a run.
#[derive(Debug, Clone, Default)]
struct Printer(Arc<Mutex<Printed>>);

#[derive(Debug, Default)]
struct Printed {
    lines: Vec<Vec<u8>>,
    /// Of the line being printed, no more than a line of the log keeps.
    begun: Vec<u8>,
}

impl Printed {
    fn print(&mut self, bytes: &[u8]) {
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        self.begin(pieces.next().unwrap_or_default());
        for piece in pieces {
            self.end_line();
            self.begin(piece);
        }
    }

    fn begin(&mut self, piece: &[u8]) {
        let room = limits::LOG_LINE.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(piece.get(..room).unwrap_or(piece));
    }

    /// Empty lines are for terminals and are left out.
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.begun);
        if !line.trim_ascii().is_empty() {
            self.lines.push(line);
        }
    }
}

impl Printer {
    fn with<T>(&self, change: impl FnOnce(&mut Printed) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl IsTerminal for Printer {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printer {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Printer {
    async fn ready(&mut self) {}
}

impl OutputStream for Printer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE {
            return Err(StreamError::trap("more was written than `check-write` allows"));
        }
        self.with(|printed| printed.print(&bytes));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE)
    }
}

impl AsyncWrite for Printer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.with(|printed| printed.print(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut wasi = Wasi::new(Duration::ZERO, [0; 32]);
        for piece in pieces {
            wasi.out.with(|printed| printed.print(piece));
        }
        let mut all = wasi.printed();
        all.extend(wasi.unfinished());
        all.into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn lines_are_what_ends_in_a_line_break_however_it_was_written() {
        assert_eq!(lines(&[b"a", b"b\nc\n\n", b"d"]), ["ab", "c", "d"]);
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
        assert!(lines(&[b"\n", b" \n"]).is_empty());
    }

    #[test]
    fn a_line_without_end_is_cut_and_does_not_pile_up() {
        let piece = vec![b'x'; 1_000];
        let pieces: Vec<&[u8]> = (0..100).map(|_| piece.as_slice()).collect();
        assert_eq!(lines(&pieces)[0].len(), limits::LOG_LINE);
    }

    #[test]
    fn the_monotonic_clock_goes_in_coarse_steps() {
        let clock = Coarse(Instant::now());
        assert_eq!(clock.now() % clock.resolution(), 0);
        std::thread::sleep(limits::TICK * 2);
        assert!(clock.now() >= clock.resolution());
    }
}
