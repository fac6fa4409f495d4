//! One answer of the LMS, read to its end.
//!
//! Owns what can be told of an answer without knowing the question: its status, whether it is data, a page or nothing,
//! and how long it asks us to wait.

use std::{sync::Arc, time::Duration};

use bursar_domain::{Timestamp, retry};
use serde_json::Value;

/// How long to wait after a 429 that does not say: the LMS counts calls in windows of a minute (`docs/lms.md`).
pub(crate) const PAUSE: Duration = Duration::from_secs(60);

/// Longest pause that an answer can impose; a larger number is a proxy's mistake, and is cut to this.
const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);

/// Shortest: an answer that names none, or a moment that has passed, must not have us ask in a circle.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// What an answer's body is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// Nothing at all: one of the LMS's deliberate answers.
    Empty,
    /// JSON.
    Data(Value),
    /// Anything else: HTML, plain text, a broken body.
    Page,
}

/// As whom the question was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asker {
    /// As the service user of this client.
    ServiceUser(Arc<str>),
    /// With the site's API key and nothing else.
    ApiKey,
    /// Without credentials.
    Nobody,
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) asker: Asker,
    pub(crate) status: u16,
    pub(crate) content: Content,
    /// `Retry-After`.
    pub(crate) retry_after: Option<Duration>,
    /// `Location`.
    pub(crate) location: Option<String>,
}

/// The headers of an answer that mean something here.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Headers<'a> {
    pub(crate) content_type: Option<&'a str>,
    pub(crate) retry_after: Option<&'a str>,
    pub(crate) location: Option<&'a str>,
    /// `Date`: what the other side's clock shows.
    pub(crate) date: Option<&'a str>,
}

impl Answer {
    /// `now` by our clock, for want of the other side's.
    pub(crate) fn new(asker: Asker, status: u16, headers: Headers<'_>, body: &[u8], now: Timestamp) -> Self {
        let content_type = headers.content_type.unwrap_or_default().to_ascii_lowercase();
        let content = if body.iter().all(u8::is_ascii_whitespace) {
            // The LMS sends its deliberate empty answers without a type; an empty page is a proxy's.
            if content_type.contains("html") { Content::Page } else { Content::Empty }
        } else if content_type.contains("json") {
            serde_json::from_slice(body).map_or(Content::Page, Content::Data)
        } else {
            Content::Page
        };
        Self {
            asker,
            status,
            content,
            retry_after: headers.retry_after.and_then(|text| retry::after(text, headers.date, now)).map(bounded),
            location: headers.location.map(str::to_owned),
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The data, if it is any.
    pub(crate) fn data(&self) -> Option<&Value> {
        match &self.content {
            Content::Data(value) => Some(value),
            Content::Empty | Content::Page => None,
        }
    }

    /// A key's text, if the data is an object that has it.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.data()?.get(key)?.as_str()
    }

    /// How long a 429 asks us to wait. The staff list of older LMSs has no `Retry-After`, and a number in its text only;
    /// the text is in the site's language.
    pub(crate) fn pause(&self) -> Duration {
        let in_text = || {
            let text = self.text("detail").or_else(|| self.text("developer_message"))?;
            let digits: String =
                text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
            digits.parse().ok().map(Duration::from_secs).map(bounded)
        };
        self.retry_after.or_else(in_text).unwrap_or(PAUSE)
    }
}

fn bounded(pause: Duration) -> Duration {
    pause.clamp(PAUSE_MIN, PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn answer(status: u16, headers: Headers<'_>, body: &str) -> Answer {
        Answer::new(Asker::Nobody, status, headers, body.as_bytes(), NOW)
    }

    fn throttled(retry_after: Option<&str>, body: &str) -> Duration {
        let headers = Headers { content_type: Some("application/json"), retry_after, ..Headers::default() };
        answer(429, headers, body).pause()
    }

    #[test]
    fn a_pause_is_read_from_the_header_then_the_text_and_else_is_a_minute() {
        let text = r#"{"developer_message":"Request was throttled. Expected available in 50 seconds."}"#;
        assert_eq!(throttled(Some("37"), text), Duration::from_secs(37));
        assert_eq!(throttled(None, text), Duration::from_secs(50));
        assert_eq!(throttled(Some("soon"), text), Duration::from_secs(50));
        assert_eq!(throttled(None, r#"{"detail":"Fast genug."}"#), PAUSE);
        assert_eq!(throttled(None, r#"{"detail":"Expected available in 1 second."}"#), Duration::from_secs(1));
        assert_eq!(throttled(Some("0"), "{}"), Duration::from_secs(1));
        assert_eq!(throttled(Some("99999999"), "{}"), PAUSE_MAX);
        assert_eq!(throttled(None, r#"{"detail":"Come back in 99999999 seconds."}"#), PAUSE_MAX);
    }

    #[test]
    fn a_pause_until_a_date_is_counted_by_the_clock_of_whoever_named_it() {
        let until = |retry_after, date| {
            answer(503, Headers { retry_after: Some(retry_after), date, ..Headers::default() }, "").retry_after
        };
        let date = Some("Wed, 21 Oct 2026 07:27:15 GMT");
        assert_eq!(until("Wed, 21 Oct 2026 07:28:00 GMT", date), Some(Duration::from_secs(45)));
        assert_eq!(until("Wed, 21 Oct 2026 07:00:00 GMT", date), Some(Duration::from_secs(1)), "it has passed");
        assert_eq!(until("Thu, 22 Oct 2026 07:28:00 GMT", date), Some(PAUSE_MAX));
        assert_eq!(until("Thu, 01 Jan 1970 00:01:10 GMT", None), Some(Duration::from_secs(70)), "by our own clock");
        assert_eq!(until("after lunch", date), None);
    }

    #[test]
    fn a_body_is_nothing_data_or_a_page() {
        let content =
            |content_type, body: &str| answer(200, Headers { content_type, ..Headers::default() }, body).content;
        assert_eq!(content(None, ""), Content::Empty);
        assert_eq!(content(Some("text/html"), ""), Content::Page);
        assert_eq!(content(Some("text/html"), "{}"), Content::Page);
        assert_eq!(content(Some("application/json; charset=utf-8"), "[]"), Content::Data(Value::Array(Vec::new())));
        assert_eq!(content(Some("application/json"), "[{"), Content::Page);
    }
}
