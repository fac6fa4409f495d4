//! The sets of public keys by which a shop signs.
//!
//! Owns where they come from (the configuration, never a request), how long they are kept, and how often they are fetched: a forged
//! signature makes a run ask for newer keys, so anybody can ask, and nobody may have Bursar fetch more than once a while.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bursar_domain::{Clock, Timestamp};
use bursar_sandbox::{FixedKeySets, KeySets, KeysFault, PublicKeys};
use bursar_shop_api::Document;
use tokio::sync::Mutex;

/// How long fetched keys are used without asking again. Shops replace theirs rarely, and a signature that no kept key fits has
/// them fetched anew at once.
pub const KEEP: Duration = Duration::from_secs(3_600);

/// How long after one fetch the next is made at the earliest, whoever asks.
pub const PAUSE: Duration = Duration::from_secs(60);

/// The key sets of one shop.
#[derive(Debug)]
pub struct KeySetsOfShop {
    fixed: FixedKeySets,
    fetched: BTreeMap<String, Fetched>,
    clock: Arc<dyn Clock>,
}

/// A set that the shop publishes.
#[derive(Debug)]
struct Fetched {
    document: Document,
    /// Held while it is fetched, so that those who want it at the same time share one fetch.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When it was asked for last, whatever came of it.
    asked_at: Option<Timestamp>,
    kept: Option<Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    keys: Arc<PublicKeys>,
    at: Timestamp,
}

impl KeySetsOfShop {
    /// Sets that are fetched, and sets that are not.
    #[must_use]
    pub fn new(fixed: FixedKeySets, documents: impl IntoIterator<Item = (String, Document)>, clock: Arc<dyn Clock>) -> Self {
        let fetched = |(name, document)| (name, Fetched { document, state: Mutex::default() });
        Self { fixed, fetched: documents.into_iter().map(fetched).collect(), clock }
    }
}

#[async_trait]
impl KeySets for KeySetsOfShop {
    async fn keys(&self, set: &str, unfit: Option<&Arc<PublicKeys>>) -> Result<Arc<PublicKeys>, KeysFault> {
        let Some(fetched) = self.fetched.get(set) else { return self.fixed.keys(set, unfit).await };
        let mut state = fetched.state.lock().await;
        let now = self.clock.now();
        let asked_lately = state.asked_at.is_some_and(|asked_at| now.since(asked_at) < PAUSE);
        if let Some(kept) = &state.kept {
            let newer = unfit.is_none_or(|unfit| !Arc::ptr_eq(unfit, &kept.keys));
            if asked_lately || (newer && now.since(kept.at) < KEEP) {
                return Ok(Arc::clone(&kept.keys));
            }
        } else if let Some(asked_at) = state.asked_at.filter(|_| asked_lately) {
            let left = PAUSE.saturating_sub(now.since(asked_at));
            let message = "the shop's keys could not be fetched a moment ago".to_owned();
            return Err(KeysFault::Unreachable { message, retry_after: Some(left) });
        }
        state.asked_at = Some(now);
        match fetch(&fetched.document).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                state.kept = Some(Kept { keys: Arc::clone(&keys), at: now });
                Ok(keys)
            }
            Err(problem) => {
                tracing::warn!(key_set = set, %problem, "a shop's keys cannot be fetched");
                match &state.kept {
                    // Old keys that fit prove as much as new ones. Of a signature that they do not fit nothing can be told.
                    Some(kept) if unfit.is_none() => Ok(Arc::clone(&kept.keys)),
                    _ => Err(KeysFault::Unreachable { message: problem, retry_after: Some(PAUSE) }),
                }
            }
        }
    }
}

async fn fetch(document: &Document) -> Result<PublicKeys, String> {
    let text = document.fetch().await.map_err(|error| error.to_string())?;
    PublicKeys::from_jwks(&text).map_err(|problem| format!("the key set {problem}"))
}
