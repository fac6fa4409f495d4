//! Webhooks as shops send them: made, signed and posted from this side, for trying things out.
//!
//! Owns the table of platforms that can be imitated, and the words for what happened that are the same for all of them. It is
//! the shop's part, so nothing of the host uses it; adapters must never be tested against it alone, but against what real
//! shops sent.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use bursar_domain::{Email, Timestamp, statement::ProductId};
use clap::ValueEnum;
use reqwest::{Client, Url, redirect::Policy};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde_json::Value;

pub mod lemonsqueezy;
pub mod made_up;
pub mod mit_unified_ecommerce;
pub mod odoo;
pub mod oscar;
pub mod proof;
pub mod saleor;
pub mod shopify;
pub mod standard_webhooks;
pub mod stripe;
pub mod woocommerce;

/// How long the listener may take to answer. Shops give up sooner; this is long enough to see how late it is.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of an answer's body that are kept: enough to read what is wrong.
const ANSWER_MAX: usize = 4 * 1024;

/// What happened to an order, in words that are the same for all platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Event {
    /// It was placed, and the money is there.
    Paid,
    /// It was placed, and no money has arrived.
    Unpaid,
    /// All of its money went back.
    Refunded,
    /// It was called off.
    Cancelled,
    /// The payer wants the money back from the bank, or never paid it.
    Disputed,
    /// It was deleted in the shop.
    Deleted,
    /// It changed, and the shop has to be asked how.
    Changed,
}

impl Event {
    /// As it is typed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Unpaid => "unpaid",
            Self::Refunded => "refunded",
            Self::Cancelled => "cancelled",
            Self::Disputed => "disputed",
            Self::Deleted => "deleted",
            Self::Changed => "changed",
        }
    }
}

/// A platform that can be imitated.
pub trait Platform: Debug + Sync {
    /// As its adapter is called.
    fn name(&self) -> &'static str;
    /// The secret that its webhooks are proved by, as the adapter's description calls it.
    fn secret(&self) -> &'static str;
    /// What can be told of an order, each with the topic under which it is told. The first is meant where none is chosen.
    fn events(&self) -> &'static [(Event, &'static str)];
    /// The kinds of ids of what is sold; none where webhooks only name the order.
    fn products(&self) -> &'static [&'static str];
    /// What a status in the platform's own words tells; nothing where no status can be chosen.
    fn event_of(&self, _status: &str) -> Option<Event> {
        None
    }
    /// The body of a webhook of this topic about an order. See [`body`], which checks the order first.
    ///
    /// # Errors
    /// When the platform has no such order, or says nothing of orders under this topic.
    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError>;
    /// The request that brings a body, proved as the shop proves it.
    ///
    /// # Errors
    /// When it cannot be proved by this secret, or a setting is missing that it needs.
    fn sign(&self, body: Vec<u8>, topic: &str, shop: &Sender<'_>) -> Result<Message, ImitationError>;
}

/// The shop in whose name a request is sent.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// What proves it.
    pub secret: &'a SecretString,
    /// The shop's settings of the adapter, a JSON object.
    pub settings: &'a Value,
    /// When it is sent.
    pub at: Timestamp,
}

impl Sender<'_> {
    /// A setting that is text.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).and_then(Value::as_str)
    }
}

/// Every platform that can be imitated.
pub const PLATFORMS: &[&dyn Platform] = &[
    &woocommerce::WooCommerce,
    &standard_webhooks::StandardWebhooks,
    &saleor::Saleor,
    &shopify::Shopify,
    &stripe::Stripe,
    &lemonsqueezy::LemonSqueezy,
    &odoo::Odoo,
    &mit_unified_ecommerce::UnifiedEcommerce,
    &oscar::Oscar,
];

/// The platform of this name.
#[must_use]
pub fn platform(name: &str) -> Option<&'static dyn Platform> {
    PLATFORMS.iter().copied().find(|platform| platform.name() == name)
}

/// The topic under which a platform tells of such an event.
///
/// # Errors
/// When it does not tell of such.
pub fn topic(platform: &dyn Platform, event: Event) -> Result<&'static str, ImitationError> {
    let events = platform.events();
    events.iter().find(|(known, _)| *known == event).map(|(_, topic)| *topic).ok_or_else(|| {
        let known = events.iter().map(|(event, _)| event.as_str()).collect::<Vec<_>>().join(", ");
        ImitationError::UnknownEvent { platform: platform.name(), event: event.as_str(), known }
    })
}

/// The body of a webhook about an order.
///
/// # Errors
/// When the platform has no such order, or says nothing of orders under this topic.
pub fn body(platform: &dyn Platform, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError> {
    let kinds = platform.products();
    let says_more = order.email.is_some() || !order.lines.is_empty();
    if kinds.is_empty() && says_more {
        return Err(ImitationError::NumberOnly { platform: platform.name() });
    }
    for product in order.lines.iter().flat_map(|line| &line.products) {
        if !kinds.contains(&product.kind.as_str()) {
            let (kind, known) = (product.kind.clone(), kinds.join(", "));
            return Err(ImitationError::UnknownKind { platform: platform.name(), kind, known });
        }
    }
    platform.body(order, topic)
}

/// Is it a topic under which the platform tells of orders as they are made up here?
fn check_topic(platform: &dyn Platform, topic: &str) -> Result<(), ImitationError> {
    if platform.events().iter().any(|(_, known)| *known == topic) {
        return Ok(());
    }
    Err(ImitationError::UnknownTopic { topic: topic.to_owned() })
}

/// The line of an order where a platform sells one product at a time.
fn only_line<'o>(platform: &dyn Platform, order: &'o Order) -> Result<&'o Line, ImitationError> {
    match order.lines.as_slice() {
        [line] => Ok(line),
        lines => Err(ImitationError::OneLine { platform: platform.name(), count: lines.len() }),
    }
}

/// The same where it sells each product once.
fn only_seat<'o>(platform: &dyn Platform, order: &'o Order) -> Result<&'o Line, ImitationError> {
    let line = only_line(platform, order)?;
    match line.quantity {
        1 => Ok(line),
        quantity => Err(ImitationError::OneSeat { platform: platform.name(), quantity }),
    }
}

/// An order as somebody might place it.
#[derive(Debug, Clone)]
pub struct Order {
    /// The shop's number of it.
    pub id: u64,
    /// What happened to it last.
    pub event: Event,
    /// The status in the platform's words, where it is not to follow from the event.
    pub status: Option<String>,
    /// When it was placed. The same for every webhook about one order.
    pub placed_at: Timestamp,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// Whose it is.
    pub email: Option<Email>,
    /// What was sold.
    pub lines: Vec<Line>,
}

impl Order {
    /// What all of it costs.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.lines.iter().map(Line::total).sum()
    }
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

impl Line {
    /// What all of it costs.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.price * Decimal::from(self.quantity)
    }

    /// The id of this kind.
    #[must_use]
    pub fn id(&self, kind: &str) -> Option<&str> {
        self.products.iter().find(|product| product.kind == kind).map(|product| product.id.as_str())
    }

    /// The id of this kind, where a platform has numbers.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(&self, kind: &str) -> Result<Option<u64>, ImitationError> {
        let not_a_number = |id: &str| ImitationError::NotANumber { kind: kind.to_owned(), id: id.to_owned() };
        self.id(kind).map(|id| id.parse().map_err(|_| not_a_number(id))).transpose()
    }
}

/// A request of a shop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// What the address goes on with behind the shop's, part by part.
    pub path: Vec<String>,
    /// Headers beside those of HTTP itself.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A request that cannot be imitated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImitationError {
    /// The platform does not tell of this.
    #[error("a webhook of {platform} cannot tell that an order is {event}; it can tell: {known}")]
    UnknownEvent {
        /// The platform.
        platform: &'static str,
        /// What was to be told.
        event: &'static str,
        /// What can be.
        known: String,
    },
    /// Orders of the platform have no status that could be chosen.
    #[error("a status cannot be chosen for {platform}: say with --event what happened")]
    NoStatus {
        /// The platform.
        platform: &'static str,
    },
    /// The platform only tells which order changed.
    #[error("a webhook of {platform} only names the order: what was sold to whom is asked of the shop")]
    NumberOnly {
        /// The platform.
        platform: &'static str,
    },
    /// The platform has no such ids of products.
    #[error("a product of {platform} has no \"{kind}\"; it has: {known}")]
    UnknownKind {
        /// The platform.
        platform: &'static str,
        /// The kind that was given.
        kind: String,
        /// Those there are.
        known: String,
    },
    /// The platform sells one product at a time.
    #[error("an order of {platform} has one product, not {count}")]
    OneLine {
        /// The platform.
        platform: &'static str,
        /// How many lines there are.
        count: usize,
    },
    /// The platform sells each product once.
    #[error("a webhook of {platform} tells of one seat, not of {quantity}")]
    OneSeat {
        /// The platform.
        platform: &'static str,
        /// How many there are.
        quantity: u32,
    },
    /// The platform cannot do without it.
    #[error("a webhook of {platform} needs {what}")]
    Missing {
        /// The platform.
        platform: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// The platform knows no learner but the buyer.
    #[error("a webhook of {platform} names no learner but the buyer: leave --learner out")]
    BuyerOnly {
        /// The platform.
        platform: &'static str,
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
    /// Text or secret that cannot be worked with.
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
    let mut url = url.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(&message.path);
    }
    let mut request = client.post(url).body(message.body.clone());
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
