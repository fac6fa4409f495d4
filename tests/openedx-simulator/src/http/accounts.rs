//! Owns the views of accounts: one, several, by address, and the caller's own; must never change one.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::authenticate::Credentials;
use super::gate::{Data, Errors, Parsers, Permission, View};
use super::request::Request;
use crate::clock::wire;
use crate::model::enroll::Caller;
use crate::model::fold;
use crate::model::records::{User, UserId};
use crate::site::Site;

const LIST: View = View {
    name: "Account",
    allow: "GET, HEAD, OPTIONS",
    credentials: Credentials::Any,
    permission: Permission::AccountInfo,
    throttled: false,
    errors: Errors::Detail,
    parsers: Parsers::JsonOnly,
};
const ONE: View = View { allow: "GET, PATCH, HEAD, OPTIONS", ..LIST };
/// GET is there because the class behind the view has a method of that name; it answers like `me`.
const SEARCH: View = View { allow: "GET, POST, OPTIONS", ..LIST };

/// Sizes of profile pictures: what the LMS calls them and how large they are.
const PICTURES: [(&str, u32); 4] =
    [("image_url_full", 500), ("image_url_large", 120), ("image_url_medium", 50), ("image_url_small", 30)];

/// Keys the site shows to staff that are null for everybody here.
const UNFILLED: [&str; 15] = [
    "bio",
    "course_certificates",
    "country",
    "level_of_education",
    "time_zone",
    "verified_name",
    "gender",
    "state",
    "secondary_email",
    "secondary_email_enabled",
    "year_of_birth",
    "phone_number",
    "pending_name_change",
    "goals",
    "mailing_address",
];

pub(super) fn me(site: &mut Site, request: &Request) -> Answer {
    LIST.run(site, request, own_name)
}

fn own_name(site: &mut Site, caller: Caller) -> Answer {
    Answer::json(200, json!({"username": site.model.username(caller)}))
}

pub(super) fn list(site: &mut Site, request: &Request) -> Answer {
    LIST.run(site, request, |site, caller| {
        let parameter = |name: &str| request.query(name).filter(|value| !value.is_empty());
        let found: Vec<UserId> = if let Some(usernames) = parameter("username") {
            let mut users: Vec<&User> = usernames
                .trim_matches(',')
                .split(',')
                .filter_map(|username| site.model.user_by_name(username))
                .collect();
            users.sort_by_key(|user| fold(&user.username));
            users.dedup_by_key(|user| user.id);
            users.into_iter().map(|user| user.id).collect()
        } else if let Some(email) = parameter("email") {
            if let Some(retirement) = site.model.retired_account(&email) {
                let cancellable = retirement.can_be_cancelled(site.now);
                let body = json!({
                    "error_msg": "This email is associated to a retired account.",
                    "can_cancel_retirement": cancellable,
                    "retirement_id": Some(retirement.id).filter(|_| cancellable),
                });
                return Answer::json(404, body);
            }
            site.model.user_by_email(&email).map(|user| user.id).into_iter().collect()
        } else if let Some(id) = parameter("lms_user_id") {
            let Ok(id) = id.trim().parse::<i64>() else { return Answer::empty(400) };
            let id = u64::try_from(id).ok().map(UserId);
            id.filter(|id| site.model.user(*id).is_some()).into_iter().collect()
        } else {
            caller.user.into_iter().collect()
        };
        if found.is_empty() {
            return Answer::empty(404);
        }
        Answer::json(200, found.into_iter().filter_map(|id| shown(site, caller, request, id)).collect())
    })
}

pub(super) fn one(site: &mut Site, request: &Request, username: &str) -> Answer {
    ONE.run(site, request, |site, caller| {
        let found = site.model.user_by_name(username).map(|user| user.id);
        if request.method == "PATCH" {
            return patch(site, request, caller, username);
        }
        match found.and_then(|id| shown(site, caller, request, id)) {
            Some(account) => Answer::json(200, account),
            None => Answer::empty(404),
        }
    })
}

/// People change their own account in the browser; a client finds out here only that it may not.
fn patch(site: &Site, request: &Request, caller: Caller, username: &str) -> Answer {
    if request.media_type() != "application/merge-patch+json" {
        let sent = request.header("content-type").unwrap_or_default();
        return ONE.error(415, format!("Unsupported media type \"{sent}\" in request.").into());
    }
    if site.model.username(caller) != username {
        return Answer::empty(403);
    }
    match caller.user.and_then(|id| shown(site, caller, request, id)) {
        Some(account) => Answer::json(200, account),
        None => Answer::empty(404),
    }
}

pub(super) fn search_emails(site: &mut Site, request: &Request) -> Answer {
    SEARCH.run(site, request, |site, caller| {
        if request.method == "GET" {
            return own_name(site, caller);
        }
        if !site.model.is_staff(caller) {
            return Answer::json(404, json!({"developer_message": "not_found", "user_message": "Not Found"}));
        }
        let emails = match SEARCH.data(request) {
            Ok(Data::Json(Value::Object(members))) => members.get("emails").cloned(),
            Ok(_) => return Answer::crash(),
            Err(answer) => return answer,
        };
        let emails: Vec<String> = match emails {
            None => {
                let message = "'emails' field is required";
                return Answer::json(400, json!({"developer_message": message, "user_message": message}));
            }
            Some(Value::Array(emails)) => emails.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(letters)) => letters.chars().map(String::from).collect(),
            Some(Value::Object(members)) => members.keys().cloned().collect(),
            Some(_) => return Answer::crash(),
        };
        let mut found: Vec<&User> = emails.iter().filter_map(|email| site.model.user_by_email(email)).collect();
        found.sort_by_key(|user| fold(&user.email));
        found.dedup_by_key(|user| user.id);
        let row = |user: &&User| json!({"email": user.email, "id": user.id, "username": user.username});
        Answer::json(200, found.iter().map(row).collect())
    })
}

/// An account as the caller may see it.
fn shown(site: &Site, caller: Caller, request: &Request, id: UserId) -> Option<Value> {
    let user = site.model.user(id)?;
    let mut account = Map::new();
    account.insert("username".to_owned(), json!(user.username));
    account.insert("account_privacy".to_owned(), json!("private"));
    let mut picture = Map::new();
    picture.insert("has_image".to_owned(), json!(false));
    for (key, size) in PICTURES {
        let address = format!("{}/static/images/profiles/default_{size}.png", site.settings.public_url);
        picture.insert(key.to_owned(), json!(address));
    }
    account.insert("profile_image".to_owned(), Value::Object(picture));
    let everything =
        (caller.user == Some(id) || site.model.is_staff(caller)) && request.query("view").as_deref() != Some("shared");
    if everything {
        account.extend(private(user));
    }
    Some(Value::Object(account))
}

fn private(user: &User) -> Map<String, Value> {
    let mut account: Map<String, Value> = UNFILLED.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    if user.activation_key.is_some() {
        // The registration form leaves blanks where an account made otherwise has nothing.
        account.insert("goals".to_owned(), json!(""));
        account.insert("mailing_address".to_owned(), json!(""));
    }
    let whole_second = user.joined.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    account.insert("date_joined".to_owned(), json!(whole_second));
    account.insert("last_login".to_owned(), json!(user.last_login.map(wire)));
    account.insert("activation_key".to_owned(), json!(user.activation_key));
    account.insert("name".to_owned(), json!(user.name));
    account.insert("email".to_owned(), json!(user.email));
    account.insert("id".to_owned(), json!(user.id));
    account.insert("is_active".to_owned(), json!(user.activated));
    account.insert("requires_parental_consent".to_owned(), json!(true));
    for key in ["language_proficiencies", "social_links", "extended_profile"] {
        account.insert(key.to_owned(), json!([]));
    }
    account
}
