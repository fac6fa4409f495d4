//! Owns the pages under `/_simulator/`, by which another process steers the simulator; must never answer what a client
//! of an LMS would ask.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::clock::wire;
use crate::fault::{Endpoint, Fault};
use crate::http::answer::Answer;
use crate::http::request::Request;
use crate::lms::{Core, Lms};
use crate::model::people::PeopleError;
use crate::site::Site;
use crate::snapshot::Snapshot;
use crate::state::State;

/// Where the pages are. No LMS has anything there.
const PREFIX: &str = "/_simulator/";

#[derive(Debug, Deserialize)]
struct Person {
    username: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    course: String,
    #[serde(default)]
    activate: bool,
    #[serde(default)]
    staff: Option<bool>,
    #[serde(default)]
    active: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Run {
    course: String,
    #[serde(default)]
    mode: String,
}

#[derive(Debug, Deserialize)]
struct Advance {
    advance_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Fault),
    Many(Vec<Fault>),
}

/// Answers a request to a control page; `None` when it is for the LMS.
pub(crate) fn answer(lms: &Lms, request: &Request) -> Option<Answer> {
    let page = request.path.strip_prefix(PREFIX)?;
    let page = page.trim_end_matches('/');
    Some(handle(lms, request, page).unwrap_or_else(|complaint| Answer::json(400, json!({"error": complaint}))))
}

fn handle(lms: &Lms, request: &Request, page: &str) -> Result<Answer, String> {
    let ok = |body: Value| Ok(Answer::json(200, body));
    match (request.method.as_str(), page) {
        ("GET", "health") => ok(json!({"ok": true})),
        ("GET", "clock") => ok(json!({"now": wire(lms.clock().now())})),
        ("POST", "clock") => {
            let Advance { advance_seconds } = body(request)?;
            lms.clock().advance(Duration::from_secs(advance_seconds));
            ok(json!({"now": wire(lms.clock().now())}))
        }
        ("GET", "faults") => ok(json!(lms.lock().faults.list())),
        ("POST", "faults") => {
            let faults = match body(request)? {
                OneOrMany::One(fault) => vec![fault],
                OneOrMany::Many(faults) => faults,
            };
            let mut core = lms.lock();
            faults.into_iter().for_each(|fault| core.faults.add(fault));
            Ok(Answer::json(201, json!(core.faults.list())))
        }
        ("DELETE", "faults") => {
            lms.lock().faults.clear();
            ok(json!([]))
        }
        ("GET", "requests") => {
            let wanted = match request.query("endpoint") {
                Some(name) => {
                    serde_json::from_value::<Endpoint>(Value::String(name)).map_err(|error| error.to_string())?
                }
                None => Endpoint::Any,
            };
            let core = lms.lock();
            ok(core.log.iter().filter(|line| wanted.covers(line.endpoint)).map(|line| json!(line)).collect())
        }
        ("DELETE", "requests") => {
            lms.lock().forget_requests();
            ok(json!([]))
        }
        ("GET", "state") => ok(json!(Snapshot::of(&lms.lock().site.model))),
        ("PUT" | "POST", "state") => {
            let state = State::from_json(&String::from_utf8_lossy(&request.body)).map_err(|error| chain(&error))?;
            reset(&mut lms.lock(), &state).map_err(|error| chain(&error))?;
            ok(json!({"ok": true}))
        }
        ("POST", "tokens/revoke") => {
            lms.lock().site.model.tokens.revoke_all();
            ok(json!({"ok": true}))
        }
        ("POST", page) => match page.split_once('/') {
            Some(("people", action)) => people(&mut lms.lock(), action, &body(request)?),
            Some(("courses", action)) => courses(&mut lms.lock(), action, &body(request)?),
            _ => Ok(unknown()),
        },
        _ => Ok(unknown()),
    }
}

/// Starts the site afresh in another state, with empty throttles; faults and the log stay.
pub(crate) fn reset(core: &mut Core, state: &State) -> Result<(), crate::state::StateError> {
    let model = state.build(core.site.now)?;
    core.site = Site::new(model, core.site.settings.clone(), core.site.now);
    Ok(())
}

fn people(core: &mut Core, action: &str, person: &Person) -> Result<Answer, String> {
    let now = core.site.now;
    let model = &mut core.site.model;
    let username = person.username.as_str();
    let needed = |value: &Option<String>| value.clone().ok_or_else(|| "email is missing".to_owned());
    match action {
        "register" => {
            let name = person.name.clone().unwrap_or_else(|| crate::python::title(username));
            let id =
                model.register(username, &needed(&person.email)?, &name, now).map_err(|error| error.to_string())?;
            if person.activate {
                model.activate(username, now).map_err(|error| error.to_string())?;
            }
            return Ok(Answer::json(201, json!({"user_id": id})));
        }
        "activate" => model.activate(username, now),
        "unenroll" => model.unenroll(username, &person.course),
        "staff" | "active" => model.set_flags(username, person.staff, person.active),
        "retire" => model.retire(username, now),
        "email" => model.change_email(username, &needed(&person.email)?),
        _ => return Ok(unknown()),
    }
    .map_err(|error: PeopleError| error.to_string())?;
    Ok(Answer::json(200, json!({"ok": true})))
}

fn courses(core: &mut Core, action: &str, run: &Run) -> Result<Answer, String> {
    let now = core.site.now;
    let model = &mut core.site.model;
    match action {
        "expire_mode" => model.expire_mode(&run.course, &run.mode, now),
        "close" => model.set_window_open(&run.course, false, now),
        "open" => model.set_window_open(&run.course, true, now),
        _ => return Ok(unknown()),
    }
    .map_err(|error| error.to_string())?;
    Ok(Answer::json(200, json!({"ok": true})))
}

fn unknown() -> Answer {
    Answer::json(404, json!({"error": "there is no such control page"}))
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, String> {
    serde_json::from_slice(&request.body).map_err(|error| error.to_string())
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
