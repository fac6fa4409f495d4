//! Amounts: whole numbers of the smallest unit of a currency, and how many of its decimal places that is.

use bursar_adapter::Result;
use bursar_adapter::field::Field;
use bursar_adapter::loose::Loose;
use bursar_adapter::money::Amount;

/// Currencies without decimal places (fact 15).
const WHOLE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];

/// Currencies with three decimal places (fact 15).
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// The currency as ISO 4217 writes it.
pub(super) fn currency(value: &Loose<'_>) -> Result<String> {
    let field = Field::new("data.object.currency", value);
    Ok(field.currency()?.ok_or_else(|| field.missing())?.to_ascii_uppercase())
}

/// An amount that may be left out.
pub(super) fn amount(name: &str, value: &Loose<'_>, currency: &str) -> Result<Option<Amount>> {
    let units = Field::new(format_args!("data.object.{name}"), value).whole()?;
    Ok(units.map(|units| Amount::of_smallest(units, places(currency))))
}

fn places(currency: &str) -> u32 {
    if WHOLE.contains(&currency) {
        0
    } else if THOUSANDTHS.contains(&currency) {
        3
    } else {
        2
    }
}
