//! The adapter against the fake host of the kit.

use bursar_adapter::orders::{Cause, Payment};
use bursar_adapter::testing::{Answer, Post, Shop, StatementKind};
use hmac::{Hmac, KeyInit as _, Mac as _};

use crate::Facts;

const ALL: &str = r#"{"orders": [{
    "id": "42", "scope": "patch", "revision": [3], "number": "A42", "fingerprint": "f", "origin": "o", "placed_at": 1000, "test": true,
    "payment": "undecided", "holds": [{"cause": "disputed", "evidence": "e"}],
    "lifts": [{"cause": "cancelled", "evidence": "e"}],
    "refunded": {"amount": "5.00", "total": "10.00", "currency": "EUR"}, "learner": "ada@example.org", "review": "look",
    "lines": [{"id": "1", "products": ["variation:31", "BIO"], "title": "Biology",
        "courses": ["course-v1:A+B+C verified", "course-v1:A+B+D"], "parent": "0", "learner_username": "ada",
        "quantity": 3, "refunded_quantity": 1, "until": 2000, "review": "look here",
        "holds": [{"cause": "refunded", "evidence": "e"}], "lifts": [{"cause": "deleted", "evidence": "e"}]}]}]}"#;

#[test]
fn everything_that_the_body_says_is_stated() {
    let handled = Shop::new().handle::<Facts>(&Post::new(ALL));
    handled.result.unwrap();
    let order = &handled.orders[0];
    assert_eq!((order.id.as_str(), order.kind, order.revision.as_slice()), ("42", StatementKind::Patch, &[3][..]));
    assert_eq!((order.number.as_deref(), order.fingerprint.as_deref()), (Some("A42"), Some("f")));
    assert_eq!(order.origin.as_deref(), Some("o"));
    assert_eq!((order.placed_at, order.test, order.payment), (Some(1000), true, Some(Payment::Undecided)));
    assert_eq!(order.holds, [(Cause::Disputed, "e".to_owned())]);
    assert_eq!(order.lifts, [(Cause::Cancelled, "e".to_owned())]);
    assert_eq!(order.refunded_amount, Some(("5.00".to_owned(), "EUR".to_owned(), "10.00".to_owned())));
    assert_eq!(order.learner_email.as_deref(), Some("ada@example.org"));
    assert_eq!(order.reviews, ["look"]);
    let line = &order.lines[0];
    assert_eq!(line.product, [("variation".to_owned(), "31".to_owned()), ("sku".to_owned(), "BIO".to_owned())]);
    assert_eq!(line.courses[0], ("course-v1:A+B+C".to_owned(), Some("verified".to_owned())));
    assert_eq!(line.courses[1], ("course-v1:A+B+D".to_owned(), None));
    assert_eq!((line.title.as_str(), line.parent.as_deref()), ("Biology", Some("0")));
    assert_eq!(line.learner_username.as_deref(), Some("ada"));
    assert_eq!((line.quantity, line.refunded_quantity, line.until), (Some(3), Some(1), Some(2000)));
    assert_eq!(line.holds, [(Cause::Refunded, "e".to_owned())]);
    assert_eq!(line.lifts, [(Cause::Deleted, "e".to_owned())]);
    assert_eq!(line.reviews, ["look here"]);
}

#[test]
fn a_body_is_taken_with_its_signature_only_and_a_misspelt_fact_not_at_all() {
    let shop = Shop::new().secret("webhook", "s");
    let signed = |body: &str| {
        let mac = Hmac::<sha2::Sha256>::new_from_slice(b"s").unwrap().chain_update(body);
        Post::new(body).header("x-facts-signature", hex::encode(mac.finalize().into_bytes()))
    };
    let judged = shop.authenticate::<Facts>(&signed(ALL)).unwrap();
    assert_eq!(judged.answer, Answer::Accept { topic: "facts".to_owned() });
    assert_eq!(shop.authenticate::<Facts>(&Post::new(ALL)).unwrap_err().code, "header-missing");
    let misspelt = r#"{"orders": [], "payment": "paid"}"#;
    assert_eq!(shop.authenticate::<Facts>(&signed(misspelt)).unwrap_err().code, "body-unexpected");
}

#[test]
fn it_fails_as_it_is_told() {
    let body = r#"{"problem": {"remedy": "later", "code": "c", "message": "m", "retry_after": 60}}"#;
    let problem = Shop::new().handle::<Facts>(&Post::new(body)).result.unwrap_err();
    assert_eq!((problem.code.as_str(), problem.retry_after), ("c", Some(60)));
}
