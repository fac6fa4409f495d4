//! Who learns: what was written down for it before the buyer, and never the buyer in place of an address that cannot be
//! read.

use bursar_adapter::field::{self, Field};
use bursar_adapter::{Problem, Result, log, orders};

use crate::body::{Metadata, Session};
use crate::settings::Settings;

/// Whom an object of Stripe's names.
#[derive(Debug)]
pub(super) enum Learner {
    /// Somebody wrote down who learns.
    Named(String),
    /// Nobody did; this one pays.
    Buyer(String),
    /// Nobody at all.
    Nobody,
}

impl Learner {
    pub(super) fn or_buyer(self, buyer: Option<String>) -> Self {
        match (self, buyer) {
            (Self::Nobody, Some(buyer)) => Self::Buyer(buyer),
            (known, _) => known,
        }
    }
}

/// Whom a checkout names: a custom field of its page, its metadata, else the buyer.
pub(super) fn of_session(session: &Session<'_>, settings: &Settings) -> Result<Learner> {
    let typed = field::items("custom_fields", &session.custom_fields)?.unwrap_or_default();
    for key in &settings.learner_email_metadata {
        for custom in typed {
            let Some(text) = &custom.text else { continue };
            if Field::new("custom_fields.key", &custom.key).text()?.as_deref() == Some(key)
                && let Some(address) = Field::new(format_args!("custom_fields.{key}"), &text.value).text()?
            {
                return Ok(Learner::Named(address.into_owned()));
            }
        }
    }
    let details = session.customer_details.as_ref();
    let buyer = match details.map(|details| Field::new("customer_details.email", &details.email).text()) {
        Some(typed) => typed?,
        None => None,
    };
    let buyer = match buyer {
        Some(buyer) => Some(buyer),
        None => Field::new("customer_email", &session.customer_email).text()?,
    };
    Ok(of_metadata(&session.metadata, settings)?.or_buyer(buyer.map(Into::into)))
}

/// Whom metadata names.
pub(super) fn of_metadata(metadata: &Metadata<'_>, settings: &Settings) -> Result<Learner> {
    let address = first(metadata, &settings.learner_email_metadata)?;
    Ok(address.map_or(Learner::Nobody, Learner::Named))
}

/// The first of these keys of metadata that is filled in.
pub(super) fn first(metadata: &Metadata<'_>, keys: &[String]) -> Result<Option<String>> {
    let Some(metadata) = metadata else { return Ok(None) };
    for key in keys {
        if let Some(value) = metadata.get(key)
            && let Some(text) = Field::new(format_args!("metadata.{key}"), value).text()?
        {
            return Ok(Some(text.into_owned()));
        }
    }
    Ok(None)
}

/// States who learns, of an order that is stated whole.
pub(super) fn state(stated: &orders::Order, learner: &Learner) -> Result<()> {
    match learner {
        Learner::Named(address) | Learner::Buyer(address) => written(stated, address),
        Learner::Nobody => Ok(()),
    }
}

/// The revision of what is meant where nothing else is said: older than everything.
const DEFAULT: [u64; 2] = [0, 0];

/// States who learns by a subscription, of which several events tell. The buyer is stated as older than everything, so
/// that whoever is named, by any of them, stands in whatever order they come.
pub(super) fn state_of_subscription(stated: &orders::Order, order: &str, learner: &Learner) -> Result<()> {
    match learner {
        Learner::Named(address) => written(stated, address),
        Learner::Buyer(address) => written(&orders::patch(order, &DEFAULT), address),
        Learner::Nobody => Ok(()),
    }
}

/// The host asks a person about an unreadable learner, once it is paid; any other problem ends the run.
fn written(stated: &orders::Order, address: &str) -> Result<()> {
    match stated.learner_email(address) {
        Err(Problem { code, .. }) if code == "email-malformed" => {
            log::warning("the order names a learner who cannot be read");
            Ok(())
        }
        stated => stated.map(drop),
    }
}
