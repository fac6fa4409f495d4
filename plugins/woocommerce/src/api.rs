//! What the shop is asked through its REST API, where its operator grants that.
//!
//! Owns the calls, and what an answer's status means. Never decides when to ask, nor what follows for the order.

use std::borrow::Cow;

use bursar_adapter::shop_api::{self, Answer};
use bursar_adapter::{Problem, Result};
use serde::Deserialize;

use crate::body::{Item, Meta, Order};
use crate::loose::{self, Loose};

/// Refunds of one order that are asked for: the most that WooCommerce shows at once. Nobody can tell what more of them were
/// for, so their money counts as money that went back for no line in particular.
const MOST_REFUNDS: usize = 100;

/// The longest code of an error that is repeated to people.
const LONGEST_CODE: usize = 64;

/// What the shop showed, byte for byte; `T` says what is in it.
#[derive(Debug)]
pub(crate) struct Shown {
    body: Vec<u8>,
    what: &'static str,
}

impl Shown {
    fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|_| self.unexpected())
    }

    fn unexpected(&self) -> Problem {
        // A shop under maintenance, or one whose plugins print warnings before the JSON.
        Problem::later("shop-unexpected", format!("the shop answered a question for {} with something else", self.what))
    }

    /// The order of this id.
    ///
    /// # Errors
    /// `shop-unexpected` (later) where it is anything else.
    pub(crate) fn order(&self, id: u64) -> Result<Order<'_>> {
        Order::shown(&self.body).filter(|order| order.id == id).ok_or_else(|| self.unexpected())
    }

    /// Refunds and what they were for.
    ///
    /// # Errors
    /// `shop-unexpected` (later) where it is anything else.
    pub(crate) fn refunds(&self) -> Result<Vec<Refund<'_>>> {
        self.json()
    }

    /// The custom fields of a product.
    ///
    /// # Errors
    /// `shop-unexpected` (later) where it is no product.
    pub(crate) fn fields(&self) -> Result<Vec<Meta<'_>>> {
        #[derive(Deserialize)]
        struct Product<'a> {
            #[serde(borrow, deserialize_with = "loose::list")]
            meta_data: Option<Vec<Meta<'a>>>,
        }
        Ok(self.json::<Product<'_>>()?.meta_data.unwrap_or_default())
    }
}

/// A refund as the REST API shows it (fact 25).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refund<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    /// What went back for lines of the order. Quantities and amounts are below zero, or zero.
    #[serde(borrow, deserialize_with = "loose::list")]
    pub(crate) line_items: Option<Vec<Item<'a>>>,
    #[serde(borrow, deserialize_with = "loose::list")]
    pub(crate) shipping_lines: Option<Vec<Item<'a>>>,
    #[serde(borrow, deserialize_with = "loose::list")]
    pub(crate) fee_lines: Option<Vec<Item<'a>>>,
}

/// Asks for an order; none where the shop has none of this id. One in the bin is shown like any other (fact 43).
///
/// # Errors
/// As [`ask`].
pub(crate) fn order(id: u64) -> Result<Option<Shown>> {
    ask(&format!("orders/{id}"), "an order")
}

/// Asks for the refunds of an order; none where the shop has no such order.
///
/// # Errors
/// As [`ask`].
pub(crate) fn refunds(order: u64) -> Result<Option<Shown>> {
    ask(&format!("orders/{order}/refunds?per_page={MOST_REFUNDS}"), "refunds")
}

/// Asks for a product, or for a variation of it; none where the shop has none of this id.
///
/// # Errors
/// As [`ask`].
pub(crate) fn product(product: u64, variation: Option<u64>) -> Result<Option<Shown>> {
    let variation = variation.map(|id| format!("/variations/{id}")).unwrap_or_default();
    ask(&format!("products/{product}{variation}"), "a product")
}

/// Asks the shop to show something; none where WooCommerce says that it has no such thing.
///
/// # Errors
/// The host's own (`not-granted`, `shop-unavailable`, …), and `shop-refused` (operator) for every other answer than success: rights,
/// credentials and the address are an operator's to mend.
fn ask(path: &str, what: &'static str) -> Result<Option<Shown>> {
    let answer = shop_api::get(&format!("/wp-json/wc/v3/{path}")).send()?;
    let (status, body) = (answer.status(), answer.body());
    if (200..300).contains(&status) {
        return Ok(Some(Shown { body, what }));
    }
    let code = code(&body);
    // The router of WordPress and web servers say 404 as well, and that says nothing of the order.
    if status == 404 && code.as_deref().is_some_and(|code| code.starts_with("woocommerce_rest_")) {
        return Ok(None);
    }
    Err(refused(&answer, what, code.as_deref()))
}

fn refused(answer: &Answer, what: &str, code: Option<&str>) -> Problem {
    let status = answer.status();
    let code = code.map(|code| format!(", {}", printable(code))).unwrap_or_default();
    let hint = match status {
        300..=399 => "it leads elsewhere, and redirects are not followed; give the address that the shop itself uses",
        401 | 403 => "the REST API key must be valid, may read orders and products, and works over https only",
        404 => "there is no REST API of WooCommerce at the configured address",
        _ => "the shop's log says why",
    };
    Problem::operator("shop-refused", format!("the shop refuses to show {what} ({status}{code}): {hint}"))
}

/// The code of an error of WordPress.
fn code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal<'a> {
        #[serde(borrow)]
        code: Loose<'a>,
    }
    serde_json::from_slice::<Refusal<'_>>(body).ok()?.code.text().map(Cow::into_owned)
}

/// A code is a word of letters, digits and underscores; anything else in it could be anything.
pub(crate) fn printable(code: &str) -> String {
    code.chars().filter(|letter| letter.is_ascii_alphanumeric() || "_-".contains(*letter)).take(LONGEST_CODE).collect()
}
