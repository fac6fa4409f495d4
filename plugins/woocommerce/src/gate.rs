//! Is the request the shop's? Signature, ping, subject: what is decided while the shop waits.
//!
//! A body may be more than a megabyte, so it is read only as far as the order's id and status, which come first.

use bursar_adapter::{Request, Result, Verdict, schemes};
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use crate::body::DRAFTS;
use crate::loose::Loose;

/// The name of the shop's one secret.
pub(crate) const SECRET: &str = "webhook";

/// Holds the base64 of an HMAC-SHA256 over the body (fact 3).
const SIGNATURE: &str = "x-wc-webhook-signature";

/// Not signed: shown to people.
const TOPIC: &str = "x-wc-webhook-topic";

/// What a delivery without a topic is called.
const NO_TOPIC: &str = "unknown";

/// The media type of the ping.
const FORM: &str = "application/x-www-form-urlencoded";

/// The body of the ping is this and a number.
const PING: &[u8] = b"webhook_id=";

/// The longest number that a ping can name.
const LONGEST_ID: usize = 20;

pub(crate) fn authenticate(request: &Request<'_>) -> Result<Verdict> {
    match schemes::body_base64(request, SIGNATURE, SECRET) {
        Err(problem) if problem.code == "header-missing" && is_ping(request) => {
            // Anything but exactly 200 leaves the webhook in a state in which it pings after every delivery (fact 29).
            return Ok(Verdict::respond(200, "text/plain", b""));
        }
        checked => checked?,
    }

    let glance = Glance::at(request.body());
    if glance.status.is_some_and(|status| DRAFTS.contains(&status.as_str())) {
        return Ok(Verdict::ignore("a checkout that was opened, not an order"));
    }
    let verdict = Verdict::accept(&request.header(TOPIC).unwrap_or_else(|_| NO_TOPIC.to_owned()));
    Ok(match glance.id {
        Some(id) => verdict.about(id),
        None => verdict,
    })
}

/// The unsigned greeting of a webhook that was just activated. Nothing that looks only like it passes.
fn is_ping(request: &Request<'_>) -> bool {
    request.is_media_type(FORM)
        && request
            .body()
            .strip_prefix(PING)
            .is_some_and(|id| (1..=LONGEST_ID).contains(&id.len()) && id.iter().all(u8::is_ascii_digit))
}

/// The beginning of a body.
#[derive(Debug, Default)]
struct Glance {
    id: Option<u64>,
    status: Option<String>,
}

impl Glance {
    /// Reads until both are found. What is no JSON object has neither; `handle` will say so.
    fn at(body: &[u8]) -> Self {
        let mut glance = Self::default();
        // Stopping early is an error to the parser, and what was found so far is all that is wanted.
        let _ = serde_json::Deserializer::from_slice(body).deserialize_map(&mut glance);
        glance
    }
}

impl<'de> Visitor<'de> for &mut Glance {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while self.id.is_none() || self.status.is_none() {
            let Some(key) = object.next_key::<Loose<'de>>()? else { break };
            match key.text().as_deref() {
                Some("id") => self.id = object.next_value::<Loose<'de>>()?.id(),
                Some("status") => self.status = object.next_value::<Loose<'de>>()?.text().map(Into::into),
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_does_not_read_past_id_and_status() {
        let glance = Glance::at(br#"{"id":42,"parent_id":0,"status":"processing","rest": broken"#);
        assert_eq!(glance.id, Some(42));
        assert_eq!(glance.status.as_deref(), Some("processing"));
    }

    #[test]
    fn a_glance_finds_them_wherever_they_stand() {
        let glance = Glance::at(br#"{"a":{"id":1,"status":"x"},"status":"trash","b":[{"id":2}],"id":"7"}"#);
        assert_eq!(glance.id, Some(7));
        assert_eq!(glance.status.as_deref(), Some("trash"));
    }

    #[test]
    fn a_glance_at_nonsense_finds_nothing() {
        for body in [&b""[..], b"[]", b"null", b"\"text\"", b"{", b"{\"id\":", b"\xff\xfe", b"{\"id\":[1]}"] {
            let glance = Glance::at(body);
            assert_eq!((glance.id, glance.status), (None, None), "{body:?}");
        }
    }
}
