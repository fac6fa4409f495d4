//! Blanking what must not be stored: headers, parts of a JSON body, the address.
//!
//! Owns the replacement. Everything else stays byte for byte: the body is cut and pasted, not parsed and written again,
//! because numbers and the order of members would not survive that.

use std::{borrow::Cow, fmt, ops::Range};

pub use bursar_domain::request::BLANK;
use bursar_domain::{Request, request::BLANK_PATH};
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::description::Description;

/// [`BLANK`] as a JSON value.
const BLANK_JSON: &[u8] = b"\"***\"";

/// What some senders begin a text with. Some readers of JSON pass over it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The request as it may be stored: the description's headers, and parts of its body, read [`BLANK`]. A body that is not
/// JSON has no such parts and stays as it is; one that only a lenient reader takes for JSON has them.
#[must_use]
pub fn redact(description: &Description, request: &Request) -> Request {
    let mut redacted = request.clone();
    for (name, value) in &mut redacted.headers {
        if description.redact_headers.iter().any(|blanked| name.eq_ignore_ascii_case(blanked)) {
            *value = Bytes::from_static(BLANK.as_bytes());
        }
    }
    if description.redact_address {
        BLANK_PATH.clone_into(&mut redacted.path);
        redacted.query.clear();
    }
    if !description.redact_body.is_empty()
        && let Some(body) = blank_body(&request.body, &description.redact_body)
    {
        redacted.body = body;
    }
    redacted
}

fn blank_body(body: &[u8], pointers: &[String]) -> Option<Bytes> {
    let text = &legible(body);
    let root: &RawValue = serde_json::from_str(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)).ok()?;
    let pointers: Vec<Vec<String>> = pointers
        .iter()
        .map(|pointer| pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
        .collect();
    let pointers: Vec<&[String]> = pointers.iter().map(Vec::as_slice).collect();
    let mut places = Vec::new();
    find(root, &pointers, text, &mut places);
    places.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
    let mut blanked = Vec::with_capacity(body.len());
    let mut done = 0;
    for place in places {
        // What lies within a part that was blanked already is gone.
        if place.start < done {
            continue;
        }
        blanked.extend_from_slice(body.get(done..place.start)?);
        blanked.extend_from_slice(BLANK_JSON);
        done = place.end;
    }
    if done == 0 {
        return None;
    }
    blanked.extend_from_slice(body.get(done..)?);
    Some(blanked.into())
}

/// The body as text of the same length. Readers pass over bytes that are no text where they do not look, so these must not keep
/// what stands beside them from being found.
fn legible(body: &[u8]) -> Cow<'_, str> {
    let mut text = Cow::Borrowed("");
    for chunk in body.utf8_chunks() {
        text += chunk.valid();
        if !chunk.invalid().is_empty() {
            text.to_mut().extend(chunk.invalid().iter().map(|_| '?'));
        }
    }
    text
}

/// Collects where the values at these pointers stand; several where a member is repeated. Each object is read once, however
/// many pointers lead into it.
fn find(value: &RawValue, pointers: &[&[String]], text: &str, places: &mut Vec<Range<usize>>) {
    let json = value.get();
    if pointers.iter().any(|pointer| pointer.is_empty()) {
        let start = (json.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        // What lies deeper goes with it.
        places.push(start..start + json.len());
        return;
    }
    let steps = pointers.iter().filter_map(|pointer| pointer.split_first());
    if json.starts_with('{') {
        let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(json) else { return };
        for (name, member) in &members {
            // A name with half a character in it is none that a pointer could name.
            let Ok(name) = serde_json::from_str::<Cow<'_, str>>(name.get()) else { continue };
            let below: Vec<&[String]> =
                steps.clone().filter(|(token, _)| name == token.as_str()).map(|(_, rest)| rest).collect();
            if !below.is_empty() {
                find(member, &below, text, places);
            }
        }
    } else if json.starts_with('[') {
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json) else { return };
        for (token, rest) in steps {
            let index = token.parse::<usize>().ok().filter(|index| &index.to_string() == token);
            if let Some(item) = index.and_then(|index| items.get(index)) {
                find(item, &[rest], text, places);
            }
        }
    }
}

/// Members of an object, repeated ones repeated: a map would keep the last and leave the first readable. Names as they are
/// written, so that one which does not read does not hide the others.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Vec<(&'de RawValue, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Visitor).map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanked(body: &str, pointers: &[&str]) -> Option<String> {
        let pointers: Vec<_> = pointers.iter().map(|pointer| (*pointer).to_owned()).collect();
        blank_body(body.as_bytes(), &pointers).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn everything_else_stays_byte_for_byte() {
        let body =
            "{ \"z\": 1.00, \"key\" : {\"a\":[1, \"s\\u0065cret\"]},\n\"a\":2 , \"big\":12345678901234567890123 }";
        assert_eq!(
            blanked(body, &["/key/a/1"]).unwrap(),
            "{ \"z\": 1.00, \"key\" : {\"a\":[1, \"***\"]},\n\"a\":2 , \"big\":12345678901234567890123 }"
        );
    }

    #[test]
    fn nested_and_repeated_parts_are_blanked_once_and_all() {
        assert_eq!(
            blanked(r#"{"a":{"b":1},"a":{"b":2},"c":3}"#, &["/a/b", "/a", "/c"]).unwrap(),
            r#"{"a":"***","a":"***","c":"***"}"#
        );
    }

    #[test]
    fn escapes_of_pointers_and_members_are_understood() {
        assert_eq!(blanked(r#"{"a/b":{"m~n":1}}"#, &["/a~1b/m~0n"]).unwrap(), r#"{"a/b":{"m~n":"***"}}"#);
        assert_eq!(blanked(r#"{"k\u0065y":1}"#, &["/key"]).unwrap(), r#"{"k\u0065y":"***"}"#);
    }

    #[test]
    fn bytes_that_are_no_text_hide_nothing_beside_them() {
        let blanked = |body: &[u8]| blank_body(body, &["/key".to_owned()]).unwrap();
        assert_eq!(blanked(b"{\"x\":\"\xff\xc3\",\"key\":1}"), b"{\"x\":\"\xff\xc3\",\"key\":\"***\"}".as_slice());
        assert_eq!(blanked(b"\xef\xbb\xbf{\"key\":1}"), b"\xef\xbb\xbf{\"key\":\"***\"}".as_slice());
    }

    #[test]
    fn half_a_character_in_a_name_hides_nothing_beside_it() {
        let body = r#"{"\ud800":1,"a":{"\udfff":[],"key":1}}"#;
        assert_eq!(blanked(body, &["/a/key"]).unwrap(), r#"{"\ud800":1,"a":{"\udfff":[],"key":"***"}}"#);
    }

    #[test]
    fn what_does_not_match_changes_nothing() {
        for body in ["", "a=b&c=d", r#"{"a":1}"#, "[1]", "\u{0}"] {
            assert_eq!(blanked(body, &["/b", "/01", "/a/b"]), None, "{body}");
        }
    }
}
