//! Owns reading the credentials of a request; must never decide what their owner may do.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::request::Request;
use crate::model::Model;
use crate::model::credentials::BearerError;
use crate::model::records::UserId;

/// What a view takes as credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Signed and opaque tokens.
    Any,
    /// Signed tokens only, which is the default of the platform.
    Signed,
    /// The header is not even read.
    Ignored,
}

/// The owner of the credentials, nobody, or why they are refused.
pub(crate) fn authenticate(
    model: &Model,
    request: &Request,
    accepted: Credentials,
    now: Timestamp,
) -> Result<Option<UserId>, Value> {
    let header = match accepted {
        Credentials::Ignored => return Ok(None),
        _ => request.header("authorization").unwrap_or_default(),
    };
    let words: Vec<&str> = header.split_whitespace().collect();
    if let [scheme, token] = words.as_slice()
        && scheme.eq_ignore_ascii_case("jwt")
    {
        return model.jwt_owner(token, now).map(Some).ok_or_else(|| json!("Invalid token."));
    }
    if accepted == Credentials::Signed {
        return Ok(None);
    }
    // The class for opaque tokens looks at how many words there are before it looks at the scheme.
    match words.as_slice() {
        [] => Ok(None),
        [_] => Err(refusal("token_not_provided", "Invalid token header. No credentials provided.")),
        [scheme, token] if scheme.eq_ignore_ascii_case("bearer") => {
            model.bearer_owner(token, now).map(Some).map_err(|error| match error {
                BearerError::Nonexistent => {
                    refusal("token_nonexistent", "The provided access token does not match any valid tokens.")
                }
                BearerError::Expired => {
                    refusal("token_expired", "The provided access token has expired and is no longer valid.")
                }
            })
        }
        [_, _] => Ok(None),
        _ => Err(refusal("token_malformed", "Invalid token header. Token string should not contain spaces.")),
    }
}

fn refusal(code: &str, message: &str) -> Value {
    json!({"error_code": code, "developer_message": message})
}
