//! Blanking: what is named is gone, what is not named is there, and once is enough.

use bursar_domain::{AdapterName, Request, Timestamp};
use bursar_sandbox::{BLANK, Description, SettingsSchema, redact as blank};
use bytes::Bytes;
use serde_json::{Value, value::RawValue};

use crate::parts::{Parts, holds};

/// A header that is there and that no description names.
const OTHER: &str = "x-other";

/// What must be gone.
const MARK: &str = "M4RK-that-must-go";

/// Bytes are pointers by lines, a header's name, members before and members behind a member that must go, and a body.
pub fn redact(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let pointers: Vec<String> = parts.text().lines().filter(|line| is_pointer(line)).map(str::to_owned).collect();
    let header = parts.text().to_ascii_lowercase();
    let (before, behind) = (parts.next(), parts.next());
    let body = parts.rest();
    described(&pointers, &header, body);
    planted(before, behind);
}

/// As the description of an adapter demands it.
fn is_pointer(line: &str) -> bool {
    line.starts_with('/')
        && line.len() <= 255
        && line.split('~').skip(1).all(|after| after.starts_with('0') || after.starts_with('1'))
}

fn described(pointers: &[String], header: &str, body: &[u8]) {
    let description = description(pointers.to_vec(), header);
    let request = request(header, body);
    let blanked = blank(&description, &request);
    assert_eq!(blank(&description, &blanked), blanked, "blanking twice is another thing");
    for ((name, value), (_, came)) in blanked.headers.iter().zip(&request.headers) {
        let named = name == header && header != OTHER;
        assert_eq!(value, if named { BLANK.as_bytes() } else { came.as_ref() }, "{name}");
    }
    let (Ok(mut expected), Ok(found)) =
        (serde_json::from_slice::<Value>(body), serde_json::from_slice::<Value>(&blanked.body))
    else {
        assert!(serde_json::from_slice::<Value>(body).is_err(), "what was JSON is none any more");
        return;
    };
    // The shortest first: what lies deeper is gone with it.
    let mut pointers: Vec<_> = pointers.iter().collect();
    pointers.sort_by_key(|pointer| pointer.len());
    for pointer in pointers {
        if let Some(value) = expected.pointer_mut(pointer) {
            *value = Value::from(BLANK);
        }
    }
    assert_eq!(found, expected, "other parts were blanked than were named");
}

/// A member between others, whatever these are, so long as the whole is an object.
fn planted(before: &[u8], behind: &[u8]) {
    let object = |members: &[&[u8]]| [b"{".as_slice(), &members.concat(), b"}"].concat();
    let is_object = |bytes: &[u8]| {
        // Readers differ in what they make of bytes that are no text, and of halves of characters; each finds the member.
        serde_json::from_str::<&RawValue>(&String::from_utf8_lossy(bytes)).is_ok()
    };
    if holds(before, MARK.as_bytes()) || holds(behind, MARK.as_bytes()) {
        return;
    }
    let alone = is_object(&object(&[before, b"\"\":0"])) && is_object(&object(&[b"\"\":0", behind]));
    // That both are lists of members by themselves.
    let closed = |bytes: &[u8]| bytes.is_empty() || is_object(&object(&[bytes.strip_suffix(b",").unwrap_or(bytes)]));
    let opened = |bytes: &[u8]| bytes.is_empty() || is_object(&object(&[bytes.strip_prefix(b",").unwrap_or(bytes)]));
    if !alone || !closed(before) || !opened(behind) {
        return;
    }
    let member = format!("\"key\":{{\"deep\":[\"{MARK}\"]}}");
    for (pointer, body) in [
        ("/key", object(&[before, member.as_bytes(), behind])),
        ("/key/deep/0", object(&[before, member.as_bytes(), behind])),
        ("/list/0/key", object(&[b"\"list\":[", &object(&[before, member.as_bytes(), behind]), b"]"])),
    ] {
        let blanked = blank(&description(vec![pointer.to_owned()], ""), &request("", &body));
        assert!(!holds(&blanked.body, MARK.as_bytes()), "{pointer} was left in {}", body.escape_ascii());
    }
}

fn request(header: &str, body: &[u8]) -> Request {
    let headers = [header, OTHER].map(|name| (name.to_owned(), Bytes::from_static(b"value")));
    Request {
        method: "POST".to_owned(),
        path: "/path".to_owned(),
        query: "query".to_owned(),
        headers: headers.into(),
        body: Bytes::copy_from_slice(body),
        received_at: Timestamp::from_millis(0),
    }
}

fn description(redact_body: Vec<String>, header: &str) -> Description {
    let redact_headers = if header == OTHER { Vec::new() } else { vec![header.to_owned()] };
    Description {
        platform: AdapterName::parse("shop").unwrap(),
        version: "1.0.0".to_owned(),
        topics: Vec::new(),
        secrets: Vec::new(),
        optional_secrets: Vec::new(),
        optional_permissions: Default::default(),
        key_sets: Vec::new(),
        settings: SettingsSchema::none(),
        redact_headers,
        redact_body,
        redact_address: false,
        documents: Vec::new(),
    }
}
