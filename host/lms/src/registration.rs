//! Registering a learner.
//!
//! Owns the form and the LMS's refusals of it. The LMS asks for no token here; it counts tries by address, failed ones
//! too, 60 in seven days by default (`docs/lms.md`), so registering is for few.

use std::time::Duration;

use bursar_domain::{Email, Username};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::{
    answer::{Answer, Content},
    classify,
    client::Lms,
    counts::CallKind,
    error::{Doubt, LmsError, Refusal, Setback},
    transport::{Call, Payload},
    wire::pairs,
};

/// Version 1 is in every LMS, and with its slash, for the reason in `allowed.rs`.
const REGISTRATION: &str = "/api/user/v1/account/registration/";

/// How long to wait when the LMS registers nobody else. Its window is days long and it does not say where in it we are;
/// a try each hour costs little and finds the end of it.
const LIMIT_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Somebody to register. Accepts the terms of service and the honor code in their name.
#[derive(Clone)]
pub struct Registration {
    /// The address. The LMS sends its activation mail there.
    pub email: Email,
    /// 2 to 30 letters, digits, `_` and `-`.
    pub username: Username,
    /// The full name.
    pub name: String,
    /// By the site's rules, often 8 characters and more.
    pub password: SecretString,
    /// What else the site asks for: `country`, `year_of_birth`, …
    pub extra: Vec<(String, String)>,
}

impl std::fmt::Debug for Registration {
    /// Nothing personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration").finish_non_exhaustive()
    }
}

/// An account that was just registered. It is inactive until its owner confirms the address; it can be enrolled at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// As the LMS spells it.
    pub username: Username,
    /// The LMS's id of the user; `None` by LMSs that do not say.
    pub id: Option<i64>,
}

impl Lms {
    /// Registers somebody. Registration is no transaction: after an unclear failure there may be an account.
    ///
    /// # Errors
    /// [`Refusal::AccountExists`], [`Refusal::RegistrationInvalid`], [`Refusal::RegistrationClosed`],
    /// [`Setback::RegistrationLimit`], else of any class but definite.
    pub async fn register(&self, registration: &Registration) -> Result<Registered, LmsError> {
        let fixed = [
            ("email", registration.email.as_str()),
            ("username", registration.username.as_str()),
            ("name", registration.name.as_str()),
            ("password", registration.password.expose_secret()),
            // The word `true` and no other.
            ("terms_of_service", "true"),
            ("honor_code", "true"),
        ];
        let extra = registration.extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let form = pairs(fixed.into_iter().chain(extra));
        let call = Call::send(CallKind::Register, Method::POST, REGISTRATION, Payload::Form(form.into()));
        self.send_anonymously(&call, |answer| match (answer.status, &answer.content) {
            (200, Content::Data(data)) => read(data, registration),
            _ => Err(refusal(answer, registration)),
        })
        .await
    }
}

fn read(data: &Value, registration: &Registration) -> Result<Registered, LmsError> {
    if data.get("success").and_then(Value::as_bool) != Some(true) {
        return Err(Doubt::Unreadable { what: "a registration" }.into());
    }
    let user = data.get("authenticated_user");
    let text = user.and_then(|user| user.get("username")).and_then(Value::as_str);
    let username = match text.map(Username::parse) {
        // Older LMSs say only that it went well.
        None => registration.username.clone(),
        Some(Ok(username)) if username.normalized() == registration.username.normalized() => username,
        Some(_) => return Err(Doubt::WrongEcho { what: "user" }.into()),
    };
    Ok(Registered { username, id: user.and_then(|user| user.get("user_id")).and_then(Value::as_i64) })
}

fn refusal(answer: &Answer, registration: &Registration) -> LmsError {
    let error_code = answer.text("error_code").unwrap_or_default();
    match answer.status {
        // Older LMSs answer a duplicate without an error code; the keys are the fields.
        409 if answer.data().is_some() => exists(answer, error_code),
        403 if error_code == "forbidden-request" => Setback::RegistrationLimit { after: LIMIT_PAUSE }.into(),
        // Plain text: third-party login is required, or making accounts is off.
        403 if answer.data().is_none() => Refusal::RegistrationClosed.into(),
        400 if !error_code.is_empty() => {
            Refusal::RegistrationInvalid { error_code: word(error_code), fields: fields(answer) }.into()
        }
        _ => {
            let strike = [registration.email.as_str(), registration.username.as_str(), registration.name.as_str()];
            classify::leftover(answer, CallKind::Register, &strike)
        }
    }
}

fn exists(answer: &Answer, error_code: &str) -> LmsError {
    let has = |key| answer.data().is_some_and(|data| data.get(key).is_some());
    let suggestions = answer.data().and_then(|data| data.get("username_suggestions")).and_then(Value::as_array);
    let suggestions = suggestions.into_iter().flatten().filter_map(Value::as_str);
    Refusal::AccountExists {
        email: has("email") || error_code.contains("email"),
        username: has("username") || error_code.contains("username"),
        suggestions: suggestions.filter_map(|text| Username::parse(text).ok()).collect(),
    }
    .into()
}

/// The names of the fields that the LMS complains of.
fn fields(answer: &Answer) -> Vec<String> {
    let keys = answer.data().and_then(Value::as_object).into_iter().flat_map(|object| object.keys());
    let mut fields: Vec<String> = keys.filter(|key| *key != "error_code").map(|key| word(key)).collect();
    fields.sort();
    fields
}

/// A field's name or a code, nothing else.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(64).collect()
}
