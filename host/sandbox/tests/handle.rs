//! What `handle` states, and what it may look up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]
#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part of the support")]

mod support;

use bursar_domain::{
    CourseRun, Email, Mode, Timestamp, Username,
    statement::{
        Cause, CourseHint, HoldStatement, Identity, Learner, LineStatement, OrderStatement, Payment, ProductId,
        RefundedAmount, Revision, Scope, Statements,
    },
};
use bursar_sandbox::{Handled, Remedy};
use support::{adapter, delivery, granting_everything, request, sandbox, shop, surroundings};

async fn handle(topic: &str) -> Handled {
    adapter().await.handle(&shop(), delivery(topic), surroundings()).await.unwrap()
}

fn logged(handled: &Handled) -> Vec<&str> {
    handled.logs.lines.iter().map(|line| line.message.as_str()).collect()
}

fn hold(cause: Cause, holds: bool, evidence: &str) -> HoldStatement {
    HoldStatement { cause, holds, evidence: evidence.to_owned() }
}

#[tokio::test]
async fn every_word_about_an_order_arrives() {
    let mut order = OrderStatement::new("1001".to_owned(), Scope::Snapshot, Revision(vec![1_700_000_000, 0]));
    order.number = Some("#1001".to_owned());
    order.fingerprint = Some("wc_order_x".to_owned());
    order.origin = Some("https://shop.example.org".to_owned());
    order.placed_at = Some(Timestamp::from_millis(1_700_000_000_000));
    order.test = true;
    order.payment = Some(Payment::Paid);
    order.holds =
        vec![hold(Cause::Refunded, true, "status=refunded"), hold(Cause::Cancelled, false, "status=processing")];
    order.refunded = Some(RefundedAmount {
        amount: "10.50".parse().unwrap(),
        total: "21.00".parse().unwrap(),
        currency: "EUR".to_owned(),
    });
    order.learner = Some(Learner::Known(Identity::Email { address: Email::parse("buyer@example.org").unwrap() }));
    order.reviews = vec!["look at it".to_owned()];
    order.lines = vec![LineStatement {
        id: "a".to_owned(),
        products: vec![
            ProductId { kind: "variation".to_owned(), id: "31".to_owned() },
            ProductId { kind: "sku".to_owned(), id: "SAIL".to_owned() },
        ],
        title: Some("Sailing".to_owned()),
        courses: vec![CourseHint {
            run: CourseRun::parse("course-v1:DemoX+CS101+2026").unwrap(),
            mode: Some(Mode::parse("verified").unwrap()),
        }],
        parent: Some("bundle".to_owned()),
        learner: Some(Learner::Known(Identity::Username { name: Username::parse("ada").unwrap() })),
        quantity: Some(3),
        refunded_quantity: Some(1),
        until: Some(Timestamp::from_millis(1_800_000_000_000)),
        holds: vec![hold(Cause::Deleted, true, "trashed"), hold(Cause::Disputed, false, "won")],
        reviews: vec!["look at the line".to_owned()],
    }];
    assert_eq!(handle("order").await.result.unwrap(), Statements { orders: vec![order], ..Statements::default() });
}

#[tokio::test]
async fn two_statements_about_one_order_keep_their_order_and_their_lines() {
    let orders = handle("two-statements").await.result.unwrap().orders;
    let told: Vec<_> = orders
        .iter()
        .map(|order| (order.scope, order.lines.len(), order.lines[0].quantity, order.lines[0].refunded_quantity))
        .collect();
    assert_eq!(told, [(Scope::Snapshot, 1, Some(1), Some(1)), (Scope::Patch, 1, Some(2), None)]);
}

#[tokio::test]
async fn malformed_words_are_problems_and_the_learner_stays_malformed() {
    let handled = handle("malformed").await;
    assert_eq!(logged(&handled), ["email-malformed course-malformed username-malformed identity-malformed"]);
    let order = handled.result.unwrap().orders.remove(0);
    assert_eq!(order.learner, Some(Learner::Malformed));
    assert_eq!(order.lines[0].learner, Some(Learner::Malformed));
    assert!(order.lines[0].courses.is_empty());
    assert_eq!((order.refunded, order.reviews.len()), (None, 1));
}

#[tokio::test]
async fn reasons_to_do_nothing_and_reviews_of_the_delivery_are_kept() {
    let statements = handle("nothing").await.result.unwrap();
    assert_eq!(statements.ignored, ["there is nothing to do"]);
    assert_eq!(statements.reviews, ["look at it all the same"]);
    assert!(statements.orders.is_empty());
}

#[tokio::test]
async fn subjects_to_forget_are_kept_each_once() {
    let statements = handle("forget/42,customer 7,42").await.result.unwrap();
    let expected = Statements { forgets: vec!["42".into(), "customer 7".into()], ..Statements::default() };
    assert_eq!(statements, expected);
}

#[tokio::test]
async fn a_run_that_ends_in_a_problem_stated_nothing() {
    let problem = handle("state-then-fail").await.result.unwrap_err();
    assert_eq!((problem.code.as_str(), problem.remedy), ("told-so", Remedy::Later));
}

#[tokio::test]
async fn the_delivery_says_what_it_is() {
    let input = delivery("facts");
    let id = input.id.to_string();
    let handled = adapter().await.handle(&shop(), input, surroundings()).await.unwrap();
    assert_eq!(logged(&handled), [format!("{id} webhook 1 8")]);
}

#[tokio::test]
async fn the_ledger_and_the_catalog_answer() {
    let handled = handle("known/1").await;
    assert_eq!(
        logged(&handled),
        [r#"a true 3 1 [("sku", "SAIL")] [("course-v1:A+B+C", "verified")] Some(5)"#, "run of SAIL audit",]
    );
    assert_eq!(logged(&handle("known/2").await), ["run of SAIL audit"]);
}

#[tokio::test]
async fn interfaces_with_a_permission_refuse_in_the_right_order() {
    let adapter = sandbox().load(support::everything()).await.unwrap();
    let codes = |code: &str| [code; 3].join("--");

    let early = adapter.authenticate(&granting_everything(), request("/permissions")).await.unwrap();
    let bursar_sandbox::Decision::Problem(problem) = early.decision else { panic!("{:?}", early.decision) };
    assert_eq!(problem.code, codes("wrong-phase"));

    let ungranted = adapter.handle(&shop(), delivery("permissions"), surroundings()).await.unwrap();
    assert_eq!(ungranted.result.unwrap_err().code, codes("not-granted"));

    let granted = adapter.handle(&granting_everything(), delivery("permissions"), surroundings()).await.unwrap();
    // These surroundings have no LMS to read; a change waits for nobody.
    assert_eq!(granted.result.unwrap_err().code, "not-available--not-available--handed-in");
}
