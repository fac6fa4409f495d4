//! What is in a basket: a right to a free mode of a course, until it is taken out again.
//!
//! In the ledger a learner's basket is an order of its own, over nothing and therefore paid. Its lines have product ids of
//! their own (`presale:…`), because what the catalog says of the product is what a *buyer* gets.
//!
//! A basket has no moment, and `add` and `remove` follow each other in any number. So the moment of receipt is the revision:
//! where the platform says nothing of time, arrival is all the order there is, and to have an old delivery run again must not
//! undo what arrived after it. What is at stake is a mode that costs nothing.

use bursar_adapter::field::Field;
use bursar_adapter::orders::{self, Cause, Payment};
use bursar_adapter::{Delivery, Result, catalog};

use crate::body::{Basket, Message, Product};
use crate::settings::Settings;
use crate::{learner, order};

/// What an order is called that is a learner's basket.
pub(crate) fn order_id(user: &str) -> String {
    format!("basket/{user}")
}

/// States what went into a basket or out of it.
pub(crate) fn state(message: &Message<'_, Basket<'_>>, delivery: &Delivery<'_>, settings: &Settings) -> Result<()> {
    let (Some(mode), Some(basket)) = (settings.presale.mode(), &message.data) else {
        delivery.ignored("a basket: the setting presale gives nothing for one");
        return Ok(());
    };
    let user = Field::new("user.id", &message.user.id);
    let user = user.id()?.ok_or_else(|| user.missing())?;
    let product = Field::new("data.product.id", &basket.product.id);
    let product = product.id()?.ok_or_else(|| product.missing())?;
    let action = Field::new("data.action", &basket.action);
    let revision = [delivery.request().received_at()];
    match action.text()?.as_deref() {
        Some("add") => {
            let runs = course_runs(&basket.product, settings)?;
            if runs.is_empty() {
                delivery.ignored("a product in a basket that is no course, as far as the catalog and the SKU say");
                return Ok(());
            }
            let stated = orders::patch(order_id(&user), &revision);
            stated.payment(Payment::Paid);
            learner::of_order(&stated, &message.user)?;
            let line = stated.line(&product);
            line.product(ids(&basket.product)?, &order::title(&basket.product)?);
            line.lift(Cause::Cancelled, "action=add");
            learner::of_line(&line, &message.user, settings)?;
            for run in runs {
                order::course(&line, &run, Some(mode))?;
            }
        }
        Some("remove") => {
            orders::patch(order_id(&user), &revision).line(&product).hold(Cause::Cancelled, "action=remove");
        }
        Some(_) => return Err(action.unexpected("add or remove")),
        None => return Err(action.missing()),
    }
    Ok(())
}

/// The course runs that the product sells, whatever the mode: the catalog's, else the one that its SKU names.
fn course_runs(product: &Product<'_>, settings: &Settings) -> Result<Vec<String>> {
    let ids = order::ids(product)?;
    let ids: Vec<(&str, &str)> = ids.iter().map(|(kind, id)| (*kind, id.as_str())).collect();
    let sold = catalog::courses(&ids);
    if sold.is_empty() {
        return Ok(order::course_run(product, settings)?.into_iter().collect());
    }
    Ok(sold.into_iter().map(|(run, _)| run).collect())
}

/// As `order::ids`, with a word before each kind.
fn ids(product: &Product<'_>) -> Result<Vec<(&'static str, String)>> {
    let of_a_basket = |kind| if kind == "product" { "presale-product" } else { "presale" };
    Ok(order::ids(product)?.into_iter().map(|(kind, id)| (of_a_basket(kind), id)).collect())
}
