//! Time that is made up: it stands still while anything works, and passes at once while all wait.
//!
//! Owns both clocks that Bursar lives on, the runtime's and that of the calendar, and the simulator's, which is the same as
//! the latter. They move in equal steps. Waiting for a socket or a disk is work: whether any thread of this process works is
//! asked of the system, so no figure depends on how quick the machine is. Needs Linux.

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bursar_domain::Timestamp;
use tokio::sync::mpsc;

use crate::Result;

/// How far time moves at once: much less than the two thirds of a second between two calls.
pub(crate) const STEP: Duration = Duration::from_millis(100);
/// How long to leave threads that work alone before they are looked at again, in real time.
const A_MOMENT: Duration = Duration::from_micros(200);
/// When it begins: 2026-11-23T09:00:00Z.
const BEGINNING: i64 = 1_795_424_400_000;

/// The calendar's clock.
#[derive(Debug)]
pub(crate) struct MadeUpClock(AtomicI64);

impl MadeUpClock {
    fn pass(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl bursar_domain::Clock for MadeUpClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl openedx_simulator::Clock for MadeUpClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(jiff::Timestamp::MAX)
    }

    fn advance(&self, by: Duration) {
        self.pass(by);
    }
}

/// Does the work in made-up time. All of it must happen in this process.
pub(crate) fn run<T, F: Future<Output = Result<T>>>(work: impl FnOnce(Arc<MadeUpClock>) -> F) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(async {
        let clock = Arc::new(MadeUpClock(AtomicI64::new(BEGINNING)));
        let (pass, mut passes) = mpsc::channel(1);
        // While a blocking task runs, the runtime does not move its time on its own account.
        let watch = tokio::task::spawn_blocking(move || -> Result<()> {
            loop {
                wait_for_rest()?;
                if pass.blocking_send(()).is_err() {
                    return Ok(());
                }
            }
        });
        let mut work = Box::pin(work(Arc::clone(&clock)));
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                pass = passes.recv() => {
                    if pass.is_none() {
                        break Err("it cannot be seen whether anything works".into());
                    }
                    clock.pass(STEP);
                    tokio::time::advance(STEP).await;
                }
            }
        };
        drop((work, passes));
        watch.await??;
        done
    })
}

/// Waits until all other threads of this process wait for something at the same time.
fn wait_for_rest() -> Result<()> {
    let mut before = None;
    loop {
        let now = threads_at_rest()?;
        // A thread that has worked since has been changed over to. So those who slept twice have slept in between.
        if now.is_some() && now == before {
            return Ok(());
        }
        if now.is_none() {
            std::thread::sleep(A_MOMENT);
        }
        before = now;
    }
}

/// How often the system changed over to each other thread, if all of them sleep. One that waits for a disk does not sleep.
fn threads_at_rest() -> Result<Option<BTreeMap<String, u64>>> {
    let own = fs::read_link("/proc/thread-self")?;
    let mut changes = BTreeMap::new();
    for thread in fs::read_dir("/proc/self/task")? {
        let name = thread?.file_name();
        if own.file_name() == Some(&name) {
            continue;
        }
        // A thread that has ended meanwhile changes the number of them.
        let Ok(status) = fs::read_to_string(format!("/proc/self/task/{}/status", name.display())) else { continue };
        let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        if !value("State:").is_some_and(|state| state.starts_with('S')) {
            return Ok(None);
        }
        let number = |key| value(key).and_then(|text| text.parse::<u64>().ok()).ok_or("the system counts no changes");
        let changed = number("voluntary_ctxt_switches:")? + number("nonvoluntary_ctxt_switches:")?;
        changes.insert(name.to_string_lossy().into_owned(), changed);
    }
    Ok(Some(changes))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn hours_pass_in_a_moment_and_both_clocks_agree() {
        let began = Instant::now();
        let (calendar, monotonic) = run(|clock| async move {
            let (before, start) = (bursar_domain::Clock::now(&*clock), tokio::time::Instant::now());
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok((bursar_domain::Clock::now(&*clock).since(before), start.elapsed()))
        })
        .unwrap();
        assert!(calendar >= Duration::from_secs(60) && calendar <= Duration::from_secs(61), "{calendar:?}");
        assert_eq!(calendar, monotonic);
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn time_stands_still_while_a_thread_works() {
        let passed = run(|clock| async move {
            let before = bursar_domain::Clock::now(&*clock);
            let (done, told) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || {
                let began = Instant::now();
                while began.elapsed() < Duration::from_millis(300) {
                    std::hint::spin_loop();
                }
                done.send(()).ok();
            });
            told.await?;
            Ok(bursar_domain::Clock::now(&*clock).since(before))
        })
        .unwrap();
        assert!(passed <= STEP, "{passed:?}");
    }
}
