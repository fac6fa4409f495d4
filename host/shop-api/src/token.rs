//! Tokens of OAuth 2.0 client credentials.
//!
//! Owns one token, while it lives. Never sends the client's secret anywhere but to the configured token address.

use std::time::Duration;

use bursar_domain::{Clock, Timestamp};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::error::ShopApiError;

/// How long before its end a token is no longer used: a call that began with it must be able to end.
const MARGIN: Duration = Duration::from_secs(60);

/// How long a token is kept of which the shop does not say how long it lives.
const LIFETIME_UNSAID: Duration = Duration::from_secs(300);

/// Most bytes of an answer with a token. JSON Web Tokens have some kilobytes.
const TOKEN_MAX: usize = 64 << 10;

/// The token of one shop.
#[derive(Debug, Default)]
pub(crate) struct Token(Mutex<Option<Held>>);

#[derive(Debug, Clone)]
struct Held {
    text: SecretString,
    until: Timestamp,
}

/// Whom to ask, and as whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Giver<'a> {
    pub(crate) url: &'a Url,
    pub(crate) client_id: &'a SecretString,
    pub(crate) client_secret: &'a SecretString,
    pub(crate) scope: Option<&'a str>,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: Option<u64>,
}

impl Token {
    /// The token, fetched if there is none that lives. Calls that need one at the same time share one fetch.
    pub(crate) async fn get(
        &self,
        client: &Client,
        clock: &dyn Clock,
        giver: Giver<'_>,
    ) -> Result<SecretString, ShopApiError> {
        let mut held = self.0.lock().await;
        if let Some(held) = held.as_ref().filter(|held| clock.now() < held.until) {
            return Ok(held.text.clone());
        }
        let given = fetch(client, giver).await?;
        let lives = given.expires_in.map_or(LIFETIME_UNSAID, Duration::from_secs);
        let text = SecretString::from(given.access_token);
        *held = Some(Held { text: text.clone(), until: clock.now().plus(lives.saturating_sub(MARGIN)) });
        Ok(text)
    }

    /// The shop refused this token: the next call fetches another, unless one has been fetched meanwhile.
    pub(crate) async fn forget(&self, refused: &SecretString) {
        let mut held = self.0.lock().await;
        if held.as_ref().is_some_and(|held| held.text.expose_secret() == refused.expose_secret()) {
            *held = None;
        }
    }
}

async fn fetch(client: &Client, giver: Giver<'_>) -> Result<Given, ShopApiError> {
    let mut form = vec![("grant_type", "client_credentials")];
    form.extend(giver.scope.map(|scope| ("scope", scope)));
    let body = serde_urlencoded(&form);
    let mut response = client
        .post(giver.url.clone())
        .basic_auth(giver.client_id.expose_secret(), Some(giver.client_secret.expose_secret()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .body(body)
        .send()
        .await
        .map_err(|error| crate::client::failure(&error))?;
    let status = response.status().as_u16();
    if status == 429 || status >= 500 {
        return Err(ShopApiError::Busy { status, after: None });
    }
    if !response.status().is_success() {
        return Err(ShopApiError::Token(format!("the token address answered {status}")));
    }
    let body = crate::client::read(&mut response, TOKEN_MAX).await?;
    let given: Given = serde_json::from_slice(&body)
        .map_err(|_| ShopApiError::Token("the answer of the token address has no `access_token`".to_owned()))?;
    Ok(given)
}

fn serde_urlencoded(pairs: &[(&str, &str)]) -> String {
    let mut url = Url::parse("form:").ok();
    if let Some(url) = &mut url {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url.and_then(|url| url.query().map(str::to_owned)).unwrap_or_default()
}
