//! The adapter as a whole, against the fake host.

use bursar_adapter::orders::{Cause, Payment};
use bursar_adapter::testing::{Handled, KnownLine, OrderFacts, Post, Shop};
use serde_json::{Value, json};

use crate::Oscar;

const RUN: &str = "course-v1:Acme+SAIL101+2027_T1";

fn sale(order: &str, mode: &str) -> Value {
    json!({
        "user": "ada", "is_active": true, "mode": mode, "course_details": {"course_id": RUN},
        "enrollment_attributes": [{"namespace": "order", "name": "order_number", "value": order}],
    })
}

fn refund(mode: &str) -> Value {
    json!({"user": "ada", "is_active": false, "mode": mode, "course_details": {"course_id": RUN}})
}

/// What the real ledger does, as far as these tests need it: statements become known lines.
#[derive(Default)]
struct Ledger(Vec<OrderFacts>);

impl Ledger {
    fn hear(&mut self, body: &Value) -> Handled {
        let handled = self.shop().handle::<Oscar>(&Post::new(body.to_string()));
        handled.result.as_ref().unwrap();
        self.0.extend(handled.orders.iter().cloned());
        handled
    }

    fn shop(&self) -> Shop {
        let mut lines: Vec<(String, KnownLine)> = Vec::new();
        for order in &self.0 {
            for line in &order.lines {
                let place = lines.iter().position(|(id, known)| *id == order.id && known.id == line.id);
                let place = place.unwrap_or_else(|| {
                    let known = KnownLine {
                        id: line.id.clone(),
                        active: order.payment == Some(Payment::Paid),
                        ..KnownLine::default()
                    };
                    lines.push((order.id.clone(), known));
                    lines.len() - 1
                });
                let known = &mut lines[place].1;
                known.active &= line.holds.is_empty();
                if !line.product.is_empty() {
                    known.product.clone_from(&line.product);
                }
            }
        }
        lines.into_iter().fold(Shop::new(), |shop, (order, line)| shop.known(&order, line))
    }
}

fn held(handled: &Handled) -> Vec<(&str, &str, Cause)> {
    handled
        .orders
        .iter()
        .flat_map(|order| {
            order.lines.iter().flat_map(move |line| {
                line.holds.iter().map(move |(cause, _)| (order.id.as_str(), line.id.as_str(), *cause))
            })
        })
        .collect()
}

#[test]
fn what_is_bought_refunded_and_bought_again_is_refunded_order_by_order() {
    let mut ledger = Ledger::default();
    ledger.hear(&sale("A-1", "verified"));
    assert_eq!(held(&ledger.hear(&refund("verified"))), [("A-1", RUN, Cause::Refunded)]);
    assert_eq!(ledger.hear(&refund("verified")).outcome(), "ignored");
    ledger.hear(&sale("A-2", "verified"));
    assert_eq!(held(&ledger.hear(&refund("verified"))), [("A-2", RUN, Cause::Refunded)]);
}

#[test]
fn a_sale_that_is_sent_late_again_does_not_hide_a_newer_one() {
    let mut ledger = Ledger::default();
    ledger.hear(&sale("A-1", "verified"));
    ledger.hear(&refund("verified"));
    ledger.hear(&sale("A-2", "verified"));
    assert_eq!(ledger.hear(&sale("A-1", "verified")).all_reviews().len(), 1, "fulfilled again after it was revoked");
    assert_eq!(held(&ledger.hear(&refund("verified"))), [("A-2", RUN, Cause::Refunded)]);
}

#[test]
fn a_refund_finds_the_order_of_its_mode() {
    let mut ledger = Ledger::default();
    ledger.hear(&sale("A-1", "audit"));
    ledger.hear(&sale("A-2", "verified"));
    assert_eq!(held(&ledger.hear(&refund("audit"))), [("A-1", RUN, Cause::Refunded)]);
}

#[test]
fn a_refund_of_what_was_not_sold_here_is_seen_by_a_person_and_changes_nothing() {
    let handled = Ledger::default().hear(&refund("verified"));
    assert!(handled.orders.is_empty());
    assert_eq!(handled.all_reviews().len(), 1);
}

#[test]
fn what_stands_for_the_learner_owes_nothing() {
    let handled = Ledger::default().hear(&sale("A-1", "verified"));
    let noted = handled.orders.iter().find(|order| order.id == "seats/ada").unwrap();
    assert_eq!(noted.payment, Some(Payment::Unpaid));
    assert!(noted.learner_email.is_none() && noted.lines[0].learner_username.is_none());
}

#[test]
fn the_key_and_who_learns_where_are_blanked() {
    let described = Shop::describe::<Oscar>();
    for header in ["x-edx-api-key", "x-forwarded-for", "x-edx-ga-client-id"] {
        assert!(described.redacted_headers.contains(&header.to_owned()), "{header}");
    }
}

#[test]
fn without_the_key_nothing_is_told_of_the_call() {
    let shop = Shop::new().secret("api-key", "sesame");
    for path in ["", "/api/enrollment/v1/enrollment", "/api/entitlements/v1/entitlements/", "/x"] {
        for body in ["", "{}", "[]", "null"] {
            let post = Post::new(body).path(path).header("x-edx-api-key", "guess");
            assert_eq!(shop.authenticate::<Oscar>(&post).unwrap_err().code, "signature-mismatch", "{path} {body}");
        }
    }
}

#[test]
fn only_the_address_of_enrollments_is_taken() {
    let shop = Shop::new().secret("api-key", "sesame");
    let code = |path: &str| {
        let post = Post::new(sale("A-1", "verified").to_string()).path(path).header("x-edx-api-key", "sesame");
        shop.authenticate::<Oscar>(&post).err().map(|problem| problem.code)
    };
    for path in ["", "/", "/api/enrollment/v1/enrollment", "/api/enrollment/v1/enrollment/"] {
        assert_eq!(code(path), None, "{path}");
    }
    for path in
        ["/api/enrollment/v1/enrollments", "/api/enrollment/v1/enrollment/ada,course", "/API/enrollment/v1/enrollment"]
    {
        assert_eq!(code(path).as_deref(), Some("call-unknown"), "{path}");
    }
    assert_eq!(code("/api/entitlements/v1/entitlements/4a6e/").as_deref(), Some("entitlements-not-supported"));
    assert_eq!(code("/api/entitlements").as_deref(), Some("entitlements-not-supported"));
}
