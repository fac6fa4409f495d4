//! Owns a request as the views see it; must never answer one.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What the LMS leaves as it is in the queries it makes up.
const QUERY_SAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A request, decoded as far as the framework of the LMS decodes it before a view runs.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// In capitals.
    pub(crate) method: String,
    /// Percent-decoded.
    pub(crate) path: String,
    /// As it came.
    pub(crate) raw_path: String,
    /// As it came, without the question mark.
    pub(crate) raw_query: Option<String>,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) peer: IpAddr,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The last value of a parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        pairs(self.raw_query.as_deref().unwrap_or_default())
            .into_iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// The address of this request with one parameter replaced or taken out, the parameters in alphabetical order.
    pub(crate) fn link(&self, name: &str, value: Option<&str>) -> String {
        let mut pairs = pairs(self.raw_query.as_deref().unwrap_or_default());
        pairs.retain(|(key, _)| key != name);
        pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        pairs.sort();
        let query: Vec<String> =
            pairs.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{}", self.origin(), self.raw_path, query.join("&"))
    }

    /// The media type of the body, without parameters, in small letters.
    pub(crate) fn media_type(&self) -> String {
        let whole = self.header("content-type").unwrap_or_default();
        whole.split(';').next().unwrap_or_default().trim().to_lowercase()
    }

    /// The fields of a form body, or none when the body is something else.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        match self.media_type().as_str() {
            "application/x-www-form-urlencoded" => pairs(&String::from_utf8_lossy(&self.body)),
            "multipart/form-data" => self.multipart(),
            _ => Vec::new(),
        }
    }

    fn multipart(&self) -> Vec<(String, String)> {
        let whole = self.header("content-type").unwrap_or_default();
        let Some((_, boundary)) = whole.split_once("boundary=") else { return Vec::new() };
        let boundary = format!("--{}", boundary.split(';').next().unwrap_or_default().trim().trim_matches('"'));
        let body = String::from_utf8_lossy(&self.body).into_owned();
        body.split(&boundary)
            .filter_map(|part| {
                let (head, value) = part.split_once("\r\n\r\n")?;
                let (_, name) = head.split_once(" name=\"")?;
                let (name, rest) = name.split_once('"')?;
                let value = value.strip_suffix("\r\n").unwrap_or(value);
                (!rest.contains("filename=")).then(|| (name.to_owned(), value.to_owned()))
            })
            .collect()
    }

    /// The address throttles count for callers without an account.
    pub(crate) fn ident(&self) -> String {
        match self.header("x-forwarded-for") {
            Some(forwarded) => forwarded.split_whitespace().collect(),
            None => self.peer.to_string(),
        }
    }

    /// Where the caller reached the LMS.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or("lms.example"))
    }

    /// Whether what the caller accepts includes JSON.
    pub(crate) fn accepts_json(&self) -> bool {
        let Some(accept) = self.header("accept") else { return true };
        accept.split(',').any(|range| {
            let range = range.split(';').next().unwrap_or_default().trim().to_lowercase();
            matches!(range.as_str(), "*/*" | "application/*" | "application/json" | "*")
        })
    }
}

/// The pairs of a query or form, `+` standing for a blank.
fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        })
        .collect()
}

/// A key or value as it stands in a query.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, QUERY_SAFE).to_string().replace("%20", "+")
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
