//! Owns turning a written state into the model; must never be used after the start.

use std::time::Duration;

use jiff::Timestamp;

use super::date::ago;
use super::{CourseSpec, Date, Defaults, ModeSpec, State, StateError, UserSpec};
use crate::model::Model;
use crate::model::course_key::CourseKey;
use crate::model::people::RETIRED_PREFIX;
use crate::model::records::{Allowed, Application, Course, Enrollment, Mode, User, UserId};
use crate::python;

/// How long before the start the accounts of a state were made.
const ACCOUNTS_ARE_OLDER: Duration = Duration::from_secs(30 * 60);
/// What stands between the first and the last name of a row of users.
const RANGE_MARKS: [&str; 3] = ["…", "...", ".."];

impl State {
    /// The model of an LMS that starts in this state.
    pub(crate) fn build(&self, now: Timestamp) -> Result<Model, StateError> {
        let mut model = Model::new(self.defaults.default_mode.clone(), self.defaults.currency.clone());
        for spec in &self.expanded_users() {
            add_user(&mut model, spec, now);
        }
        for spec in &self.applications {
            let owner = named(&model, &spec.owner)?;
            let application =
                Application { client_id: spec.client_id.clone(), client_secret: spec.client_secret.clone(), owner };
            model.applications.push(application);
        }
        for spec in &self.courses {
            model.add_course(course(spec, &self.defaults, now)?);
        }
        for spec in &self.enrollments {
            let created = model.stamp(ago(now, ACCOUNTS_ARE_OLDER));
            model.insert_enrollment(Enrollment {
                user: named(&model, &spec.user)?,
                course: key(&spec.course)?,
                mode: spec.mode.clone(),
                is_active: spec.is_active,
                created,
                attributes: Vec::new(),
            });
        }
        for spec in &self.enrollment_allowed {
            let created = model.stamp(ago(now, ACCOUNTS_ARE_OLDER));
            model.allowed.push(Allowed {
                email: spec.email.clone(),
                course: key(&spec.course)?,
                auto_enroll: spec.auto_enroll,
                user: None,
                created,
            });
        }
        Ok(model)
    }

    /// One spec for each account. A later mention of a username says more about the same account.
    fn expanded_users(&self) -> Vec<UserSpec> {
        let mut all: Vec<UserSpec> = Vec::new();
        for spec in &self.users {
            for (username, email) in names(spec) {
                let one = UserSpec { username, email: Some(email), ..spec.clone() };
                match all.iter_mut().find(|known| known.username.eq_ignore_ascii_case(&one.username)) {
                    Some(known) => {
                        let email = if spec.email.is_some() { one.email } else { known.email.clone() };
                        *known = UserSpec { id: one.id.or(known.id), email, ..one };
                    }
                    None => all.push(one),
                }
            }
        }
        all
    }
}

fn named(model: &Model, username: &str) -> Result<UserId, StateError> {
    model.user_by_name(username).map(|user| user.id).ok_or_else(|| StateError::NoSuchUser(username.to_owned()))
}

fn key(text: &str) -> Result<CourseKey, StateError> {
    CourseKey::parse(text).map_err(|_| StateError::CourseKey(text.to_owned()))
}

/// The username and address of every account a spec stands for.
fn names(spec: &UserSpec) -> Vec<(String, String)> {
    let Some((first, last)) = range(&spec.username) else {
        let email = spec.email.clone().unwrap_or_else(|| address(&spec.username));
        return vec![(spec.username.clone(), email)];
    };
    let pattern = spec.email.as_deref().and_then(range).map(|(first, _)| first);
    counted(&first, &last)
        .into_iter()
        .map(|username| {
            let email = match &pattern {
                Some(pattern) => pattern.replacen(&first, &username, 1),
                None => address(&username),
            };
            (username, email)
        })
        .collect()
}

fn range(text: &str) -> Option<(String, String)> {
    let (first, last) = RANGE_MARKS.iter().find_map(|mark| text.split_once(mark))?;
    Some((first.trim().to_owned(), last.trim().to_owned()))
}

/// `load000` to `load299`, with as many digits as the first has.
fn counted(first: &str, last: &str) -> Vec<String> {
    let stem = first.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = first.strip_prefix(stem).unwrap_or_default();
    let bounds = (digits.parse::<u64>(), last.strip_prefix(stem).unwrap_or_default().parse::<u64>());
    match bounds {
        (Ok(low), Ok(high)) => {
            (low..=high).map(|number| format!("{stem}{number:0width$}", width = digits.len())).collect()
        }
        _ => vec![first.to_owned(), last.to_owned()],
    }
}

fn add_user(model: &mut Model, spec: &UserSpec, now: Timestamp) {
    let joined = ago(now, ACCOUNTS_ARE_OLDER);
    let given = spec.email.clone().unwrap_or_default();
    let after_retirement = given.starts_with(RETIRED_PREFIX);
    let original = match &spec.original_email {
        Some(original) => original.clone(),
        None if after_retirement => address(&spec.username),
        None => given.clone(),
    };
    let id = model.add_user(User {
        id: UserId(spec.id.unwrap_or_default()),
        username: spec.username.clone(),
        email: original,
        name: spec.name.clone().unwrap_or_else(|| python::title(&spec.username)),
        activated: spec.activated.unwrap_or(true),
        staff: spec.staff,
        superuser: spec.superuser,
        joined,
        last_login: None,
        activation_key: None,
        retirement: None,
    });
    if spec.retired || after_retirement {
        // Neither can fail for an account that was added just now under an address of its own.
        let _ = model.retire(&spec.username, joined);
        if after_retirement {
            let _ = model.set_email(id, &given);
        }
    }
}

fn address(username: &str) -> String {
    format!("{username}@example.com")
}

fn course(spec: &CourseSpec, defaults: &Defaults, now: Timestamp) -> Result<Course, StateError> {
    let moment = |date: &Option<Date>| date.as_ref().map(|date| date.resolve(now)).transpose();
    let pacing = spec.pacing.as_ref().unwrap_or(&defaults.pacing);
    Ok(Course {
        key: key(&spec.id)?,
        name: spec.name.clone(),
        modes: spec.modes.0.iter().map(|(slug, spec)| mode(slug, spec, defaults, now)).collect::<Result<_, _>>()?,
        start: moment(spec.start.as_ref().unwrap_or(&defaults.course_start))?,
        end: moment(spec.end.as_ref().unwrap_or(&defaults.course_end))?,
        enrollment_start: moment(&spec.enrollment_start)?,
        enrollment_end: moment(&spec.enrollment_end)?,
        invitation_only: spec.invitation_only,
        capacity: spec.capacity,
        self_paced: pacing.to_lowercase().starts_with("self"),
    })
}

fn mode(slug: &str, spec: &ModeSpec, defaults: &Defaults, now: Timestamp) -> Result<Mode, StateError> {
    let (price, expires, sku, name) = match spec {
        ModeSpec::Price(price) => (*price, None, None, None),
        ModeSpec::Full { price, expired, sku, name } => (*price, expired.as_ref(), sku.clone(), name.clone()),
    };
    // The pattern may be followed by words of explanation.
    let pattern = defaults.sku.split_whitespace().next().unwrap_or_default();
    Ok(Mode {
        slug: slug.to_owned(),
        name: name.unwrap_or_else(|| python::title(slug)),
        price,
        currency: defaults.currency.clone(),
        expires: expires.map(|date| date.resolve(now)).transpose()?,
        sku: sku.or_else(|| (price > 0 && !pattern.is_empty()).then(|| pattern.replace("<mode>", slug))),
    })
}
