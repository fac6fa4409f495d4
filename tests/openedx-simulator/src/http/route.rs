//! Owns which address belongs to which view, slash for slash; must never look at method or body.

/// The views of the LMS the simulator knows. Everything else is a page that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Token,
    Enrollment,
    OneEnrollment { username: Option<String>, course: String },
    Enrollments,
    Course { course: String },
    Allowed,
    Unenroll,
    Roles,
    Me,
    Accounts,
    SearchEmails,
    Account { username: String },
    Registration,
    CourseModes { course: String },
    CourseMode { course: String, slug: String },
    Courses,
    CourseDetail { course: String },
    Entitlements,
}

impl Route {
    /// The view at a decoded path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        if let Some(rest) = path.strip_prefix("/api/enrollment/v1/") {
            return Self::of_enrollment(rest);
        }
        if let Some(rest) = path.strip_prefix("/api/user/") {
            return Self::of_user(rest);
        }
        if let Some(rest) = path.strip_prefix("/api/course_modes/v1/courses/") {
            return Self::of_course_modes(rest);
        }
        if let Some(rest) = path.strip_prefix("/api/courses/v1/courses/") {
            return match rest {
                "" => Some(Self::Courses),
                rest => course_prefix(rest).map(|course| Self::CourseDetail { course }),
            };
        }
        match path {
            "/oauth2/access_token" | "/oauth2/access_token/" => Some(Self::Token),
            "/user_api/v1/account/registration/" | "/user_api/v2/account/registration/" => Some(Self::Registration),
            "/api/entitlements/v1/entitlements/" => Some(Self::Entitlements),
            _ => None,
        }
    }

    fn of_enrollment(rest: &str) -> Option<Self> {
        match rest {
            "enrollment" => return Some(Self::Enrollment),
            "enrollments" | "enrollments/" => return Some(Self::Enrollments),
            "enrollment_allowed/" => return Some(Self::Allowed),
            "unenroll/" => return Some(Self::Unenroll),
            "roles/" => return Some(Self::Roles),
            _ => {}
        }
        if let Some(course) = rest.strip_prefix("course/") {
            return is_course(course).then(|| Self::Course { course: course.to_owned() });
        }
        let rest = rest.strip_prefix("enrollment/")?;
        let named = rest.split_once(',').filter(|(username, course)| is_username(username) && is_course(course));
        if let Some((username, course)) = named {
            return Some(Self::OneEnrollment { username: Some(username.to_owned()), course: course.to_owned() });
        }
        is_course(rest).then(|| Self::OneEnrollment { username: None, course: rest.to_owned() })
    }

    fn of_user(rest: &str) -> Option<Self> {
        match rest {
            "v1/me" => Some(Self::Me),
            "v1/accounts" => Some(Self::Accounts),
            "v1/accounts/search_emails" => Some(Self::SearchEmails),
            "v1/account/registration/" | "v2/account/registration/" => Some(Self::Registration),
            rest => {
                let username = rest.strip_prefix("v1/accounts/").filter(|username| is_username(username))?;
                Some(Self::Account { username: username.to_owned() })
            }
        }
    }

    fn of_course_modes(rest: &str) -> Option<Self> {
        if let Some(course) = rest.strip_suffix('/').filter(|course| is_course(course)) {
            return Some(Self::CourseModes { course: course.to_owned() });
        }
        let (course, slug) = rest.rsplit_once('/').filter(|(course, slug)| is_course(course) && !slug.is_empty())?;
        Some(Self::CourseMode { course: course.to_owned(), slug: slug.to_owned() })
    }
}

/// Whether the pattern of usernames in addresses matches.
fn is_username(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || " .@_+-".contains(letter))
}

/// Whether the pattern of course keys in addresses matches: three parts, looser than what a key is.
fn is_course(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(3, ['+', '/']).collect();
    parts.len() == 3
        && parts.iter().all(|part| !part.is_empty())
        && parts.last().is_some_and(|last| !last.contains(['/', '?']))
}

/// The course at the start of a path whose pattern does not say where it ends.
fn course_prefix(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.splitn(3, ['+', '/']).collect();
    let last = parts.last().and_then(|last| last.split(['/', '?']).next()).filter(|last| !last.is_empty())?;
    let head = text.len().checked_sub(parts.last()?.len())?;
    let well_formed = parts.len() == 3 && parts.iter().all(|part| !part.is_empty());
    well_formed.then(|| format!("{}{last}", text.get(..head).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slash_counts() {
        let there = |path: &str| Route::of(path).is_some();
        assert!(there("/api/enrollment/v1/enrollment") && !there("/api/enrollment/v1/enrollment/"));
        assert!(there("/api/enrollment/v1/enrollments") && there("/api/enrollment/v1/enrollments/"));
        assert!(!there("/api/enrollment/v1/enrollment_allowed") && there("/api/enrollment/v1/enrollment_allowed/"));
        assert!(there("/api/user/v1/accounts/bob") && !there("/api/user/v1/accounts/bob/"));
        assert!(there("/oauth2/access_token") && there("/oauth2/access_token/"));
        assert!(!there("/api/third_party_auth/v0/users/"));
    }

    #[test]
    fn one_enrollment_is_addressed_with_or_without_a_username() {
        let course = "course-v1:DemoX+CS101+2026".to_owned();
        assert_eq!(
            Route::of("/api/enrollment/v1/enrollment/bob,course-v1:DemoX+CS101+2026"),
            Some(Route::OneEnrollment { username: Some("bob".to_owned()), course: course.clone() })
        );
        assert_eq!(
            Route::of("/api/enrollment/v1/enrollment/course-v1:DemoX+CS101+2026"),
            Some(Route::OneEnrollment { username: None, course })
        );
        assert_eq!(Route::of("/api/enrollment/v1/enrollment/bob,nope"), None);
    }

    #[test]
    fn a_course_is_found_with_and_without_a_slash_behind_it() {
        let course = Some(Route::CourseDetail { course: "course-v1:DemoX+CS101+2026".to_owned() });
        assert_eq!(Route::of("/api/courses/v1/courses/course-v1:DemoX+CS101+2026/"), course);
        assert_eq!(Route::of("/api/courses/v1/courses/course-v1:DemoX+CS101+2026"), course);
    }
}
