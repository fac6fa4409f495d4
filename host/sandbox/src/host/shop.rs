//! `shop`: calls of the shop's own API.
//!
//! Owns what a call may look like, so that it cannot leave the configured origin or speak in the host's place; the order of
//! refusals (phase, permission, configuration, form); and the counts. Whether and how the shop is reached is the business of
//! [`ShopApi`](crate::ShopApi).

use std::collections::BTreeSet;

use bytes::Bytes;
use wasmtime::{Result, component::Resource};

use super::{AnswerMark, Answered, CallMark, refusal, seconds};
use crate::{
    contract::bursar::adapter::{
        shop as wit,
        types::{Problem, Remedy},
    },
    error::RunErrorKind,
    limits,
    run::{book, state::RunState},
    shop::Permission,
    shop_api::{ShopAnswer, ShopBody, ShopCall, ShopFault, ShopMethod},
    text,
};

/// Headers that are the host's, the connection's or the credentials'. So are those that begin as [`HOSTS_PREFIXES`].
const HOSTS_HEADERS: [&str; 22] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "upgrade",
    "user-agent",
    "via",
    "x-http-method-override",
];
const HOSTS_PREFIXES: [&str; 3] = ["proxy-", "sec-", "x-forwarded-"];

/// Headers of an answer that are between the shop and the host.
const HIDDEN_HEADERS: [&str; 2] = ["set-cookie", "set-cookie2"];

/// Characters that a path and query may hold beside letters and digits (RFC 3986, and the brackets that many shops' filters
/// have).
const PATH_MARKS: &[u8] = b"/?-._~!$&'()*+,;=:@%[]";

/// A call being made. What is wrong with it is said when it is sent, because only `send` can say it.
#[derive(Debug)]
pub(crate) struct CallDraft {
    method: String,
    path_and_query: String,
    headers: Vec<(String, String)>,
    body: Option<ShopBody>,
}

impl CallDraft {
    /// The call, or what is wrong with it in words that do not repeat it.
    fn check(&self) -> std::result::Result<ShopCall, String> {
        let method =
            ShopMethod::from_name(&self.method).ok_or("its method is none of GET, POST, PUT, PATCH and DELETE")?;
        check_path(&self.path_and_query)?;
        if self.headers.len() > limits::SHOP_HEADERS {
            return Err(format!("it has more than {} headers", limits::SHOP_HEADERS));
        }
        let mut names = BTreeSet::new();
        let headers = self.headers.iter().map(|(name, value)| {
            let name = check_header(name, value)?;
            if names.insert(name.clone()) {
                Ok((name, value.clone()))
            } else {
                Err(format!("its header {name} is there twice"))
            }
        });
        let headers = headers.collect::<std::result::Result<_, _>>()?;
        if let Some(body) = &self.body {
            if method == ShopMethod::Get {
                return Err("it is a GET and has a body".to_owned());
            }
            if body.bytes.len() > limits::SHOP_BODY {
                return Err(format!("its body has more than {} bytes", limits::SHOP_BODY));
            }
            if body.content_type.is_empty()
                || body.content_type.len() > limits::ID
                || !is_field_value(&body.content_type)
            {
                return Err("the media type of its body is none".to_owned());
            }
        }
        Ok(ShopCall { method, path_and_query: self.path_and_query.clone(), headers, body: self.body.clone() })
    }
}

fn check_path(path_and_query: &str) -> std::result::Result<(), String> {
    if path_and_query.len() > limits::SHOP_PATH {
        return Err(format!("its path and query have more than {} bytes", limits::SHOP_PATH));
    }
    if !path_and_query.starts_with('/') {
        return Err("its path does not begin with `/`".to_owned());
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || PATH_MARKS.contains(&byte);
    if !path_and_query.bytes().all(allowed) {
        return Err("its path or query holds a character that must be percent-encoded, a backslash or a `#`".to_owned());
    }
    let escapes_are_sound = path_and_query
        .split('%')
        .skip(1)
        .all(|after| after.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit())));
    if !escapes_are_sound {
        return Err("its path or query holds a `%` without two hexadecimal digits".to_owned());
    }
    let path = path_and_query.split('?').next().unwrap_or_default();
    if path.contains("//") {
        return Err("its path holds `//`".to_owned());
    }
    // What a server takes for a separator or a dot after decoding counts as one.
    let decoded = path.to_ascii_lowercase();
    let decoded = [("%2f", "/"), ("%5c", "/"), ("%2e", "."), ("%3b", ";")]
        .iter()
        .fold(decoded, |text, (escaped, meant)| text.replace(escaped, meant));
    // Some servers pass over what follows `;` in a segment.
    if decoded.split('/').any(|segment| matches!(segment.split(';').next(), Some("." | ".."))) {
        return Err("its path holds a segment `.` or `..`".to_owned());
    }
    Ok(())
}

/// The header's name in lower case.
fn check_header(name: &str, value: &str) -> std::result::Result<String, String> {
    if name.len() + value.len() > limits::SHOP_HEADER {
        return Err(format!("one of its headers has more than {} bytes", limits::SHOP_HEADER));
    }
    let is_token =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if !is_token {
        return Err("the name of one of its headers is none".to_owned());
    }
    let name = name.to_ascii_lowercase();
    if HOSTS_HEADERS.contains(&name.as_str()) || HOSTS_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Err(format!("the header {} is the host's to set", text::words(&name, limits::CODE)));
    }
    if !is_field_value(value) {
        return Err(format!("the value of its header {} is not visible ASCII", text::words(&name, limits::CODE)));
    }
    Ok(name)
}

fn is_field_value(value: &str) -> bool {
    value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) && value.trim() == value
}

impl From<ShopFault> for Problem {
    fn from(fault: ShopFault) -> Self {
        let words = text::words(&fault.to_string(), limits::MESSAGE);
        match fault {
            ShopFault::Unavailable { retry_after, .. } => {
                Self { retry_after: retry_after.map(seconds), ..refusal(Remedy::Later, "shop-unavailable", words) }
            }
            ShopFault::Misconfigured(_) => refusal(Remedy::Operator, "shop-misconfigured", words),
            ShopFault::TooLarge => too_large(),
        }
    }
}

/// Asking again would bring the same again; the adapter must ask for less.
fn too_large() -> Problem {
    refusal(Remedy::None, "shop-answer-too-large", ShopFault::TooLarge.to_string())
}

impl RunState {
    fn call(&mut self, call: &Resource<CallMark>) -> std::result::Result<&mut CallDraft, RunErrorKind> {
        self.calls.get_mut(book::index(call.rep())).and_then(Option::as_mut).ok_or_else(book::unknown_handle)
    }

    fn shop_answer(&self, answer: &Resource<AnswerMark>) -> std::result::Result<&ShopAnswer, RunErrorKind> {
        self.answers.get(book::index(answer.rep())).and_then(Option::as_ref).ok_or_else(book::unknown_handle)
    }
}

impl wit::Host for RunState {}

impl wit::HostCall for RunState {
    fn new(&mut self, method: String, path_and_query: String) -> Result<Resource<CallMark>> {
        self.count_call(method.len() + path_and_query.len())?;
        book::within(self.calls.len(), limits::SHOP_DRAFTS, "prepared calls of the shop's API")?;
        self.calls.push(Some(CallDraft { method, path_and_query, headers: Vec::new(), body: None }));
        Ok(Resource::new_own(book::position(self.calls.len() - 1)?))
    }

    fn header(&mut self, call: Resource<CallMark>, name: String, value: String) -> Result<()> {
        self.count_call(name.len() + value.len())?;
        let draft = self.call(&call)?;
        // One more than allowed, for the check of the call to see.
        if draft.headers.len() <= limits::SHOP_HEADERS {
            draft.headers.push((name, value));
        }
        Ok(())
    }

    fn body(&mut self, call: Resource<CallMark>, content_type: String, bytes: Vec<u8>) -> Result<()> {
        self.count_call(content_type.len() + bytes.len())?;
        self.call(&call)?.body = Some(ShopBody { content_type, bytes: Bytes::from(bytes) });
        Ok(())
    }

    async fn send(&mut self, call: Resource<CallMark>) -> Result<Answered<Resource<AnswerMark>>> {
        self.count_call(0)?;
        if let Err(refused) = self.permitted(Permission::Shop) {
            return Ok(Err(refused));
        }
        let Some(api) = self.surroundings.as_ref().and_then(|surroundings| surroundings.shop_api()) else {
            let words = "the shop's API is not configured; hint: a table [shops.api] says where it is";
            return Ok(Err(refusal(Remedy::Operator, "not-available", words)));
        };
        let call = match self.call(&call)?.check() {
            Ok(call) => call,
            Err(words) => {
                let words = format!("the call of the shop's API is not sound: {words}");
                return Ok(Err(refusal(Remedy::None, "call-malformed", words)));
            }
        };
        self.count_shop_call()?;
        let answer = match self.outside(api.send(call)).await {
            Ok(answer) if answer.body.len() > self.limits.shop_answer => return Ok(Err(too_large())),
            Ok(answer) => answer,
            Err(fault) => return Ok(Err(fault.into())),
        };
        self.count_bytes(answer.body.len())?;
        self.answers.push(Some(answer));
        Ok(Ok(Resource::new_own(book::position(self.answers.len() - 1)?)))
    }

    fn drop(&mut self, call: Resource<CallMark>) -> Result<()> {
        if let Some(draft) = self.calls.get_mut(book::index(call.rep())) {
            *draft = None;
        }
        Ok(())
    }
}

impl wit::HostAnswer for RunState {
    fn status(&mut self, answer: Resource<AnswerMark>) -> Result<u16> {
        self.count_call(0)?;
        Ok(self.shop_answer(&answer)?.status)
    }

    fn header(&mut self, answer: Resource<AnswerMark>, name: String) -> Result<Option<String>> {
        let headers = &self.shop_answer(&answer)?.headers;
        let values: Vec<&str> = headers
            .iter()
            .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(&name))
            .filter(|(candidate, _)| !HIDDEN_HEADERS.iter().any(|hidden| candidate.eq_ignore_ascii_case(hidden)))
            .map(|(_, value)| value.as_str())
            .collect();
        let value = (!values.is_empty()).then(|| values.join(", "));
        self.count_call(name.len() + value.as_ref().map_or(0, String::len))?;
        Ok(value)
    }

    fn body(&mut self, answer: Resource<AnswerMark>) -> Result<Vec<u8>> {
        let body = self.shop_answer(&answer)?.body.clone();
        self.count_call(body.len())?;
        Ok(body.to_vec())
    }

    fn drop(&mut self, answer: Resource<AnswerMark>) -> Result<()> {
        if let Some(answer) = self.answers.get_mut(book::index(answer.rep())) {
            *answer = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(method: &str, path: &str) -> CallDraft {
        CallDraft { method: method.to_owned(), path_and_query: path.to_owned(), headers: Vec::new(), body: None }
    }

    fn with_header(name: &str, value: &str) -> CallDraft {
        CallDraft { headers: vec![(name.to_owned(), value.to_owned())], ..draft("GET", "/") }
    }

    #[test]
    fn a_sound_call_is_passed_on_as_it_is() {
        for path in [
            "/",
            "/graphql/",
            "/wp-json/wc/v3/orders?per_page=100&page=2&filter[status]=processing",
            "/orders/gid%3A%2F%2Fshop%2FOrder%2F7",
            "/a..b/...",
            "/redirect?to=https://shop.example.org//a/../b",
        ] {
            assert_eq!(draft("GET", path).check().unwrap().path_and_query, path);
        }
        let call = CallDraft {
            headers: vec![("Accept".to_owned(), "application/json; q=1".to_owned())],
            body: Some(ShopBody { content_type: "application/json".to_owned(), bytes: Bytes::from_static(b"{}") }),
            ..draft("POST", "/graphql")
        }
        .check()
        .unwrap();
        assert_eq!(call.headers, [("accept".to_owned(), "application/json; q=1".to_owned())]);
        assert_eq!((call.method, call.body.unwrap().bytes.len()), (ShopMethod::Post, 2));
    }

    #[test]
    fn a_path_cannot_leave_the_origin() {
        for path in [
            "",
            "orders",
            "https://elsewhere.example.org/",
            "//elsewhere.example.org/",
            "/a//elsewhere.example.org",
            "/\\elsewhere.example.org",
            "@elsewhere.example.org/",
            ":8080/",
            ".elsewhere.example.org/",
            "/..",
            "/a/../b",
            "/a/./b",
            "/a/%2e%2E/b",
            "/a/.%2e?x=1",
            "/a/..%2fb",
            "/a%2F..%5Cb",
            "/a b",
            "/a\r\nhost: x",
            "/a\0",
            "/ä",
            "/a#b",
            "/a?b#c",
            "/a%",
            "/a%2",
            "/a%zz",
        ] {
            assert!(draft("GET", path).check().is_err(), "{path:?} passed");
        }
        assert!(draft("GET", &format!("/{}", "a".repeat(limits::SHOP_PATH))).check().is_err());
    }

    #[test]
    fn methods_are_those_of_the_set_and_nothing_else() {
        for method in ["get", "HEAD", "CONNECT", "TRACE", "OPTIONS", "GET ", "", "GET\r\n"] {
            assert!(draft(method, "/").check().is_err(), "{method:?} passed");
        }
    }

    #[test]
    fn headers_that_are_the_hosts_are_refused() {
        for name in HOSTS_HEADERS.into_iter().chain(["Authorization", "HOST", "Proxy-Authorization", "X-Forwarded-For"])
        {
            let words = with_header(name, "x").check().unwrap_err();
            assert!(words.contains("is the host's to set"), "{words}");
        }
    }

    #[test]
    fn headers_cannot_smuggle_another() {
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("a:b", "x"),
            ("a\r\nb", "x"),
            ("a", "x\r\nb: c"),
            ("a", "\0"),
            ("a", "ä"),
            ("a", " x"),
        ] {
            assert!(with_header(name, value).check().is_err(), "{name:?}: {value:?} passed");
        }
        assert!(with_header("a", &"x".repeat(limits::SHOP_HEADER)).check().is_err());
        let twice = vec![("a".to_owned(), String::new()), ("A".to_owned(), String::new())];
        assert!(CallDraft { headers: twice, ..draft("GET", "/") }.check().is_err());
        let many = (0..=limits::SHOP_HEADERS).map(|index| (format!("a-{index}"), String::new())).collect();
        assert!(CallDraft { headers: many, ..draft("GET", "/") }.check().is_err());
    }

    #[test]
    fn bodies_have_an_end_a_media_type_and_a_method_that_takes_them() {
        let with_body = |method, content_type: &str, length| {
            let bytes = Bytes::from(vec![b'x'; length]);
            CallDraft { body: Some(ShopBody { content_type: content_type.to_owned(), bytes }), ..draft(method, "/") }
        };
        assert!(with_body("PUT", "text/plain", limits::SHOP_BODY).check().is_ok());
        for bad in [
            with_body("PUT", "text/plain", limits::SHOP_BODY + 1),
            with_body("PUT", "", 1),
            with_body("PUT", "text/plain\r\nhost: x", 1),
            with_body("GET", "text/plain", 1),
        ] {
            assert!(bad.check().is_err());
        }
    }

    #[test]
    fn faults_become_problems_that_say_who_can_help() {
        let unavailable = ShopFault::Unavailable {
            message: "no answer in 10 s".to_owned(),
            retry_after: Some(std::time::Duration::from_secs(30)),
        };
        let problem = Problem::from(unavailable);
        assert_eq!((problem.code.as_str(), problem.retry_after), ("shop-unavailable", Some(30)));
        assert!(matches!(problem.remedy, Remedy::Later));
        let problem = Problem::from(ShopFault::Misconfigured("the address is private".to_owned()));
        assert!(matches!(problem.remedy, Remedy::Operator));
        let problem = Problem::from(ShopFault::TooLarge);
        assert!(matches!(problem.remedy, Remedy::None));
    }
}
