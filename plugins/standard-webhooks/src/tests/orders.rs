//! What is made of orders, refunds and deletions.

use bursar_adapter::orders::{Cause, Payment};
use bursar_adapter::testing::{OrderFacts, Shop, StatementKind};
use serde_json::{Value, json};

use super::{CHANGED, handled, handled_by, order, order_with};

fn stated(kind: &str, data: &Value) -> OrderFacts {
    let mut handled = handled(kind, data);
    handled.result.unwrap();
    assert_eq!(handled.orders.len(), 1);
    handled.orders.remove(0)
}

fn code(kind: &str, data: &Value) -> String {
    let handled = handled(kind, data);
    assert_eq!(handled.outcome(), "rejected", "{data}");
    assert!(handled.orders.is_empty());
    handled.result.unwrap_err().code
}

fn causes(said: &[(Cause, String)]) -> Vec<Cause> {
    said.iter().map(|(cause, _)| *cause).collect()
}

#[test]
fn a_whole_order_is_a_snapshot_as_new_as_it_says() {
    let facts = stated("order.changed", &order_with(json!({"changed_at": "2026-03-02T11:00:41.5+01:00"})));
    assert_eq!((facts.kind, facts.revision), (StatementKind::Snapshot, vec![CHANGED, 500_000_000]));
}

#[test]
fn the_three_words_for_money_are_the_only_ones() {
    for (word, payment) in [("paid", Payment::Paid), ("unpaid", Payment::Unpaid), ("pending", Payment::Undecided)] {
        assert_eq!(stated("order.changed", &order_with(json!({"status": word}))).payment, Some(payment));
    }
    for word in ["Paid", "completed", "refunded", "1"] {
        assert_eq!(code("order.changed", &order_with(json!({"status": word}))), "field-unexpected", "{word}");
    }
    for nothing in [json!(null), json!("")] {
        assert_eq!(code("order.changed", &order_with(json!({"status": nothing}))), "field-missing");
    }
}

#[test]
fn a_flag_holds_when_true_lifts_when_false_and_says_nothing_when_left_out() {
    for (name, cause) in [("cancelled", Cause::Cancelled), ("refunded", Cause::Refunded), ("disputed", Cause::Disputed)]
    {
        let with = |flag: Value| stated("order.changed", &order_with(json!({name: flag})));
        assert_eq!(causes(&with(json!(true)).holds), [cause]);
        assert_eq!(causes(&with(json!(true)).lifts), [Cause::Deleted]);
        assert_eq!(causes(&with(json!(false)).lifts), [Cause::Deleted, cause]);
        assert!(with(json!(false)).holds.is_empty());
        assert_eq!(causes(&with(json!(null)).lifts), [Cause::Deleted]);
    }
}

#[test]
fn a_product_is_looked_up_from_most_to_least_exact() {
    let lines = json!([{"id": 1, "sku": "SAIL", "product": 10, "variant": "31"}]);
    let facts = stated("order.changed", &order_with(json!({"lines": lines})));
    let product: Vec<(&str, &str)> = facts.lines[0].product.iter().map(|(k, i)| (k.as_str(), i.as_str())).collect();
    assert_eq!(product, [("variant", "31"), ("product", "10"), ("sku", "SAIL")]);
}

#[test]
fn a_line_says_who_learns_how_many_there_are_and_until_when() {
    let lines = json!([{
        "id": "1", "learner_email": "zoe@learner.example", "quantity": "3", "refunded_quantity": 1,
        "until": "2026-03-02T10:00:42Z",
    }]);
    let facts = stated("order.changed", &order_with(json!({"lines": lines})));
    let line = &facts.lines[0];
    assert_eq!(line.learner_email.as_deref(), Some("zoe@learner.example"));
    assert_eq!((line.quantity, line.refunded_quantity, line.until), (Some(3), Some(1), Some((CHANGED + 1) * 1000)));
}

#[test]
fn courses_of_an_order_are_believed_only_where_the_operator_says_so() {
    let data = order_with(json!({"lines": [{"id": "1", "courses": [{"run": "course-v1:A+B+C", "mode": "verified"}]}]}));
    for (settings, courses) in [("{}", 0), (r#"{"courses_in_orders":false}"#, 0), (r#"{"courses_in_orders":true}"#, 1)]
    {
        let handled = handled_by(&Shop::new().settings(settings), "order.changed", &data);
        assert_eq!(handled.orders[0].lines[0].courses.len(), courses, "{settings}");
    }
}

#[test]
fn five_hundred_lines_are_stated() {
    let lines: Vec<Value> = (0..500).map(|id| json!({"id": id, "sku": id})).collect();
    assert_eq!(stated("order.changed", &order_with(json!({"lines": lines}))).lines.len(), 500);
}

#[test]
fn lines_of_one_id_are_noticed_even_where_one_is_a_number() {
    let lines = json!([{"id": "1"}, {"id": 1}]);
    assert_eq!(code("order.changed", &order_with(json!({"lines": lines}))), "line-twice");
    assert_eq!(
        code("order.refunded", &json!({"id": 1, "changed_at": "2026-03-02T10:00:41Z", "lines": lines})),
        "line-twice"
    );
}

#[test]
fn an_order_may_have_changed_a_little_in_the_future_for_clocks_that_differ() {
    let at = |at: &str| order_with(json!({"changed_at": at}));
    assert_eq!(stated("order.changed", &at("2026-03-02T10:10:44Z")).revision, [CHANGED + 603, 0]);
    for kind in ["order.changed", "order.deleted", "order.refunded"] {
        assert_eq!(code(kind, &at("2026-03-02T10:10:45Z")), "changed-in-the-future");
    }
}

#[test]
fn a_refund_names_the_order_lines_or_an_amount_and_nothing_else_is_touched() {
    let refund = |fields: Value| {
        let mut data = json!({"id": "55", "changed_at": "2026-03-02T10:00:41Z"});
        for (name, value) in fields.as_object().unwrap() {
            data[name] = value.clone();
        }
        data
    };
    let whole = stated("order.refunded", &refund(json!({"refunded": true})));
    assert_eq!((whole.kind, causes(&whole.holds), whole.payment), (StatementKind::Patch, vec![Cause::Refunded], None));
    assert!(whole.lifts.is_empty() && whole.lines.is_empty());

    let lines = stated(
        "order.refunded",
        &refund(json!({"lines": [{"id": 1, "refunded_quantity": 2}, {"id": 2, "refunded": true}]})),
    );
    assert!(lines.holds.is_empty());
    assert_eq!((lines.lines[0].refunded_quantity, lines.lines[0].quantity), (Some(2), None));
    assert_eq!(causes(&lines.lines[1].holds), [Cause::Refunded]);

    let amount =
        stated("order.refunded", &refund(json!({"refunded_amount": "1.00", "total": "2.00", "currency": "EUR"})));
    assert_eq!(amount.refunded_amount, Some(("1.00".into(), "EUR".into(), "2.00".into())));

    for nothing in [json!({}), json!({"refunded": false}), json!({"lines": []}), json!({"lines": [{"id": 1}]})] {
        assert_eq!(code("order.refunded", &refund(nothing)), "refund-unclear");
    }
    for part in
        [json!({"refunded_amount": "1.00", "total": "2.00"}), json!({"refunded_amount": "1.00", "currency": "EUR"})]
    {
        assert_eq!(code("order.refunded", &refund(part)), "field-missing");
    }
}

#[test]
fn a_deletion_holds_and_an_order_that_is_there_again_lifts() {
    let deleted = stated("order.deleted", &order());
    assert_eq!((deleted.kind, causes(&deleted.holds)), (StatementKind::Patch, vec![Cause::Deleted]));
    assert!(deleted.lines.is_empty(), "a deletion says nothing of lines");
    assert_eq!(causes(&stated("order.changed", &order()).lifts), [Cause::Deleted]);
}

#[test]
fn no_money_is_ever_read_from_a_float() {
    for field in ["total", "refunded_amount"] {
        for amount in [json!(98.5), json!(98.0), json!(1e3), json!(-98), json!("98,00"), json!("98.00 EUR")] {
            assert_eq!(
                code("order.changed", &order_with(json!({field: amount}))),
                "field-unexpected",
                "{field} {amount}"
            );
        }
    }
}

#[test]
fn a_type_that_is_not_read_is_ignored_whatever_it_holds() {
    for data in [json!({}), json!([1]), json!("text"), json!({"id": {}, "lines": "none"}), json!(null)] {
        let handled = handled("invoice.paid", &data);
        assert_eq!(handled.outcome(), "ignored", "{data}");
        assert_eq!(handled.ignored, ["an event of the type `invoice.paid`, which is not read here"]);
    }
    assert!(handled("<b>ada@example.org", &json!({})).ignored[0].contains("`unknown`"));
}

#[test]
fn a_problem_never_quotes_the_body() {
    let ada = json!("ada@example.org\n<b>");
    for field in ["changed_at", "status", "cancelled", "total", "currency", "lines", "placed_at", "test"] {
        let problem = handled("order.changed", &order_with(json!({field: ada}))).result.unwrap_err();
        assert!(problem.message.contains(field) && !problem.message.contains("ada"), "{problem}");
    }
}
