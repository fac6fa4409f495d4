//! Owns `course/{id}`, the public and briefly remembered view of a course; must never look at credentials.

use super::answer::Answer;
use super::authenticate::Credentials;
use super::enrollment::course_details;
use super::gate::{Errors, Parsers, Permission, View};
use super::request::Request;
use crate::model::course_key::CourseKey;
use crate::site::Site;

const VIEW: View = View {
    name: "Enrollment Course Detail",
    allow: "GET, HEAD, OPTIONS",
    credentials: Credentials::Ignored,
    permission: Permission::Anyone,
    throttled: true,
    errors: Errors::Detail,
    parsers: Parsers::JsonAndForms,
};

pub(super) fn answer(site: &mut Site, request: &Request, course: &str) -> Answer {
    VIEW.run(site, request, |site, _| {
        let Ok(key) = CourseKey::parse(course) else { return Answer::crash() };
        // Whatever is written behind the equals sign switches it on.
        let include_expired = request.query("include_expired").is_some_and(|value| !value.is_empty());
        if let Some(remembered) = site.remembered_course(&key, include_expired) {
            return Answer::json(200, remembered);
        }
        let Some(found) = site.model.course(&key) else {
            return Answer::message(400, format!("No course found for course ID '{course}'"));
        };
        let details = course_details(found, &site.model.modes(found, include_expired, site.now));
        site.remember_course(&key, include_expired, &details);
        Answer::json(200, details)
    })
}
