//! Every delivery that was recorded, judged and handled as a person who knows the shop would expect.

use std::fs;
use std::path::{Path, PathBuf};

use bursar_adapter::Remedy;
use bursar_adapter::testing::{Answer, Handled, LineFacts, OrderFacts, Post, Shop, StatementKind};
use serde_json::{Value, json};

use super::{DEFAULTS, PROJECT, causes, payment};
use crate::WooCommerce;

/// Fewer folders than this, and some were lost.
const RECORDED: usize = 120;

/// Another secret that is active, as while one is replaced.
const OTHER_SECRET: &str = "another_active-secret";

fn folders() -> Vec<PathBuf> {
    let place = Path::new(PROJECT).join("tests/recorded/woocommerce");
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn post(folder: &Path, request: &Value) -> Post {
    let mut post = Post::new(fs::read(folder.join("body.bin")).unwrap());
    for header in request["headers"].as_array().unwrap() {
        post = post.header(header[0].as_str().unwrap(), header[1].as_str().unwrap());
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a moment since 1970")]
    post.received_at(request["received_unix"].as_f64().unwrap() as u64 * 1000)
}

/// What came of the delivery, in the words of `expected.json` but for the reasons and the sentence.
fn replay(folder: &Path) -> (Value, Vec<String>) {
    let request = read(&folder.join("request.json"));
    let post = post(folder, &request);
    let mut shop = Shop::new().without_api().settings(DEFAULTS).secret("webhook", OTHER_SECRET);
    if let Some(secret) = request["secret"].as_str() {
        shop = shop.secret("webhook", secret);
    }
    match shop.authenticate::<WooCommerce>(&post) {
        Err(problem) => {
            assert_eq!(problem.remedy, Remedy::None, "{problem}");
            (json!({"answer": 401, "delivery": "refused"}), Vec::new())
        }
        Ok(judged) => match judged.answer {
            Answer::Respond { status, .. } => (json!({"answer": status, "delivery": "handshake"}), Vec::new()),
            Answer::Ignore { .. } => (json!({"answer": 200, "delivery": "ignored"}), Vec::new()),
            Answer::Accept { topic } => {
                let handled = shop.handle::<WooCommerce>(&post.topic(&topic));
                assert_eq!(judged.subject, handled.orders.first().map(|order| order.id.clone()));
                let orders: Vec<Value> = handled.orders.iter().map(order).collect();
                let came = json!({
                    "answer": 200, "delivery": "stored", "outcome": handled.outcome(), "orders": orders,
                });
                (came, reviews(&handled))
            }
        },
    }
}

fn reviews(handled: &Handled) -> Vec<String> {
    handled.all_reviews().into_iter().map(str::to_owned).collect()
}

fn order(order: &OrderFacts) -> Value {
    let mut said = json!({
        "id": order.id,
        "kind": match order.kind { StatementKind::Snapshot => "snapshot", StatementKind::Patch => "patch" },
        "payment": payment(order.payment),
        "holds": causes(&order.holds),
        "lifts": causes(&order.lifts),
        "learner": order.learner_email,
        "test": order.test,
        "lines": order.lines.iter().map(line).collect::<Vec<_>>(),
    });
    if let Some((amount, currency, total)) = &order.refunded_amount {
        said["refunded_amount"] = json!({"amount": amount, "currency": currency, "total": total});
    }
    said
}

fn line(line: &LineFacts) -> Value {
    let mut said = json!({
        "id": line.id,
        "product": line.product,
        "quantity": line.quantity.unwrap_or(1),
        "refunded_quantity": line.refunded_quantity.unwrap_or(0),
        "holds": causes(&line.holds),
    });
    if let Some(learner) = &line.learner_email {
        said["learner"] = json!(learner);
    }
    said
}

#[test]
fn every_recorded_delivery_is_understood_as_a_person_would() {
    let mut replayed = 0;
    let mut wrong = Vec::new();
    for folder in folders() {
        let mut expected = read(&folder.join("expected.json"));
        let expected = expected.as_object_mut().unwrap();
        let sentence = expected.remove("says").unwrap();
        let reasons = expected.remove("reviews").unwrap_or_else(|| json!([]));
        let (came, given) = replay(&folder);
        replayed += 1;

        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if came != Value::Object(expected.clone()) {
            wrong
                .push(format!("{name}: {sentence}\n  expected {}\n  came     {came}", Value::Object(expected.clone())));
        }
        let reasons = reasons.as_array().unwrap();
        let said = reasons.iter().zip(&given).all(|(reason, given)| given.contains(reason.as_str().unwrap()));
        if reasons.len() != given.len() || !said {
            wrong.push(format!("{name}: {sentence}\n  expected reasons {reasons:?}\n  came {given:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(replayed, folders().len());
    assert!(replayed >= RECORDED, "only {replayed} deliveries are left");
}

#[test]
fn every_folder_is_complete() {
    for folder in folders() {
        for file in ["request.json", "body.bin", "expected.json"] {
            assert!(folder.join(file).is_file(), "{}: {file}", folder.display());
        }
    }
}

#[test]
fn every_revision_of_a_recorded_order_has_the_same_count_and_never_falls_as_the_shop_moves_on() {
    let mut newest = std::collections::BTreeMap::new();
    let mut deliveries: Vec<(u64, PathBuf)> = folders()
        .into_iter()
        .map(|folder| (read(&folder.join("request.json"))["received_unix"].as_f64().unwrap().to_bits(), folder))
        .collect();
    deliveries.sort();
    for (_, folder) in deliveries {
        let request = read(&folder.join("request.json"));
        let handled = Shop::new().without_api().settings(DEFAULTS).handle::<WooCommerce>(&post(&folder, &request));
        for order in handled.orders.iter().filter(|order| order.kind == StatementKind::Snapshot) {
            assert_eq!(order.revision.len(), 4);
            let before = newest.insert(order.id.clone(), order.revision.clone());
            assert!(before.is_none_or(|before| before <= order.revision), "{}", folder.display());
        }
    }
    assert!(newest.len() > 20);
}

#[test]
fn a_changed_byte_is_refused() {
    for folder in folders() {
        let request = read(&folder.join("request.json"));
        let Some(secret) = request["secret"].as_str() else { continue };
        let mut changed = fs::read(folder.join("body.bin")).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        let mut post = Post::new(changed);
        for header in request["headers"].as_array().unwrap() {
            post = post.header(header[0].as_str().unwrap(), header[1].as_str().unwrap());
        }
        let refused = Shop::new().secret("webhook", secret).authenticate::<WooCommerce>(&post).unwrap_err();
        // An empty secret is none: anybody has it.
        let code = if secret.is_empty() { "secret-missing" } else { "signature-mismatch" };
        assert_eq!(refused.code, code, "{}", folder.display());
    }
}
