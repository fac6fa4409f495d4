//! Course runs that the shop itself names: in custom fields of its products, which an order's line does not carry (fact 21),
//! or in their sku. Only where a setting says so.
//!
//! The catalog goes before what is said here, and what was found once for a line is kept by the host, so the shop is asked
//! about a product at most until its first order is stated.

use std::collections::BTreeMap;

use bursar_adapter::{Result, catalog, log, orders};

use crate::api;
use crate::body::{Item, Order};
use crate::settings::Settings;

/// Calls of the shop about products in one run: half of what a run may make, and on a slow shop half of its time. Products
/// beyond that are left to the catalog.
const MOST_CALLS: u32 = 16;

/// Products that the catalog is asked about in one run; it answers 256 look-ups. Those beyond are left to the host, which asks it anyway.
const MOST_LOOKED_UP: usize = 128;

/// What is known of a product, by product and variation: fields with a value, by their names in lower case.
type Fields = Vec<(String, String)>;

/// Course runs for the lines of one order.
pub(crate) struct Courses<'s> {
    settings: &'s Settings,
    order: u64,
    /// Lines for which the host keeps course runs already; read when the first line needs it.
    settled: Option<Vec<String>>,
    found: BTreeMap<(u64, Option<u64>), Fields>,
    /// Calls of the shop that were made, or would have been.
    wanted: u32,
}

impl<'s> Courses<'s> {
    pub(crate) fn of(order: &Order<'_>, settings: &'s Settings) -> Self {
        Self { settings, order: order.id, settled: None, found: BTreeMap::new(), wanted: 0 }
    }

    /// States the course runs of a line, where the shop names any.
    ///
    /// # Errors
    /// When the shop must be asked and gives no answer; also `not-granted`, since a setting wants it to be asked.
    pub(crate) fn state(&mut self, line: &orders::Line, item: &Item<'_>, products: &[(&str, String)]) -> Result<()> {
        let by_sku = item.sku.text().filter(|_| self.settings.course_run_in_sku);
        let by_field = item.product_id.id().filter(|_| !self.settings.course_run_meta.is_empty());
        if (by_sku.is_none() && by_field.is_none()) || self.is_settled(item) {
            return Ok(());
        }
        let fields = match item.product_id.id() {
            Some(product) if self.settings.asks_for_products() => {
                self.fields(product, item.variation_id.id(), products)?
            }
            _ => Fields::new(),
        };
        let mode = named(&fields, &self.settings.course_mode_meta).next();
        let mut runs = named(&fields, &self.settings.course_run_meta).peekable();
        if runs.peek().is_none()
            && let Some(sku) = by_sku
        {
            // What is sold beside courses has a sku, too.
            return unless_malformed(line.course(&sku, mode)).map(|_| ());
        }
        for run in runs {
            if !unless_malformed(line.course(run, mode))? {
                line.review("the product's custom fields name a course run or a mode that cannot be one");
                break;
            }
        }
        Ok(())
    }

    /// Does the host keep course runs for the line already?
    fn is_settled(&mut self, item: &Item<'_>) -> bool {
        let order = self.order;
        let settled = self.settled.get_or_insert_with(|| {
            let known = orders::known(order).into_iter();
            known.filter(|line| !line.courses().is_empty()).map(|line| line.id()).collect()
        });
        item.id.id().is_some_and(|id| settled.contains(&id.to_string()))
    }

    /// The custom fields of a variation, then those of its product, that are filled in; none where the catalog knows the product.
    fn fields(&mut self, product: u64, variation: Option<u64>, products: &[(&str, String)]) -> Result<Fields> {
        if let Some(found) = self.found.get(&(product, variation)) {
            return Ok(found.clone());
        }
        if self.found.len() == MOST_LOOKED_UP {
            return Ok(Fields::new());
        }
        let ids: Vec<(&str, &str)> = products.iter().map(|(kind, id)| (*kind, id.as_str())).collect();
        let mut fields = Fields::new();
        if catalog::courses(&ids).is_empty() {
            if variation.is_some() {
                fields = self.ask(product, variation)?;
            }
            if !self.settles(&fields) {
                fields.extend(self.ask(product, None)?);
            }
        }
        self.found.insert((product, variation), fields.clone());
        Ok(fields)
    }

    /// Do these say all that is wanted?
    fn settles(&self, fields: &Fields) -> bool {
        let (runs, modes) = (&self.settings.course_run_meta, &self.settings.course_mode_meta);
        [runs, modes].into_iter().all(|names| names.is_empty() || named(fields, names).next().is_some())
    }

    fn ask(&mut self, product: u64, variation: Option<u64>) -> Result<Fields> {
        self.wanted += 1;
        if self.wanted > MOST_CALLS {
            if self.wanted == MOST_CALLS + 1 {
                log::warning("the order has more products than the shop is asked about at once");
            }
            return Ok(Fields::new());
        }
        let Some(shown) = api::product(product, variation)? else { return Ok(Fields::new()) };
        let filled = |field: crate::body::Meta<'_>| {
            Some((field.key.text()?.to_ascii_lowercase(), field.value.text()?.into_owned()))
        };
        Ok(shown.fields()?.into_iter().filter_map(filled).collect())
    }
}

/// The values of the first of these names that has any.
fn named<'f>(fields: &'f Fields, names: &[String]) -> impl Iterator<Item = &'f str> {
    let name =
        names.iter().map(|name| name.to_ascii_lowercase()).find(|name| fields.iter().any(|(key, _)| key == name));
    fields.iter().filter(move |(key, _)| Some(key) == name.as_ref()).map(|(_, value)| value.as_str())
}

/// Was it taken? What names no course run is not; any other problem ends the run.
fn unless_malformed<T>(stated: Result<T>) -> Result<bool> {
    match stated {
        Ok(_) => Ok(true),
        Err(problem) if problem.code == "course-malformed" => Ok(false),
        Err(problem) => Err(problem),
    }
}
