//! A host for tests: it gives an adapter a request, secrets and settings, and keeps what the adapter says.
//!
//! Signatures are checked for real. What becomes of the statements is the real host's business: nothing is granted here.
//!
//! ```
//! # use bursar_adapter::{Adapter, Delivery, Description, Request, Result, Verdict, signatures::*};
//! use bursar_adapter::testing::{Answer, Post, Shop};
//! # struct Example;
//! # impl Adapter for Example {
//! #     fn describe() -> Description { Description::new("example", "1.0.0") }
//! #     fn authenticate(request: &Request<'_>) -> Result<Verdict> {
//! #         shared_key("webhook", request.header("authorization")?.as_bytes())?;
//! #         Ok(Verdict::accept("sale"))
//! #     }
//! #     fn handle(_: &Delivery<'_>) -> Result<()> { Ok(()) }
//! # }
//!
//! let shop = Shop::new().secret("webhook", "s3cret");
//! let judged = shop.authenticate::<Example>(&Post::new("{}").header("authorization", "s3cret")).unwrap();
//! assert_eq!(judged.answer, Answer::Accept { topic: "sale".to_owned() });
//!
//! let refused = shop.authenticate::<Example>(&Post::new("{}").header("authorization", "guess")).unwrap_err();
//! assert_eq!(refused.code, "signature-mismatch");
//! ```

mod api;
mod effects;
mod facts;
pub(crate) mod host;
mod proofs;

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::{Adapter, Delivery, Instant, Problem, Remedy, Request, Result};

pub use api::{ApiAnswer, ApiCall};
pub use effects::{AskedChange, LmsFacts};
pub use facts::{KnownLine, LineFacts, OrderFacts, StatementKind};
pub use host::logging::Level;

/// What `received_at` says unless a test says otherwise: 2026-01-01T00:00:00Z.
pub const RECEIVED_AT: Instant = 1_767_225_600_000;

/// A request as a test writes it.
#[derive(Debug, Clone)]
pub struct Post {
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    received_at: Instant,
    topic: String,
}

impl Post {
    /// A POST to the shop's address.
    #[must_use]
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self {
            path: String::new(),
            query: String::new(),
            headers: Vec::new(),
            body: body.into(),
            received_at: RECEIVED_AT,
            topic: String::new(),
        }
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// What follows the shop's address.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// What follows `?`.
    #[must_use]
    pub fn query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    /// When the host had read it.
    #[must_use]
    pub fn received_at(mut self, at: Instant) -> Self {
        self.received_at = at;
        self
    }

    /// The topic of the delivery that `handle` gets.
    #[must_use]
    pub fn topic(mut self, topic: &str) -> Self {
        topic.clone_into(&mut self.topic);
        self
    }
}

/// A shop as its operator configured it, and what the ledger has of it.
#[derive(Debug, Clone, Default)]
pub struct Shop {
    secrets: BTreeMap<String, Vec<String>>,
    key_sets: BTreeMap<String, Vec<String>>,
    settings: Option<String>,
    known: BTreeMap<String, Vec<KnownLine>>,
    lms: LmsFacts,
    api: Vec<(ApiCall, ApiAnswer)>,
    api_refused: bool,
}

impl Shop {
    /// A shop without secrets, with empty settings, of which the ledger has nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more active secret of this name.
    #[must_use]
    pub fn secret(mut self, name: &str, text: &str) -> Self {
        self.secrets.entry(name.to_owned()).or_default().push(text.to_owned());
        self
    }

    /// One more proof that a set of public keys accepts, as the adapter presents it. The fake computes nothing with keys: whether
    /// a proof is genuine is shown by fixtures in the real host.
    #[must_use]
    pub fn key_set_accepts(mut self, name: &str, proof: &str) -> Self {
        self.key_sets.entry(name.to_owned()).or_default().push(proof.to_owned());
        self
    }

    /// What the shop's own API answers to one call of this method and path. Given twice, it is answered twice.
    #[must_use]
    pub fn answers(mut self, method: &str, path_and_query: &str, answer: ApiAnswer) -> Self {
        self.api.push((ApiCall::new(method, path_and_query), answer));
        self
    }

    /// The shop does not grant the permission `shop`: every call of its API is the problem `not-granted`.
    #[must_use]
    pub fn without_api(mut self) -> Self {
        self.api_refused = true;
        self
    }

    /// The settings, complete as JSON text: a test says the defaults itself.
    #[must_use]
    pub fn settings(mut self, json: &str) -> Self {
        self.settings = Some(json.to_owned());
        self
    }

    /// One more line that the ledger has of an order.
    #[must_use]
    pub fn known(mut self, order: &str, line: KnownLine) -> Self {
        self.known.entry(order.to_owned()).or_default().push(line);
        self
    }

    /// What the shop's LMS holds.
    #[must_use]
    pub fn lms(mut self, lms: LmsFacts) -> Self {
        self.lms = lms;
        self
    }

    /// What the adapter says that it is.
    #[must_use]
    pub fn describe<A: Adapter>() -> Described {
        begin(Run::default());
        A::describe().into_host().said.into_inner()
    }

    /// Has the adapter judge a request.
    ///
    /// # Errors
    ///
    /// What the adapter returns, or `unverified` where it accepts what no check has confirmed.
    pub fn authenticate<A: Adapter>(&self, post: &Post) -> Result<Judged> {
        begin(self.run(post));
        let request = host::incoming::Request(post.clone());
        let said = A::authenticate(&Request::lent(&request)).map(|verdict| verdict.into_host().said.into_inner());
        let run = end();
        let mut judged = said?;
        judged.logs = run.logs;
        if matches!(judged.answer, Answer::Accept { .. }) && !run.verified {
            return Err(Problem::rejected("unverified", "the adapter accepted a request that nothing has confirmed"));
        }
        Ok(judged)
    }

    /// Has the adapter handle a request as a stored delivery.
    pub fn handle<A: Adapter>(&self, post: &Post) -> Handled {
        begin(Run { handling: true, ..self.run(post) });
        let delivery = host::incoming::Delivery(post.clone());
        let result = A::handle(&Delivery::lent(&delivery));
        let run = end();
        // After a problem nothing was said.
        let said = if result.is_ok() { run.clone() } else { Run::default() };
        Handled {
            result,
            ignored: run.ignored,
            reviews: run.reviews,
            orders: said.orders,
            effects: said.effects,
            forgets: said.forgets,
            calls: run.calls,
            logs: run.logs,
        }
    }

    fn run(&self, post: &Post) -> Run {
        Run { shop: self.clone(), body: post.body.clone(), received_at: post.received_at, ..Run::default() }
    }
}

/// What an adapter says that it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// Its name in the configuration.
    pub platform: String,
    /// Its own version.
    pub version: String,
    /// Names and meanings.
    pub topics: Vec<(String, String)>,
    /// Names and purposes of the secrets that every shop needs.
    pub secrets: Vec<(String, String)>,
    /// Names and purposes of those that some have.
    pub optional_secrets: Vec<(String, String)>,
    /// Names and purposes of the permissions that it can do without.
    pub optional_permissions: Vec<(String, String)>,
    /// Names and purposes.
    pub key_sets: Vec<(String, String)>,
    /// The JSON Schema.
    pub settings: Option<String>,
    /// Headers to blank.
    pub redacted_headers: Vec<String>,
    /// JSON Pointers to blank.
    pub redacted_body: Vec<String>,
    /// Are path and query to be blanked?
    pub redacted_address: bool,
    /// Names, purposes and texts.
    pub documents: Vec<(String, String, String)>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Stored.
    Accept {
        /// Shown to people.
        topic: String,
    },
    /// Counted, not stored.
    Ignore {
        /// Counted under this.
        reason: String,
    },
    /// Answered, not stored.
    Respond {
        /// 200 to 299.
        status: u16,
        /// `text/plain` or `application/json`.
        content_type: String,
        /// At most 4 KiB.
        body: Vec<u8>,
    },
}

/// A verdict, and what was logged on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What becomes of the request.
    pub answer: Answer,
    /// What the delivery is about.
    pub subject: Option<String>,
    /// The signed id of the event.
    pub key: Option<String>,
    /// When the shop says that it happened.
    pub occurred_at: Option<Instant>,
    /// What to answer in place of an empty 200.
    pub reply: Option<(u16, String, Vec<u8>)>,
    /// Level and message.
    pub logs: Vec<(Level, String)>,
}

/// What came of handling a delivery.
#[derive(Debug, Clone)]
pub struct Handled {
    /// What `handle` returned.
    pub result: Result<()>,
    /// Why there was nothing to do.
    pub ignored: Vec<String>,
    /// Why a person should look at the delivery.
    pub reviews: Vec<String>,
    /// What was stated; nothing after a problem.
    pub orders: Vec<OrderFacts>,
    /// What the LMS is to be told beside the ledger, each with its key; nothing after a problem.
    pub effects: Vec<(String, AskedChange)>,
    /// Subjects to forget; nothing after a problem.
    pub forgets: Vec<String>,
    /// What the shop's own API was asked, in order.
    pub calls: Vec<ApiCall>,
    /// Level and message.
    pub logs: Vec<(Level, String)>,
}

impl Handled {
    /// The end of the delivery in one word: `done`, `ignored`, `rejected`, `later` or `operator`.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match &self.result {
            Ok(())
                if self.orders.is_empty()
                    && self.effects.is_empty()
                    && self.forgets.is_empty()
                    && self.reviews.is_empty()
                    && !self.ignored.is_empty() =>
            {
                "ignored"
            }
            Ok(()) => "done",
            Err(problem) => match problem.remedy {
                Remedy::None => "rejected",
                Remedy::Later => "later",
                Remedy::Operator => "operator",
            },
        }
    }

    /// Every reason for which a person should look: at the delivery, at its orders, at their lines.
    #[must_use]
    pub fn all_reviews(&self) -> Vec<&str> {
        let mut reasons: Vec<&str> = self.reviews.iter().map(String::as_str).collect();
        for order in &self.orders {
            reasons.extend(order.reviews.iter().map(String::as_str));
            for line in &order.lines {
                reasons.extend(line.reviews.iter().map(String::as_str));
            }
        }
        reasons
    }
}

/// What the fake host knows and hears during one call of the adapter.
#[derive(Debug, Clone, Default)]
struct Run {
    shop: Shop,
    body: Vec<u8>,
    received_at: Instant,
    /// Is it `handle` that runs?
    handling: bool,
    verified: bool,
    orders: Vec<OrderFacts>,
    effects: Vec<(String, AskedChange)>,
    forgets: Vec<String>,
    calls: Vec<ApiCall>,
    ignored: Vec<String>,
    reviews: Vec<String>,
    logs: Vec<(Level, String)>,
}

thread_local! {
    static RUN: RefCell<Run> = RefCell::default();
}

fn begin(run: Run) {
    RUN.set(run);
}

fn end() -> Run {
    RUN.take()
}

fn during<T>(act: impl FnOnce(&mut Run) -> T) -> T {
    RUN.with_borrow_mut(act)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::{self, Payment};
    use crate::{Description, Verdict, log, settings, signatures};

    /// Believes everybody, and states an order before it notices what is wrong with the body.
    struct Hasty;

    impl Adapter for Hasty {
        fn describe() -> Description {
            Description::new("hasty", "0.0.0").secret("webhook", "none needed").redact_header("Authorization").document(
                "query",
                "paste it",
                "{ order }\n",
            )
        }

        fn authenticate(request: &Request<'_>) -> Result<Verdict> {
            if let Ok(key) = request.header("authorization") {
                signatures::shared_key("webhook", key.as_bytes())?;
            }
            log::info("judged");
            Ok(Verdict::accept("sale").about(7).key("event-1").answer(202, "text/plain", b"taken"))
        }

        fn handle(delivery: &Delivery<'_>) -> Result<()> {
            let order = orders::snapshot(7, &[1]);
            order.payment(Payment::Paid).line("1").quantity(2);
            order.line("1").refunded_quantity(1);
            delivery.forget(7);
            let wanted: BTreeMap<String, u32> = settings::read()?;
            let given: BTreeMap<String, u32> = delivery.request().json()?;
            if wanted != given {
                return Err(Problem::later("not-yet", "the numbers differ").retry_after(60));
            }
            Ok(())
        }
    }

    #[test]
    fn an_accept_that_nothing_has_confirmed_is_refused() {
        let unproven = Shop::new().authenticate::<Hasty>(&Post::new("{}")).unwrap_err();
        assert_eq!(unproven.code, "unverified");
    }

    #[test]
    fn a_description_is_kept_with_all_that_was_said_of_it() {
        let described = Shop::describe::<Hasty>();
        assert_eq!((&*described.platform, &*described.secrets[0].0), ("hasty", "webhook"));
        assert_eq!(described.redacted_headers, ["Authorization"]);
        assert_eq!(described.documents, [("query".into(), "paste it".into(), "{ order }\n".into())]);
    }

    #[test]
    fn a_verdict_is_kept_with_all_that_was_said_of_it() {
        let shop = Shop::new().secret("webhook", "old").secret("webhook", "new");
        let judged = shop.authenticate::<Hasty>(&Post::new("{}").header("Authorization", "new")).unwrap();
        assert_eq!(judged.subject.as_deref(), Some("7"));
        assert_eq!(judged.key.as_deref(), Some("event-1"));
        assert_eq!(judged.reply, Some((202, "text/plain".to_owned(), b"taken".to_vec())));
        assert_eq!(judged.logs, [(Level::Info, "judged".to_owned())]);
    }

    #[test]
    fn an_empty_secret_confirms_nothing() {
        let shop = Shop::new().secret("webhook", "");
        let refused = shop.authenticate::<Hasty>(&Post::new("{}").header("authorization", "")).unwrap_err();
        assert_eq!(refused.code, "secret-missing");
    }

    #[test]
    fn after_a_problem_nothing_was_said() {
        let handled = Shop::new().handle::<Hasty>(&Post::new(r#"{"a":1}"#));
        assert_eq!(handled.outcome(), "later");
        assert_eq!(handled.result.unwrap_err().retry_after, Some(60));
        assert!(handled.orders.is_empty() && handled.forgets.is_empty());
    }

    #[test]
    fn the_same_line_again_continues_it() {
        let handled = Shop::new().settings(r#"{"a":1}"#).handle::<Hasty>(&Post::new(r#"{"a":1}"#));
        assert_eq!(handled.outcome(), "done");
        let line = handled.orders[0].line("1").unwrap();
        assert_eq!((line.quantity, line.refunded_quantity), (Some(2), Some(1)));
        assert_eq!(handled.orders[0].lines.len(), 1);
    }

    #[test]
    fn settings_that_do_not_fit_wait_for_the_operator() {
        let handled = Shop::new().settings("[]").handle::<Hasty>(&Post::new("{}"));
        assert_eq!(handled.outcome(), "operator");
    }

    #[test]
    fn a_description_is_kept() {
        let described = Shop::describe::<Hasty>();
        assert_eq!((described.platform.as_str(), described.version.as_str()), ("hasty", "0.0.0"));
        assert_eq!(described.redacted_headers, ["Authorization"]);
    }
}
