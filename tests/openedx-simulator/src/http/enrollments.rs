//! Owns `enrollments`, the list of all enrollments for staff; must never sort or filter by itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::authenticate::Credentials;
use super::gate::{Errors, Parsers, Permission, View};
use super::request::{Request, escaped};
use crate::clock::wire;
use crate::model::course_key::CourseKey;
use crate::model::listing::{Cursor, Filter};
use crate::model::registration::{USERNAME_LETTERS, is_username};
use crate::site::Site;

const VIEW: View = View {
    name: "Course Enrollments Api List",
    allow: "GET, HEAD, OPTIONS",
    credentials: Credentials::Any,
    permission: Permission::Staff,
    throttled: true,
    errors: Errors::DeveloperMessage,
    parsers: Parsers::JsonAndForms,
};

/// Rows on a page, whether none were asked for or too many.
const PAGE_SIZE: usize = 100;
/// Values one filter takes.
const MAX_VALUES: usize = 100;

pub(super) fn answer(site: &mut Site, request: &Request) -> Answer {
    VIEW.run(site, request, |site, _| {
        let filter = match filter(request) {
            Ok(filter) => filter,
            Err(field_errors) => return Answer::json(400, json!({"field_errors": field_errors})),
        };
        let cursor = match request.query("cursor").map(|cursor| read_cursor(&cursor)) {
            None => Cursor::default(),
            Some(Ok(cursor)) => cursor,
            Some(Err(BadCursor::Unreadable)) => return VIEW.error(404, "Invalid cursor".into()),
            Some(Err(BadCursor::Position(position))) => {
                let complaint = format!(
                    "“{position}” value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format."
                );
                return VIEW.error(400, complaint.into());
            }
        };
        let asked = request.query("page_size").and_then(|size| size.trim().parse::<usize>().ok());
        let size = asked.filter(|size| *size > 0).unwrap_or(PAGE_SIZE).min(PAGE_SIZE);
        let page = site.model.page(&filter, &cursor, size);
        let link =
            |cursor: &Option<Cursor>| cursor.as_ref().map(|cursor| request.link("cursor", Some(&write_cursor(cursor))));
        let results: Vec<Value> = page
            .rows
            .iter()
            .map(|row| {
                json!({
                    "created": wire(row.created),
                    "mode": row.mode,
                    "is_active": row.is_active,
                    "user": site.model.user(row.user).map(|user| user.username.as_str()),
                    "course_id": row.course.as_str(),
                })
            })
            .collect();
        Answer::json(200, json!({"next": link(&page.next), "previous": link(&page.previous), "results": results}))
    })
}

fn filter(request: &Request) -> Result<Filter, Value> {
    let mut filter = Filter::default();
    let mut errors = Map::new();
    let mut complain = |field: &str, complaint: String| {
        errors.insert(field.to_owned(), json!({"developer_message": complaint}));
    };
    let field = |name: &str| request.query(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    if let Some(course) = field("course_id") {
        match CourseKey::parse(&course) {
            Ok(key) => filter.course = Some(key.to_string()),
            Err(_) => complain("course_id", format!("'{course}' is not a valid course id.")),
        }
    }
    for (name, plural, into) in [
        ("course_ids", "course_ids", &mut filter.course_parts),
        ("username", "usernames", &mut filter.usernames),
        ("email", "emails", &mut filter.emails),
    ] {
        let Some(values) = field(name) else { continue };
        let values: Vec<String> = values.split(',').map(str::to_owned).collect();
        let count = values.len();
        if count > MAX_VALUES {
            let complaint =
                format!("Too many {plural} in a single request - {count}. A maximum of {MAX_VALUES} is allowed");
            complain(name, complaint);
        } else if name == "username" && !values.iter().all(|value| is_username(value)) {
            complain(name, USERNAME_LETTERS.to_owned());
        } else {
            *into = values;
        }
    }
    if errors.is_empty() { Ok(filter) } else { Err(Value::Object(errors)) }
}

enum BadCursor {
    Unreadable,
    Position(String),
}

fn read_cursor(text: &str) -> Result<Cursor, BadCursor> {
    let bytes = STANDARD.decode(text).map_err(|_| BadCursor::Unreadable)?;
    let inner = String::from_utf8(bytes).ok().filter(|inner| inner.is_ascii()).ok_or(BadCursor::Unreadable)?;
    let mut cursor = Cursor::default();
    for (key, value) in inner.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned();
        match key {
            "o" => cursor.offset = value.parse().map_err(|_| BadCursor::Unreadable)?,
            "r" => cursor.reverse = value.parse::<i64>().map_err(|_| BadCursor::Unreadable)? != 0,
            "p" => cursor.position = Some(value.parse::<Timestamp>().map_err(|_| BadCursor::Position(value))?),
            _ => {}
        }
    }
    Ok(cursor)
}

fn write_cursor(cursor: &Cursor) -> String {
    let mut pairs = Vec::new();
    if cursor.offset > 0 {
        pairs.push(format!("o={}", cursor.offset));
    }
    if cursor.reverse {
        pairs.push("r=1".to_owned());
    }
    if let Some(position) = cursor.position {
        let micros = position.subsec_nanosecond() / 1000;
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        let text = format!("{}{fraction}+00:00", position.strftime("%Y-%m-%d %H:%M:%S"));
        pairs.push(format!("p={}", escaped(&text)));
    }
    STANDARD.encode(pairs.join("&"))
}
