//! JSON as senders leave it: numbers as text, text as numbers, one object where a list belongs.
//!
//! Reading never fails on an odd value; [`field`](crate::field) says where it stands and what belongs there.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A single value, whatever its type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Loose<'a> {
    /// Not there, or `null`.
    #[default]
    Absent,
    /// Text, blanks and all.
    Text(Cow<'a, str>),
    /// A whole number from 0.
    Whole(u64),
    /// A number with a fraction, an exponent or a sign, or one so large that digits of it are lost already.
    OtherNumber,
    /// `true` or `false`.
    Flag(bool),
    /// A list or an object.
    Nested,
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

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Loose::OtherNumber)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Loose::OtherNumber)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Loose::Flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Loose::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Nested)
    }
}

/// A list, whatever stands in its place. What its items are is checked while reading.
#[derive(Debug, Default)]
pub enum List<T> {
    /// Not there, or `null`.
    #[default]
    Absent,
    /// Its items.
    Items(Vec<T>),
    /// Anything but a list.
    Other,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(List::Items(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(List::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(List::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(List::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(List::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(List::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(List::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(List::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_kind() {
        for (json, loose) in [
            ("null", Loose::Absent),
            (r#""a\u0041""#, Loose::Text("aA".into())),
            ("7", Loose::Whole(7)),
            ("-7", Loose::OtherNumber),
            ("7.0", Loose::OtherNumber),
            ("18446744073709551616", Loose::OtherNumber),
            ("true", Loose::Flag(true)),
            (r#"{"a":[1,{"b":null}]}"#, Loose::Nested),
            ("[[]]", Loose::Nested),
        ] {
            assert_eq!(serde_json::from_str::<Loose<'_>>(json).unwrap(), loose, "{json}");
        }
    }

    #[test]
    fn what_is_no_list_is_noticed() {
        for json in [r#"{"0":1}"#, r#""""#, "1", "-1", "1.5", "false"] {
            assert!(matches!(serde_json::from_str::<List<u8>>(json), Ok(List::Other)), "{json}");
        }
        assert!(matches!(serde_json::from_str::<List<u8>>("null"), Ok(List::Absent)));
        assert!(matches!(serde_json::from_str::<List<u8>>("[1]"), Ok(List::Items(items)) if items == [1]));
    }
}
