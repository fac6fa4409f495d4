//! The order's lines: products most exact first, courses that the product itself names, quantities, refunds.

use std::collections::BTreeSet;

use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::Loose;
use bursar_adapter::{Problem, Result, orders};

use crate::body::{Line, Order};
use crate::learner;
use crate::refunds::{OfLine, Refunds};
use crate::settings::Settings;

/// States every line, and answers whether anything is left that was not refunded. A line that went back for no money is a
/// question only where there is money (`asks`).
pub(crate) fn state(
    stated: &orders::Order,
    order: &Order<'_>,
    refunds: &Refunds,
    asks: bool,
    settings: &Settings,
) -> Result<bool> {
    let mut left = false;
    let lines = field::items("order.lines", &order.lines)?.ok_or_else(|| field::missing("order.lines"))?;
    let mut seen = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        let place = |name: &str| format!("order.lines[{index}].{name}");
        let id = Field::new(place("id"), &line.id);
        let id = id.id()?.ok_or_else(|| id.missing())?;
        if !seen.insert(id.clone()) {
            return Err(Problem::rejected("line-twice", format!("{} is the id of an earlier line, too", place("id"))));
        }
        let quantity = Field::new(place("quantity"), &line.quantity);
        let quantity = quantity.count()?.ok_or_else(|| quantity.missing())?;

        let stated = stated.line(&id);
        stated.product(products(line), &title(line));
        stated.quantity(quantity);
        left |= went_back(&stated, refunds.of_line(&id), quantity, asks);
        courses(&stated, line, settings)?;
        learner::of_line(&stated, line, order, settings)?;
    }
    Ok(left)
}

/// What the catalog may know the product by, most exact first. The line itself keeps id and SKU of a variant that was deleted
/// (fact 21).
fn products(line: &Line<'_>) -> Vec<(&'static str, String)> {
    let variant = line.variant.as_ref();
    let product = variant.and_then(|variant| variant.product.as_ref());
    let known: Vec<_> = [
        ("variant", id(&line.product_variant_id).or_else(|| id(&variant?.id))),
        ("sku", id(&line.product_sku).or_else(|| id(&variant?.sku))),
        ("product", product.and_then(|product| id(&product.id))),
        ("slug", product.and_then(|product| id(&product.slug))),
    ]
    .into_iter()
    .filter_map(|(kind, id)| Some((kind, id?)))
    .collect();
    if known.is_empty() { id(&line.product_name).map(|name| ("name", name)).into_iter().collect() } else { known }
}

fn id(value: &Loose<'_>) -> Option<String> {
    Some(Field::new("id", value).id().ok()??.into_owned())
}

/// For people.
fn title(line: &Line<'_>) -> String {
    let text = |value| Field::new("", value).text().ok().flatten().unwrap_or_default();
    let (product, variant) = (text(&line.product_name), text(&line.variant_name));
    match (product.is_empty(), variant.is_empty() || variant == product) {
        (_, true) => product.into_owned(),
        (true, false) => variant.into_owned(),
        (false, false) => format!("{product}, {variant}"),
    }
}

/// States what went back of a line, and answers whether some was not refunded.
fn went_back(stated: &orders::Line, of_line: OfLine, quantity: u32, asks: bool) -> bool {
    let refunded = of_line.refunded.min(quantity);
    stated.refunded_quantity(refunded);
    let sent_back = of_line.sent_back.min(quantity.saturating_sub(refunded));
    if asks && sent_back > 0 {
        stated.review(&format!(
            "{sent_back} of {quantity} was returned or replaced, and no money went back for it: is the learner to keep the course?"
        ));
    }
    refunded < quantity
}

/// States the course runs that the variant names, else those that the product names. Lines and orders are not asked: their
/// metadata is the buyer's to write (fact 22).
fn courses(stated: &orders::Line, line: &Line<'_>, settings: &Settings) -> Result<()> {
    let Some(variant) = &line.variant else { return Ok(()) };
    let look_up = |keys: &[String]| {
        learner::metadata(&variant.metadata, keys)
            .or_else(|| learner::metadata(&variant.product.as_ref()?.metadata, keys))
    };
    let Some(runs) = look_up(&settings.course_metadata) else { return Ok(()) };
    let mode = look_up(&settings.mode_metadata);
    for run in runs.split([',', ' ', '\n']).filter(|run| !run.is_empty()) {
        if let Err(problem) = stated.course(run, mode.as_deref()) {
            if problem.code != "course-malformed" {
                return Err(problem);
            }
            stated.review("the product's metadata names a course run or a mode that cannot be read");
        }
    }
    Ok(())
}
