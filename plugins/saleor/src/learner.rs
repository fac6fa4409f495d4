//! Who learns: metadata before the buyer, and never the buyer in place of a learner who cannot be read.

use std::borrow::Cow;

use bursar_adapter::loose::{List, Loose};
use bursar_adapter::{Problem, Result, log, orders};

use crate::body::{Line, Metadata, Order};
use crate::settings::Settings;

/// Stands for a list, an object or a flag where an address or a name should be. The host finds it malformed, which is what it is.
const NOT_TEXT: &str = "(not text)";

/// States the learner of lines that do not name one: the order's own metadata, else the buyer.
pub(crate) fn of_order(stated: &orders::Order, order: &Order<'_>, settings: &Settings) -> Result<()> {
    let named = metadata(&order.metadata, &settings.learner_email_metadata);
    let Some(address) = named.or_else(|| text(&order.user_email)) else { return Ok(()) };
    readable(stated.learner_email(&address).map(drop), "email-malformed", "the order")
}

/// States the learner of a line: its own metadata, else a username that the order or the buyer's account has. An address of
/// the order's own metadata comes before that username.
pub(crate) fn of_line(stated: &orders::Line, line: &Line<'_>, order: &Order<'_>, settings: &Settings) -> Result<()> {
    if let Some(address) = metadata(&line.metadata, &settings.learner_email_metadata) {
        return readable(stated.learner_email(&address).map(drop), "email-malformed", "a line");
    }
    let username = |list| metadata(list, &settings.learner_username_metadata);
    let name = username(&line.metadata).or_else(|| {
        if metadata(&order.metadata, &settings.learner_email_metadata).is_some() {
            return None;
        }
        username(&order.metadata).or_else(|| username(&order.user.as_ref()?.metadata))
    });
    match name {
        Some(name) => readable(stated.learner_username(&name).map(drop), "username-malformed", "a line"),
        None => Ok(()),
    }
}

/// The first of these keys that is filled in.
pub(crate) fn metadata<'m>(list: &'m List<Metadata<'_>>, keys: &[String]) -> Option<Cow<'m, str>> {
    let List::Items(items) = list else { return None };
    keys.iter().find_map(|key| {
        items
            .iter()
            .filter(|item| matches!(&item.key, Loose::Text(said) if said == key))
            .find_map(|item| text(&item.value))
    })
}

fn text<'v>(value: &'v Loose<'_>) -> Option<Cow<'v, str>> {
    match value {
        Loose::Absent => None,
        Loose::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(Cow::Borrowed),
        Loose::Whole(number) => Some(Cow::Owned(number.to_string())),
        Loose::OtherNumber | Loose::Flag(_) | Loose::Nested => Some(Cow::Borrowed(NOT_TEXT)),
    }
}

/// The host asks a person about an unreadable learner, once it is paid; any other problem ends the run.
fn readable(said: Result<()>, expected: &str, place: &str) -> Result<()> {
    match said {
        Err(problem) if problem.code == expected => {
            log::warning(&format!("{place} names a learner who cannot be read"));
            Ok(())
        }
        Err(problem) => Err::<(), Problem>(problem),
        Ok(()) => Ok(()),
    }
}
