//! The kit's readers of single values: what they read is what others read, and what they refuse they do not repeat.

use std::borrow::Cow;

use bursar_adapter::{
    Problem, Result,
    field::{self, Field, LONGEST_ID},
    loose::{List, Loose},
    moment::Moment,
    money::{Amount, Written},
};
use serde_json::Value;

use crate::parts::Parts;

/// What the field is called; no value repeats it.
const PLACE: &str = "the.place";

/// Bytes are two texts, and JSON.
pub fn values(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let (one, other) = (parts.text(), parts.text());
    let json = parts.rest();
    for text in [&one, &other] {
        moment(text);
        as_field(&Loose::Text(Cow::Borrowed(text)));
    }
    amounts(&one, &other);
    loose(json);
}

/// As another library reads it, where that reads it.
fn moment(text: &str) {
    let Some(moment) = Moment::parse(text) else { return };
    assert!(moment.nanoseconds < 1_000_000_000);
    assert!(moment.instant() / 1_000 == moment.seconds);
    if let Ok(other) = text.parse::<jiff::Timestamp>() {
        let theirs = (u64::try_from(other.as_second()).ok(), u32::try_from(other.subsec_nanosecond()).ok());
        assert_eq!((Some(moment.seconds), Some(moment.nanoseconds)), theirs, "{text:?}");
    }
}

fn amounts(one: &str, other: &str) {
    let (one, other) = (Amount::parse(one), Amount::parse(other));
    for amount in [one, other].into_iter().flatten() {
        let written = amount.to_string();
        let again = Amount::parse(&written).unwrap_or_else(|| panic!("{written} was written and does not read"));
        assert!(amount.covers(again) && again.covers(amount), "{written}");
        assert_eq!(again.to_string(), written);
        assert!(amount.minus(amount).is_some_and(Amount::is_zero));
        assert!(amount.absolute().covers(Amount::ZERO));
        assert_eq!(amount.is_zero(), !written.contains(|c: char| ('1'..='9').contains(&c)), "{written}");
    }
    let (Some(one), Some(other)) = (one, other) else { return };
    if let Some(sum) = one.plus(other) {
        assert_eq!(Some(sum.to_string()), other.plus(one).map(|sum| sum.to_string()));
        let back = sum.minus(other).expect("a sum, and no difference");
        assert!(back.covers(one) && one.covers(back), "{one} + {other} - {other} is {back}");
        assert!(one.covers(other) || other.covers(one), "{one} and {other}");
    }
}

fn loose(json: &[u8]) {
    let read = serde_json::from_slice::<Loose<'_>>(json);
    if let Ok(value) = serde_json::from_slice::<Value>(json) {
        let alike = match (&value, read.as_ref().expect("JSON that is no value")) {
            (Value::Null, Loose::Absent) => true,
            (Value::String(text), Loose::Text(read)) => text == read,
            (Value::Number(number), Loose::Whole(read)) => number.as_u64() == Some(*read),
            (Value::Number(number), Loose::OtherNumber) => number.as_u64().is_none(),
            (Value::Bool(flag), Loose::Flag(read)) => flag == read,
            (Value::Array(_) | Value::Object(_), Loose::Nested) => true,
            _ => false,
        };
        assert!(alike, "{value} was read as {read:?}");
        let list: List<Loose<'_>> = serde_json::from_slice(json).expect("JSON that is no list and no other");
        match field::items(PLACE, &list) {
            Ok(items) => {
                assert_eq!(items.map(<[_]>::len), value.as_array().map(Vec::len));
                items.into_iter().flatten().for_each(as_field);
            }
            Err(problem) => assert!(!value.is_array() && !value.is_null() && problem.code == "field-unexpected"),
        }
    }
    if let Ok(read) = &read {
        as_field(read);
    }
    if let Ok(written) = serde_json::from_slice::<Written<'_>>(json)
        && let Some(amount) = written.amount()
    {
        let digits = amount.to_string();
        assert!(digits.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte)), "{digits}");
    }
}

fn as_field(value: &Loose<'_>) {
    let field = Field::new(PLACE, value);
    let text = judged(value, field.text());
    let id = judged(value, field.id());
    assert!(id.as_ref().is_none_or(|id| id.len() <= LONGEST_ID && !id.trim().is_empty() && text.as_ref() == Some(id)));
    if let Some(count) = judged(value, field.count()) {
        assert_eq!(judged(value, field.whole()), Some(u64::from(count)));
    }
    if let Some(whole) = judged(value, field.whole()) {
        let digits = text.as_deref().unwrap_or_default();
        assert_eq!(digits.trim_start_matches('0'), if whole == 0 { String::new() } else { whole.to_string() });
    }
    judged(value, field.flag());
    if let Some(moment) = judged(value, field.moment()) {
        assert_eq!(Some(moment), text.as_deref().and_then(Moment::parse));
    }
    if let Some(amount) = judged(value, field.amount()) {
        let read = Amount::parse(&amount).unwrap_or_else(|| panic!("{amount} is an amount and none"));
        assert!(read.covers(Amount::ZERO), "{amount}");
    }
    if let Some(currency) = judged(value, field.currency()) {
        assert!(currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_alphabetic()));
    }
}

/// The value, if there is one. A refusal names the place and never the value.
fn judged<T>(value: &Loose<'_>, read: Result<Option<T>>) -> Option<T> {
    let problem: Problem = match read {
        Ok(read) => return read,
        Err(problem) => problem,
    };
    assert_eq!(problem.code, "field-unexpected");
    assert!(problem.message.contains(PLACE), "{problem}");
    if let Loose::Text(text) = value
        && text.trim().len() >= 4
        && text.contains(['@', '{', '}', '[', ']', '#', '$', '%', '~'])
    {
        assert!(!problem.to_string().contains(text.trim()), "the value shows in {problem}");
    }
    None
}
