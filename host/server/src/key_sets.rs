//! The sets of public keys by which a shop signs.
//!
//! Owns where they come from (the configuration, never a request), how long they are kept, and how often they are fetched: a forged
//! signature makes a run ask for newer keys, so anybody can ask, and nobody may have Bursar fetch more than once a while.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bursar_domain::{Clock, Timestamp};
use bursar_sandbox::{FixedKeySets, KeySets, KeysFault, PublicKeys};
use bursar_shop_api::{Class, Document};
use tokio::sync::Mutex;

/// How long fetched keys are used without asking again. Shops replace theirs rarely, and a signature that no kept key fits has
/// them fetched anew at once.
pub(crate) const KEEP: Duration = Duration::from_secs(3_600);

/// How long after one fetch the next is made at the earliest, whoever asks.
pub(crate) const PAUSE: Duration = Duration::from_secs(60);

/// The key sets of one shop.
#[derive(Debug)]
pub(crate) struct KeySetsOfShop {
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
    /// What came of asking, if it were no keys.
    failed: Option<KeysFault>,
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
    pub(crate) fn new(
        fixed: FixedKeySets,
        documents: impl IntoIterator<Item = (String, Document)>,
        clock: Arc<dyn Clock>,
    ) -> Self {
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
        let left = state.asked_at.map(|at| PAUSE.saturating_sub(now.since(at))).filter(|left| !left.is_zero());
        if let Some(kept) = &state.kept {
            let newer = unfit.is_none_or(|unfit| !Arc::ptr_eq(unfit, &kept.keys));
            // While newer keys cannot be had, nothing can be told of a signature that these do not fit.
            let too_soon = left.is_some() && (newer || state.failed.is_none());
            if too_soon || (newer && now.since(kept.at) < KEEP) {
                return Ok(Arc::clone(&kept.keys));
            }
        }
        if let Some(left) = left {
            return Err(match &state.failed {
                Some(KeysFault::Misconfigured(problem)) => KeysFault::Misconfigured(problem.clone()),
                _ => away("they could not be fetched a moment ago", left),
            });
        }
        // Said before the outcome is known: the run may be cut off meanwhile, and asking has been done all the same.
        (state.asked_at, state.failed) = (Some(now), Some(away("fetching them was cut off", PAUSE)));
        match fetch(&fetched.document).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                (state.failed, state.kept) = (None, Some(Kept { keys: Arc::clone(&keys), at: now }));
                Ok(keys)
            }
            Err(fault) => {
                tracing::warn!(key_set = set, problem = %fault, "a shop's keys cannot be fetched");
                state.failed = Some(fault.clone());
                match &state.kept {
                    // Old keys that fit prove as much as new ones.
                    Some(kept) if unfit.is_none() => Ok(Arc::clone(&kept.keys)),
                    _ => Err(fault),
                }
            }
        }
    }
}

async fn fetch(document: &Document) -> Result<PublicKeys, KeysFault> {
    let text = document.fetch().await.map_err(|error| match error.class() {
        Class::TryAgain { after } => {
            KeysFault::Unreachable { message: error.to_string(), retry_after: after.or(Some(PAUSE)) }
        }
        Class::Ours | Class::Definite => KeysFault::Misconfigured(error.to_string()),
    })?;
    PublicKeys::from_jwks(&text).map_err(|problem| KeysFault::Misconfigured(format!("the key set {problem}")))
}

fn away(what: &str, retry_after: Duration) -> KeysFault {
    KeysFault::Unreachable { message: format!("the shop's keys: {what}"), retry_after: Some(retry_after) }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex as Lock,
        atomic::{AtomicI64, Ordering},
    };

    use axum::{Router, extract::State, http::StatusCode, response::IntoResponse as _};

    use super::*;

    /// A key of RFC 8037, appendix A.
    const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    /// A clock that the test sets.
    #[derive(Debug, Default)]
    struct Hand(AtomicI64);

    impl Hand {
        fn forward(&self, by: Duration) {
            self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    /// A shop that publishes its keys, unless it is closed, and counts who asks.
    #[derive(Debug)]
    struct Published {
        body: &'static str,
        closed: bool,
        asked: u32,
    }

    struct Site {
        sets: KeySetsOfShop,
        clock: Arc<Hand>,
        published: Arc<Lock<Published>>,
    }

    impl Site {
        async fn open() -> Self {
            let published = Arc::new(Lock::new(Published { body: KEYS, closed: false, asked: 0 }));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
            let router = Router::new().fallback(answer).with_state(Arc::clone(&published));
            tokio::spawn(async move { axum::serve(listener, router).await });
            let clock = Arc::new(Hand::default());
            let document = Document::new(url.parse().unwrap(), true).unwrap();
            let fixed = FixedKeySets::default().with("fixed", PublicKeys::from_jwks(KEYS).unwrap());
            let sets = KeySetsOfShop::new(fixed, [("keys".to_owned(), document)], Arc::clone(&clock) as Arc<dyn Clock>);
            Self { sets, clock, published }
        }

        fn asked(&self) -> u32 {
            self.published.lock().unwrap().asked
        }

        fn close(&self) {
            self.published.lock().unwrap().closed = true;
        }

        async fn keys(&self, unfit: Option<&Arc<PublicKeys>>) -> Result<Arc<PublicKeys>, KeysFault> {
            self.sets.keys("keys", unfit).await
        }
    }

    async fn answer(State(published): State<Arc<Lock<Published>>>) -> axum::response::Response {
        let mut published = published.lock().unwrap();
        published.asked += 1;
        if published.closed { StatusCode::BAD_GATEWAY.into_response() } else { published.body.into_response() }
    }

    #[tokio::test]
    async fn keys_are_fetched_once_and_kept_for_an_hour() {
        let site = Site::open().await;
        let keys = site.keys(None).await.unwrap();
        site.clock.forward(KEEP - Duration::from_millis(1));
        assert!(Arc::ptr_eq(&keys, &site.keys(None).await.unwrap()));
        assert_eq!(site.asked(), 1);
        site.clock.forward(Duration::from_millis(1));
        site.keys(None).await.unwrap();
        assert_eq!(site.asked(), 2);
    }

    #[tokio::test]
    async fn forged_signatures_have_keys_fetched_once_a_minute_and_no_more() {
        let site = Site::open().await;
        let keys = site.keys(None).await.unwrap();
        for _ in 0..100 {
            assert!(Arc::ptr_eq(&keys, &site.keys(Some(&keys)).await.unwrap()), "too soon to ask again");
        }
        assert_eq!(site.asked(), 1);
        site.clock.forward(PAUSE);
        let newer = site.keys(Some(&keys)).await.unwrap();
        assert!(!Arc::ptr_eq(&keys, &newer));
        assert_eq!(site.asked(), 2);
        let same = site.keys(Some(&keys)).await.unwrap();
        assert!(Arc::ptr_eq(&newer, &same), "who still has the old ones is given the new ones without a fetch");
        assert_eq!(site.asked(), 2);
    }

    #[tokio::test]
    async fn a_shop_that_is_away_is_asked_once_a_minute() {
        let site = Site::open().await;
        site.close();
        for _ in 0..3 {
            assert!(matches!(site.keys(None).await.unwrap_err(), KeysFault::Unreachable { .. }));
        }
        assert_eq!(site.asked(), 1);
    }

    #[tokio::test]
    async fn old_keys_serve_while_the_shop_is_away_but_tell_nothing_of_what_they_do_not_fit() {
        let site = Site::open().await;
        let keys = site.keys(None).await.unwrap();
        site.close();
        site.clock.forward(KEEP);
        assert!(Arc::ptr_eq(&keys, &site.keys(None).await.unwrap()));
        site.clock.forward(PAUSE);
        for _ in 0..2 {
            assert!(matches!(site.keys(Some(&keys)).await.unwrap_err(), KeysFault::Unreachable { .. }));
            assert!(Arc::ptr_eq(&keys, &site.keys(None).await.unwrap()), "those that fit go on to serve");
        }
        assert_eq!(site.asked(), 3, "asked once a minute all the same");
    }

    #[tokio::test]
    async fn what_is_no_key_set_is_the_operators_to_mend_now_and_a_moment_later() {
        let site = Site::open().await;
        site.published.lock().unwrap().body = "{}";
        for _ in 0..2 {
            assert!(matches!(site.keys(None).await.unwrap_err(), KeysFault::Misconfigured(_)));
        }
        assert_eq!(site.asked(), 1);
    }

    #[tokio::test]
    async fn a_set_of_the_configuration_needs_no_fetch_and_an_unknown_one_is_missing() {
        let site = Site::open().await;
        site.sets.keys("fixed", None).await.unwrap();
        assert_eq!(site.sets.keys("other", None).await.unwrap_err(), KeysFault::Missing);
        assert_eq!(site.asked(), 0);
    }
}
