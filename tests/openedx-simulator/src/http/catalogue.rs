//! Owns the views of the catalogue: modes with prices, courses, and the empty list of entitlements; must never change a
//! course.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::authenticate::Credentials;
use super::gate::{Errors, Parsers, Permission, View};
use super::request::{Request, escaped};
use crate::clock::wire;
use crate::model::course_key::CourseKey;
use crate::model::enroll::Caller;
use crate::model::fold;
use crate::model::records::{Course, Mode};
use crate::site::Site;

const MODES: View = View {
    name: "Course Modes",
    allow: "GET, POST, HEAD, OPTIONS",
    credentials: Credentials::Any,
    permission: Permission::Staff,
    throttled: false,
    errors: Errors::Detail,
    parsers: Parsers::JsonAndForms,
};
const MODE: View = View {
    name: "Course Modes Detail",
    allow: "GET, PATCH, DELETE, HEAD, OPTIONS",
    parsers: Parsers::MergePatch,
    ..MODES
};
const COURSES: View = View {
    name: "Course List",
    allow: "GET, HEAD, OPTIONS",
    permission: Permission::Anyone,
    errors: Errors::DeveloperMessage,
    ..MODES
};
const DETAIL: View = View { name: "Course Detail", ..COURSES };
const ENTITLEMENTS: View =
    View { name: "Entitlement List", credentials: Credentials::Signed, permission: Permission::Authenticated, ..MODES };

/// Courses on a page unless more or fewer are asked for.
const PAGE_SIZE: usize = 10;
/// Most courses on a page.
const MAX_PAGE_SIZE: usize = 100;
/// The names of months as the LMS abbreviates them.
const MONTHS: [&str; 12] =
    ["Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."];

pub(super) fn modes(site: &mut Site, request: &Request, course: &str) -> Answer {
    MODES.run(site, request, |site, _| {
        let Ok(key) = CourseKey::parse(course) else { return Answer::crash() };
        if request.method == "POST" {
            return Answer::crash();
        }
        let modes = site.model.course(&key).map(|course| course.modes.as_slice()).unwrap_or_default();
        Answer::json(200, modes.iter().map(|mode| shown_mode(&key, mode)).collect())
    })
}

pub(super) fn mode(site: &mut Site, request: &Request, course: &str, slug: &str) -> Answer {
    MODE.run(site, request, |site, _| {
        let Ok(key) = CourseKey::parse(course) else { return Answer::crash() };
        if request.method == "PATCH" || request.method == "DELETE" {
            return Answer::crash();
        }
        let course = site.model.course(&key);
        match course.and_then(|course| course.modes.iter().find(|mode| mode.slug == slug)) {
            Some(mode) => Answer::json(200, shown_mode(&key, mode)),
            None => MODE.error(404, "No CourseMode matches the given query.".into()),
        }
    })
}

fn shown_mode(course: &CourseKey, mode: &Mode) -> Value {
    json!({
        "course_id": course.as_str(),
        "mode_slug": mode.slug,
        "mode_display_name": mode.name,
        "min_price": mode.price,
        "currency": mode.currency,
        "expiration_datetime": mode.expires.map(wire),
        "expiration_datetime_is_explicit": mode.expires.is_some(),
        "description": null,
        "sku": mode.sku,
        "bulk_sku": null,
    })
}

/// Whether the caller may look with the eyes of the account in the query.
fn viewpoint(site: &Site, request: &Request, caller: Caller, view: &View) -> Result<(), Answer> {
    let username = request.query("username").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    match username {
        None => Ok(()),
        Some(name) if name == site.model.username(caller) => Ok(()),
        Some(_) if !site.model.is_staff(caller) => {
            Err(view.error(403, "You do not have permission to perform this action.".into()))
        }
        Some(name) if site.model.user_by_name(&name).is_some() => Ok(()),
        Some(_) => Err(view.error(404, "User matching query does not exist.".into())),
    }
}

pub(super) fn detail(site: &mut Site, request: &Request, course: &str) -> Answer {
    DETAIL.run(site, request, |site, caller| {
        let Ok(key) = CourseKey::parse(course) else {
            let complaint = format!("'{course}' is not a valid course key.");
            return Answer::json(400, json!({"field_errors": {"course_key": {"developer_message": complaint}}}));
        };
        if let Err(answer) = viewpoint(site, request, caller, &DETAIL) {
            return answer;
        }
        let Some(course) = site.model.course(&key) else { return DETAIL.error(404, "Course not found.".into()) };
        let mut shown = shown_course(site, request, course);
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("overview".to_owned(), Value::Null);
        }
        Answer::json(200, shown)
    })
}

pub(super) fn list(site: &mut Site, request: &Request) -> Answer {
    COURSES.run(site, request, |site, caller| {
        if let Err(answer) = viewpoint(site, request, caller, &COURSES) {
            return answer;
        }
        let org = request.query("org").filter(|org| !org.is_empty());
        let active_only = request.query("active_only").is_some_and(|flag| matches!(fold(&flag).as_str(), "true" | "1"));
        let mut courses: Vec<&Course> = site
            .model
            .courses()
            .iter()
            .filter(|course| org.as_ref().is_none_or(|org| fold(org) == fold(course.key.org())))
            .filter(|course| !active_only || course.end.is_none_or(|end| end >= site.now))
            .collect();
        courses.sort_by_key(|course| course.key.clone());
        let asked = request.query("page_size").and_then(|size| size.parse::<usize>().ok()).filter(|size| *size > 0);
        let size = asked.unwrap_or(PAGE_SIZE).min(MAX_PAGE_SIZE);
        let pages = courses.len().div_ceil(size).max(1);
        let page = match request.query("page").as_deref() {
            None => Some(1),
            Some("last") => Some(pages),
            Some(page) => page.parse::<usize>().ok().filter(|page| (1..=pages).contains(page)),
        };
        let Some(page) = page else { return COURSES.error(404, "Invalid page.".into()) };
        let results: Vec<Value> = courses
            .iter()
            .skip((page - 1) * size)
            .take(size)
            .map(|course| shown_course(site, request, course))
            .collect();
        // The first page is the one without a number.
        let link = |page: usize| request.link("page", Some(page.to_string()).filter(|_| page > 1).as_deref());
        Answer::json(
            200,
            json!({
                "results": results,
                "pagination": {
                    "next": (page < pages).then(|| link(page + 1)),
                    "previous": (page > 1).then(|| link(page - 1)),
                    "count": courses.len(),
                    "num_pages": pages,
                },
            }),
        )
    })
}

fn shown_course(site: &Site, request: &Request, course: &Course) -> Value {
    let root = &site.settings.public_url;
    // The LMS makes an absolute address of an empty one, which is that of the request.
    let picture = format!("{root}{}", request.path);
    let key = course.key.as_str();
    json!({
        "blocks_url": format!("{root}/api/courses/v2/blocks/?course_id={}", escaped(key)),
        "effort": null,
        "end": course.end.map(wire),
        "enrollment_start": course.enrollment_start.map(wire),
        "enrollment_end": course.enrollment_end.map(wire),
        "id": key,
        "media": {
            "banner_image": {"uri": "", "uri_absolute": ""},
            "course_image": {"uri": ""},
            "course_video": {"uri": null},
            "image": {"raw": picture, "small": picture, "large": picture},
        },
        "name": course.name,
        "number": course.key.number(),
        "org": course.key.org(),
        "short_description": "",
        "start": course.start.map(wire),
        "start_display": course.start.map(day),
        "start_type": if course.start.is_some() { "timestamp" } else { "empty" },
        "pacing": if course.self_paced { "self" } else { "instructor" },
        "mobile_available": false,
        "hidden": false,
        "invitation_only": course.invitation_only,
        "course_id": key,
    })
}

fn day(at: Timestamp) -> String {
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let month = usize::try_from(date.month()).ok().and_then(|month| MONTHS.get(month.saturating_sub(1)));
    format!("{} {}, {}", month.copied().unwrap_or_default(), date.day(), date.year())
}

/// Nobody has an entitlement here.
pub(super) fn entitlements(site: &mut Site, request: &Request) -> Answer {
    ENTITLEMENTS.run(site, request, |_, _| {
        if request.method == "POST" {
            return Answer::crash();
        }
        Answer::json(
            200,
            json!({"next": null, "previous": null, "count": 0, "num_pages": 1, "current_page": 1, "start": 0, "results": []}),
        )
    })
}
