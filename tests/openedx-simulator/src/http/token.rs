//! Owns `POST /oauth2/access_token`; must never look at any other address.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::answer::Answer;
use super::request::Request;
use crate::model::credentials::scopes;
use crate::site::Site;

/// The grant an application of a service is registered for.
const GRANT: &str = "client_credentials";

pub(super) fn answer(site: &mut Site, request: &Request) -> Answer {
    if !site.admit_token_call(request) {
        return Answer::page(429, "Too Many Requests");
    }
    match request.method.as_str() {
        "POST" => {}
        "OPTIONS" => return page_without_text(200),
        _ => return page_without_text(405),
    }
    let form = request.form();
    let field = |name: &str| form.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let missing = |text: &str| Answer::json(400, json!({"error": "invalid_request", "error_description": text}));
    let in_form = || Some((field("client_id")?.to_owned(), field("client_secret")?.to_owned()));
    // What the header says is tried first, but when it is wrong the form may still be right.
    let owner = [basic(request), in_form()]
        .into_iter()
        .flatten()
        .find_map(|(client_id, client_secret)| site.model.application(&client_id, &client_secret))
        .map(|application| application.owner);
    let unauthorized = || {
        Answer::json(401, json!({"error": "invalid_client"}))
            .with("www-authenticate", "Bearer error=\"invalid_client\"")
    };
    match field("grant_type").unwrap_or_default() {
        GRANT => {}
        "authorization_code" if field("code").is_none() => return missing("Missing code parameter."),
        "refresh_token" if field("refresh_token").is_none() => return missing("Missing refresh token parameter."),
        "authorization_code" | "refresh_token" if owner.is_none() => return unauthorized(),
        "authorization_code" => return Answer::json(400, json!({"error": "unauthorized_client"})),
        "refresh_token" => return Answer::json(400, json!({"error": "invalid_grant"})),
        "password" => {
            if owner.is_none() {
                return unauthorized();
            }
            if let Some(name) = ["username", "password"].into_iter().find(|name| field(name).is_none()) {
                return missing(&format!("Request is missing {name} parameter."));
            }
            return Answer::json(
                400,
                json!({"error": "invalid_grant", "error_description": "Invalid credentials given."}),
            );
        }
        _ => return Answer::json(400, json!({"error": "unsupported_grant_type"})),
    }
    let Some(owner) = owner else { return unauthorized() };
    let Some(scopes) = scopes(field("scope")) else { return Answer::json(400, json!({"error": "invalid_scope"})) };
    let kind = field("token_type").or_else(|| request.header("x-token-type")).unwrap_or_default();
    let (issued, kind) = if kind.eq_ignore_ascii_case("jwt") {
        match site.model.issue_jwt(owner, &scopes, site.now) {
            Some(issued) => (issued, "JWT"),
            None => return Answer::crash(),
        }
    } else {
        (site.model.issue_bearer(owner, &scopes, site.now), "Bearer")
    };
    Answer::json(
        200,
        json!({
            "access_token": issued.token,
            "expires_in": issued.lifetime.as_secs(),
            "token_type": kind,
            "scope": issued.scope,
        }),
    )
    .with("cache-control", "no-store")
    .with("pragma", "no-cache")
}

fn page_without_text(status: u16) -> Answer {
    let mut answer = Answer::page(status, "");
    answer.body = super::answer::Body::Html(String::new());
    answer.with("allow", "POST, OPTIONS")
}

/// The client's credentials from the header, which the client library of many sites sends.
fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, encoded) = request.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, client_secret) = text.split_once(':')?;
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((plain(client_id), plain(client_secret)))
}
