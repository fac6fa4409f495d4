//! Webhooks as shops send them: made, signed and posted from this side, for trying things out.
//!
//! Owns the table of platforms that can be imitated. It is the shop's part, so nothing of the host uses it; adapters
//! must never be tested against it alone, but against what real shops sent.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use bursar_domain::{Email, Timestamp, statement::ProductId};
use reqwest::{Client, Url, redirect::Policy};
use rust_decimal::Decimal;

pub mod woocommerce;

/// How long the listener may take to answer. Shops give up sooner; this is long enough to see how late it is.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of an answer's body that are kept: enough to read what is wrong.
const ANSWER_MAX: usize = 4 * 1024;

/// A platform that can be imitated.
pub trait Platform: Debug + Sync {
    /// As its adapter is called.
    fn name(&self) -> &'static str;
    /// The secret that its webhooks are signed with, as the adapter's description calls it.
    fn secret(&self) -> &'static str;
    /// The topic where none is chosen.
    fn topic(&self) -> &'static str;
    /// The body of a webhook of this topic about an order.
    ///
    /// # Errors
    /// When the platform has no such order, or says nothing of orders under this topic.
    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError>;
    /// The request that brings a body, signed with a key.
    ///
    /// # Errors
    /// When it cannot be signed with this key.
    fn sign(&self, body: Vec<u8>, topic: &str, key: &[u8]) -> Result<Message, ImitationError>;
}

/// Every platform that can be imitated.
pub const PLATFORMS: &[&dyn Platform] = &[&woocommerce::WooCommerce];

/// The platform of this name.
#[must_use]
pub fn platform(name: &str) -> Option<&'static dyn Platform> {
    PLATFORMS.iter().copied().find(|platform| platform.name() == name)
}

/// An order as somebody might place it.
#[derive(Debug, Clone)]
pub struct Order {
    /// The shop's number of it.
    pub id: u64,
    /// The status in the platform's words.
    pub status: String,
    /// Has the shop got the money?
    pub paid: bool,
    /// When it was placed. The same for every webhook about one order.
    pub placed_at: Timestamp,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// Whose it is.
    pub email: Option<Email>,
    /// What was sold.
    pub lines: Vec<Line>,
}

/// A line of an order.
#[derive(Debug, Clone)]
pub struct Line {
    /// Ids of the product.
    pub products: Vec<ProductId>,
    /// Its title.
    pub title: String,
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub price: Decimal,
    /// A learner other than the buyer.
    pub learner: Option<Email>,
}

/// A request of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Headers beside those of HTTP itself.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A request that cannot be imitated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImitationError {
    /// The platform has no such ids of products.
    #[error("a product of this platform has no \"{kind}\"; it has {known}")]
    UnknownKind {
        /// The kind that was given.
        kind: String,
        /// Those there are.
        known: &'static str,
    },
    /// An id that the platform cannot have given.
    #[error("{kind} \"{id}\" is not a number")]
    NotANumber {
        /// The kind of id.
        kind: String,
        /// The id.
        id: String,
    },
    /// The platform says nothing of orders under this topic that could be made up.
    #[error("there is no order in a webhook \"{topic}\"; give its body")]
    UnknownTopic {
        /// The topic.
        topic: String,
    },
    /// Text or key that cannot be worked with.
    #[error("it cannot be written: {0}")]
    Unwritable(String),
}

/// What a listener answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// From the first byte sent to the last byte read.
    pub took: Duration,
    /// The beginning of the body.
    pub body: String,
}

/// Posts a message, once, following no redirect. The process must have chosen a TLS provider, as `main` does.
///
/// # Errors
/// When there is no answer.
pub async fn post(url: &Url, message: &Message) -> Result<Answer, reqwest::Error> {
    // No proxy: this is about the listener, and most are on this machine.
    let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE).build()?;
    let mut request = client.post(url.clone()).body(message.body.clone());
    for (name, value) in &message.headers {
        request = request.header(*name, value);
    }
    let started = Instant::now();
    let response = request.send().await?;
    let status = response.status().as_u16();
    let body = response.bytes().await?;
    let body = String::from_utf8_lossy(body.get(..ANSWER_MAX).unwrap_or(&body)).into_owned();
    Ok(Answer { status, took: started.elapsed(), body })
}
