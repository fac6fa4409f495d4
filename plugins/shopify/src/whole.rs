//! News that says that an order changed, and not how it stands now: the whole order must be heard of since.

use bursar_adapter::field::Field;
use bursar_adapter::moment::Moment;
use bursar_adapter::{Delivery, Problem, Result, orders};

use crate::body::Edit;
use crate::revision;

/// In which try a person is asked. The host's pauses between four tries are some minutes in all; the whole order comes within
/// seconds (fact 11), and within four hours where its delivery failed, which a person then sees settled.
const ASK_IN_TRY: u32 = 4;

/// What is waited for.
#[derive(Debug)]
pub(crate) struct Awaited<'a> {
    /// Which order.
    pub(crate) order: &'a str,
    /// It must be as new as this.
    pub(crate) at: Moment,
    /// What happened, in words.
    pub(crate) what: &'a str,
}

/// Passes over an edit of which the whole order has told since.
pub(crate) fn edited(edit: &Edit<'_>, delivery: &Delivery<'_>) -> Result<()> {
    let order = Field::new("order_edit.order_id", &edit.order_id);
    let order = order.id()?.ok_or_else(|| order.missing())?;
    let created = Field::new("order_edit.created_at", &edit.created_at);
    let committed = Field::new("order_edit.committed_at", &edit.committed_at).moment()?;
    let at = committed.or(created.moment()?).ok_or_else(|| created.missing())?;
    awaited(delivery, &Awaited { order: &order, at, what: "the order was edited" })
}

/// Nothing is left to say once the whole order has been heard of; until then it is waited for, and in the end asked for.
pub(crate) fn awaited(delivery: &Delivery<'_>, awaited: &Awaited<'_>) -> Result<()> {
    let Awaited { order, at, what } = awaited;
    if orders::known(order).iter().any(|line| revision::is_whole_since(&line.revision(), *at)) {
        delivery.ignored(&format!("{what}, and the order as it stands since has been heard of"));
        return Ok(());
    }
    if delivery.attempt() < ASK_IN_TRY {
        return Err(Problem::later(
            "order-awaited",
            format!("{what}; what follows is in the news of the whole order, which has not come yet"),
        ));
    }
    delivery.review(&format!(
        "{what}, and the news of the whole order that should go with it did not come: is there a webhook for order \
         updates? Look at the order in the shop"
    ));
    Ok(())
}
