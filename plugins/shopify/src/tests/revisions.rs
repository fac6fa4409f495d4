//! Whole orders and refunds may come in any order, also those of one second.

use bursar_adapter::testing::KnownLine;
use serde_json::json;

use super::{handled_by, order_with, refund, shop, stated};

/// The second in which all of it happens.
const NOW: &str = "2026-03-02T10:00:41Z";

fn revision(body: &serde_json::Value) -> Vec<u64> {
    stated(&handled_by(&shop(), body)).revision.clone()
}

#[test]
fn states_of_one_second_are_told_apart_by_what_never_goes_back() {
    let states = [
        json!({"financial_status": "pending"}),
        json!({"financial_status": "authorized"}),
        json!({"financial_status": "partially_paid"}),
        json!({"financial_status": "paid"}),
        json!({"financial_status": "paid", "cancelled_at": NOW}),
        json!({"financial_status": "partially_refunded", "cancelled_at": NOW, "refunds": [refund(7, NOW, 1)]}),
        json!({"financial_status": "refunded", "cancelled_at": NOW, "refunds": [refund(7, NOW, 1), refund(8, NOW, 2)]}),
    ];
    let revisions: Vec<_> = states.iter().map(|state| revision(&order_with(state))).collect();
    assert!(revisions.is_sorted_by(|one, next| one < next), "{revisions:?}");
}

#[test]
fn a_refund_lies_between_the_order_before_and_the_order_after_it() {
    let before = revision(&order_with(&json!({"updated_at": NOW})));
    let alone = revision(&refund(7, NOW, 1));
    let after = revision(&order_with(&json!({"updated_at": NOW, "refunds": [refund(7, NOW, 1)]})));
    assert!(before < alone && alone < after, "{before:?} {alone:?} {after:?}");
}

#[test]
fn an_order_is_as_new_as_the_newest_refund_that_it_lists() {
    let later = "2026-03-02T10:00:43Z";
    let order = revision(&order_with(&json!({"updated_at": NOW, "refunds": [refund(7, later, 1)]})));
    assert!(order > revision(&refund(7, later, 1)), "{order:?}");
}

/// What the ledger keeps of a line, by its own rule: what is older changes nothing.
fn refunded_after(news: &[&serde_json::Value]) -> u32 {
    let mut kept: Option<(Vec<u64>, u32)> = None;
    for body in news {
        let shop = match &kept {
            None => shop(),
            Some((revision, refunded)) => shop().known(
                "55",
                KnownLine {
                    id: "1".to_owned(),
                    active: true,
                    quantity: 3,
                    refunded_quantity: *refunded,
                    revision: revision.clone(),
                    ..KnownLine::default()
                },
            ),
        };
        let handled = handled_by(&shop, body);
        handled.result.as_ref().unwrap();
        for order in &handled.orders {
            let newer = kept.as_ref().is_none_or(|(revision, _)| order.revision >= *revision);
            if let Some(line) = order.line("1").filter(|_| newer) {
                kept = Some((order.revision.clone(), line.refunded_quantity.unwrap_or_default()));
            }
        }
    }
    kept.unwrap().1
}

#[test]
fn whatever_comes_first_the_same_is_known_in_the_end() {
    let (one, two) = ("2026-03-03T10:00:00Z", "2026-03-03T10:00:00Z");
    let (first, second) = (refund(7, one, 1), refund(8, two, 1));
    let placed = order_with(&json!({}));
    let state = |current: u32, refunds: &serde_json::Value| {
        let line = json!({"id": 1, "variant_id": 31, "quantity": 3, "current_quantity": current});
        order_with(
            &json!({"financial_status": "partially_refunded", "updated_at": two, "refunds": refunds, "line_items": [line]}),
        )
    };
    let after_first = state(2, &json!([first]));
    let after_second = state(1, &json!([first, second]));
    let news = [&placed, &first, &after_first, &second, &after_second];
    let mut orders = 0;
    for arrival in permutations(news.len()) {
        let news: Vec<_> = arrival.iter().map(|index| news[*index]).collect();
        assert_eq!(refunded_after(&news), 2, "{arrival:?}");
        orders += 1;
    }
    assert_eq!(orders, 120);
}

#[test]
fn news_that_comes_twice_counts_once() {
    let first = refund(7, "2026-03-03T10:00:00Z", 1);
    assert_eq!(refunded_after(&[&order_with(&json!({})), &first, &first]), 1);
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in permutations(count - 1) {
        for place in 0..count {
            let mut longer = shorter.clone();
            longer.insert(place, count - 1);
            all.push(longer);
        }
    }
    all
}
