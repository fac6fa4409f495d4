//! Odoo's webhooks: they say which record changed, and prove nothing but that they know the address.
//!
//! Owns the form of such a knock. What the order is, Odoo says when it is asked, so nothing of it stands here.

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{Event, ImitationError, Message, Order, Platform, Sender};

/// Odoo.
#[derive(Debug, Clone, Copy)]
pub struct Odoo;

const ORDER: &str = "sale.order";
const INVOICE: &str = "account.move";

impl Platform for Odoo {
    fn name(&self) -> &'static str {
        "odoo"
    }

    fn secret(&self) -> &'static str {
        "token"
    }

    fn events(&self) -> &'static [(Event, &'static str)] {
        &[(Event::Changed, ORDER)]
    }

    fn products(&self) -> &'static [&'static str] {
        &[]
    }

    fn body(&self, order: &Order, topic: &str) -> Result<Vec<u8>, ImitationError> {
        if ![ORDER, INVOICE].contains(&topic) {
            return Err(ImitationError::UnknownTopic { topic: topic.to_owned() });
        }
        let knock = json!({ "_action": "Send Webhook Notification(#1)", "_id": order.id, "_model": topic });
        Ok(knock.to_string().into_bytes())
    }

    fn sign(&self, body: Vec<u8>, _topic: &str, shop: &Sender<'_>) -> Result<Message, ImitationError> {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Ok(Message { path: vec![shop.secret.expose_secret().to_owned()], headers, body })
    }
}
