//! One answer of the LMS, read to its end.
//!
//! Owns what can be told of an answer without knowing the question: its status, whether it is data, a page or nothing,
//! and how long it asks us to wait.

use std::time::Duration;

use serde_json::Value;

/// How long to wait after a 429 that does not say: the LMS counts calls in windows of a minute (`docs/lms.md`).
pub(crate) const PAUSE: Duration = Duration::from_secs(60);

/// Longest pause that an answer can impose; a larger number is a proxy's mistake, and is cut to this.
const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);

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

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content: Content,
    /// `Retry-After`, if it is a number of seconds.
    pub(crate) retry_after: Option<Duration>,
    /// `Location`.
    pub(crate) location: Option<String>,
}

impl Answer {
    pub(crate) fn new(
        status: u16,
        content_type: Option<&str>,
        retry_after: Option<&str>,
        location: Option<&str>,
        body: &[u8],
    ) -> Self {
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        let content = if body.iter().all(u8::is_ascii_whitespace) {
            // The LMS sends its deliberate empty answers without a type; an empty page is a proxy's.
            if content_type.contains("html") { Content::Page } else { Content::Empty }
        } else if content_type.contains("json") {
            serde_json::from_slice(body).map_or(Content::Page, Content::Data)
        } else {
            Content::Page
        };
        Self {
            status,
            content,
            retry_after: retry_after.and_then(|text| text.trim().parse().ok()).map(pause),
            location: location.map(str::to_owned),
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
            digits.parse().ok().map(pause)
        };
        self.retry_after.or_else(in_text).unwrap_or(PAUSE)
    }
}

fn pause(seconds: u64) -> Duration {
    Duration::from_secs(seconds.max(1)).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled(retry_after: Option<&str>, body: &str) -> Duration {
        Answer::new(429, Some("application/json"), retry_after, None, body.as_bytes()).pause()
    }

    #[test]
    fn a_pause_is_read_from_the_header_then_the_text_and_else_is_a_minute() {
        let text = r#"{"developer_message":"Request was throttled. Expected available in 50 seconds."}"#;
        assert_eq!(throttled(Some("37"), text), Duration::from_secs(37));
        assert_eq!(throttled(None, text), Duration::from_secs(50));
        assert_eq!(throttled(None, r#"{"detail":"Fast genug."}"#), PAUSE);
        assert_eq!(throttled(Some("Wed, 21 Oct 2026 07:28:00 GMT"), "{}"), PAUSE);
        assert_eq!(throttled(Some("0"), "{}"), Duration::from_secs(1));
        assert_eq!(throttled(Some("99999999"), "{}"), PAUSE_MAX);
    }

    #[test]
    fn a_body_is_nothing_data_or_a_page() {
        let content = |content_type, body: &str| Answer::new(200, content_type, None, None, body.as_bytes()).content;
        assert_eq!(content(None, ""), Content::Empty);
        assert_eq!(content(Some("text/html"), ""), Content::Page);
        assert_eq!(content(Some("text/html"), "{}"), Content::Page);
        assert_eq!(content(Some("application/json; charset=utf-8"), "[]"), Content::Data(Value::Array(Vec::new())));
        assert_eq!(content(Some("application/json"), "[{"), Content::Page);
    }
}
