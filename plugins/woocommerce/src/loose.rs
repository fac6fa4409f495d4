//! JSON as PHP plugins leave it: numbers as text, text as numbers, lists with gaps as objects.
//!
//! Reading never fails on an odd value; whoever needs the value decides what its absence means.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A single value, whatever its type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Loose<'a> {
    /// Not there, or `null`.
    #[default]
    Absent,
    /// Text, or a number that is not a whole positive one.
    Text(Cow<'a, str>),
    /// A whole number from 0.
    Whole(u64),
    /// `true`, `false`, a list or an object.
    Other,
}

impl Loose<'_> {
    /// The value as text without the blanks around it; none if nothing is left.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(Cow::Borrowed),
            Self::Whole(number) => Some(Cow::Owned(number.to_string())),
            Self::Absent | Self::Other => None,
        }
    }

    /// The value as a whole number from 0; `"2"` and `"2.00"` are 2.
    pub(crate) fn whole(&self) -> Option<u64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Text(text) => {
                let text = text.trim();
                let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
                let digits = whole.bytes().all(|byte| byte.is_ascii_digit());
                if digits && fraction.bytes().all(|byte| byte == b'0') { whole.parse().ok() } else { None }
            }
            Self::Absent | Self::Other => None,
        }
    }

    /// An id: a whole number above 0, since WordPress writes 0 for "none".
    pub(crate) fn id(&self) -> Option<u64> {
        self.whole().filter(|id| *id > 0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Loose::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Owned(number.to_string())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Loose::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }
}

/// A list, also one that PHP wrote as an object because its numbering had gaps; none for anything else.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    deserializer.deserialize_any(ListVisitor(PhantomData))
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Option<Vec<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Some(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some((_, item)) = object.next_entry::<IgnoredAny, T>()? {
            items.push(item);
        }
        Ok(Some(items))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Holder<'a> {
        #[serde(borrow, default)]
        value: Loose<'a>,
    }

    fn loose(json: &str) -> Loose<'_> {
        serde_json::from_str::<Holder<'_>>(json).unwrap().value
    }

    #[test]
    fn a_number_is_the_same_as_number_and_as_text() {
        for json in [r#"{"value":2}"#, r#"{"value":"2"}"#, r#"{"value":2.0}"#, r#"{"value":" 2.00 "}"#] {
            assert_eq!(loose(json).whole(), Some(2), "{json}");
        }
    }

    #[test]
    fn what_is_no_whole_number_is_none() {
        for json in
            [r#"{"value":1.5}"#, r#"{"value":-1}"#, r#"{"value":"two"}"#, r#"{"value":""}"#, r#"{"value":[1]}"#, "{}"]
        {
            assert_eq!(loose(json).whole(), None, "{json}");
        }
    }

    #[test]
    fn blank_text_is_no_text() {
        assert_eq!(loose(r#"{"value":" \t "}"#).text(), None);
        assert_eq!(loose(r#"{"value":" a b "}"#).text().unwrap(), "a b");
    }

    #[test]
    fn nested_values_are_passed_over() {
        assert_eq!(loose(r#"{"value":{"a":[1,{"b":null}]}}"#), Loose::Other);
        assert_eq!(loose(r#"{"value":null}"#), Loose::Absent);
    }

    #[test]
    fn a_list_with_gaps_is_still_a_list() {
        #[derive(serde::Deserialize)]
        struct Lists {
            #[serde(default, deserialize_with = "list")]
            items: Option<Vec<u64>>,
        }
        let read = |json: &str| serde_json::from_str::<Lists>(json).unwrap().items;
        assert_eq!(read(r#"{"items":[7,8]}"#), Some(vec![7, 8]));
        assert_eq!(read(r#"{"items":{"1":7,"3":8}}"#), Some(vec![7, 8]));
        assert_eq!(read(r#"{"items":""}"#), None);
        assert_eq!(read("{}"), None);
    }
}
