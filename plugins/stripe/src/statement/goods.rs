//! What was sold: ids for the catalog, a title for people, and the course run that metadata may name.

use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::Loose;
use bursar_adapter::{Result, orders};

use super::learner::first;
use crate::body::{Expandable, InvoiceLine, Metadata, Price, Session};
use crate::settings::Settings;

/// One thing that was sold.
#[derive(Debug, Default)]
pub(super) struct Goods {
    ids: Vec<(&'static str, String)>,
    title: String,
    course: Option<String>,
    mode: Option<String>,
}

impl Goods {
    /// What a price is for, with a title for where the product itself does not tell its name.
    pub(super) fn of_price(price: &Price<'_>, title: &Loose<'_>, settings: &Settings) -> Result<Self> {
        let mut goods = Self::default();
        goods.known_by("price", "price.id", &price.id)?;
        let product = match &price.product {
            Expandable::Whole(product) => Some(product),
            Expandable::Id(_) => None,
        };
        let (id, name) = match (&price.product, product) {
            (Expandable::Id(id), _) => (id, title),
            (Expandable::Whole(product), _) => (&product.id, &product.name),
        };
        goods.known_by("product", "price.product", id)?;
        goods.title = Field::new("title", name).text()?.unwrap_or_default().into_owned();
        goods.described_by([&price.metadata].into_iter().chain(product.map(|product| &product.metadata)), settings)?;
        Ok(goods)
    }

    /// What a line of an invoice is for, and the id of its price.
    pub(super) fn of_invoice_line(line: &InvoiceLine<'_>, settings: &Settings) -> Result<Option<(String, Self)>> {
        let goods = match (&line.price, line.pricing.as_ref().and_then(|pricing| pricing.price_details.as_ref())) {
            (_, Some(details)) => {
                let mut goods = Self::default();
                goods.known_by("price", "pricing.price_details.price", details.price.id())?;
                goods.known_by("product", "pricing.price_details.product", details.product.id())?;
                goods.title = Field::new("description", &line.description).text()?.unwrap_or_default().into_owned();
                goods
            }
            (Some(price), None) => Self::of_price(price, &line.description, settings)?,
            (None, None) => return Ok(None),
        };
        Ok(goods.price().map(|price| (price, goods)))
    }

    /// What a checkout sold, as far as it says so itself.
    pub(super) fn of_session(session: &Session<'_>, settings: &Settings) -> Result<Self> {
        let mut goods = Self::default();
        goods.described_by([&session.metadata], settings)?;
        goods.known_by("payment_link", "payment_link", session.payment_link.id())?;
        Ok(goods)
    }

    /// The id of its price.
    pub(super) fn price(&self) -> Option<String> {
        self.ids.iter().find(|(kind, _)| *kind == "price").map(|(_, id)| id.clone())
    }

    /// What the line is called says nothing of what was sold.
    pub(super) fn forget_title(&mut self) {
        self.title.clear();
    }

    /// States it of a line.
    pub(super) fn state(&self, line: &orders::Line) -> Result<()> {
        line.product(self.ids.iter().map(|(kind, id)| (*kind, id.as_str())), &self.title);
        if let Some(course) = &self.course
            && let Err(problem) = line.course(course, self.mode.as_deref())
        {
            if problem.code != "course-malformed" {
                return Err(problem);
            }
            line.review("metadata names a course run or a mode that cannot be read");
        }
        Ok(())
    }

    fn known_by(&mut self, kind: &'static str, place: &str, value: &Loose<'_>) -> Result<()> {
        if let Some(id) = Field::new(place, value).id()? {
            self.ids.push((kind, id.into_owned()));
        }
        Ok(())
    }

    fn described_by<'m, 'a: 'm>(
        &mut self,
        metadata: impl IntoIterator<Item = &'m Metadata<'a>> + Clone,
        settings: &Settings,
    ) -> Result<()> {
        let find = |keys: &[String]| -> Result<Option<String>> {
            for metadata in metadata.clone() {
                if let Some(found) = first(metadata, keys)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        };
        // No catalog knows what is longer than any id.
        if let Some(sku) = find(&settings.sku_metadata)?.filter(|sku| sku.len() <= field::LONGEST_ID) {
            self.ids.push(("sku", sku));
        }
        self.course = find(&settings.course_metadata)?;
        self.mode = find(&settings.mode_metadata)?;
        Ok(())
    }
}
