//! `[shops.api]`: the shop's own API, for adapters with the permission `shop`.
//!
//! Owns its keys: where it is, as whom Bursar calls it, and whether it may be at a private address. Calls nothing.

use std::collections::BTreeMap;

use bursar_shop_api::Credentials;
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};

use super::{
    reader::{Table, Value},
    secret::{Secret, SecretUnread, secret},
};

/// The shop's own API.
#[derive(Debug, Clone)]
pub struct ShopApiConfig {
    /// What the adapter's paths are joined to.
    pub url: Url,
    /// How Bursar proves itself to it.
    pub credentials: ShopApiCredentials,
    /// Headers that every call carries. Not secret.
    pub headers: BTreeMap<String, String>,
    /// May it be at a private address?
    pub private_addresses: bool,
}

/// How Bursar proves itself to a shop.
#[derive(Debug, Clone)]
pub enum ShopApiCredentials {
    /// HTTP Basic.
    Basic {
        /// User name, or the platform's key.
        user: Secret,
        /// Password, or the platform's secret.
        password: Secret,
    },
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// A header of the platform's own.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// OAuth 2.0 client credentials.
    OAuth {
        /// Where tokens are given out.
        token_url: Url,
        /// As registered with the shop.
        client_id: Secret,
        /// As registered with the shop.
        client_secret: Secret,
        /// What is asked for.
        scope: Option<String>,
    },
}

impl ShopApiConfig {
    /// What the client needs, the secrets read.
    ///
    /// # Errors
    /// When a secret was not or cannot be read.
    pub fn read(&self) -> Result<bursar_shop_api::ShopApiConfig, SecretUnread> {
        let credentials = match &self.credentials {
            ShopApiCredentials::Basic { user, password } => {
                Credentials::Basic { user: user.get()?.clone(), password: password.get()?.clone() }
            }
            ShopApiCredentials::Bearer(token) => Credentials::Bearer(token.get()?.clone()),
            ShopApiCredentials::Header { name, value } => {
                Credentials::Header { name: name.clone(), value: value.get()?.clone() }
            }
            ShopApiCredentials::OAuth { token_url, client_id, client_secret, scope } => Credentials::OAuth {
                token_url: token_url.clone(),
                client_id: client_id.get()?.clone(),
                client_secret: client_secret.get()?.clone(),
                scope: scope.clone(),
            },
        };
        Ok(bursar_shop_api::ShopApiConfig {
            url: self.url.clone(),
            credentials,
            headers: self.headers.clone().into_iter().collect(),
            private_addresses: self.private_addresses,
        })
    }
}

/// Reads one `[shops.api]`.
pub(super) fn shop_api(mut table: Table<'_>) -> Option<ShopApiConfig> {
    let url = table.required("url", "\"https://shop.example.org/\"").and_then(|value| value.url());
    let basic = table.optional("basic").map(|value| basic(value.table()?));
    let bearer = table.optional("bearer").map(|value| secret(&value).map(ShopApiCredentials::Bearer));
    let header = table.optional("header").map(|value| header(value.table()?));
    let oauth = table.optional("oauth").map(|value| oauth(value.table()?));
    let headers = table.optional("headers").map_or_else(|| Some(BTreeMap::new()), |value| headers(&value));
    let private_addresses = table.optional("private_addresses").map_or(Some(false), |value| value.boolean());
    let mut given = [basic, bearer, header, oauth].into_iter().flatten();
    let credentials = given.next();
    if credentials.is_none() || given.next().is_some() {
        let hint = "add `basic = { user = { env = \"…\" }, password = { env = \"…\" } }` or `bearer = { env = \"…\" }`";
        table.refuse("must have exactly one of `basic`, `bearer`, `header` and `oauth`", Some(hint.to_owned()));
    }
    table.finish();
    Some(ShopApiConfig {
        url: url?,
        credentials: credentials??,
        headers: headers?,
        private_addresses: private_addresses?,
    })
}

fn basic(mut table: Table<'_>) -> Option<ShopApiCredentials> {
    let user = table.required("user", "{ env = \"SHOP_KEY\" }").and_then(|value| secret(&value));
    let password = table.required("password", "{ env = \"SHOP_SECRET\" }").and_then(|value| secret(&value));
    table.finish();
    Some(ShopApiCredentials::Basic { user: user?, password: password? })
}

fn header(mut table: Table<'_>) -> Option<ShopApiCredentials> {
    let name = table.required("name", "\"X-Api-Key\"").and_then(|value| header_name(&value));
    let value = table.required("value", "{ env = \"SHOP_KEY\" }").and_then(|value| secret(&value));
    table.finish();
    Some(ShopApiCredentials::Header { name: name?, value: value? })
}

fn oauth(mut table: Table<'_>) -> Option<ShopApiCredentials> {
    let token_url =
        table.required("token_url", "\"https://shop.example.org/oauth/token\"").and_then(|value| value.url());
    let client_id = table.required("client_id", "{ env = \"SHOP_CLIENT_ID\" }").and_then(|value| secret(&value));
    let client_secret =
        table.required("client_secret", "{ env = \"SHOP_CLIENT_SECRET\" }").and_then(|value| secret(&value));
    let scope = table.optional("scope").map(|value| value.text().map(str::to_owned));
    table.finish();
    let scope = match scope {
        Some(scope) => Some(scope?),
        None => None,
    };
    Some(ShopApiCredentials::OAuth {
        token_url: token_url?,
        client_id: client_id?,
        client_secret: client_secret?,
        scope,
    })
}

fn headers(value: &Value<'_>) -> Option<BTreeMap<String, String>> {
    let read = value.table()?.entries().map(|(name, value)| {
        check_header_name(name, &value)?;
        let text = value.text()?;
        if HeaderValue::from_str(text).is_err() {
            value.refuse("does not fit into a header", None);
            return None;
        }
        Some((name.to_owned(), text.to_owned()))
    });
    read.collect::<Vec<_>>().into_iter().collect()
}

fn header_name(value: &Value<'_>) -> Option<String> {
    let name = value.text()?;
    check_header_name(name, value)?;
    Some(name.to_owned())
}

fn check_header_name(name: &str, value: &Value<'_>) -> Option<()> {
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        value.refuse(format!("{name:?} is not the name of a header"), None);
        return None;
    }
    Some(())
}
