//! Who learns: line item properties before the buyer, and never the buyer in place of an address that cannot be read.
//!
//! Whoever can fill a cart can write properties. So they may say who learns, and never what is sold (fact 18).

use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::{List, Loose};
use bursar_adapter::{Problem, Result, log, orders};

use crate::body::{Item, Order, Property};
use crate::settings::Settings;

/// Stands for a list or an object where an address should be. The host finds it malformed, which is what it is.
const NOT_TEXT: &str = "(not text)";

/// States the learner of lines that do not name one: the order's own property, else the buyer.
pub(crate) fn of_order(stated: &orders::Order, order: &Order<'_>, settings: &Settings) -> Result<()> {
    let address = match property("note_attributes", &order.note_attributes, settings)? {
        Some(address) => Some(address),
        None => buyer(order)?,
    };
    if let Some(address) = address
        && let Err(problem) = stated.learner_email(&address)
    {
        unreadable(problem, "the order")?;
    }
    Ok(())
}

/// States the learner that a line names, if it names one.
pub(crate) fn of_line(stated: &orders::Line, item: &Item<'_>, settings: &Settings) -> Result<()> {
    if let Some(address) = property("line_items.properties", &item.properties, settings)?
        && let Err(problem) = stated.learner_email(&address)
    {
        unreadable(problem, "a line")?;
    }
    Ok(())
}

/// Orders of the point of sale, and drafts, may have no address at all (fact 20).
fn buyer(order: &Order<'_>) -> Result<Option<String>> {
    let of_customer = order.customer.as_ref().map(|customer| &customer.email);
    let fields =
        [("email", Some(&order.email)), ("contact_email", Some(&order.contact_email)), ("customer.email", of_customer)];
    for (place, field) in fields {
        if let Some(field) = field
            && let Some(address) = Field::new(place, field).text()?
        {
            return Ok(Some(address.into_owned()));
        }
    }
    Ok(None)
}

/// The first of the operator's properties that is filled in.
fn property(place: &str, list: &List<Property<'_>>, settings: &Settings) -> Result<Option<String>> {
    let properties = field::items(place, list)?.unwrap_or_default();
    Ok(settings.learner_email_properties.iter().find_map(|name| {
        let named = |property: &&Property<'_>| {
            matches!(&property.name, Loose::Text(text) if text.trim().eq_ignore_ascii_case(name))
        };
        properties.iter().filter(named).find_map(|property| match Field::new(place, &property.value).text() {
            Ok(text) => text.map(Into::into),
            Err(_) => Some(NOT_TEXT.to_owned()),
        })
    }))
}

/// The host asks a person about an unreadable learner, once it is paid; any other problem ends the run.
fn unreadable(problem: Problem, what: &str) -> Result<()> {
    if problem.code != "email-malformed" {
        return Err(problem);
    }
    log::warning(&format!("{what} names a learner who cannot be read"));
    Ok(())
}
