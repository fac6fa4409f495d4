//! Who learns: custom fields before the buyer, and never the buyer in place of an address that cannot be read.

use bursar_adapter::{Problem, Result, log, orders};

use crate::body::{Item, Meta, Order};
use crate::loose::Loose;
use crate::settings::Settings;

/// Stands for a list or an object where an address should be. The host finds it malformed, which is what it is.
const NOT_TEXT: &str = "(not text)";

/// States the learner of lines that do not name one: the order's own field, else the buyer.
pub(crate) fn of_order(stated: &orders::Order, order: &Order<'_>, settings: &Settings) -> Result<()> {
    let (address, place) = match field(&order.meta, &settings.learner_email_meta) {
        Some((address, name)) => (address, format!("the order's custom field `{name}`")),
        None => match order.billing.email.text() {
            Some(address) => (address.into_owned(), "the buyer's e-mail field".to_owned()),
            None => return Ok(()),
        },
    };
    if let Err(problem) = stated.learner_email(&address) {
        unreadable(problem, "email-malformed", &place)?;
    }
    Ok(())
}

/// States the learner that a line names, if it names one.
pub(crate) fn of_line(stated: &orders::Line, item: &Item<'_>, settings: &Settings) -> Result<()> {
    if let Some((address, name)) = field(item.meta(), &settings.learner_email_meta)
        && let Err(problem) = stated.learner_email(&address)
    {
        unreadable(problem, "email-malformed", &format!("the line's custom field `{name}`"))?;
    }
    if let Some((username, name)) = field(item.meta(), &settings.learner_username_meta)
        && let Err(problem) = stated.learner_username(&username)
    {
        unreadable(problem, "username-malformed", &format!("the line's custom field `{name}`"))?;
    }
    Ok(())
}

/// The first of these fields that is filled in, with its name.
fn field<'n>(meta: &[Meta<'_>], names: &'n [String]) -> Option<(String, &'n str)> {
    names.iter().find_map(|name| {
        meta.iter().filter(|field| field.key.text().is_some_and(|key| key.eq_ignore_ascii_case(name))).find_map(
            |field| {
                let value = match &field.value {
                    Loose::Other => NOT_TEXT.to_owned(),
                    value => value.text()?.into_owned(),
                };
                Some((value, name.as_str()))
            },
        )
    })
}

/// The host asks a person about an unreadable learner, once it is paid; any other problem ends the run.
fn unreadable(problem: Problem, expected: &str, place: &str) -> Result<()> {
    if problem.code != expected {
        return Err(problem);
    }
    log::warning(&format!("{place} names a learner who cannot be read"));
    Ok(())
}
