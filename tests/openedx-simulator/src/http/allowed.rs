//! Owns `enrollment_allowed/`; must never enroll anybody.

use serde_json::{Value, json};

use super::answer::Answer;
use super::authenticate::Credentials;
use super::gate::{Data, Errors, Parsers, Permission, View};
use super::request::Request;
use crate::clock::wire;
use crate::model::course_key::CourseKey;
use crate::model::fold;
use crate::model::records::Allowed;
use crate::python;
use crate::site::Site;

const VIEW: View = View {
    name: "Enrollment Allowed",
    allow: "GET, POST, DELETE, HEAD, OPTIONS",
    credentials: Credentials::Signed,
    permission: Permission::Staff,
    throttled: true,
    errors: Errors::Detail,
    parsers: Parsers::JsonAndForms,
};

pub(super) fn answer(site: &mut Site, request: &Request) -> Answer {
    VIEW.run(site, request, |site, caller| {
        if request.method != "POST" && request.method != "DELETE" {
            let own = caller.user.and_then(|id| site.model.user(id)).map(|user| user.email.clone());
            let email = request.query("email").filter(|email| !email.is_empty()).or(own).unwrap_or_default();
            let records = site.model.allowed.iter().filter(|record| fold(&record.email) == fold(&email));
            return Answer::json(200, records.map(shown).collect());
        }
        let data = match VIEW.data(request) {
            Ok(data) => data,
            Err(answer) => return answer,
        };
        change(site, request, &data)
    })
}

fn change(site: &mut Site, request: &Request, data: &Data) -> Answer {
    let (Ok(email), Ok(course), Ok(auto_enroll)) = (data.get("email"), data.get("course_id"), data.get("auto_enroll"))
    else {
        return Answer::crash();
    };
    let given = |value: Option<Value>| value.filter(python::truthy);
    let (Some(email), Some(course)) = (given(email), given(course)) else {
        return Answer::message(400, "Please provide a value for 'email' and 'course_id' in the request data.");
    };
    let email = python::text(&email);
    let Some(key) = course.as_str().and_then(|course| CourseKey::parse(course).ok()) else { return Answer::crash() };
    let known =
        site.model.allowed.iter().position(|record| record.course.is(&key) && fold(&record.email) == fold(&email));
    if request.method == "DELETE" {
        let Some(known) = known else {
            let message = format!("An enrollment allowed with email {email} and course {key} doesn't exists.");
            return Answer::message(404, message);
        };
        site.model.allowed.remove(known);
        return Answer::empty(204);
    }
    let auto_enroll = match auto_enroll.as_ref().map_or(Stored::Flag(false), column) {
        Stored::Flag(flag) => Some(flag),
        // The database refuses it with the same error as a duplicate, and the view does not look which.
        Stored::Null => None,
        Stored::Invalid => return Answer::crash(),
    };
    let Some(auto_enroll) = auto_enroll.filter(|_| known.is_none()) else {
        return Answer::message(
            409,
            format!("An enrollment allowed with email {email} and course {key} already exists."),
        );
    };
    let created = site.model.stamp(site.now);
    let record = Allowed { email, course: key, auto_enroll, user: None, created };
    let answer = Answer::json(201, shown(&record));
    site.model.allowed.push(record);
    answer
}

enum Stored {
    Flag(bool),
    Null,
    Invalid,
}

/// What a column for a flag makes of a value.
fn column(value: &Value) -> Stored {
    match value {
        Value::Null => Stored::Null,
        Value::Bool(flag) => Stored::Flag(*flag),
        Value::Number(number) if number.as_i64() == Some(0) => Stored::Flag(false),
        Value::Number(number) if number.as_i64() == Some(1) => Stored::Flag(true),
        Value::String(text) => match text.as_str() {
            "t" | "True" | "1" => Stored::Flag(true),
            "f" | "False" | "0" => Stored::Flag(false),
            _ => Stored::Invalid,
        },
        _ => Stored::Invalid,
    }
}

fn shown(record: &Allowed) -> Value {
    json!({
        "email": record.email,
        "course_id": record.course.as_str(),
        "auto_enroll": record.auto_enroll,
        "created": wire(record.created),
        "user": record.user,
    })
}
