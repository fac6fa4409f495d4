//! The order's lines: products most exact first, quantities, bundles.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bursar_adapter::orders;
use bursar_adapter::{Problem, Result};

use crate::body::{Item, Order};
use crate::courses::Courses;
use crate::learner;
use crate::refunds::Refunded;
use crate::settings::Settings;

/// How bundle plugins tie a child to its parent in custom fields: the child's field holds what the parent's field
/// holds. The underscore fields are part of the body (fact 22).
const BUNDLE_FIELDS: [(&str, &str); 2] =
    [("_bundled_by", "_bundle_cart_key"), ("_composite_parent", "_composite_cart_key")];

/// States every line.
pub(crate) fn state(stated: &orders::Order, order: &Order<'_>, refunded: &Refunded, settings: &Settings) -> Result<()> {
    let bundles = Bundles::among(&order.items);
    let mut courses = Courses::of(order, settings);
    for item in &order.items {
        let id = item
            .id
            .id()
            .ok_or_else(|| Problem::rejected("line-without-id", "a line of the order has no id to know it by"))?;
        let line = stated.line(id);
        let products = products(item);
        courses.state(&line, item, &products)?;
        line.product(products, item.name.text().as_deref().unwrap_or_default());
        quantity(&line, item);
        if let Some(seats) = refunded.seats(id) {
            line.refunded_quantity(seats);
        }
        if let Some(parent) = bundles.parent_of(item).filter(|parent| *parent != id) {
            line.parent(parent);
        }
        learner::of_line(&line, item, settings)?;
    }
    Ok(())
}

/// What the catalog may know the product by, most exact first. A product that was deleted since, and a line that never
/// had one, have nothing but their name (fact 23).
fn products(item: &Item<'_>) -> Vec<(&'static str, String)> {
    let id = |kind, id: Option<u64>| id.map(|id| (kind, id.to_string()));
    let text = |kind, text: Option<Cow<'_, str>>| text.map(|text| (kind, text.into_owned()));
    let known: Vec<_> =
        [id("variation", item.variation_id.id()), id("product", item.product_id.id()), text("sku", item.sku.text())]
            .into_iter()
            .flatten()
            .collect();
    if known.is_empty() { text("name", item.name.text()).into_iter().collect() } else { known }
}

/// How many of it were sold; none where that is no whole number.
pub(crate) fn sold(item: &Item<'_>) -> Option<u32> {
    item.quantity.whole().and_then(|count| u32::try_from(count).ok())
}

fn quantity(line: &orders::Line, item: &Item<'_>) {
    match sold(item) {
        Some(count) => {
            line.quantity(count);
        }
        None => {
            line.quantity(1).review("the line's quantity is no whole number, and counts as 1");
        }
    }
}

/// Which line is known under which key of a bundle plugin.
struct Bundles(BTreeMap<(usize, String), u64>);

impl Bundles {
    fn among(items: &[Item<'_>]) -> Self {
        let mut lines = BTreeMap::new();
        for item in items {
            let Some(id) = item.id.id() else { continue };
            for (pair, (_, parent_field)) in BUNDLE_FIELDS.iter().enumerate() {
                if let Some(key) = field(item, parent_field) {
                    lines.entry((pair, key)).or_insert(id);
                }
            }
        }
        Self(lines)
    }

    /// The line that this one came with, by the plugin's own field of the line or by its custom field.
    fn parent_of(&self, item: &Item<'_>) -> Option<u64> {
        item.bundled_by.id().or_else(|| item.composite_parent.id()).or_else(|| {
            BUNDLE_FIELDS
                .iter()
                .enumerate()
                .find_map(|(pair, (child_field, _))| self.0.get(&(pair, field(item, child_field)?)).copied())
        })
    }
}

fn field(item: &Item<'_>, name: &str) -> Option<String> {
    item.meta()
        .iter()
        .find(|field| field.key.text().as_deref() == Some(name))
        .and_then(|field| field.value.text().map(Cow::into_owned))
}
