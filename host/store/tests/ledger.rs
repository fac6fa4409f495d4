//! What the store promises, through its commands: each test is a sentence of it. Every backend must pass them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use bursar_domain::{
    AdapterName, CourseRun, Email, LmsName, Mode, Request, ShopName, Timestamp, Username,
    fulfillment::{Obstacle, Seen, Way},
    ids::{AttemptId, DeliveryId},
    policy::{ShopMode, ShopPolicy},
    reason::Reason,
    statement::{Identity, Learner, LineStatement, OrderStatement, Payment, ProductId, Revision, Scope, Statements},
};
use bursar_store::{
    Purpose, Store, StoreError,
    catalog::CatalogRow,
    enrollments::{DueEnrollment, Intent, Settled, Urgency},
    inbox::{Accepted, Claimed, DeliveryState, NewDelivery, Origin},
    people::DeliveryFilter,
    resolutions::Found,
    run::{AttemptRecord, Notes, Outcome, Run},
    trail::AuditAction,
};
use bytes::Bytes;

const LEASE: Duration = Duration::from_secs(60);
const QUIET: Duration = Duration::from_secs(900);

struct Ledger {
    store: Store,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Ledger {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bursar.db");
        Store::create(&path).await.unwrap();
        let store = Store::open(&path, Purpose::Serve).await.unwrap();
        Self { store, path, _directory: directory }
    }

    async fn accept(&self, subject: &str, key: Option<&str>, body: &str) -> Accepted {
        self.store.accept(delivery(subject, key, body)).await.unwrap()
    }

    async fn claim(&self, now: Timestamp) -> Vec<Claimed> {
        let shops = [shop(), ShopName::parse("other").unwrap()].map(|shop| (shop, 10)).into();
        self.store.claim_deliveries(now, 10, LEASE, shops).await.unwrap()
    }

    /// Accepts a delivery and has it state this.
    async fn state(&self, statement: OrderStatement, now: Timestamp) {
        self.accept(&statement.id.clone(), None, "{}").await;
        let claimed = self.claim(now).await.pop().expect("the delivery is due");
        let statements = Statements { orders: vec![statement], ..Statements::default() };
        self.store.commit_run(run(&claimed, Outcome::Stated(statements), now)).await.unwrap();
    }

    async fn state_of(&self, id: DeliveryId) -> DeliveryState {
        self.store.delivery(id).await.unwrap().summary.state
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn shop() -> ShopName {
    ShopName::parse("campus").unwrap()
}

fn lms() -> LmsName {
    LmsName::parse("main").unwrap()
}

fn course() -> CourseRun {
    CourseRun::parse("course-v1:DemoX+CS101+2026").unwrap()
}

fn mode(slug: &str) -> Mode {
    Mode::parse(slug).unwrap()
}

fn modes(mode: ShopMode) -> BTreeMap<ShopName, ShopMode> {
    BTreeMap::from([(shop(), mode)])
}

fn policy() -> ShopPolicy {
    ShopPolicy { quiet_time: QUIET, grace: Duration::ZERO, ..ShopPolicy::new(shop(), lms(), mode("verified")) }
}

fn delivery(subject: &str, key: Option<&str>, body: &str) -> NewDelivery {
    let request = Request {
        method: "POST".into(),
        path: String::new(),
        query: "a=b".into(),
        headers: vec![("x-binary".into(), Bytes::from_static(b"\xff")), ("x-topic".into(), Bytes::from_static(b"t"))],
        body: Bytes::copy_from_slice(body.as_bytes()),
        received_at: at(1),
    };
    NewDelivery {
        id: DeliveryId::new(at(1)),
        shop: shop(),
        adapter: AdapterName::parse("woocommerce").unwrap(),
        origin: Origin::Webhook,
        state: DeliveryState::Queued,
        topic: "order.updated".into(),
        subject: Some(subject.into()),
        dedupe_key: key.map(Into::into),
        occurred_at: None,
        problem: None,
        due_at: at(1),
        body_sha256: NewDelivery::digest(&request.body),
        request,
    }
}

fn run(claimed: &Claimed, outcome: Outcome, now: Timestamp) -> Run {
    Run {
        delivery: claimed.id,
        lane: claimed.lane.clone(),
        policy: policy(),
        attempt: Some(AttemptRecord {
            id: AttemptId::new(now),
            adapter: "woocommerce".into(),
            adapter_version: "0.1.0".into(),
            adapter_sha256: "ab".repeat(32),
            started_at: now,
            ended_at: now,
            guest_micros: 40,
            peak_memory: 1,
            notes: Notes::default(),
        }),
        outcome,
        redacted: None,
        now,
    }
}

fn nothing() -> Outcome {
    Outcome::Stated(Statements { ignored: vec!["nothing".into()], ..Statements::default() })
}

fn order(id: &str, revision: u64, payment: Payment) -> OrderStatement {
    let mut order = OrderStatement::new(id.into(), Scope::Snapshot, Revision(vec![revision]));
    order.payment = Some(payment);
    order.learner = Some(Learner::Known(Identity::Email { address: Email::parse("Ada@example.org").unwrap() }));
    order.lines = vec![LineStatement {
        id: "1".into(),
        products: vec![ProductId { kind: "sku".into(), id: "CS101".into() }],
        title: Some("Computing".into()),
        ..LineStatement::default()
    }];
    order
}

fn catalog() -> (Vec<CatalogRow>, BTreeMap<ShopName, ShopPolicy>) {
    let product = ProductId { kind: "sku".into(), id: "CS101".into() };
    (vec![CatalogRow { shop: shop(), product, sells: Some((course(), None)) }], BTreeMap::from([(shop(), policy())]))
}

impl Ledger {
    async fn map(&self, now: Timestamp) {
        let (rows, policies) = catalog();
        self.store.import_catalog(rows, false, policies, "operator test".into(), now).await.unwrap();
    }

    /// Order 42 is paid, its product is mapped, and its learner's account is found, by second 3.
    async fn ada_bought(&self) {
        self.map(at(1)).await;
        self.state(order("42", 1, Payment::Paid), at(2)).await;
        self.find_ada(at(3)).await;
    }

    /// The enrollment that is due, claimed.
    async fn due(&self, now: Timestamp) -> DueEnrollment {
        self.store.claim_enrollments(&lms(), now, 10, LEASE).await.unwrap().pop().expect("an enrollment is due")
    }

    async fn find_ada(&self, now: Timestamp) {
        let learners = self.store.claim_unresolved(&lms(), now, 10, LEASE).await.unwrap();
        let found = Found::Account { lms_user_id: 7, username: Username::parse("ada").unwrap() };
        self.store
            .record_found(learners.into_iter().map(|learner| (learner, found.clone())).collect(), now)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_request_comes_back_byte_for_byte() {
    let ledger = Ledger::new().await;
    for body in ["{}", &"long enough to be compressed ".repeat(100)] {
        ledger.accept("1", None, body).await;
        let claimed = ledger.claim(at(2)).await.pop().unwrap();
        assert_eq!(claimed.request, delivery("1", None, body).request);
        ledger.store.commit_run(run(&claimed, nothing(), at(2))).await.unwrap();
    }
}

#[tokio::test]
async fn a_signed_key_with_the_same_body_is_stored_once() {
    let ledger = Ledger::new().await;
    let Accepted::New(first) = ledger.accept("1", Some("k"), "{}").await else { panic!("new") };
    assert_eq!(ledger.accept("1", Some("k"), "{}").await, Accepted::Duplicate(first));
    assert!(matches!(ledger.accept("1", Some("k"), "{\"other\":1}").await, Accepted::New(_)));
    assert!(matches!(ledger.accept("1", None, "{}").await, Accepted::New(_)));
}

#[tokio::test]
async fn deliveries_about_one_subject_are_handled_one_after_the_other() {
    let ledger = Ledger::new().await;
    ledger.accept("42", None, "{}").await;
    ledger.accept("42", None, "{}").await;
    ledger.accept("43", None, "{}").await;
    let claimed = ledger.claim(at(2)).await;
    assert_eq!(claimed.len(), 2, "one of each subject");
    assert!(ledger.claim(at(3)).await.is_empty(), "the lanes are taken");
    for delivery in &claimed {
        ledger.store.commit_run(run(delivery, nothing(), at(3))).await.unwrap();
    }
    assert_eq!(ledger.claim(at(4)).await.len(), 1, "the second one of subject 42");
}

#[tokio::test]
async fn a_lease_that_ran_out_is_somebody_elses_and_the_first_holder_can_commit_nothing() {
    let ledger = Ledger::new().await;
    ledger.map(at(1)).await;
    let Accepted::New(id) = ledger.accept("42", None, "{}").await else { panic!("new") };
    let slow = ledger.claim(at(2)).await.pop().unwrap();
    let quick = ledger.claim(at(2).plus(LEASE)).await.pop().unwrap();
    assert_eq!((slow.id, quick.id), (id, id));
    let stated = Statements { orders: vec![order("42", 1, Payment::Paid)], ..Statements::default() };
    let late = ledger.store.commit_run(run(&slow, Outcome::Stated(stated), at(100))).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    assert!(ledger.store.order(&shop(), "42").await.unwrap().is_none(), "nothing of the late run was kept");
    ledger.store.commit_run(run(&quick, nothing(), at(100))).await.unwrap();
    assert_eq!(ledger.state_of(id).await, DeliveryState::Ignored);
}

#[tokio::test]
async fn a_process_that_begins_to_serve_takes_up_what_the_last_one_had_claimed() {
    let ledger = Ledger::new().await;
    ledger.accept("42", None, "{}").await;
    assert_eq!(ledger.claim(at(2)).await.len(), 1);
    ledger.store.release_claims(at(2)).await.unwrap();
    assert_eq!(ledger.claim(at(2)).await.len(), 1);
}

#[tokio::test]
async fn waiting_for_a_person_uses_up_no_try_and_failing_does() {
    let ledger = Ledger::new().await;
    let Accepted::New(id) = ledger.accept("42", None, "{}").await else { panic!("new") };
    let problem =
        |state, counts| Outcome::Problem { state, due_at: Some(at(10)), counts, code: "c".into(), message: "m".into() };
    let claimed = ledger.claim(at(2)).await.pop().unwrap();
    ledger.store.commit_run(run(&claimed, problem(DeliveryState::Waiting, false), at(3))).await.unwrap();
    assert!(ledger.claim(at(9)).await.is_empty(), "its time has not come");
    let claimed = ledger.claim(at(10)).await.pop().unwrap();
    assert_eq!(claimed.attempts, 0);
    ledger.store.commit_run(run(&claimed, problem(DeliveryState::Queued, true), at(10))).await.unwrap();
    let summary = ledger.store.delivery(id).await.unwrap().summary;
    assert_eq!((summary.attempts, summary.state), (1, DeliveryState::Queued));
    assert_eq!(summary.problem, Some(("c".into(), "m".into())));
}

#[tokio::test]
async fn there_is_room_for_so_many_that_nobody_could_judge_and_no_more() {
    let ledger = Ledger::new().await;
    let parked = || NewDelivery { state: DeliveryState::Parked, ..delivery("", None, "{}") };
    assert!(matches!(ledger.store.park(parked(), 1).await.unwrap(), Accepted::New(_)));
    assert_eq!(ledger.store.park(parked(), 1).await.unwrap(), Accepted::NoRoom);
}

#[tokio::test]
async fn a_parked_request_that_is_authentic_waits_for_its_turn_redacted() {
    let ledger = Ledger::new().await;
    let parked =
        NewDelivery { state: DeliveryState::Parked, subject: None, ..delivery("", None, "{\"name\":\"Ada\"}") };
    let id = parked.id;
    ledger.store.park(parked, 1).await.unwrap();
    let claimed = ledger.claim(at(2)).await.pop().unwrap();
    assert_eq!(claimed.state, DeliveryState::Parked);
    let mut redacted = claimed.request.clone();
    redacted.body = Bytes::from_static(b"{\"name\":\"***\"}");
    let authentic = Outcome::Authentic { topic: "order.updated".into(), subject: Some("42".into()) };
    let judged = Run { redacted: Some(redacted), ..run(&claimed, authentic, at(2)) };
    ledger.store.commit_run(judged).await.unwrap();
    let detail = ledger.store.delivery(id).await.unwrap();
    assert_eq!(detail.summary.state, DeliveryState::Queued);
    assert_eq!((detail.summary.subject.as_deref(), detail.summary.attempts), (Some("42"), 0));
    assert_eq!(detail.request.body, "{\"name\":\"***\"}");
}

#[tokio::test]
async fn what_was_never_found_authentic_is_judged_before_it_is_handled_whoever_asks_for_it() {
    let ledger = Ledger::new().await;
    let parked = NewDelivery { state: DeliveryState::Parked, ..delivery("", None, "{}") };
    let id = parked.id;
    ledger.store.park(parked, 1).await.unwrap();
    let claimed = ledger.claim(at(2)).await.pop().unwrap();
    let failed = Outcome::Problem {
        state: DeliveryState::Failed,
        due_at: None,
        counts: true,
        code: "trap".into(),
        message: "m".into(),
    };
    ledger.store.commit_run(run(&claimed, failed, at(2))).await.unwrap();
    ledger.store.retry(id, at(3)).await.unwrap();
    assert_eq!(ledger.claim(at(3)).await.pop().unwrap().state, DeliveryState::Parked);
}

#[tokio::test]
async fn what_the_lms_refused_is_asked_for_again_when_a_person_has_the_delivery_run_again() {
    let ledger = Ledger::new().await;
    ledger.ada_bought().await;
    let due = ledger.due(at(3)).await;
    let refused = Settled::new(AuditAction::Refused, Reason::LmsRefused { obstacle: Obstacle::Closed });
    ledger.store.record_settled(due, refused, at(4)).await.unwrap();
    assert!(ledger.store.claim_enrollments(&lms(), at(9), 10, LEASE).await.unwrap().is_empty());
    let filter = DeliveryFilter { limit: 1, ..DeliveryFilter::default() };
    let id = ledger.store.deliveries(&filter).await.unwrap()[0].id;
    ledger.store.retry(id, at(9)).await.unwrap();
    assert_eq!(ledger.store.claim_enrollments(&lms(), at(9), 10, LEASE).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_only_observed_is_due_once_its_shop_is_live() {
    let ledger = Ledger::new().await;
    ledger.ada_bought().await;
    let due = ledger.due(at(3)).await;
    ledger
        .store
        .record_settled(
            due,
            Settled::new(AuditAction::LeftAlone, Reason::ObserveOnly { mode: mode("verified"), active: true }),
            at(4),
        )
        .await
        .unwrap();
    assert_eq!(ledger.store.wake_live(modes(ShopMode::Observe), at(5)).await.unwrap(), 0);
    assert_eq!(ledger.store.wake_live(modes(ShopMode::Live), at(5)).await.unwrap(), 1);
    assert_eq!(ledger.store.claim_enrollments(&lms(), at(5), 10, LEASE).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_paid_line_becomes_a_grant_and_the_learner_is_looked_up() {
    let ledger = Ledger::new().await;
    ledger.map(at(1)).await;
    ledger.state(order("42", 1, Payment::Paid), at(2)).await;
    let order = ledger.store.order(&shop(), "42").await.unwrap().unwrap();
    assert_eq!(order.lines[0].grants[0].run, course());
    assert_eq!(order.lines[0].grants[0].account, None);
    let learners = ledger.store.claim_unresolved(&lms(), at(2), 10, LEASE).await.unwrap();
    assert_eq!(learners[0].identity.written(), "Ada@example.org");
    assert_eq!(learners[0].shops, [shop()]);
    assert!(ledger.store.claim_unresolved(&lms(), at(2), 10, LEASE).await.unwrap().is_empty(), "claimed already");
}

#[tokio::test]
async fn an_account_once_found_is_every_later_grants_without_another_look() {
    let ledger = Ledger::new().await;
    ledger.ada_bought().await;
    ledger.state(order("43", 1, Payment::Paid), at(4)).await;
    assert!(ledger.store.claim_unresolved(&lms(), at(5), 10, LEASE).await.unwrap().is_empty());
    let due = ledger.store.claim_enrollments(&lms(), at(5), 10, LEASE).await.unwrap();
    assert_eq!(due.len(), 1, "both orders are about one enrollment");
    assert_eq!(due[0].grants.len(), 2);
    assert_eq!(due[0].username.as_str(), "ada");
}

#[tokio::test]
async fn what_is_due_next_is_the_first_of_all_that_is_due_later() {
    let ledger = Ledger::new().await;
    ledger.ada_bought().await;
    assert_eq!(ledger.store.next_due(at(2)).await.unwrap(), Some(at(3)), "the enrollment");
    assert_eq!(ledger.store.next_due(at(3)).await.unwrap(), None);
    ledger.accept("43", None, "{}").await;
    assert_eq!(ledger.store.next_due(at(0)).await.unwrap(), Some(at(1)), "the delivery");
}

#[tokio::test]
async fn nobody_is_looked_up_for_a_grant_that_has_ended() {
    let ledger = Ledger::new().await;
    ledger.map(at(1)).await;
    ledger.state(order("42", 1, Payment::Paid), at(2)).await;
    ledger.state(order("42", 2, Payment::Unpaid), at(3)).await;
    assert!(ledger.store.claim_unresolved(&lms(), at(4), 10, LEASE).await.unwrap().is_empty());
}

#[tokio::test]
async fn giving_is_immediate_and_taking_waits() {
    let ledger = Ledger::new().await;
    ledger.ada_bought().await;
    let due = ledger.due(at(3)).await;
    let done = Settled::new(AuditAction::Enrolled, Reason::Bought);
    ledger.store.record_settled(due, done, at(4)).await.unwrap();
    ledger.state(order("42", 2, Payment::Unpaid), at(5)).await;
    assert!(ledger.store.claim_enrollments(&lms(), at(6), 10, LEASE).await.unwrap().is_empty());
    let quiet_over = at(5).plus(QUIET);
    assert_eq!(ledger.store.claim_enrollments(&lms(), quiet_over, 10, LEASE).await.unwrap().len(), 1);
}

#[tokio::test]
async fn purchases_are_claimed_before_removals_and_removals_before_looks() {
    let ledger = Ledger::new().await;
    ledger.ada_bought().await;
    let due = ledger.due(at(3)).await;
    let look_again_at = Some(at(10));
    let done = Settled { look_again_at, ..Settled::new(AuditAction::Enrolled, Reason::Bought) };
    ledger.store.record_settled(due, done, at(4)).await.unwrap();
    let no_purchase = async |now| ledger.store.claim_purchases(&lms(), now, 10, LEASE).await.unwrap().is_empty();

    assert!(no_purchase(at(10)).await, "a look is no purchase");
    let look = ledger.due(at(10)).await;
    assert_eq!(look.urgency, Urgency::Upkeep);
    let right = Settled { look_again_at, ..Settled::new(AuditAction::LeftAlone, Reason::Bought) };
    ledger.store.record_settled(look, right, at(11)).await.unwrap();

    // Of the same enrollment, what is more urgent comes first, whatever was to be done before.
    ledger.state(order("42", 2, Payment::Unpaid), at(12)).await;
    let quiet_over = at(12).plus(QUIET);
    assert!(no_purchase(quiet_over).await, "a removal is no purchase");
    assert_eq!(ledger.due(quiet_over).await.urgency, Urgency::Removal);

    ledger.state(order("43", 1, Payment::Paid), quiet_over).await;
    ledger.find_ada(quiet_over).await;
    let later = quiet_over.plus(LEASE);
    let purchases = ledger.store.claim_purchases(&lms(), later, 10, LEASE).await.unwrap();
    assert_eq!(purchases.iter().map(|due| due.urgency).collect::<Vec<_>>(), [Urgency::Purchase]);
    assert!(ledger.store.claim_enrollments(&lms(), later, 10, LEASE).await.unwrap().is_empty(), "it is claimed");
}

#[tokio::test]
async fn an_intent_survives_until_its_answer_is_recorded_and_the_first_baseline_stays() {
    let ledger = Ledger::new().await;
    ledger.ada_bought().await;
    let due = ledger.due(at(3)).await;
    let intent = Intent { mode: mode("verified"), active: true, way: Way::Plain, reason: Reason::Bought, at: at(3) };
    ledger.store.record_intent(&due, Seen::Absent, intent.clone()).await.unwrap();
    // The process dies here; another one takes over when the lease is over.
    let again = ledger.due(at(3).plus(LEASE)).await;
    assert_eq!(again.intent, Some(intent.clone()));
    let late = ledger.store.record_intent(&due, Seen::Absent, intent.clone()).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    ledger.store.record_intent(&again, Seen::Active { mode: mode("verified") }, intent).await.unwrap();
    let done = Settled {
        gave: vec![mode("verified")],
        due_at: Some(at(200)),
        ..Settled::new(AuditAction::Enrolled, Reason::FoundDone)
    };
    ledger.store.record_settled(again, done, at(100)).await.unwrap();
    let later = ledger.due(at(200)).await;
    assert_eq!(later.intent, None);
    assert_eq!(later.history.baseline, Some(Seen::Absent));
    assert_eq!(later.history.given, [mode("verified")]);
}

#[tokio::test]
async fn what_happens_while_an_enrollment_is_dealt_with_has_it_looked_at_again() {
    let ledger = Ledger::new().await;
    ledger.ada_bought().await;
    let due = ledger.due(at(3)).await;
    ledger.state(order("43", 1, Payment::Paid), at(4)).await;
    ledger.store.record_settled(due, Settled::new(AuditAction::Enrolled, Reason::Bought), at(5)).await.unwrap();
    assert_eq!(ledger.store.claim_enrollments(&lms(), at(5), 10, LEASE).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_history_that_is_closed_makes_room_for_another_baseline() {
    let ledger = Ledger::new().await;
    ledger.ada_bought().await;
    let due = ledger.due(at(3)).await;
    let intent = Intent { mode: mode("verified"), active: true, way: Way::Plain, reason: Reason::Bought, at: at(3) };
    ledger.store.record_intent(&due, Seen::Absent, intent).await.unwrap();
    let done = Settled { closed: true, due_at: Some(at(9)), ..Settled::new(AuditAction::Unenrolled, Reason::Restored) };
    ledger.store.record_settled(due, done, at(4)).await.unwrap();
    let after = ledger.due(at(9)).await;
    assert_eq!((after.history.baseline, after.history.given), (None, Vec::new()));
}

#[tokio::test]
async fn an_unmapped_product_is_one_question_and_its_answer_serves_everybody_who_waits() {
    let ledger = Ledger::new().await;
    ledger.state(order("42", 1, Payment::Paid), at(2)).await;
    ledger.state(order("43", 1, Payment::Paid), at(3)).await;
    let reviews = ledger.store.reviews(false).await.unwrap();
    assert_eq!(reviews.len(), 1);
    assert_eq!((reviews[0].concern.code(), reviews[0].times), ("product-unmapped", 2));

    let (rows, policies) = catalog();
    let imported = ledger.store.import_catalog(rows, false, policies, "operator test".into(), at(4)).await.unwrap();
    assert_eq!((imported.added, imported.orders), (1, 2));
    for id in ["42", "43"] {
        let order = ledger.store.order(&shop(), id).await.unwrap().unwrap();
        assert_eq!(order.lines[0].grants.len(), 1, "order {id}");
    }
    assert!(ledger.store.reviews(false).await.unwrap().is_empty());
    assert_eq!(ledger.store.reviews(true).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_of_the_catalog_moves_no_line_that_was_sold_before() {
    let ledger = Ledger::new().await;
    ledger.map(at(1)).await;
    ledger.state(order("42", 1, Payment::Paid), at(2)).await;
    let (mut rows, policies) = catalog();
    rows[0].sells = Some((CourseRun::parse("course-v1:DemoX+ART1+2026").unwrap(), None));
    ledger.store.import_catalog(rows, false, policies, "operator test".into(), at(3)).await.unwrap();
    ledger.state(order("42", 2, Payment::Paid), at(4)).await;
    let order = ledger.store.order(&shop(), "42").await.unwrap().unwrap();
    assert_eq!(order.lines[0].grants[0].run, course());
}

#[tokio::test]
async fn the_same_facts_again_write_nothing_new() {
    let ledger = Ledger::new().await;
    ledger.map(at(1)).await;
    ledger.state(order("42", 1, Payment::Paid), at(2)).await;
    let once = ledger.store.order(&shop(), "42").await.unwrap();
    ledger.state(order("42", 1, Payment::Paid), at(9)).await;
    assert_eq!(ledger.store.order(&shop(), "42").await.unwrap(), once);
}

#[tokio::test]
async fn orders_of_two_shops_under_one_id_are_two_orders() {
    let ledger = Ledger::new().await;
    ledger.map(at(1)).await;
    ledger.state(order("42", 1, Payment::Paid), at(2)).await;
    let other = ShopName::parse("other").unwrap();
    assert!(ledger.store.order(&other, "42").await.unwrap().is_none());
}

#[tokio::test]
async fn a_paused_shops_deliveries_stay_where_they_are() {
    let ledger = Ledger::new().await;
    ledger.accept("42", None, "{}").await;
    assert!(ledger.store.claim_deliveries(at(2), 10, LEASE, Vec::new()).await.unwrap().is_empty());
    assert_eq!(ledger.claim(at(2)).await.len(), 1);
}

#[tokio::test]
async fn a_finished_delivery_runs_again_at_a_persons_wish() {
    let ledger = Ledger::new().await;
    let Accepted::New(id) = ledger.accept("42", None, "{}").await else { panic!("new") };
    let claimed = ledger.claim(at(2)).await.pop().unwrap();
    ledger.store.commit_run(run(&claimed, nothing(), at(2))).await.unwrap();
    assert!(ledger.claim(at(3)).await.is_empty());
    ledger.store.retry(id, at(4)).await.unwrap();
    assert_eq!(ledger.claim(at(4)).await.len(), 1);
    let nobody = ledger.store.retry(DeliveryId::new(at(1)), at(4)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })), "{nobody:?}");
}

impl Ledger {
    /// A delivery about this subject comes, asks for these subjects to be forgotten, and is done.
    async fn forget(&self, about: &str, subjects: &[&str], now: Timestamp) -> DeliveryId {
        let asking = NewDelivery { due_at: now, ..delivery(about, None, "{\"forget\":\"Ada\"}") };
        let id = asking.id;
        self.store.accept(asking).await.unwrap();
        let claimed = self.claim(now).await.into_iter().find(|claimed| claimed.id == id).expect("it is due");
        let forgets = subjects.iter().map(|subject| (*subject).to_owned()).collect();
        let stated = Outcome::Stated(Statements { forgets, ..Statements::default() });
        self.store.commit_run(run(&claimed, stated, now)).await.unwrap();
        id
    }

    /// The one delivery that is due is run, and there was nothing to do.
    async fn finish(&self, now: Timestamp) {
        let claimed = self.claim(now).await.pop().expect("a delivery is due");
        self.store.commit_run(run(&claimed, nothing(), now)).await.unwrap();
    }

    /// What is stored of a delivery: path, query, names and values of its headers, body.
    async fn stored(&self, id: DeliveryId) -> (String, String, Vec<(String, Bytes)>, Bytes) {
        let request = self.store.delivery(id).await.unwrap().request;
        (request.path, request.query, request.headers, request.body)
    }

    async fn is_blank(&self, id: DeliveryId) -> bool {
        let mark = || Bytes::from_static(b"***");
        let is_blank = self.stored(id).await == ("/***".into(), "***".into(), vec![("***".into(), mark())], mark());
        assert_eq!(is_blank, self.store.delivery(id).await.unwrap().summary.blanked_at.is_some());
        is_blank
    }

    /// What a delivery's timeline says: action and words.
    async fn told(&self, id: DeliveryId) -> Vec<(AuditAction, String)> {
        let trail = self.store.delivery(id).await.unwrap().trail;
        trail.into_iter().map(|entry| (entry.action, entry.reason.to_string())).collect()
    }
}

#[tokio::test]
async fn what_a_shop_wants_forgotten_is_blanked_and_what_was_bought_stays() {
    let ledger = Ledger::new().await;
    ledger.ada_bought().await;
    let bought =
        ledger.store.deliveries(&DeliveryFilter { limit: 1, ..DeliveryFilter::default() }).await.unwrap()[0].id;
    let Accepted::New(other) = ledger.accept("43", None, "{\"name\":\"Bob\"}").await else { panic!("new") };
    ledger.finish(at(4)).await;
    let asked_in = ledger.forget("customer 7", &["41", "42"], at(5)).await;
    assert!(ledger.is_blank(bought).await);
    assert!(!ledger.is_blank(other).await && !ledger.is_blank(asked_in).await, "they are about something else");
    let words = "the shop asked for it; requests that were blanked: 1, that will be once they are finished: 0";
    assert_eq!(ledger.told(asked_in).await, [(AuditAction::Forgot, words.to_owned())]);
    let words = format!("the shop asked in {asked_in} that what it is about be forgotten");
    assert_eq!(ledger.told(bought).await.pop().unwrap(), (AuditAction::Blanked, words));
    assert_eq!(ledger.state_of(bought).await, DeliveryState::Done);
    let lines = ledger.store.order(&shop(), "42").await.unwrap().unwrap().lines;
    assert!(lines[0].grants.iter().all(|grant| grant.ended.is_none()), "the access was paid for");
}

#[tokio::test]
async fn a_delivery_that_asks_for_its_own_subject_to_be_forgotten_is_blanked_with_it() {
    let ledger = Ledger::new().await;
    let asked_in = ledger.forget("customer 7", &["customer 7"], at(2)).await;
    assert!(ledger.is_blank(asked_in).await);
    let actions: Vec<_> = ledger.told(asked_in).await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, [AuditAction::Blanked, AuditAction::Forgot]);
}

#[tokio::test]
async fn what_is_not_finished_is_blanked_once_it_is() {
    let ledger = Ledger::new().await;
    let parked = NewDelivery { state: DeliveryState::Parked, subject: None, due_at: at(9), ..delivery("", None, "{}") };
    let unjudged = parked.id;
    ledger.store.park(parked, 1).await.unwrap();
    let waiting = NewDelivery { due_at: at(7), ..delivery("42", None, "{}") };
    let queued = waiting.id;
    ledger.store.accept(waiting).await.unwrap();
    let asked_in = ledger.forget("customer 7", &["42"], at(5)).await;
    let words = "the shop asked for it; requests that were blanked: 0, that will be once they are finished: 1";
    assert_eq!(ledger.told(asked_in).await[0].1, words, "what a parked one is about is not known yet");

    let claimed = ledger.claim(at(7)).await.pop().unwrap();
    assert_eq!(claimed.request.body, "{}", "it is needed whole until it is finished");
    let again = Outcome::Problem {
        state: DeliveryState::Queued,
        due_at: Some(at(8)),
        counts: true,
        code: "c".into(),
        message: "m".into(),
    };
    ledger.store.commit_run(run(&claimed, again, at(7))).await.unwrap();
    assert!(!ledger.is_blank(queued).await);
    ledger.finish(at(8)).await;
    assert!(ledger.is_blank(queued).await);

    let claimed = ledger.claim(at(9)).await.pop().unwrap();
    let authentic = Outcome::Authentic { topic: "order.updated".into(), subject: Some("42".into()) };
    ledger.store.commit_run(run(&claimed, authentic, at(9))).await.unwrap();
    assert!(!ledger.is_blank(unjudged).await);
    ledger.finish(at(9)).await;
    assert!(ledger.is_blank(unjudged).await);
}

#[tokio::test]
async fn what_comes_after_a_subject_was_forgotten_is_kept_until_the_shop_asks_again() {
    let ledger = Ledger::new().await;
    let Accepted::New(first) = ledger.accept("42", None, "{}").await else { panic!("new") };
    ledger.finish(at(2)).await;
    let asked_in = ledger.forget("customer 7", &["42"], at(3)).await;
    let mut later = delivery("42", None, "{}");
    later.request.received_at = at(4);
    let later = NewDelivery { due_at: at(4), ..later };
    let second = later.id;
    ledger.store.accept(later).await.unwrap();
    ledger.finish(at(4)).await;
    assert!(!ledger.is_blank(second).await);

    let before = ledger.told(first).await;
    ledger.store.retry(asked_in, at(5)).await.unwrap();
    let claimed = ledger.claim(at(5)).await.pop().unwrap();
    let stated = Statements { forgets: vec!["42".into()], ..Statements::default() };
    ledger.store.commit_run(run(&claimed, Outcome::Stated(stated), at(5))).await.unwrap();
    assert!(ledger.is_blank(second).await);
    assert_eq!(ledger.told(first).await, before, "nothing is blanked twice");
}

#[tokio::test]
async fn one_shops_wish_to_forget_is_nothing_to_another_shops_deliveries() {
    let ledger = Ledger::new().await;
    let elsewhere = NewDelivery { shop: ShopName::parse("other").unwrap(), ..delivery("42", None, "{}") };
    let id = elsewhere.id;
    ledger.store.accept(elsewhere).await.unwrap();
    ledger.finish(at(2)).await;
    ledger.forget("customer 7", &["42"], at(3)).await;
    assert!(!ledger.is_blank(id).await);
}

#[tokio::test]
async fn what_was_blanked_is_not_run_again() {
    let ledger = Ledger::new().await;
    let Accepted::New(id) = ledger.accept("42", None, "{}").await else { panic!("new") };
    ledger.finish(at(2)).await;
    ledger.forget("customer 7", &["42"], at(3)).await;
    let refused = ledger.store.retry(id, at(4)).await.unwrap_err().to_string();
    assert!(refused.contains("holds nothing any more") && refused.contains("\nhint: "), "{refused}");
    assert_eq!(ledger.state_of(id).await, DeliveryState::Ignored);
    assert!(ledger.claim(at(4)).await.is_empty());
}

#[tokio::test]
async fn an_event_that_was_blanked_is_still_known_when_it_comes_again() {
    let ledger = Ledger::new().await;
    let Accepted::New(id) = ledger.accept("42", Some("k"), "{}").await else { panic!("new") };
    ledger.finish(at(2)).await;
    ledger.forget("customer 7", &["42"], at(3)).await;
    assert_eq!(ledger.accept("42", Some("k"), "{}").await, Accepted::Duplicate(id));
}

#[tokio::test]
async fn what_was_blanked_is_in_no_byte_of_the_ledger() {
    let ledger = Ledger::new().await;
    // Long enough for pages of its own, and not repetitive, so that it is not found squeezed.
    let name = "Ada Lovelace of Horsley Towers";
    let body: String = (0..2_000).map(|number| format!("{name} {}, ", number * 7_919)).collect();
    ledger.accept("42", None, name).await;
    ledger.accept("42", None, &body).await;
    ledger.finish(at(2)).await;
    ledger.finish(at(2)).await;
    ledger.forget("customer 7", &["42"], at(3)).await;
    ledger.store.close().await;
    let bytes = std::fs::read(&ledger.path).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("order.updated"));
    assert!(!holds(name));
}

#[tokio::test]
async fn one_command_that_fails_does_not_undo_those_that_share_its_commit() {
    let ledger = Ledger::new().await;
    let store = &ledger.store;
    let nobody = DeliveryId::new(at(1));
    let accepts = (0..50).map(|index| store.accept(delivery(&index.to_string(), None, "{}")));
    let failures = (0..50).map(|_| store.retry(nobody, at(1)));
    let (accepted, failed) =
        tokio::join!(futures_util::future::join_all(accepts), futures_util::future::join_all(failures));
    assert!(accepted.iter().all(Result::is_ok));
    assert!(failed.iter().all(Result::is_err));
    let filter = DeliveryFilter { limit: 1_000, ..DeliveryFilter::default() };
    assert_eq!(store.deliveries(&filter).await.unwrap().len(), 50);
}

#[tokio::test]
async fn a_ledger_is_never_made_by_accident_nor_over_another() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bursar.db");
    assert!(matches!(Store::open(&path, Purpose::Serve).await, Err(StoreError::Missing { .. })));
    assert!(!path.exists());
    Store::create(&path).await.unwrap();
    assert!(matches!(Store::create(&path).await, Err(StoreError::Exists { .. })));
}

#[tokio::test]
async fn a_ledger_is_its_owners_business_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let ledger = Ledger::new().await;
    ledger.accept("42", None, "{}").await;
    for file in ["bursar.db", "bursar.db-wal"] {
        let permissions = ledger.path.with_file_name(file).metadata().unwrap().permissions();
        assert_eq!(permissions.mode() & 0o077, 0, "{file}");
    }
}

#[tokio::test]
async fn a_ledger_that_was_closed_in_good_order_is_one_file() {
    let ledger = Ledger::new().await;
    let Accepted::New(id) = ledger.accept("42", None, "{}").await else { panic!("new") };
    ledger.store.close().await;
    assert!(matches!(ledger.store.accept(delivery("43", None, "{}")).await, Err(StoreError::Closed)));
    let copy = ledger.path.with_file_name("copy.db");
    std::fs::copy(&ledger.path, &copy).unwrap();
    let copied = Store::open(&copy, Purpose::Serve).await.unwrap();
    assert_eq!(copied.delivery(id).await.unwrap().summary.id, id);
}

#[tokio::test]
async fn one_process_serves_a_ledger_and_tools_may_look_beside_it() {
    let ledger = Ledger::new().await;
    assert!(matches!(Store::open(&ledger.path, Purpose::Serve).await, Err(StoreError::InUse { .. })));
    Store::open(&ledger.path, Purpose::Tool).await.unwrap();
}

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_refused() {
    use sqlx::{Connection, SqliteConnection};

    let ledger = Ledger::new().await;
    let Ledger { store, path, _directory } = ledger;
    drop(store);
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (999, 'x', 1, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    for purpose in [Purpose::Serve, Purpose::Tool] {
        let refused = Store::open(&path, purpose).await;
        assert!(matches!(refused, Err(StoreError::Schema(_) | StoreError::InUse { .. })), "{refused:?}");
    }
    let refused = Store::open(&path, Purpose::Tool).await.unwrap_err();
    assert!(refused.to_string().contains("hint: "), "{refused}");
}
