//! Owns the registration view; must never judge what was filled in.

use serde_json::{Value, json};

use super::answer::Answer;
use super::authenticate::Credentials;
use super::gate::{Errors, Parsers, Permission, View};
use super::request::Request;
use crate::model::registration::Fields;
use crate::site::Site;

const VIEW: View = View {
    name: "Registration",
    allow: "GET, POST, HEAD, OPTIONS",
    credentials: Credentials::Ignored,
    permission: Permission::Anyone,
    throttled: false,
    errors: Errors::Detail,
    parsers: Parsers::JsonAndForms,
};

/// What the form looks like on a site with default settings, without what depends on address and year.
const FORM: &str = include_str!("registration_form.json");
/// How many years of birth the form offers.
const YEARS: i16 = 120;

pub(super) fn answer(site: &mut Site, request: &Request) -> Answer {
    VIEW.run(site, request, |site, _| match request.method.as_str() {
        "POST" => post(site, request),
        _ => form(site, request),
    })
}

fn post(site: &mut Site, request: &Request) -> Answer {
    if !site.admit_registration(request) {
        return Answer::json(403, json!({"error_code": "forbidden-request"}));
    }
    let fields: Fields = request.form().into_iter().collect();
    if let Err(refusal) = site.model.check_registration(&fields) {
        return Answer::json(if refusal.duplicate { 409 } else { 400 }, refusal.body);
    }
    let field = |name: &str| fields.get(name).map(|value| value.trim()).unwrap_or_default();
    let (username, name) = (field("username"), field("name"));
    match site.model.register(username, field("email"), name, site.now) {
        Ok(id) => Answer::json(
            200,
            json!({
                "authenticated_user": {"username": username, "full_name": name, "user_id": id},
                "success": true,
                "redirect_url": format!("{}/dashboard", site.settings.public_url),
            }),
        ),
        Err(_) => Answer::crash(),
    }
}

fn form(site: &Site, request: &Request) -> Answer {
    let Ok(Value::Object(mut form)) = serde_json::from_str::<Value>(FORM) else { return Answer::crash() };
    form.insert("submit_url".to_owned(), json!(request.path));
    let fields = form.get_mut("fields").and_then(Value::as_array_mut);
    let years =
        fields.and_then(|fields| fields.iter_mut().find(|field| field.get("name") == Some(&json!("year_of_birth"))));
    if let Some(options) = years.and_then(|field| field.get_mut("options")).and_then(Value::as_array_mut) {
        let this_year = site.now.to_zoned(jiff::tz::TimeZone::UTC).year();
        let years = (0..YEARS).map(|back| this_year.saturating_sub(back).to_string());
        options.extend(years.map(|year| json!({"value": year, "name": year, "default": false})));
    }
    Answer::json(200, Value::Object(form))
}
