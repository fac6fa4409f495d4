//! What the shop is asked, and how often. The answers of a real shop are in the fixtures.

use bursar_adapter::testing::{ApiAnswer, Handled, KnownLine, Post, Shop};
use serde_json::{Value, json};

use super::{DEFAULTS, stated};
use crate::WooCommerce;

/// A paid order of these lines and refunds, 100.00 in all.
fn order(lines: Value, refunds: Value) -> String {
    json!({
        "id": 7, "status": "processing", "currency": "EUR", "total": "100.00",
        "date_modified_gmt": "2025-12-31T10:00:05", "date_paid_gmt": "2025-12-31T10:00:04",
        "billing": {"email": "buyer@example.com"}, "line_items": lines, "refunds": refunds,
    })
    .to_string()
}

fn line(id: u64, quantity: u32, total: &str) -> Value {
    json!({"id": id, "name": "A course", "product_id": 10 + id, "quantity": quantity, "total": total, "total_tax": "0.00"})
}

/// What a refund says of a line of the order.
fn back(line: u64, quantity: i64, total: &str) -> Value {
    json!({"id": 900, "quantity": quantity, "total": total, "total_tax": "0.00",
           "meta_data": [{"key": "_refunded_item_id", "value": line.to_string()}]})
}

const REFUNDS: &str = "/wp-json/wc/v3/orders/7/refunds?per_page=100";

fn asked(order: String, refunds: &Value) -> Handled {
    let shop = Shop::new().settings(DEFAULTS).answers("GET", REFUNDS, ApiAnswer::new(200, refunds.to_string()));
    shop.handle::<WooCommerce>(&Post::new(order))
}

/// Refunded seats by line, and the money for no seat in particular.
fn refunded(handled: &Handled) -> (Vec<Option<u32>>, Option<String>) {
    let order = stated(handled);
    let seats = order.lines.iter().map(|line| line.refunded_quantity).collect();
    (seats, order.refunded_amount.as_ref().map(|(amount, ..)| amount.clone()))
}

#[test]
fn a_line_whose_money_is_all_back_is_refunded_whole_whatever_the_quantity_says() {
    let order = order(
        json!([line(1, 2, "60.00"), line(2, 1, "40.00")]),
        json!([
            {"id": 20, "total": "-30.00"}, {"id": 21, "total": "-30.00"},
        ]),
    );
    let refunds = json!([
        {"id": 21, "line_items": [back(1, 0, "-30.00")]}, {"id": 20, "line_items": [back(1, -1, "-30.00")]},
    ]);
    assert_eq!(refunded(&asked(order, &refunds)), (vec![Some(2), Some(0)], None));
}

#[test]
fn tax_belongs_to_what_a_line_cost() {
    let taxed = |net: &str, tax: &str, mut line: Value| {
        line["total"] = json!(net);
        line["total_tax"] = json!(tax);
        line
    };
    let order = |back: &str| {
        let lines = json!([taxed("50.00", "9.50", line(1, 1, "")), line(2, 1, "40.50")]);
        order(lines, json!([{"id": 20, "total": back}]))
    };
    let net = json!([{"id": 20, "line_items": [taxed("-50.00", "0.00", back(1, 0, ""))]}]);
    assert_eq!(refunded(&asked(order("-50.00"), &net)), (vec![Some(0), Some(0)], Some("50.00".to_owned())));
    let all = json!([{"id": 20, "line_items": [taxed("-50.00", "-9.50", back(1, 0, ""))]}]);
    assert_eq!(refunded(&asked(order("-59.50"), &all)), (vec![Some(1), Some(0)], None));
}

#[test]
fn shipping_fees_and_lines_that_are_not_in_the_order_any_more_gave_no_access() {
    let order = order(json!([line(1, 1, "60.00")]), json!([{"id": 20, "total": "-30.00"}]));
    let refunds = json!([{"id": 20, "line_items": [back(5, 0, "-10.00")],
        "shipping_lines": [{"id": 1, "total": "-8.00", "total_tax": "-2.00"}], "fee_lines": {"3": {"id": 2, "total": "-10.00"}}}]);
    assert_eq!(refunded(&asked(order, &refunds)), (vec![Some(0)], None));
}

#[test]
fn money_beyond_what_a_refund_names_is_for_no_seat_in_particular() {
    let order = order(json!([line(1, 2, "60.00"), line(2, 1, "40.00")]), json!([{"id": 20, "total": "-35.00"}]));
    let refunds = json!([{"id": 20, "line_items": [back(1, -1, "-30.00")]}]);
    assert_eq!(refunded(&asked(order, &refunds)), (vec![Some(1), Some(0)], Some("5.00".to_owned())));
}

#[test]
fn no_more_seats_are_refunded_than_were_sold() {
    let order = order(json!([line(1, 1, "0.00"), line(2, 1, "100.00")]), json!([{"id": 20, "total": "-1.00"}]));
    let refunds = json!([{"id": 20, "line_items": [back(1, -3, "-1.00")]}]);
    assert_eq!(refunded(&asked(order, &refunds)), (vec![Some(1), Some(0)], None));
}

#[test]
fn half_a_seat_and_a_line_that_names_none_are_money_for_no_seat_in_particular() {
    let order = order(json!([line(1, 2, "60.00")]), json!([{"id": 20, "total": "-35.00"}]));
    let mut half = back(1, 0, "-15.00");
    half["quantity"] = json!(-0.5);
    let refunds = json!([{"id": 20, "line_items": [half, {"id": 901, "quantity": -1, "total": "-20.00"}]}]);
    assert_eq!(refunded(&asked(order, &refunds)), (vec![Some(0)], Some("35.00".to_owned())));
}

#[test]
fn a_line_whose_refund_was_deleted_has_no_refunded_seat_once_the_order_lists_none() {
    let known =
        |id: &str, refunded_quantity| KnownLine { id: id.to_owned(), refunded_quantity, ..KnownLine::default() };
    let shop = Shop::new().settings(DEFAULTS).known("7", known("1", 1)).known("7", known("2", 0));
    let lines = json!([line(1, 1, "50.00"), line(2, 1, "50.00")]);
    let handled = shop.handle::<WooCommerce>(&Post::new(order(lines, json!([]))));
    assert_eq!(refunded(&handled), (vec![Some(0), None], None));
    assert!(handled.calls.is_empty());
}

#[test]
fn without_the_permission_money_that_went_back_is_for_no_line_in_particular() {
    let order = order(json!([line(1, 1, "100.00")]), json!([{"id": 20, "total": "-35.00"}]));
    let handled = Shop::new().without_api().settings(DEFAULTS).handle::<WooCommerce>(&Post::new(order));
    assert_eq!(refunded(&handled), (vec![None], Some("35.00".to_owned())));
}

#[test]
fn nothing_is_asked_about_an_order_that_is_held_as_refunded_anyway() {
    for (status, back) in [("refunded", "-1.00"), ("processing", "-100.00")] {
        let body = order(json!([line(1, 1, "100.00")]), json!([{"id": 20, "total": back}]));
        let body = body.replace("processing", status);
        let handled = Shop::new().settings(DEFAULTS).handle::<WooCommerce>(&Post::new(body));
        assert!(stated(&handled).holds.iter().any(|(cause, _)| *cause == bursar_adapter::orders::Cause::Refunded));
        assert!(handled.calls.is_empty(), "{status}");
    }
}

#[test]
fn a_shop_that_is_not_asked_about_products_by_a_setting_is_never_asked() {
    let handled = Shop::new()
        .settings(DEFAULTS)
        .handle::<WooCommerce>(&Post::new(order(json!([line(1, 1, "100.00")]), json!([]))));
    assert!(handled.calls.is_empty());
    assert!(stated(&handled).lines[0].courses.is_empty());
}

fn wanting_courses() -> String {
    let mut settings: Value = serde_json::from_str(DEFAULTS).unwrap();
    settings["course_run_meta"] = json!(["course_run"]);
    settings.to_string()
}

fn product(course: &str) -> ApiAnswer {
    ApiAnswer::new(200, json!({"id": 1, "meta_data": [{"key": "Course_Run", "value": course}]}).to_string())
}

#[test]
fn a_product_is_asked_about_once_however_many_lines_sell_it() {
    let shop = Shop::new().settings(&wanting_courses()).answers(
        "GET",
        "/wp-json/wc/v3/products/11",
        product("course-v1:A+B+C"),
    );
    let lines: Vec<Value> = (1..=500)
        .map(|id| {
            let mut line = line(1, 1, "1.00");
            line["id"] = json!(id);
            line
        })
        .collect();
    let handled = shop.handle::<WooCommerce>(&Post::new(order(json!(lines), json!([]))));
    assert_eq!(handled.calls.len(), 1);
    let course = ("course-v1:A+B+C".to_owned(), None);
    assert!(stated(&handled).lines.iter().all(|line| line.courses == [course.clone()]));
}

#[test]
fn a_shop_is_asked_about_so_many_products_and_no_more() {
    let mut shop = Shop::new().settings(&wanting_courses());
    for product_id in 11..=310 {
        shop = shop.answers("GET", &format!("/wp-json/wc/v3/products/{product_id}"), product("course-v1:A+B+C"));
    }
    let lines: Vec<Value> = (1..=300).map(|id| line(id, 1, "1.00")).collect();
    let handled = shop.handle::<WooCommerce>(&Post::new(order(json!(lines), json!([]))));
    assert_eq!(handled.calls.len(), 16);
    assert_eq!(stated(&handled).lines.iter().filter(|line| !line.courses.is_empty()).count(), 16);
    assert_eq!(handled.logs.len(), 1, "said once");
}

#[test]
fn a_product_may_name_several_course_runs() {
    let meta = json!([{"key": "course_run", "value": "course-v1:A+B+C"}, {"key": "course_run", "value": ""},
                      {"key": "course_run", "value": "course-v1:D+E+F"}]);
    let answer = ApiAnswer::new(200, json!({"id": 11, "meta_data": meta}).to_string());
    let shop = Shop::new().settings(&wanting_courses()).answers("GET", "/wp-json/wc/v3/products/11", answer);
    let handled = shop.handle::<WooCommerce>(&Post::new(order(json!([line(1, 1, "1.00")]), json!([]))));
    let named: Vec<&str> = stated(&handled).lines[0].courses.iter().map(|(run, _)| run.as_str()).collect();
    assert_eq!(named, ["course-v1:A+B+C", "course-v1:D+E+F"]);
}
