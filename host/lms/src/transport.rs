//! One HTTP exchange with the LMS.
//!
//! Owns the HTTP client, its limits, and which of its failures happen before anything was sent. Knows no endpoint, no
//! token and no budget.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use bursar_domain::Clock;
use reqwest::{
    Client, Method, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    answer::{Answer, Asker, Headers},
    config::LmsConfig,
    counts::CallKind,
    error::{Doubt, Fault, LmsError, Refusal, Setback, UserProblem},
    wire::quote,
};

/// Largest answer that is read, in bytes. A page of a hundred enrollments takes 15 kB, a course with its modes 3 kB;
/// more than this is a mistake or an attack, and the call fails as too large.
const BODY_MAX: usize = 2 * 1024 * 1024;

/// How long an unused connection is kept. Shorter than what common proxies keep (60 s and more), because a request on a
/// connection that the other side is just closing has an unclear outcome.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

const USER_AGENT: &str = concat!("bursar/", env!("CARGO_PKG_VERSION"));

/// What a request carries. Has no `Debug`, like [`Call`]: both hold what is personal or secret.
pub(crate) enum Payload {
    Nothing,
    Json(serde_json::Value),
    /// Escaped already. May hold secrets.
    Form(SecretString),
}

/// One request. Its path begins with `/` and is escaped, its query as well.
pub(crate) struct Call {
    pub(crate) kind: CallKind,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) payload: Payload,
}

impl Call {
    pub(crate) fn get(kind: CallKind, path: impl Into<String>) -> Self {
        Self { kind, method: Method::GET, path: path.into(), query: None, payload: Payload::Nothing }
    }

    pub(crate) fn query(self, query: String) -> Self {
        Self { query: Some(query), ..self }
    }

    pub(crate) fn send(kind: CallKind, method: Method, path: impl Into<String>, payload: Payload) -> Self {
        Self { kind, method, path: path.into(), query: None, payload }
    }
}

/// The site's shared key. The LMS compares it with one of its settings.
const API_KEY: HeaderName = HeaderName::from_static("x-edx-api-key");

/// What proves who asks. Has no `Debug`.
pub(crate) enum Credentials<'a> {
    Token { client_id: &'a Arc<str>, jwt: &'a SecretString },
    ApiKey(&'a SecretString),
    None,
}

#[derive(Debug)]
pub(crate) struct Transport {
    client: Client,
    /// Without a slash at its end.
    root: String,
    clock: Arc<dyn Clock>,
}

impl Transport {
    pub(crate) fn new(config: &LmsConfig, clock: Arc<dyn Clock>) -> Result<Self, LmsError> {
        let root = root(&config.url)?;
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // The process has one provider. If another thread was quicker, its choice is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(config.connect_timeout)
            .timeout(config.call_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT);
        if root.starts_with("http://") {
            // Without TLS the machine's certificates are not needed, and a small container has none.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| Fault::Tls { problem: words(&error) })?;
        Ok(Self { client, root, clock })
    }

    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// Sends one request and reads the answer to its end. Whatever the status, it is an answer.
    pub(crate) async fn exchange(&self, call: &Call, credentials: Credentials<'_>) -> Result<Answer, LmsError> {
        let mut url = format!("{}{}", self.root, call.path);
        if let Some(query) = &call.query {
            url.push('?');
            url.push_str(query);
        }
        let mut request = self.client.request(call.method.clone(), url);
        let asker = match credentials {
            Credentials::Token { client_id, jwt } => {
                let value =
                    secret_header(&format!("JWT {}", jwt.expose_secret())).ok_or_else(|| Fault::ServiceUser {
                        client_id: client_id.to_string(),
                        problem: UserProblem::UnusableToken { problem: "does not fit into a header" },
                    })?;
                request = request.header(AUTHORIZATION, value);
                Asker::ServiceUser(Arc::clone(client_id))
            }
            Credentials::ApiKey(key) => {
                let value = secret_header(key.expose_secret()).ok_or(Refusal::ApiKeyRefused)?;
                request = request.header(API_KEY, value);
                Asker::ApiKey
            }
            Credentials::None => Asker::Nobody,
        };
        request = match &call.payload {
            Payload::Nothing => request,
            Payload::Json(value) => request.header(CONTENT_TYPE, "application/json").body(value.to_string()),
            Payload::Form(form) => {
                request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.expose_secret().to_owned())
            }
        };
        let began = Instant::now();
        let outcome = self.read(request, asker).await;
        let milliseconds = began.elapsed().as_millis();
        let (method, endpoint) = (&call.method, call.kind.label());
        match &outcome {
            Ok(answer) => tracing::debug!(%method, endpoint, status = answer.status, milliseconds, "call to the LMS"),
            Err(error) => tracing::debug!(%method, endpoint, failure = error.code(), milliseconds, "call to the LMS"),
        }
        outcome
    }

    async fn read(&self, request: reqwest::RequestBuilder, asker: Asker) -> Result<Answer, LmsError> {
        let mut response = request.send().await.map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len().saturating_add(chunk.len()) > BODY_MAX {
                return Err(Doubt::TooLarge { limit: BODY_MAX }.into());
            }
            body.extend_from_slice(&chunk);
        }
        let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let headers = Headers {
            content_type: header(CONTENT_TYPE),
            retry_after: header(RETRY_AFTER),
            location: header(LOCATION),
            date: header(DATE),
        };
        Ok(Answer::new(asker, status, headers, &body, self.clock.now()))
    }
}

/// `None` for what does not fit into a header.
fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn root(url: &str) -> Result<String, Fault> {
    let problem = |problem| Fault::Url { problem };
    let parsed = Url::parse(url.trim()).map_err(|_| problem("cannot be read"))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(problem("is neither https:// nor http://"));
    }
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err(problem("names no host"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(problem("holds a user or a password"));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(problem("holds a ? or a #"));
    }
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

/// What a failure of the HTTP client says of the request: only a failure to connect is certain to have sent nothing.
fn failure(error: &reqwest::Error) -> LmsError {
    if error.is_builder() {
        return Fault::Url { problem: "cannot be read" }.into();
    }
    if error.is_connect() {
        return if is_tls(error) {
            Fault::Tls { problem: words(error) }.into()
        } else if error.is_timeout() {
            Setback::Unreachable { problem: "no connection in time".to_owned() }.into()
        } else {
            Setback::Unreachable { problem: words(error) }.into()
        };
    }
    if error.is_timeout() { Doubt::TimedOut.into() } else { Doubt::CutOff.into() }
}

/// Is a certificate or a protocol the cause, rather than the network? `source` of an `io::Error` passes over the error
/// inside it, and there may be one `io::Error` in another.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    false
}

/// The innermost cause in words. The outer ones name the URL, whose query may be personal.
fn words(error: &reqwest::Error) -> String {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if cause.is::<reqwest::Error>() { "the request failed".to_owned() } else { quote(&cause.to_string(), &[]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_kept_without_its_slash_and_nonsense_is_refused() {
        assert_eq!(root(" https://lms.example.org/ ").unwrap(), "https://lms.example.org");
        assert_eq!(root("http://localhost:8000/lms/").unwrap(), "http://localhost:8000/lms");
        for url in ["", "lms.example.org", "ftp://lms.example.org", "https://a:b@lms.example.org", "https://l.org/?a=b"]
        {
            assert!(root(url).is_err(), "{url:?} passed");
        }
    }
}
