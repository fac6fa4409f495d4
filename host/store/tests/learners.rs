//! What the store promises of learners: who they are, who waits, who is registered, who is given leave to enroll.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

use std::{collections::BTreeMap, time::Duration};

use bursar_domain::{
    AdapterName, CourseRun, Email, LmsName, Mode, Request, ShopName, Timestamp, Username,
    fulfillment::Seen,
    ids::DeliveryId,
    policy::{NoAccount, ShopPolicy},
    reason::{Concern, Reason},
    retry,
    statement::{Identity, Learner, LineStatement, OrderStatement, Payment, ProductId, Revision, Scope, Statements},
};
use bursar_store::{
    Purpose, Store, StoreError,
    allowances::{AllowanceSettled, AllowanceShops, AllowanceState, DueAllowance},
    catalog::CatalogRow,
    enrollments::Settled,
    inbox::{DeliveryState, NewDelivery, Origin},
    links::Link,
    registrations::{Bounds, Permit, Tried},
    resolutions::{Found, Unresolved},
    run::{Outcome, Run},
    trail::AuditAction,
    waiting::WaitingFilter,
};

const LEASE: Duration = Duration::from_secs(60);
const TRUSTED: i64 = 300;

struct Ledger {
    store: Store,
    _directory: tempfile::TempDir,
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

fn address(text: &str) -> Email {
    Email::parse(text).unwrap()
}

fn username(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn account(id: i64, name: &str) -> Found {
    Found::Account { lms_user_id: id, username: username(name) }
}

fn policy() -> ShopPolicy {
    ShopPolicy {
        no_account: NoAccount::Register,
        enrollment_allowed: true,
        quiet_time: Duration::ZERO,
        ..ShopPolicy::new(shop(), lms(), Mode::parse("verified").unwrap())
    }
}

impl Ledger {
    /// An empty ledger whose shop sells one product.
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bursar.db");
        Store::create(&path).await.unwrap();
        let store = Store::open(&path, Purpose::Serve).await.unwrap();
        let product = ProductId { kind: "sku".into(), id: "CS101".into() };
        let run = CourseRun::parse("course-v1:DemoX+CS101+2026").unwrap();
        let rows = vec![CatalogRow { shop: shop(), product, sells: Some((run, None)) }];
        let policies = BTreeMap::from([(shop(), policy())]);
        store.import_catalog(rows, false, policies, "operator test".into(), at(0)).await.unwrap();
        Self { store, _directory: directory }
    }

    /// An order of one line states this.
    async fn order(&self, id: &str, email: &str, payment: Payment, now: Timestamp) {
        let revision = Revision(vec![u64::try_from(now.as_millis()).unwrap()]);
        let mut order = OrderStatement::new(id.into(), Scope::Snapshot, revision);
        order.payment = Some(payment);
        order.learner = Some(Learner::Known(Identity::Email { address: address(email) }));
        order.lines = vec![LineStatement {
            id: "1".into(),
            products: vec![ProductId { kind: "sku".into(), id: "CS101".into() }],
            title: Some("Computing".into()),
            ..LineStatement::default()
        }];
        let request = Request {
            method: "POST".into(),
            path: String::new(),
            query: String::new(),
            headers: Vec::new(),
            body: bytes::Bytes::from_static(b"{}"),
            received_at: now,
        };
        let delivery = NewDelivery {
            id: DeliveryId::new(now),
            shop: shop(),
            adapter: AdapterName::parse("woocommerce").unwrap(),
            origin: Origin::Webhook,
            state: DeliveryState::Queued,
            topic: "order.updated".into(),
            subject: Some(id.into()),
            dedupe_key: None,
            occurred_at: None,
            problem: None,
            due_at: now,
            body_sha256: NewDelivery::digest(&request.body),
            request,
        };
        self.store.accept(delivery).await.unwrap();
        let claimed = self.store.claim_deliveries(now, 10, LEASE, vec![(shop(), 10)]).await.unwrap().pop().unwrap();
        let statements = Statements { orders: vec![order], ..Statements::default() };
        let run = Run {
            delivery: claimed.id,
            lane: claimed.lane.clone(),
            policy: policy(),
            attempt: None,
            outcome: Outcome::Stated(statements),
            redacted: None,
            now,
        };
        self.store.commit_run(run).await.unwrap();
    }

    async fn paid(&self, id: &str, email: &str, now: Timestamp) {
        self.order(id, email, Payment::Paid, now).await;
    }

    async fn due(&self, now: Timestamp) -> Vec<Unresolved> {
        self.store.claim_unresolved(&lms(), now, 10, LEASE).await.unwrap()
    }

    /// The only learner that is due, who is found to be this.
    async fn found(&self, found: Found, now: Timestamp) {
        let learner = self.due(now).await.pop().expect("a learner is due");
        self.store.record_found(vec![(learner, found)], now).await.unwrap();
    }

    async fn account_of(&self, order: &str) -> Option<String> {
        let order = self.store.order(&shop(), order).await.unwrap().unwrap();
        order.lines[0].grants[0].account.map(|id| id.to_string())
    }

    async fn waiting(&self) -> Vec<String> {
        let waiting = self.store.waiting(&WaitingFilter::default()).await.unwrap();
        waiting.into_iter().map(|grant| format!("{} {}", grant.order, grant.resolution)).collect()
    }

    async fn codes(&self) -> Vec<String> {
        let reviews = self.store.reviews(false).await.unwrap();
        reviews.iter().map(|review| format!("{} {}", review.concern.code(), review.times)).collect()
    }

    async fn permit(&self, learner: &Unresolved, bounds: &Bounds, now: Timestamp) -> Permit {
        self.store.begin_registration(learner, &username("ada"), bounds, LEASE, now).await.unwrap()
    }

    async fn allowances(&self, now: Timestamp) -> Vec<DueAllowance> {
        let shops = AllowanceShops { live: vec![shop()], ..AllowanceShops::default() };
        self.store.claim_allowances(&lms(), &shops, now, 10, LEASE).await.unwrap()
    }

    /// The only record that is due, which is now so.
    async fn allowance(&self, state: AllowanceState, now: Timestamp) {
        let due = self.allowances(now).await.pop().expect("a record is due");
        let settled = AllowanceSettled { state, due_at: None, told: None };
        self.store.record_allowance(due, settled, now).await.unwrap();
    }
}

fn nobody(due_at: Timestamp) -> Found {
    Found::Nobody { due_at, reason: Reason::NoAccount, tell: Vec::new() }
}

fn bounds(per_window: u32) -> Bounds {
    Bounds { per_window, shops: vec![shop()], started_at: at(0), call_timeout: Duration::from_secs(30) }
}

// Who a learner is ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn an_account_that_was_found_long_ago_is_looked_up_again_for_a_new_grant_and_old_ones_stay() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "Ada@example.org", at(1)).await;
    ledger.found(account(7, "ada"), at(2)).await;
    ledger.paid("2", "ADA@example.org", at(TRUSTED)).await;
    assert!(ledger.due(at(TRUSTED)).await.is_empty(), "it is trusted for so long");
    ledger.paid("3", "ada@example.org", at(TRUSTED + 3)).await;
    assert_eq!(ledger.account_of("3").await, None);
    ledger.found(account(8, "heir"), at(TRUSTED + 4)).await;
    let (first, second, third) =
        (ledger.account_of("1").await, ledger.account_of("2").await, ledger.account_of("3").await);
    assert_eq!(first, second);
    assert_ne!(first, third);
}

#[tokio::test]
async fn an_account_that_is_gone_when_it_is_looked_up_again_is_waited_for_and_an_outage_forgets_nothing() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "ada@example.org", at(1)).await;
    ledger.found(account(7, "ada"), at(2)).await;
    ledger.paid("2", "ada@example.org", at(2 * TRUSTED)).await;
    let outage = Reason::LmsUnavailable { problem: "down".into() };
    ledger.found(Found::Unknown { due_at: at(2 * TRUSTED + 5), reason: outage }, at(2 * TRUSTED)).await;
    assert_eq!(ledger.waiting().await, ["2 resolved"]);
    ledger.found(nobody(at(2 * TRUSTED + 20)), at(2 * TRUSTED + 5)).await;
    assert_eq!(ledger.waiting().await, ["2 waiting"]);
    assert!(ledger.account_of("1").await.is_some());
}

#[tokio::test]
async fn a_retired_account_ends_the_waiting_and_the_next_order_asks_again() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "ada@example.org", at(1)).await;
    ledger.found(Found::Retired, at(2)).await;
    assert_eq!(
        (ledger.waiting().await, ledger.codes().await),
        (vec!["1 retired".into()], vec!["account-retired 1".into()])
    );
    assert!(ledger.due(at(TRUSTED)).await.is_empty());
    ledger.paid("2", "ada@example.org", at(TRUSTED)).await;
    ledger.found(account(9, "ada2"), at(TRUSTED)).await;
    assert!(ledger.account_of("1").await.is_some(), "who is known again gets everything that waits");
    assert!(ledger.codes().await.is_empty(), "the question is settled");
}

#[tokio::test]
async fn two_identities_of_one_account_are_one_enrollment() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "ada@example.org", at(1)).await;
    ledger.found(account(7, "ada"), at(2)).await;
    ledger.paid("2", "ada@work.example", at(3)).await;
    ledger.found(account(7, "Ada"), at(4)).await;
    let due = ledger.store.claim_enrollments(&lms(), at(5), 10, LEASE).await.unwrap();
    assert_eq!((due.len(), due[0].grants.len()), (1, 2));
    let shown = ledger.store.learner("ADA@work.example").await.unwrap();
    assert_eq!(shown.purchases.len(), 2, "either address shows everything of the learner");
}

#[tokio::test]
async fn what_a_person_joined_is_never_looked_up_again_and_moves_nothing() {
    let ledger = Ledger::new().await;
    let link = |id: i64, name: &str| Link {
        identity: Identity::Email { address: address("Ada@work.example") },
        lms: lms(),
        lms_user_id: id,
        username: username(name),
        why: "ticket 7".into(),
        actor: "operator test".into(),
    };
    ledger.paid("1", "ada@work.example", at(1)).await;
    let asked = ledger.due(at(1)).await.pop().unwrap();
    assert_eq!(ledger.store.link(link(7, "ada"), at(2)).await.unwrap().grants, 1);
    // Whoever had begun to look up comes too late.
    ledger.store.record_found(vec![(asked, nobody(at(3)))], at(3)).await.unwrap();
    assert!(ledger.waiting().await.is_empty());
    ledger.paid("2", "ada@work.example", at(100 * TRUSTED)).await;
    assert!(ledger.due(at(100 * TRUSTED)).await.is_empty());
    assert_eq!(ledger.account_of("1").await, ledger.account_of("2").await);
    let refused = ledger.store.link(link(8, "bo"), at(100 * TRUSTED)).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Refused(words) if words.contains("given to ada")), "{refused}");
    assert_eq!(
        ledger.store.link(link(7, "ada"), at(100 * TRUSTED)).await.unwrap().grants,
        0,
        "to say it again is no harm"
    );
}

#[tokio::test]
async fn a_notice_makes_those_due_whom_it_names_also_while_they_are_being_looked_up() {
    let ledger = Ledger::new().await;
    for (id, email) in [("1", "ada@example.org"), ("2", "bo@example.org")] {
        ledger.paid(id, email, at(1)).await;
        ledger.found(nobody(at(TRUSTED)), at(1)).await;
    }
    ledger.store.notice(&lms(), &address("ADA@example.org"), at(10)).await.unwrap();
    ledger.store.notice(&lms(), &address("nobody@example.org"), at(10)).await.unwrap();
    let learner = ledger.due(at(10)).await.pop().unwrap();
    assert_eq!((learner.identity.written(), learner.noticed_at), ("ada@example.org", Some(at(10))));
    // The LMS says it again while it is asked: its answer may be older than its word.
    ledger.store.notice_somebody(&lms(), at(60), at(11)).await.unwrap();
    ledger.store.record_found(vec![(learner, nobody(at(TRUSTED)))], at(12)).await.unwrap();
    assert_eq!(ledger.due(at(12)).await.len(), 1);
    assert_eq!(ledger.due(at(60)).await[0].identity.written(), "bo@example.org");
}

#[tokio::test]
async fn a_person_is_told_once_that_somebody_waits() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "ada@example.org", at(1)).await;
    let tell = || vec![(shop(), Concern::NoAccount)];
    ledger.found(Found::Nobody { due_at: at(5), reason: Reason::NoAccount, tell: tell() }, at(1)).await;
    assert!(ledger.due(at(5)).await[0].told);
    assert_eq!(ledger.codes().await, ["no-account 1"]);
}

// Registering --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn no_more_are_registered_than_the_bound_until_the_oldest_try_is_seven_days_old() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "ada@example.org", at(1)).await;
    let learner = ledger.due(at(1)).await.pop().unwrap();
    for (seconds, tried) in [(2, Tried::Taken), (3, Tried::Unsent), (4, Tried::Taken)] {
        let Permit::Given(id) = ledger.permit(&learner, &bounds(2), at(seconds)).await else { panic!("no leave") };
        ledger.store.end_registration(id, tried).await.unwrap();
    }
    assert_eq!(ledger.permit(&learner, &bounds(2), at(5)).await, Permit::Limit, "what was not sent does not count");
    let week = i64::try_from(retry::REGISTRATION_WINDOW.as_secs()).unwrap();
    assert_eq!(ledger.permit(&learner, &bounds(2), at(week + 1)).await, Permit::Limit);
    assert!(matches!(ledger.permit(&learner, &bounds(2), at(week + 2)).await, Permit::Given(_)));
}

#[tokio::test]
async fn a_try_without_an_answer_is_waited_for_and_counts() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "ada@example.org", at(1)).await;
    let learner = ledger.due(at(1)).await.pop().unwrap();
    assert!(matches!(ledger.permit(&learner, &bounds(9), at(2)).await, Permit::Given(_)));
    assert_eq!(ledger.permit(&learner, &bounds(9), at(31)).await, Permit::InDoubt { until: at(32) });
    assert!(matches!(ledger.permit(&learner, &bounds(2), at(32)).await, Permit::Given(_)));
    assert_eq!(ledger.permit(&learner, &bounds(2), at(70)).await, Permit::Limit);
}

#[tokio::test]
async fn a_refusal_pauses_whom_it_concerns_and_a_restart_forgets_it_but_not_a_limit() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "ada@example.org", at(1)).await;
    ledger.paid("2", "bo@example.org", at(2)).await;
    let learners = ledger.due(at(2)).await;
    let started = |seconds| Bounds { started_at: at(seconds), ..bounds(100) };
    // May this learner be tried, at that moment, by a process that began then? Nothing is sent.
    let may =
        async |learner: &Unresolved, start: i64, now: i64| match ledger.permit(learner, &started(start), at(now)).await
        {
            Permit::Given(id) => {
                ledger.store.end_registration(id, Tried::Unsent).await.unwrap();
                true
            }
            Permit::Paused => false,
            other => panic!("{other:?}"),
        };
    for (now, tried, this_one, others, after_restart) in [
        (10, Tried::Refused, false, true, true),
        (20, Tried::Closed, false, false, true),
        (30, Tried::Limit, false, false, false),
    ] {
        let Permit::Given(id) = ledger.permit(&learners[0], &started(now), at(now)).await else { panic!("{tried}") };
        ledger.store.end_registration(id, tried).await.unwrap();
        assert_eq!(may(&learners[0], 0, now + 1).await, this_one, "{tried}");
        assert_eq!(may(&learners[1], 0, now + 1).await, others, "{tried}");
        assert_eq!(may(&learners[0], now + 2, now + 3).await, after_restart, "{tried}");
    }
}

#[tokio::test]
async fn nobody_is_registered_for_what_has_ended_or_by_whom_the_claim_was_lost() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "ada@example.org", at(1)).await;
    let learner = ledger.due(at(1)).await.pop().unwrap();
    let other_shop = Bounds { shops: vec![ShopName::parse("other").unwrap()], ..bounds(9) };
    assert_eq!(ledger.permit(&learner, &other_shop, at(2)).await, Permit::NotWanted);
    ledger.order("1", "ada@example.org", Payment::Unpaid, at(3)).await;
    assert_eq!(ledger.permit(&learner, &bounds(9), at(4)).await, Permit::NotWanted);
    ledger.paid("1", "ada@example.org", at(5)).await;
    let again = ledger.due(at(100)).await.pop().unwrap();
    let lost = ledger.store.begin_registration(&learner, &username("ada"), &bounds(9), LEASE, at(101)).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
    assert!(matches!(ledger.permit(&again, &bounds(9), at(101)).await, Permit::Given(_)));
}

#[tokio::test]
async fn an_account_under_the_name_that_was_tried_was_registered_by_us_and_another_was_found() {
    for (name, action) in [("ADA", AuditAction::AccountRegistered), ("somebody", AuditAction::AccountFound)] {
        let ledger = Ledger::new().await;
        ledger.paid("1", "ada@example.org", at(1)).await;
        let learner = ledger.due(at(1)).await.pop().unwrap();
        assert!(matches!(ledger.permit(&learner, &bounds(9), at(2)).await, Permit::Given(_)));
        ledger.store.record_found(vec![(learner, account(7, name))], at(3)).await.unwrap();
        let shown = ledger.store.learner("ada@example.org").await.unwrap();
        assert_eq!(shown.enrollments[0].trail[0].action, action);
    }
}

// Leave to enroll beforehand -----------------------------------------------------------------------------------------

#[tokio::test]
async fn leave_is_wanted_once_nobody_was_found_and_kept_until_the_learner_is_enrolled() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "ada@example.org", at(1)).await;
    assert!(ledger.allowances(at(1)).await.is_empty(), "the account is not looked up yet");
    ledger.found(nobody(at(5)), at(1)).await;
    let due = ledger.allowances(at(2)).await.pop().unwrap();
    assert_eq!((due.email.as_str(), due.state, due.wanted), ("ada@example.org", AllowanceState::Wanted, true));
    assert!(ledger.allowances(at(2)).await.is_empty(), "claimed already");
    ledger.store.intend_allowance(&due, at(2)).await.unwrap();
    let made = AllowanceSettled {
        state: AllowanceState::Ours,
        due_at: None,
        told: Some((AuditAction::AllowanceMade, Reason::NoAccount)),
    };
    ledger.store.record_allowance(due, made, at(2)).await.unwrap();
    assert!(ledger.allowances(at(3)).await.is_empty());

    ledger.found(account(7, "ada"), at(5)).await;
    assert!(ledger.allowances(at(6)).await.is_empty(), "the account is there, and not enrolled yet");
    let due = ledger.store.claim_enrollments(&lms(), at(6), 10, LEASE).await.unwrap().pop().unwrap();
    let verified = Seen::Active { mode: Mode::parse("verified").unwrap() };
    let settled =
        Settled { seen: Some(verified), satisfied: true, ..Settled::new(AuditAction::Enrolled, Reason::Bought) };
    ledger.store.record_settled(due, settled, at(7)).await.unwrap();
    let due = ledger.allowances(at(8)).await.pop().unwrap();
    assert_eq!((due.state, due.wanted, due.kept), (AllowanceState::Ours, false, false));
}

#[tokio::test]
async fn leave_ends_with_the_grant_and_what_somebody_else_gave_is_only_forgotten() {
    for (state, due) in [(AllowanceState::Ours, 1), (AllowanceState::Theirs, 0)] {
        let ledger = Ledger::new().await;
        ledger.paid("1", "ada@example.org", at(1)).await;
        ledger.found(nobody(at(5)), at(1)).await;
        ledger.allowance(state, at(2)).await;
        ledger.order("1", "ada@example.org", Payment::Unpaid, at(3)).await;
        assert_eq!(ledger.allowances(at(4)).await.len(), due, "{state}");
    }
}

#[tokio::test]
async fn leave_follows_a_corrected_address() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "aad@example.org", at(1)).await;
    ledger.found(nobody(at(TRUSTED)), at(1)).await;
    ledger.allowance(AllowanceState::Ours, at(2)).await;
    ledger.paid("1", "ada@example.org", at(3)).await;
    ledger.found(nobody(at(TRUSTED)), at(3)).await;
    let due: Vec<_> =
        ledger.allowances(at(4)).await.into_iter().map(|due| (due.email.to_string(), due.wanted)).collect();
    assert_eq!(due.len(), 2);
    assert!(due.contains(&("aad@example.org".into(), false)) && due.contains(&("ada@example.org".into(), true)));
}

#[tokio::test]
async fn nothing_is_made_or_taken_back_for_a_shop_that_is_not_live_and_all_for_one_that_wants_none_any_more() {
    let ledger = Ledger::new().await;
    ledger.paid("1", "ada@example.org", at(1)).await;
    ledger.found(nobody(at(TRUSTED)), at(1)).await;
    let claim =
        async |shops: AllowanceShops, now| ledger.store.claim_allowances(&lms(), &shops, now, 10, LEASE).await.unwrap();
    let idle = AllowanceShops { idle: vec![shop()], ..AllowanceShops::default() };
    assert!(claim(idle.clone(), at(2)).await.is_empty());
    ledger.allowance(AllowanceState::Ours, at(2)).await;
    ledger.order("1", "ada@example.org", Payment::Unpaid, at(3)).await;
    assert!(claim(idle, at(4)).await.is_empty());
    ledger.paid("1", "ada@example.org", at(5)).await;
    let without = AllowanceShops { without: vec![shop()], ..AllowanceShops::default() };
    assert!(claim(AllowanceShops::default(), at(6)).await.is_empty(), "a shop that is configured no more protects it");
    assert!(!claim(without, at(6)).await[0].kept);
}
