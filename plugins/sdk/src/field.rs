//! Single fields: where they stand, what they must be, and the words for it when they are not.
//!
//! Blank text and `null` count as not given, because tools that map fields write them for what they do not have. A problem names
//! the field and never its value, which may be somebody's address.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use crate::loose::{List, Loose};
use crate::moment::Moment;
use crate::{Problem, Result};

/// Bytes of the longest id. The host ends a run at a longer one without a word about the field.
pub const LONGEST_ID: usize = 255;

/// More digits than this are no amount of money.
const MOST_DIGITS: usize = 30;

/// Letters of a currency in ISO 4217.
const CURRENCY: usize = 3;

/// A value and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Field<'v, P> {
    place: P,
    value: &'v Loose<'v>,
}

impl<'v, P: Display> Field<'v, P> {
    /// A value, and what it is called in the body: `data.id`, say.
    pub fn new(place: P, value: &'v Loose<'v>) -> Self {
        Self { place, value }
    }

    /// Text, or a whole number as text.
    ///
    /// # Errors
    /// `field-unexpected` (remedy `none`).
    pub fn text(&self) -> Result<Option<Cow<'v, str>>> {
        self.written("text or a whole number")
    }

    fn written(&self, expected: &str) -> Result<Option<Cow<'v, str>>> {
        match self.value {
            Loose::Absent => Ok(None),
            Loose::Text(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(Cow::Borrowed)),
            Loose::Whole(number) => Ok(Some(Cow::Owned(number.to_string()))),
            Loose::OtherNumber | Loose::Flag(_) | Loose::Nested => Err(self.unexpected(expected)),
        }
    }

    /// Text that names something.
    ///
    /// # Errors
    /// `field-unexpected` (remedy `none`).
    pub fn id(&self) -> Result<Option<Cow<'v, str>>> {
        let id = self.text()?;
        if id.as_ref().is_some_and(|id| id.len() > LONGEST_ID) {
            return Err(self.unexpected("an id of 255 bytes at most"));
        }
        Ok(id)
    }

    /// How many: a whole number from 0.
    ///
    /// # Errors
    /// `field-unexpected` (remedy `none`).
    pub fn count(&self) -> Result<Option<u32>> {
        self.digits()
    }

    /// A whole number from 0 of any size: seconds since 1970, or money in the smallest unit of its currency.
    ///
    /// # Errors
    /// `field-unexpected` (remedy `none`).
    pub fn whole(&self) -> Result<Option<u64>> {
        self.digits()
    }

    fn digits<N: FromStr>(&self) -> Result<Option<N>> {
        const EXPECTED: &str = "a whole number from 0";
        let Some(text) = self.written(EXPECTED)? else { return Ok(None) };
        let number = Some(text).filter(|text| is_digits(text)).and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| self.unexpected(EXPECTED))
    }

    /// `true` or `false`. Their names as text are refused, because to many tools `"false"` is as true as any text.
    ///
    /// # Errors
    /// `field-unexpected` (remedy `none`).
    pub fn flag(&self) -> Result<Option<bool>> {
        match self.value {
            Loose::Flag(flag) => Ok(Some(*flag)),
            Loose::Absent => Ok(None),
            Loose::Text(text) if text.trim().is_empty() => Ok(None),
            _ => Err(self.unexpected("true or false, not as text")),
        }
    }

    /// A moment with its zone.
    ///
    /// # Errors
    /// `field-unexpected` (remedy `none`).
    pub fn moment(&self) -> Result<Option<Moment>> {
        const EXPECTED: &str = "a moment with its zone, such as 2026-03-02T10:00:41Z";
        let Some(text) = self.written(EXPECTED)? else { return Ok(None) };
        Moment::parse(&text).map(Some).ok_or_else(|| self.unexpected(EXPECTED))
    }

    /// Money: digits with at most one point, as text. A number is exact only where it is whole.
    ///
    /// # Errors
    /// `field-unexpected` (remedy `none`).
    pub fn amount(&self) -> Result<Option<Cow<'v, str>>> {
        const EXPECTED: &str = "an amount as text, such as \"49.00\"";
        let Some(text) = self.written(EXPECTED)? else { return Ok(None) };
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
        let exact = is_digits(whole) && is_digits(fraction) && whole.len() + fraction.len() <= MOST_DIGITS;
        if exact { Ok(Some(text)) } else { Err(self.unexpected(EXPECTED)) }
    }

    /// A currency in ISO 4217.
    ///
    /// # Errors
    /// `field-unexpected` (remedy `none`).
    pub fn currency(&self) -> Result<Option<Cow<'v, str>>> {
        let Some(text) = self.text()? else { return Ok(None) };
        let known = text.len() == CURRENCY && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if known { Ok(Some(text)) } else { Err(self.unexpected("three letters of ISO 4217, such as EUR")) }
    }

    /// The problem `field-missing`, for whoever cannot go on without it.
    pub fn missing(&self) -> Problem {
        missing(&self.place)
    }

    /// The problem `field-unexpected`, with what belongs there.
    pub fn unexpected(&self, expected: &str) -> Problem {
        unexpected(&self.place, expected)
    }
}

/// The items of a list; none where it is not given.
///
/// # Errors
/// `field-unexpected` for anything else than a list.
pub fn items<T>(place: impl Display, list: &List<T>) -> Result<Option<&[T]>> {
    match list {
        List::Absent => Ok(None),
        List::Items(items) => Ok(Some(items)),
        List::Other => Err(unexpected(&place, "a list, also where it holds one thing only")),
    }
}

/// The problem `field-missing`: the body does not say what is called so.
pub fn missing(place: impl Display) -> Problem {
    Problem::rejected("field-missing", format!("the body does not say {place}"))
}

fn unexpected(place: &impl Display, expected: &str) -> Problem {
    Problem::rejected("field-unexpected", format!("{place} must be {expected}"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Loose<'_> {
        serde_json::from_str(json).unwrap()
    }

    fn code<T: std::fmt::Debug>(read: Result<T>) -> String {
        read.unwrap_err().code
    }

    #[test]
    fn ids_and_counts_are_the_same_as_number_and_as_text() {
        for json in ["7", r#""7""#, r#"" 7 ""#] {
            let value = value(json);
            let field = Field::new("data.id", &value);
            assert_eq!(field.id().unwrap().unwrap(), "7", "{json}");
            assert_eq!(field.count().unwrap(), Some(7), "{json}");
        }
    }

    #[test]
    fn blank_text_and_null_are_not_given() {
        for json in ["null", r#""""#, r#""  ""#] {
            let value = value(json);
            let field = Field::new("data.x", &value);
            assert_eq!(field.text().unwrap(), None);
            assert_eq!(field.count().unwrap(), None);
            assert_eq!(field.flag().unwrap(), None);
            assert_eq!(field.moment().unwrap(), None);
            assert_eq!(field.amount().unwrap(), None);
        }
    }

    #[test]
    fn an_id_that_a_float_has_been_through_is_refused() {
        for json in ["7.5", "1e3", "18446744073709551616", "-1", "true", "{}", "[7]"] {
            assert_eq!(code(Field::new("data.id", &value(json)).id()), "field-unexpected", "{json}");
        }
        let long = format!("\"{}\"", "x".repeat(LONGEST_ID + 1));
        assert_eq!(code(Field::new("data.id", &value(&long)).id()), "field-unexpected");
    }

    #[test]
    fn a_count_is_whole() {
        for json in ["1.5", "2.0", "-1", r#""-1""#, r#""+1""#, r#""1.0""#, r#""two""#, "4294967296", "true"] {
            assert_eq!(code(Field::new("q", &value(json)).count()), "field-unexpected", "{json}");
        }
    }

    #[test]
    fn a_whole_number_may_be_larger_than_any_count() {
        for json in ["4294967296", r#""4294967296""#] {
            assert_eq!(Field::new("amount", &value(json)).whole().unwrap(), Some(4_294_967_296), "{json}");
        }
        for json in ["1.5", "-1", r#""+1""#, "18446744073709551616", "true"] {
            assert_eq!(code(Field::new("amount", &value(json)).whole()), "field-unexpected", "{json}");
        }
    }

    #[test]
    fn a_flag_is_no_text_and_no_number() {
        assert_eq!(Field::new("f", &value("false")).flag().unwrap(), Some(false));
        for json in [r#""false""#, r#""true""#, "0", "1", "[]"] {
            assert_eq!(code(Field::new("f", &value(json)).flag()), "field-unexpected", "{json}");
        }
    }

    #[test]
    fn an_amount_is_exact() {
        for (json, amount) in [(r#""49.00""#, "49.00"), ("49", "49"), (r#""0""#, "0"), (r#"" 0.10 ""#, "0.10")] {
            assert_eq!(Field::new("a", &value(json)).amount().unwrap().unwrap(), amount);
        }
        let long = format!("\"{}\"", "9".repeat(MOST_DIGITS + 1));
        for json in [
            "49.5",
            "-49",
            r#""-49.00""#,
            r#""49,00""#,
            r#""1.2.3""#,
            r#"".5""#,
            r#""5.""#,
            r#""1e3""#,
            r#""5 EUR""#,
            &long,
        ] {
            let problem = Field::new("data.total", &value(json)).amount().unwrap_err();
            assert_eq!(problem.code, "field-unexpected", "{json}");
            assert!(problem.message.contains("as text"), "{problem}");
        }
    }

    #[test]
    fn a_problem_names_the_field_and_not_its_value() {
        let problem = Field::new("data.changed_at", &value(r#""ada@example.org""#)).moment().unwrap_err();
        assert!(problem.message.starts_with("data.changed_at must be a moment"), "{problem}");
        assert!(!problem.message.contains("ada"), "{problem}");
    }
}
