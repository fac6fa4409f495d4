//! Owns the views of single enrollments and of one account's: reading, enrolling, changing, and the two small views
//! beside them; must never decide what an enrollment call does.

use serde_json::{Value, json};

use super::answer::Answer;
use super::authenticate::Credentials;
use super::gate::{Data, Errors, Parsers, Permission, View};
use super::request::Request;
use crate::clock::wire;
use crate::model::Model;
use crate::model::course_key::CourseKey;
use crate::model::enroll::{Caller, Outcome};
use crate::model::records::{Course, Enrollment, Mode};
use crate::python;
use crate::site::Site;

const COLLECTION: View = View {
    name: "Enrollment List",
    allow: "GET, POST, HEAD, OPTIONS",
    credentials: Credentials::Any,
    permission: Permission::ApiKeyOrAuthenticated,
    throttled: true,
    errors: Errors::Detail,
    parsers: Parsers::JsonAndForms,
};
const ONE: View = View { name: "Enrollment", allow: "GET, HEAD, OPTIONS", ..COLLECTION };
const ROLES: View = View { name: "Enrollment User Roles", ..ONE };
const UNENROLL: View = View {
    name: "Unenrollment",
    allow: "POST, OPTIONS",
    credentials: Credentials::Signed,
    permission: Permission::Superuser,
    throttled: false,
    ..COLLECTION
};

/// `enrollment`: a learner's enrollments, or a new one.
pub(super) fn collection(site: &mut Site, request: &Request) -> Answer {
    COLLECTION.run(site, request, |site, caller| match request.method.as_str() {
        "POST" => post(site, request, caller),
        _ => of_one_account(site, request, caller),
    })
}

/// `enrollment/{username},{course}` and `enrollment/{course}`.
pub(super) fn one(site: &mut Site, request: &Request, username: Option<&str>, course: &str) -> Answer {
    ONE.run(site, request, |site, caller| {
        let own_name = site.model.username(caller);
        let username = username.unwrap_or(&own_name);
        if username != own_name && !caller.api_key && !site.model.is_staff(caller) {
            return Answer::empty(404);
        }
        let Ok(key) = CourseKey::parse(course) else { return Answer::crash() };
        let row = site.model.user_by_name(username).and_then(|user| site.model.enrollment(user.id, &key));
        match row {
            Some(row) => Answer::json(200, enrollment(site, row)),
            None => Answer::empty(200),
        }
    })
}

fn of_one_account(site: &mut Site, request: &Request, caller: Caller) -> Answer {
    let own_name = site.model.username(caller);
    let username = request.query("user").unwrap_or_else(|| own_name.clone());
    let superuser = caller.user.and_then(|id| site.model.user(id)).is_some_and(|user| user.superuser);
    let sees = username == own_name || caller.api_key || superuser || site.model.is_staff(caller);
    // Without the right to see them, only the caller's own courses would be left, and nobody teaches here.
    let rows = if sees { site.model.active_enrollments(&username) } else { Vec::new() };
    Answer::json(200, rows.iter().map(|row| enrollment(site, row)).collect())
}

fn post(site: &mut Site, request: &Request, caller: Caller) -> Answer {
    let body = match COLLECTION.data(request) {
        Ok(Data::Json(body)) => body,
        // A form cannot carry the nested object: its text in that place makes the view fall over.
        Ok(Data::Form(pairs)) => {
            pairs.into_iter().map(|(key, value)| (key, Value::String(value))).collect::<serde_json::Map<_, _>>().into()
        }
        Err(answer) => return answer,
    };
    let outcome = site.model.enroll(caller, &body, site.now);
    match outcome {
        Outcome::Enrollment(row) => Answer::json(200, enrollment(site, &row)),
        other => refusal(other, site),
    }
}

fn refusal(outcome: Outcome, site: &Site) -> Answer {
    match outcome {
        Outcome::Enrollment(row) => Answer::json(200, enrollment(site, &row)),
        Outcome::Hidden => Answer::empty(404),
        Outcome::NoCourseId => Answer::message(400, "Course ID must be specified to create a new enrollment."),
        Outcome::NoSuchCourse(course) => Answer::message(400, format!("No course '{course}' found for enrollment")),
        Outcome::NoSuchUser(username) => Answer::message(406, format!("The user {username} does not exist.")),
        Outcome::NoSuchEmail(email) => {
            Answer::message(406, format!("The user with the email address {email} does not exist."))
        }
        Outcome::ModeForbidden(mode) => {
            Answer::message(403, format!("User does not have permission to create enrollment with mode [{mode}]."))
        }
        Outcome::BadIsActive(value) => {
            Answer::message(400, format!("'{value}' is an invalid enrollment activation status."))
        }
        Outcome::BadForce(value) => Answer::message(400, format!("'{value}' is an invalid force enrollment status.")),
        Outcome::ModeMismatch { active, requested } => Answer::message(
            400,
            format!("Enrollment mode mismatch: active mode={active}, requested mode={requested}. Won't deactivate."),
        ),
        Outcome::ModeUnavailable { mode, requested, course, modes } => {
            let message =
                format!("The [{mode}] course mode is expired or otherwise unavailable for course run [{requested}].");
            Answer::json(400, json!({"message": message, "course_details": course_details(&course, &modes)}))
        }
        Outcome::MissingAttributes(mode) => Answer::message(
            400,
            format!("Missing enrollment attributes: requested mode={mode} required attributes=['credit:provider_id']"),
        ),
        Outcome::BadAttribute(message) => Answer::json(400, json!({"message": message, "localizedMessage": message})),
        Outcome::NoSuchCohort(cohort) => {
            Answer::message(400, format!("An error occured while adding to cohort [{cohort}]"))
        }
        Outcome::Refused { username, course } => Answer::message(
            400,
            format!(
                "An error occurred while creating the new course enrollment for user '{username}' in course '{course}'"
            ),
        ),
        Outcome::Crash => Answer::crash(),
    }
}

/// An enrollment as every view but the staff list shows it.
fn enrollment(site: &Site, row: &Enrollment) -> Value {
    let details = site.model.course(&row.course).map(|course| {
        let modes = site.model.modes(course, false, site.now);
        course_details(course, &modes)
    });
    json!({
        "created": wire(row.created),
        "mode": row.mode,
        "is_active": row.is_active,
        "course_details": details,
        "user": site.model.user(row.user).map(|user| user.username.as_str()),
    })
}

/// A course with the modes that are to be shown.
pub(super) fn course_details(course: &Course, modes: &[Mode]) -> Value {
    json!({
        "course_id": course.key.as_str(),
        "course_name": course.name,
        "enrollment_start": course.enrollment_start.map(wire),
        "enrollment_end": course.enrollment_end.map(wire),
        "course_start": course.start.map(wire),
        "course_end": course.end.map(wire),
        "invite_only": course.invitation_only,
        "course_modes": modes.iter().map(|mode| json!({
            "slug": mode.slug,
            "name": mode.name,
            "min_price": mode.price,
            "suggested_prices": "",
            "currency": mode.currency,
            "expiration_datetime": mode.expires.map(wire),
            "description": null,
            "sku": mode.sku,
            "bulk_sku": null,
        })).collect::<Vec<_>>(),
        "pacing_type": if course.self_paced { "Self Paced" } else { "Instructor Paced" },
    })
}

/// `roles/`: nobody has a role in a course here, so only the flag says something.
pub(super) fn roles(site: &mut Site, request: &Request) -> Answer {
    ROLES.run(site, request, |site, caller| match caller.user {
        Some(_) => Answer::json(200, json!({"roles": [], "is_staff": site.model.is_staff(caller)})),
        // The quote that would close the empty name is missing in the LMS too.
        None => Answer::message(400, "An error occurred while retrieving roles for user '"),
    })
}

/// `unenroll/`: takes a retiring account out of all its courses.
pub(super) fn unenroll_everywhere(site: &mut Site, request: &Request) -> Answer {
    UNENROLL.run(site, request, |site, _| {
        let body = match UNENROLL.data(request) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let username = match body.get("username") {
            Ok(Some(username)) => python::text(&username),
            Ok(None) => return Answer::json(404, json!("Username not specified.")),
            Err(_) => return Answer::crash(),
        };
        let retiring = site.model.user_by_name(&username).is_some_and(|user| user.retirement.is_some());
        if !retiring {
            return Answer::json(404, json!("No retirement request status for username."));
        }
        let courses = courses_of(&site.model, &username);
        if courses.is_empty() {
            return Answer::empty(204);
        }
        let mut organisations: Vec<String> = Vec::new();
        for course in &courses {
            if site.model.unenroll(&username, course.as_str()).is_err() {
                return Answer::crash();
            }
            if !organisations.iter().any(|known| known == course.org()) {
                organisations.push(course.org().to_owned());
            }
        }
        Answer::json(200, json!(organisations))
    })
}

fn courses_of(model: &Model, username: &str) -> Vec<CourseKey> {
    model.active_enrollments(username).into_iter().map(|row| row.course).collect()
}
