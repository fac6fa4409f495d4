//! Owns the HTTP surface of the simulated LMS: one request in, one answer out; must never hold state of its own.

mod accounts;
mod allowed;
pub(crate) mod answer;
mod authenticate;
mod catalogue;
mod course;
mod enrollment;
mod enrollments;
mod gate;
mod registration;
pub(crate) mod request;
pub(crate) mod route;
mod token;

use answer::Answer;
use request::Request;
use route::Route;

use crate::site::Site;

/// Answers a request as the LMS does.
pub(crate) fn answer(site: &mut Site, request: &Request) -> Answer {
    let Some(route) = Route::of(&request.path) else {
        if !request.path.ends_with('/') && Route::of(&format!("{}/", request.path)).is_some() {
            return Answer::missing_slash(request);
        }
        return Answer::page(404, "Page not found");
    };
    match route {
        Route::Token => token::answer(site, request),
        Route::Enrollment => enrollment::collection(site, request),
        Route::OneEnrollment { username, course } => enrollment::one(site, request, username.as_deref(), &course),
        Route::Enrollments => enrollments::answer(site, request),
        Route::Course { course } => course::answer(site, request, &course),
        Route::Allowed => allowed::answer(site, request),
        Route::Unenroll => enrollment::unenroll_everywhere(site, request),
        Route::Roles => enrollment::roles(site, request),
        Route::Me => accounts::me(site, request),
        Route::Accounts => accounts::list(site, request),
        Route::SearchEmails => accounts::search_emails(site, request),
        Route::Account { username } => accounts::one(site, request, &username),
        Route::Registration => registration::answer(site, request),
        Route::CourseModes { course } => catalogue::modes(site, request, &course),
        Route::CourseMode { course, slug } => catalogue::mode(site, request, &course, &slug),
        Route::Courses => catalogue::list(site, request),
        Route::CourseDetail { course } => catalogue::detail(site, request, &course),
        Route::Entitlements => catalogue::entitlements(site, request),
    }
}
