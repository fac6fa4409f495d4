//! Stripe's own API: what webhooks leave out. It is only ever read.
//!
//! Answers are asked for in one API version, whatever the account's own is (docs/shops/stripe.md fact 30).

use bursar_adapter::field::Field;
use bursar_adapter::{Problem, Result, shop_api};
use serde::Deserialize;

use crate::body::{Charge, Expandable, InvoicePayment, OnlyId, Page, Session, subscription_of};

/// The API version that is asked for: the first that says which invoice a payment was for.
const VERSION: &str = "2025-03-31.basil";

/// Pages of one list that are read, 100 entries each, which is Stripe's largest. A checkout has 100 lines at most (fact
/// 31), so that more pages than this are another thing than a list; the delivery is rejected then.
const PAGES_MAX: usize = 20;

/// The API of one account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stripe<'s> {
    /// The connected account that is asked about; empty for the one whose key it is.
    account: &'s str,
}

impl<'s> Stripe<'s> {
    pub(crate) fn of(account: &'s str) -> Self {
        Self { account }
    }

    /// The lines of a checkout, with their prices and products: a page at a time.
    pub(crate) fn session_lines(self, session: &str, page: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.pages(
            &format!("/v1/checkout/sessions/{}/line_items", segment(session)?),
            "&expand%5B%5D=data.price.product",
            page,
        )
    }

    /// The lines of an invoice: a page at a time.
    pub(crate) fn invoice_lines(self, invoice: &str, page: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.pages(&format!("/v1/invoices/{}/lines", segment(invoice)?), "", page)
    }

    /// The checkout that a subscription began with, if there was one.
    pub(crate) fn session_of<T>(
        self,
        subscription: &str,
        read_it: impl FnOnce(Option<&Session<'_>>) -> Result<T>,
    ) -> Result<T> {
        let body = self.get(&format!("/v1/checkout/sessions?limit=1&subscription={}", segment(subscription)?))?;
        read_it(read::<Page<Session<'_>>>(&body)?.data.first())
    }

    /// The subscription whose invoice a payment paid, if it paid one of a subscription.
    pub(crate) fn subscription_paid_by(self, payment: &str) -> Result<Option<String>> {
        let body = self.get(&format!(
            "/v1/invoice_payments?limit=1&payment%5Btype%5D=payment_intent&payment%5Bpayment_intent%5D={}\
             &expand%5B%5D=data.invoice",
            segment(payment)?
        ))?;
        let payments: Page<InvoicePayment<'_>> = read(&body)?;
        let Some(payment) = payments.data.first() else { return Ok(None) };
        let Expandable::Whole(invoice) = &payment.invoice else {
            return Err(unexpected("the invoice of a payment, which it does not show whole"));
        };
        let subscription = subscription_of(&invoice.subscription, invoice.parent.as_ref());
        Ok(Field::new("data.invoice.subscription", subscription).id()?.map(Into::into))
    }

    /// A charge as it is now.
    pub(crate) fn charge<T>(self, charge: &str, read_it: impl FnOnce(&Charge<'_>) -> Result<T>) -> Result<T> {
        let body = self.get(&format!("/v1/charges/{}", segment(charge)?))?;
        read_it(&read(&body)?)
    }

    fn pages(self, list: &str, query: &str, mut page: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut after = String::new();
        for _ in 0..PAGES_MAX {
            let body = self.get(&format!("{list}?limit=100{query}{after}"))?;
            let ids: Page<OnlyId<'_>> = read(&body)?;
            page(&body)?;
            if !ids.has_more {
                return Ok(());
            }
            let last = ids.data.last().map(|last| Field::new("data.id", &last.id).id()).transpose()?.flatten();
            let last = last.ok_or_else(|| unexpected("a list, of which there is more behind nothing"))?;
            after = format!("&starting_after={}", segment(&last)?);
        }
        Err(Problem::rejected("too-many-lines", format!("Stripe lists more than {} lines", PAGES_MAX * 100)))
    }

    fn get(self, path_and_query: &str) -> Result<Vec<u8>> {
        let mut call = shop_api::get(path_and_query).header("stripe-version", VERSION);
        if !self.account.is_empty() {
            call = call.header("stripe-account", self.account);
        }
        let answer = call.send()?;
        let what = path_and_query.split('?').next().unwrap_or_default();
        let words = match answer.status() {
            200 => return Ok(answer.body()),
            401 => "the API key is none of Stripe's, or was revoked".to_owned(),
            403 => "the API key may not read that".to_owned(),
            404 => "Stripe does not know it: is the key of the same account, and of the same mode, live or sandbox?"
                .to_owned(),
            status => format!("Stripe answered {status}"),
        };
        Err(Problem::operator("shop-refused", format!("{words} (GET {what})")))
    }
}

/// Reads an answer, which may be borrowed from.
pub(crate) fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        unexpected(&format!("something that cannot be read, at line {} column {}", error.line(), error.column()))
    })
}

/// An id as it may stand in a path.
fn segment(id: &str) -> Result<&str> {
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { Ok(id) } else { Err(Problem::rejected("field-unexpected", "an id must be letters, digits and _")) }
}

fn unexpected(what: &str) -> Problem {
    Problem::later("shop-unexpected", format!("Stripe's API answered with {what}"))
}
