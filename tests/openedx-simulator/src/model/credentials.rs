//! Owns the tokens the LMS gives out and recognises; must never decide what their owner may do.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use super::Model;
use super::records::{Application, User, UserId};
use crate::clock::later;

/// How long a JWT lives. The site's default; its clients must renew before.
pub const JWT_LIFETIME: Duration = Duration::from_secs(3600);
/// How long an opaque token lives. The default of the token library, which the site does not change.
pub const BEARER_LIFETIME: Duration = Duration::from_secs(36_000);

/// The scopes every application may ask for, in the order in which they are answered.
const SCOPES: [&str; 4] = ["read", "write", "email", "profile"];
/// Who signs, as the tokens say.
const ISSUER: &str = "http://lms.example/oauth2";
/// Letters of an opaque token.
const OPAQUE_LENGTH: usize = 30;

/// The tokens in circulation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    opaque: HashMap<String, (UserId, Timestamp)>,
    issued: u64,
    /// Raised to make every signed token invalid at once.
    epoch: u64,
}

/// A token as the token endpoint hands it over.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) token: String,
    pub(crate) lifetime: Duration,
    pub(crate) scope: String,
}

/// Why an opaque token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BearerError {
    Nonexistent,
    Expired,
}

/// The scopes to grant: those asked for, or all. `None` when one of them does not exist.
pub(crate) fn scopes(asked: Option<&str>) -> Option<Vec<String>> {
    let asked: Vec<&str> = asked.unwrap_or_default().split_whitespace().collect();
    if asked.is_empty() {
        return Some(SCOPES.iter().map(|scope| (*scope).to_owned()).collect());
    }
    asked.iter().all(|scope| SCOPES.contains(scope)).then(|| asked.into_iter().map(str::to_owned).collect())
}

impl Model {
    pub(crate) fn application(&self, client_id: &str, client_secret: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| application.client_id == client_id && application.client_secret == client_secret)
    }

    pub(crate) fn issue_bearer(&mut self, owner: UserId, scopes: &[String], now: Timestamp) -> Issued {
        self.tokens.issued = self.tokens.issued.saturating_add(1);
        let seed = format!("opaque token {} {now}", self.tokens.issued);
        let token: String = URL_SAFE_NO_PAD
            .encode(self.tokens.mac(seed.as_bytes()))
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .chain("0".repeat(OPAQUE_LENGTH).chars())
            .take(OPAQUE_LENGTH)
            .collect();
        self.tokens.opaque.insert(token.clone(), (owner, later(now, BEARER_LIFETIME)));
        Issued { token, lifetime: BEARER_LIFETIME, scope: scopes.join(" ") }
    }

    pub(crate) fn issue_jwt(&self, owner: UserId, scopes: &[String], now: Timestamp) -> Option<Issued> {
        let user = self.user(owner)?;
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let claims = claims(user, scopes, now);
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.tokens.mac(signed.as_bytes()));
        Some(Issued { token: format!("{signed}.{signature}"), lifetime: JWT_LIFETIME, scope: scopes.join(" ") })
    }

    /// The owner of a signed token, unless it is forged, expired or of nobody.
    pub(crate) fn jwt_owner(&self, token: &str, now: Timestamp) -> Option<UserId> {
        let (signed, signature) = token.rsplit_once('.')?;
        if URL_SAFE_NO_PAD.encode(self.tokens.mac(signed.as_bytes())) != signature {
            return None;
        }
        let (_, claims) = signed.split_once('.')?;
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        if claims.get("exp")?.as_i64()? <= now.as_second() {
            return None;
        }
        self.user_by_name(claims.get("preferred_username")?.as_str()?).map(|user| user.id)
    }

    pub(crate) fn bearer_owner(&self, token: &str, now: Timestamp) -> Result<UserId, BearerError> {
        match self.tokens.opaque.get(token) {
            None => Err(BearerError::Nonexistent),
            Some((_, expires)) if *expires < now => Err(BearerError::Expired),
            Some((owner, _)) => Ok(*owner),
        }
    }
}

impl Tokens {
    /// Makes every token in circulation invalid, as a change of the site's signing key does.
    pub(crate) fn revoke_all(&mut self) {
        self.epoch = self.epoch.saturating_add(1);
        self.opaque.clear();
    }

    fn mac(&self, bytes: &[u8]) -> Vec<u8> {
        let key = format!("signing key {} of the simulator", self.epoch);
        match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
            Ok(mut mac) => {
                mac.update(bytes);
                mac.finalize().into_bytes().to_vec()
            }
            Err(_) => Vec::new(),
        }
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn claims(user: &User, scopes: &[String], now: Timestamp) -> Value {
    json!({
        "aud": "openedx",
        "exp": now.as_second().saturating_add(JWT_LIFETIME.as_secs().try_into().unwrap_or(i64::MAX)),
        "grant_type": "client-credentials",
        "iat": now.as_second(),
        "iss": ISSUER,
        "preferred_username": user.username,
        "scopes": scopes,
        "version": "1.2.0",
        "sub": format!("{:032x}", user.id.0),
        "filters": [],
        "is_restricted": false,
        "email_verified": user.activated,
        "email": user.email,
        "name": user.name,
        "family_name": "",
        "given_name": "",
        "administrator": user.staff,
        "superuser": user.superuser,
    })
}
