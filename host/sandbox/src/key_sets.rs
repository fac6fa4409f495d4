//! Sets of public keys by which shops sign.
//!
//! Owns the trait by which a run gets at the keys, and sets that never change. Fetches nothing: where keys are fetched
//! from is the operator's configuration, and how is the server's business.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::proof::PublicKeys;

/// Why there are no keys. The sentences are shown to people: lower-case, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysFault {
    /// The shop has no set of this name. A person must configure it; the adapter is told `key-set-missing`.
    #[error("the shop has no key set of that name")]
    Missing,
    /// It is configured, and not in a way that works. The adapter is told `key-set-malformed`.
    #[error("{0}")]
    Misconfigured(String),
    /// It cannot be fetched now. The adapter is told `keys-unreachable`.
    #[error("{message}")]
    Unreachable {
        /// What happened.
        message: String,
        /// When asking again makes sense, if that is known.
        retry_after: Option<Duration>,
    },
}

/// The key sets of one shop.
#[async_trait]
pub trait KeySets: Send + Sync {
    /// The keys of the set. A run asks at first with `unfit` none, and keys that were kept are good enough. If none of them
    /// gives the proof it asks once more with them as `unfit`: the shop may have replaced its keys, under the old key id too.
    /// Then newer ones should be fetched, but only so often, because any forged request makes a run ask; where it is not
    /// time yet the same keys (the same [`Arc`]) are the answer, and the proof is wrong.
    ///
    /// # Errors
    /// When there is no such set or it cannot be had. After `unfit`, an error means that it cannot be told whether the
    /// proof is wrong.
    async fn keys(&self, set: &str, unfit: Option<&Arc<PublicKeys>>) -> Result<Arc<PublicKeys>, KeysFault>;
}

/// Key sets that never change: from a configuration, or of tests. Without any they are those of a shop that has none.
#[derive(Debug, Clone, Default)]
pub struct FixedKeySets(BTreeMap<String, Arc<PublicKeys>>);

impl FixedKeySets {
    /// These, and one more under its name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, keys: PublicKeys) -> Self {
        self.0.insert(name.into(), Arc::new(keys));
        self
    }
}

#[async_trait]
impl KeySets for FixedKeySets {
    async fn keys(&self, set: &str, _unfit: Option<&Arc<PublicKeys>>) -> Result<Arc<PublicKeys>, KeysFault> {
        self.0.get(set).cloned().ok_or(KeysFault::Missing)
    }
}
