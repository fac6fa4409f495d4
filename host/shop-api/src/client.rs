//! One shop's API, ready to be called.
//!
//! Owns a call from path to answer: joining it to the configured address, credentials, patience and size. A call that reads is
//! tried again within the patience; one that may change something is tried again only if it certainly was not carried out.

use std::{error::Error, sync::Arc, time::Duration};

use bursar_domain::{Clock, retry};
use bytes::Bytes;
use reqwest::{
    Client, ClientBuilder, Method, RequestBuilder, Response, Url,
    header::{AUTHORIZATION, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    Credentials, ShopApiConfig,
    address::{is_public, literal},
    error::ShopApiError,
    resolve::{PrivateAddress, PublicOnly},
    token::{Giver, Token},
};

/// How long a call may take, repetitions included: a third of what a run has, so that the adapter can still say what it makes
/// of there being no answer. Beyond it [`ShopApiError::Silent`].
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long connecting may take. Beyond it [`ShopApiError::Unreachable`].
pub(crate) const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// Most bytes of an answer's body: an order of 500 lines has less than one MiB. Beyond it [`ShopApiError::TooLarge`].
pub const ANSWER_MAX: usize = 4 << 20;

/// How often one call is tried within its patience.
const TRIES: u32 = 3;

/// The pause before the second and third try where the shop names none.
const PAUSE: Duration = Duration::from_millis(500);

/// How long connections that nobody uses are kept.
const IDLE: Duration = Duration::from_secs(30);

/// What Bursar calls itself.
const USER_AGENT: &str = concat!("bursar/", env!("CARGO_PKG_VERSION"));

/// A call as an adapter asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// Begins with `/`.
    pub path_and_query: String,
    /// Beside those of the configuration.
    pub headers: Vec<(String, String)>,
    /// Empty if there is none.
    pub body: Bytes,
}

/// What the shop answered, whatever the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 100 to 999.
    pub status: u16,
    /// Names in lower case. Values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// At most [`ANSWER_MAX`] bytes.
    pub body: Bytes,
}

/// One shop's API.
#[derive(Debug)]
pub struct ShopApi {
    client: Client,
    config: ShopApiConfig,
    /// Those of the configuration.
    headers: HeaderMap,
    token: Token,
    clock: Arc<dyn Clock>,
}

impl ShopApi {
    /// Makes a client. Nothing is called yet.
    ///
    /// # Errors
    /// When the address is private without leave, or cannot be used at all.
    pub fn new(config: ShopApiConfig, clock: Arc<dyn Clock>) -> Result<Self, ShopApiError> {
        let urls: Vec<&Url> = [Some(&config.url), config.credentials.token_url()].into_iter().flatten().collect();
        let client = builder(&urls, config.private_addresses)?
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(|error| ShopApiError::Unusable(words(&error)))?;
        Ok(Self { client, headers: headers(&config)?, config, token: Token::default(), clock })
    }

    /// Makes a call and reads the answer to its end. An answer is an answer, whatever its status, but for 429 and those from 500 on:
    /// these are waited for within [`PATIENCE`], as `Retry-After` asks, and are then [`ShopApiError::Busy`].
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, call: &Call) -> Result<Answer, ShopApiError> {
        let (method, url) = (method(&call.method)?, join(&self.config.url, &call.path_and_query)?);
        let end = Instant::now() + PATIENCE;
        let mut tries = 1;
        loop {
            let outcome = match timeout_at(end, self.once(&method, &url, call)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(ShopApiError::Silent),
            };
            let again = outcome.as_ref().err().and_then(|error| pause(error, &method));
            let left = end.saturating_duration_since(Instant::now());
            match again.filter(|pause| tries < TRIES && *pause < left) {
                Some(pause) => sleep(pause).await,
                None => return outcome,
            }
            tries += 1;
        }
    }

    async fn once(&self, method: &Method, url: &Url, call: &Call) -> Result<Answer, ShopApiError> {
        let (mut response, token) = self.ask(method, url, call).await?;
        if let Some(token) = token.filter(|_| response.status().as_u16() == 401) {
            // A shop may take a token back before its time; a fresh one tells that from wrong credentials.
            self.token.forget(&token).await;
            response = self.ask(method, url, call).await?.0;
        }
        let status = response.status().as_u16();
        if status == 429 || status >= 500 {
            return Err(ShopApiError::Busy { status, after: self.retry_after(&response) });
        }
        let text =
            |(name, value): (&HeaderName, &HeaderValue)| Some((name.to_string(), value.to_str().ok()?.to_owned()));
        let headers = response.headers().iter().filter_map(text).collect();
        let body = read(&mut response, ANSWER_MAX).await?.into();
        Ok(Answer { status, headers, body })
    }

    /// One request, and the token that it carried if it carried one.
    async fn ask(
        &self,
        method: &Method,
        url: &Url,
        call: &Call,
    ) -> Result<(Response, Option<SecretString>), ShopApiError> {
        let mut request = self.client.request(method.clone(), url.clone());
        // What the operator configured is not the adapter's to say, so it is left out of what the adapter says.
        let configured =
            |name: &str| self.headers.contains_key(name) || self.config.credentials.header().eq_ignore_ascii_case(name);
        for (name, value) in call.headers.iter().filter(|(name, _)| !configured(name)) {
            request = request.header(name, value);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !call.body.is_empty() {
            request = request.body(call.body.clone());
        }
        let (request, token) = self.prove(request).await?;
        let began = std::time::Instant::now();
        let outcome = request.send().await;
        let milliseconds = began.elapsed().as_millis();
        let host = self.config.url.host_str().unwrap_or_default();
        match outcome {
            Ok(response) => {
                tracing::debug!(%method, host, status = response.status().as_u16(), milliseconds, "call to a shop's API");
                Ok((response, token))
            }
            Err(error) => {
                let failure = failure(&error);
                tracing::debug!(%method, host, %failure, milliseconds, "call to a shop's API");
                Err(failure)
            }
        }
    }

    async fn prove(&self, request: RequestBuilder) -> Result<(RequestBuilder, Option<SecretString>), ShopApiError> {
        Ok(match &self.config.credentials {
            Credentials::Basic { user, password } => {
                (request.basic_auth(user.expose_secret(), Some(password.expose_secret())), None)
            }
            Credentials::Bearer(token) => (request.bearer_auth(token.expose_secret()), None),
            Credentials::Header { name, value } => (request.header(name, secret(value)?), None),
            Credentials::OAuth { token_url, client_id, client_secret, scope } => {
                let giver = Giver { url: token_url, client_id, client_secret, scope: scope.as_deref() };
                let token = self.token.get(&self.client, self.clock.as_ref(), giver).await?;
                (
                    request.header(
                        AUTHORIZATION,
                        secret(&SecretString::from(format!("Bearer {}", token.expose_secret())))?,
                    ),
                    Some(token),
                )
            }
        })
    }

    fn retry_after(&self, response: &Response) -> Option<Duration> {
        let header = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        retry::after(header(RETRY_AFTER)?, header(DATE), self.clock.now())
    }
}

impl Credentials {
    /// The header that carries them.
    fn header(&self) -> &str {
        match self {
            Self::Header { name, .. } => name,
            Self::Basic { .. } | Self::Bearer(_) | Self::OAuth { .. } => AUTHORIZATION.as_str(),
        }
    }

    fn token_url(&self) -> Option<&Url> {
        match self {
            Self::OAuth { token_url, .. } => Some(token_url),
            _ => None,
        }
    }
}

/// A client for these addresses: no redirects, no proxy, and public addresses only unless told otherwise.
pub(crate) fn builder(urls: &[&Url], private_addresses: bool) -> Result<ClientBuilder, ShopApiError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // The process has one provider. If another thread was quicker, its choice is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let mut builder =
        Client::builder().user_agent(USER_AGENT).redirect(Policy::none()).no_proxy().connect_timeout(CONNECT_PATIENCE);
    if !private_addresses {
        // A literal address is never resolved, so it is looked at here.
        if let Some(private) = urls.iter().filter_map(|url| literal(url)).find(|found| !is_public(*found)) {
            return Err(ShopApiError::Private(private));
        }
        builder = builder.dns_resolver(PublicOnly::shared());
    }
    if urls.iter().all(|url| url.scheme() == "http") {
        // Without TLS the machine's certificates are not needed, and a small container has none.
        builder = builder.tls_certs_only([]);
    }
    Ok(builder)
}

/// How long to wait before trying again; none if it must not be, or will not help.
fn pause(error: &ShopApiError, method: &Method) -> Option<Duration> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match error {
        // Refused before anything was done.
        ShopApiError::Busy { status: 429 | 503, after } => Some(after.map_or(PAUSE, |after| after.max(PAUSE))),
        ShopApiError::Busy { .. } if reads => Some(PAUSE),
        ShopApiError::Unreachable(_) => Some(PAUSE),
        // An answer that broke off. Where the patience is used up there is no more time for another.
        ShopApiError::Silent if reads => Some(PAUSE),
        _ => None,
    }
}

fn method(text: &str) -> Result<Method, ShopApiError> {
    Method::from_bytes(text.as_bytes()).map_err(|_| ShopApiError::Call("its method is none".to_owned()))
}

/// The configured address with a path behind its own. Whatever the path holds, origin and path of the configuration stay.
fn join(base: &Url, path_and_query: &str) -> Result<Url, ShopApiError> {
    let refused = || ShopApiError::Call("its path must begin with `/` and stay below [shops.api] `url`".to_owned());
    if !path_and_query.starts_with('/') {
        return Err(refused());
    }
    let root = base.as_str().trim_end_matches('/');
    let url = Url::parse(&format!("{root}{path_and_query}")).map_err(|_| refused())?;
    let own = base.path().trim_end_matches('/');
    let below = url.path().strip_prefix(own).is_some_and(|rest| rest.starts_with('/'));
    if url.origin() != base.origin() || !below || url.fragment().is_some() {
        return Err(refused());
    }
    Ok(url)
}

fn headers(config: &ShopApiConfig) -> Result<HeaderMap, ShopApiError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let unusable = || ShopApiError::Unusable(format!("the header {name} cannot be sent"));
        let value = HeaderValue::from_str(value).map_err(|_| unusable())?;
        headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?, value);
    }
    Ok(headers)
}

fn secret(text: &SecretString) -> Result<HeaderValue, ShopApiError> {
    let mut value = HeaderValue::from_str(text.expose_secret())
        .map_err(|_| ShopApiError::Unusable("a credential does not fit into a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads a body to its end, or to the limit.
pub(crate) async fn read(response: &mut Response, limit: usize) -> Result<Vec<u8>, ShopApiError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(ShopApiError::TooLarge { max: limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a failure of the HTTP client means.
pub(crate) fn failure(error: &reqwest::Error) -> ShopApiError {
    if let Some(PrivateAddress(address)) = cause::<PrivateAddress>(error) {
        return ShopApiError::Private(*address);
    }
    if cause::<rustls::Error>(error).is_some() {
        return ShopApiError::Tls(words(error));
    }
    if error.is_builder() {
        return ShopApiError::Call(words(error));
    }
    if error.is_connect() {
        let problem = if error.is_timeout() { "no connection in time".to_owned() } else { words(error) };
        return ShopApiError::Unreachable(problem);
    }
    ShopApiError::Silent
}

/// The innermost cause in words. The outer ones name the URL, whose query may be personal.
fn words(error: &reqwest::Error) -> String {
    let mut innermost: &(dyn Error + 'static) = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// The cause of this type. `source` of an `io::Error` passes over the error inside it, and there may be one `io::Error` in
/// another.
fn cause<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_configured_address() {
        let base = Url::parse("https://shop.example.org/wp/").unwrap();
        let joined = |path: &str| join(&base, path).map(String::from).ok();
        assert_eq!(joined("/wc/v3/orders/7?x=1").as_deref(), Some("https://shop.example.org/wp/wc/v3/orders/7?x=1"));
        for path in [
            "",
            "wc",
            "https://evil.example/",
            "@evil.example/",
            "/../admin",
            "/%2e%2e/admin",
            "/a/../../admin",
            "/\\..\\..\\x",
            "/a#b",
        ] {
            assert_eq!(joined(path), None, "{path}");
        }
        // What looks like another host behind the path is a path.
        assert_eq!(joined("//evil.example/x").as_deref(), Some("https://shop.example.org/wp//evil.example/x"));
    }
}
