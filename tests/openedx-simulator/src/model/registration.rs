//! Owns what the registration form accepts and what it says otherwise; must never know HTTP.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Model;

/// Shortest and longest username.
const USERNAME_LENGTH: std::ops::RangeInclusive<usize> = 2..=30;
/// Shortest address the form looks at more closely.
const EMAIL_MIN: usize = 3;
/// Longest address.
const EMAIL_MAX: usize = 254;
/// Longest full name.
const NAME_MAX: usize = 255;
/// Shortest password the site's policy accepts.
const PASSWORD_MIN: usize = 8;
/// Longest password the site's policy accepts.
const PASSWORD_MAX: usize = 75;
/// How many other usernames are proposed.
const SUGGESTIONS: usize = 3;

/// What is wrong with a username of other letters than these.
pub(crate) const USERNAME_LETTERS: &str =
    "Usernames can only contain letters (A-Z, a-z), numerals (0-9), underscores (_), and hyphens (-).";

/// The fields of the form, the last one winning when one was sent twice.
pub(crate) type Fields = BTreeMap<String, String>;

/// Whether every letter is allowed in a username.
pub(crate) fn is_username(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
}

/// A refusal of the form, ready to be sent.
pub(crate) struct Refusal {
    /// 409 for a duplicate, else 400.
    pub(crate) duplicate: bool,
    /// The body.
    pub(crate) body: Value,
}

impl Model {
    /// Looks for what is wrong with a filled-in form.
    pub(crate) fn check_registration(&self, fields: &Fields) -> Result<(), Refusal> {
        if let Some(body) = self.duplicates(fields) {
            return Err(Refusal { duplicate: true, body });
        }
        if let Some(body) = unknown_country(fields) {
            return Err(Refusal { duplicate: false, body });
        }
        let errors = errors(fields);
        if errors.is_empty() {
            return Ok(());
        }
        let mut body: Map<String, Value> =
            errors.into_iter().map(|(field, messages)| (field.to_owned(), user_messages(&messages))).collect();
        body.insert("error_code".to_owned(), json!("validation-error"));
        Err(Refusal { duplicate: false, body: Value::Object(body) })
    }

    fn duplicates(&self, fields: &Fields) -> Option<Value> {
        let mut body = Map::new();
        let mut code = "duplicate".to_owned();
        let taken = |email: &String| self.user_by_email(email).is_some() || self.retired_account(email).is_some();
        if fields.get("email").is_some_and(taken) {
            code.push_str("-email");
            let message = "This email is already associated with an existing account";
            body.insert("email".to_owned(), user_messages(&[message.to_owned()]));
        }
        if let Some(username) = fields.get("username").filter(|username| self.user_by_name(username).is_some()) {
            code.push_str("-username");
            let message = "It looks like this username is already taken";
            body.insert("username".to_owned(), user_messages(&[message.to_owned()]));
            body.insert("username_suggestions".to_owned(), json!(self.suggestions(username)));
        }
        if body.is_empty() {
            return None;
        }
        body.insert("error_code".to_owned(), Value::String(code));
        Some(Value::Object(body))
    }

    fn suggestions(&self, username: &str) -> Vec<String> {
        let stem: String = username.chars().filter(char::is_ascii_alphanumeric).collect();
        (1_u32..)
            .map(|number| format!("{stem}_{number}"))
            .filter(|name| self.user_by_name(name).is_none())
            .take(SUGGESTIONS)
            .collect()
    }
}

fn user_messages(messages: &[String]) -> Value {
    Value::Array(messages.iter().map(|message| json!({"user_message": message})).collect())
}

/// A country is no field of this site's form, but a code that does not exist is refused all the same.
fn unknown_country(fields: &Fields) -> Option<Value> {
    let country = fields.get("country").filter(|country| !country.is_empty())?;
    if country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return None;
    }
    Some(json!({
        "country": [{"user_message": "Select your country or region of residence"}],
        "error_code": "invalid-country",
    }))
}

fn errors(fields: &Fields) -> BTreeMap<&'static str, Vec<String>> {
    let field = |name: &str| fields.get(name).map(|value| value.trim()).unwrap_or_default();
    let agreed = |name: &str| fields.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mut errors = BTreeMap::new();
    let mut note = |field: &'static str, messages: Vec<String>| {
        if !messages.is_empty() {
            errors.insert(field, messages);
        }
    };
    let (username, email) = (field("username"), field("email"));
    let username_errors = username_errors(username);
    let email_errors = email_errors(email);
    note(
        "password",
        password_errors(
            field("password"),
            Some(username).filter(|_| username_errors.is_empty()),
            Some(email).filter(|_| email_errors.is_empty()),
        ),
    );
    note("username", username_errors);
    note("email", email_errors);
    note("name", name_errors(field("name")));
    let agreed_to_terms = agreed("terms_of_service");
    let agreed_to_honor_code = agreed("honor_code");
    // The form is one checkbox to people, so the honor code stands in for terms that were not sent.
    let stands_in = !fields.contains_key("terms_of_service") && agreed_to_honor_code;
    if !agreed_to_terms && !stands_in {
        note("terms_of_service", vec!["You must accept the terms of service.".to_owned()]);
    }
    if !agreed_to_honor_code {
        note("honor_code", vec!["To enroll, you must follow the honor code.".to_owned()]);
    }
    errors
}

fn username_errors(username: &str) -> Vec<String> {
    let bad_length = "Username must be between 2 and 30 characters long.".to_owned();
    if username.is_empty() {
        return vec![bad_length];
    }
    let mut errors = Vec::new();
    if !is_username(username) {
        errors.push(USERNAME_LETTERS.to_owned());
    }
    if !USERNAME_LENGTH.contains(&username.chars().count()) {
        errors.push(bad_length);
    }
    errors
}

fn email_errors(email: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let length = email.chars().count();
    if !is_email(email) {
        errors.push("A properly formatted e-mail is required".to_owned());
    }
    if (1..EMAIL_MIN).contains(&length) {
        errors.push(format!("Ensure this value has at least {EMAIL_MIN} characters (it has {length})."));
    }
    if length > EMAIL_MAX {
        errors.push(format!("Email cannot be more than {EMAIL_MAX} characters long"));
    }
    errors
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_ok = !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|letter| letter.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{}|~-.".contains(letter));
    let labels: Vec<&str> = domain.split('.').collect();
    let label_ok = |label: &&str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
    };
    let domain_ok = domain == "localhost"
        || (labels.len() > 1 && labels.iter().all(label_ok) && labels.last().is_some_and(|top| top.len() > 1));
    local_ok && domain_ok
}

fn name_errors(name: &str) -> Vec<String> {
    if name.is_empty() {
        return vec!["Your legal name must be a minimum of one character long".to_owned()];
    }
    let mut errors = Vec::new();
    if name.contains(['<', '>']) {
        errors.push("Full Name cannot contain the following characters: < >".to_owned());
    } else if name.contains("://") {
        errors.push("Enter a valid name".to_owned());
    }
    if name.chars().count() > NAME_MAX {
        errors.push(format!("Your legal name is too long. It must not exceed {NAME_MAX} characters"));
    }
    errors
}

fn password_errors(password: &str, username: Option<&str>, email: Option<&str>) -> Vec<String> {
    if password.is_empty() {
        return vec!["This field is required.".to_owned()];
    }
    let mut errors = Vec::new();
    if let Some(username) = username {
        let similar = [(username, "username"), (email.unwrap_or_default(), "email address")];
        if let Some((_, what)) = similar.into_iter().find(|(value, _)| is_similar(password, value)) {
            errors.push(format!("The password is too similar to the {what}."));
        }
    }
    let length = password.chars().count();
    if length < PASSWORD_MIN {
        errors.push(format!("This password is too short. It must contain at least {PASSWORD_MIN} characters."));
    }
    if length > PASSWORD_MAX {
        errors.push(format!("This password is too long. It must contain no more than {PASSWORD_MAX} characters."));
    }
    errors
}

/// Whether at least seven tenths of the letters of both texts are the same, whatever their order.
fn is_similar(password: &str, value: &str) -> bool {
    let password = password.to_lowercase();
    let value = value.to_lowercase();
    value.split(|letter: char| !letter.is_alphanumeric() && letter != '_').chain([value.as_str()]).any(|part| {
        let mut left: Vec<char> = part.chars().collect();
        let total = left.len() + password.chars().count();
        let mut shared = 0_usize;
        for letter in password.chars() {
            if let Some(index) = left.iter().position(|other| *other == letter) {
                left.swap_remove(index);
                shared += 1;
            }
        }
        !part.is_empty() && shared * 20 >= total * 7
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_like_the_username_is_refused() {
        assert!(is_similar("newperson1", "newperson"));
        assert!(!is_similar("Spike-pass-1", "new_person"));
    }

    #[test]
    fn addresses_need_a_name_and_a_domain() {
        assert!(is_email("new.person+shop@example.com"));
        for bad in ["", "a", "a@b", "@example.com", "a b@example.com", "a@-x.com"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
