//! The calls with which a Django Oscar `ecommerce` service fulfils and revokes a seat.
//!
//! Owns their form. They name the learner by username, which is taken to be what stands before the `@` of the address, and the
//! course run itself; one that revokes does not name the order.

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{Event, ImitationError, Message, Order, Platform, Sender, check_topic, made_up, only_seat};

/// Django Oscar.
#[derive(Debug, Clone, Copy)]
pub struct Oscar;

/// Where the LMS takes enrollments, which the site's proxy leaves as it was.
const ENROLLMENT: [&str; 4] = ["api", "enrollment", "v1", "enrollment"];

impl Platform for Oscar {
    fn name(&self) -> &'static str {
        "oscar"
    }

    fn secret(&self) -> &'static str {
        "api-key"
    }

    fn events(&self) -> &'static [(Event, &'static str)] {
        &[(Event::Paid, "enroll"), (Event::Refunded, "revoke")]
    }

    fn products(&self) -> &'static [&'static str] {
        &["run", "mode"]
    }

    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError> {
        check_topic(self, topic)?;
        let missing = |what| ImitationError::Missing { platform: self.name(), what };
        let line = only_seat(self, order)?;
        let learner = line.learner.as_ref().or(order.email.as_ref()).ok_or(missing("--email"))?;
        let username = learner.as_str().split('@').next().unwrap_or_default();
        let mut call = json!({
            "user": username,
            "is_active": topic == "enroll",
            "mode": line.id("mode").ok_or(missing("the mode of the seat: --product run:…,mode:…"))?,
            "course_details": { "course_id": line.id("run").ok_or(missing("the course run: --product run:…,mode:…"))? },
        });
        if topic == "enroll"
            && let Some(entries) = call.as_object_mut()
        {
            let attribute = |name: &str, value: String| json!({ "namespace": "order", "name": name, "value": value });
            let attributes = [
                attribute("order_number", order.id.to_string()),
                attribute("date_placed", made_up::whole_seconds(order.placed_at)),
            ];
            entries.insert("enrollment_attributes".to_owned(), json!(attributes));
        }
        Ok(call.to_string().into_bytes())
    }

    fn sign(&self, body: Vec<u8>, _topic: &str, shop: &Sender<'_>) -> Result<Message, ImitationError> {
        let headers = vec![
            ("User-Agent", "python-requests/2.31.0".to_owned()),
            ("Accept", "*/*".to_owned()),
            ("Content-Type", "application/json".to_owned()),
            ("X-Edx-Api-Key", shop.secret.expose_secret().to_owned()),
        ];
        Ok(Message { path: ENROLLMENT.map(str::to_owned).to_vec(), headers, body })
    }
}
