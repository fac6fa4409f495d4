//! A bell: whoever works hears that there may be something to do, also when they were busy while it rang.
//!
//! Owns nothing but the waking. It carries no work: what there is to do stands in the store, so a ring that is lost with the
//! process loses nothing.

use std::time::Duration;

use tokio::sync::watch;

/// A bell that several may ring and several may hear.
#[derive(Debug, Clone)]
pub struct Bell(watch::Sender<()>);

/// One who listens.
#[derive(Debug)]
pub struct Listener(watch::Receiver<()>);

impl Default for Bell {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// Begins to listen. Rings from now on are heard, one answer for all since the last.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// Waits for a ring, but no longer than `longest`, and not at all if it rang since the last time.
    pub async fn wait(&mut self, longest: Duration) {
        tokio::select! {
            rang = self.0.changed() => {
                if rang.is_err() {
                    // Nobody is left who could ring.
                    tokio::time::sleep(longest).await;
                }
            }
            () = tokio::time::sleep(longest) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_ring_while_nobody_waited_is_heard() {
        let bell = Bell::default();
        let mut listener = bell.listen();
        bell.ring();
        bell.ring();
        let before = tokio::time::Instant::now();
        listener.wait(Duration::from_secs(60)).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
        listener.wait(Duration::from_secs(60)).await;
        assert_eq!(before.elapsed(), Duration::from_secs(60));
    }
}
