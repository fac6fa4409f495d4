//! What the store promises of effects: changes of the LMS that adapters ask for beside the ledger.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

use std::time::Duration;

use bursar_domain::{
    AdapterName, CourseRun, Email, LmsName, Mode, Request, ShopName, Timestamp, Username,
    effect::{AddressChange, Asked, Change, EffectEnd, EffectStatement, EnrollmentChange, FullName},
    fulfillment::Seen,
    ids::DeliveryId,
    policy::{ShopMode, ShopPolicy},
    reason::Reason,
    statement::Statements,
};
use bursar_store::{
    Purpose, Store, StoreError,
    effects::{Came, DueEffect, EffectIntent},
    inbox::{DeliveryState, NewDelivery, Origin},
    run::{Outcome, Run},
};
use bytes::Bytes;
use sqlx::Connection as _;

const LEASE: Duration = Duration::from_secs(60);

struct Ledger {
    store: Store,
    directory: tempfile::TempDir,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn lms() -> LmsName {
    LmsName::parse("main").unwrap()
}

fn run() -> CourseRun {
    CourseRun::parse("course-v1:DemoX+CS101+2026").unwrap()
}

fn policy(mode: ShopMode) -> ShopPolicy {
    let shop = ShopName::parse("campus").unwrap();
    ShopPolicy { mode, quiet_time: Duration::ZERO, ..ShopPolicy::new(shop, lms(), Mode::parse("verified").unwrap()) }
}

fn allow(address: &str) -> Change {
    let email = Email::parse(address).unwrap();
    Change::Address(AddressChange::Allow { email, run: run(), auto_enroll: true })
}

fn register(address: &str, username: &str) -> Change {
    let (email, username) = (Email::parse(address).unwrap(), Username::parse(username).unwrap());
    Change::Address(AddressChange::Register { email, username, name: FullName::parse("Ada L").unwrap() })
}

fn enroll(username: &str) -> Change {
    Change::Enrollment(EnrollmentChange {
        username: Username::parse(username).unwrap(),
        run: run(),
        mode: None,
        active: Some(true),
        force: false,
        attributes: Vec::new(),
    })
}

fn refused() -> Came {
    Came::over(EffectEnd::Refused { refusal: "unknown-user".into() })
}

impl Ledger {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bursar.db");
        Store::create(&path).await.unwrap();
        Self { store: Store::open(&path, Purpose::Serve).await.unwrap(), directory }
    }

    /// A delivery whose run asks for these.
    async fn ask(&self, mode: ShopMode, effects: &[(&str, Change)], now: Timestamp) -> DeliveryId {
        let request = Request {
            method: "POST".into(),
            path: String::new(),
            query: String::new(),
            headers: Vec::new(),
            body: Bytes::from_static(b"{}"),
            received_at: now,
        };
        let delivery = NewDelivery {
            id: DeliveryId::new(now),
            shop: policy(mode).shop,
            adapter: AdapterName::parse("calls").unwrap(),
            origin: Origin::Webhook,
            state: DeliveryState::Queued,
            topic: String::new(),
            subject: None,
            dedupe_key: None,
            occurred_at: None,
            problem: None,
            due_at: now,
            body_sha256: NewDelivery::digest(&request.body),
            request,
        };
        let id = delivery.id;
        self.store.accept(delivery).await.unwrap();
        self.handle(mode, effects, now).await;
        id
    }

    /// The delivery that is due is run, and asks for these.
    async fn handle(&self, mode: ShopMode, effects: &[(&str, Change)], now: Timestamp) {
        let claimed = self
            .store
            .claim_deliveries(now, 1, LEASE, vec![(ShopName::parse("campus").unwrap(), 1)])
            .await
            .unwrap()
            .pop()
            .unwrap();
        let effects =
            effects.iter().cloned().map(|(key, change)| EffectStatement { key: key.into(), change }).collect();
        let run = Run {
            delivery: claimed.id,
            lane: claimed.lane,
            policy: policy(mode),
            attempt: None,
            outcome: Outcome::Stated(Statements { effects, ..Statements::default() }),
            redacted: None,
            now,
        };
        self.store.commit_run(run).await.unwrap();
    }

    async fn due(&self, now: Timestamp) -> Vec<DueEffect> {
        self.store.claim_effects(&lms(), now, 10, LEASE).await.unwrap()
    }

    async fn record(&self, effect: DueEffect, came: Came, now: Timestamp) {
        self.store.record_effect(effect, came, now).await.unwrap();
    }

    async fn ends(&self, delivery: DeliveryId) -> Vec<&'static str> {
        let trail = self.store.delivery(delivery).await.unwrap().trail;
        let end = |reason| match reason {
            Reason::Effect { end, .. } => end.as_str(),
            _ => "another reason",
        };
        trail.into_iter().map(|entry| end(entry.reason)).collect()
    }
}

#[tokio::test]
async fn a_key_counts_once_whatever_is_asked_for_under_it() {
    let ledger = Ledger::new().await;
    ledger.ask(ShopMode::Live, &[("k", allow("ada@example.org"))], at(1)).await;
    let again = ledger.ask(ShopMode::Live, &[("k", enroll("bo"))], at(2)).await;
    assert_eq!(ledger.ends(again).await, ["repeated"]);
    let due = ledger.due(at(3)).await;
    assert_eq!(due.iter().map(|effect| &effect.change).collect::<Vec<_>>(), [&allow("ada@example.org")]);
}

#[tokio::test]
async fn the_effects_of_a_delivery_and_those_about_one_person_go_one_after_the_other() {
    let ledger = Ledger::new().await;
    let first = [("1", register("ada@example.org", "ada")), ("2", allow("bo@example.org"))];
    ledger.ask(ShopMode::Live, &first, at(1)).await;
    ledger.ask(ShopMode::Live, &[("3", enroll("ADA"))], at(2)).await;
    ledger.ask(ShopMode::Live, &[("4", allow("cy@example.org"))], at(3)).await;
    let mut due = ledger.due(at(4)).await;
    assert_eq!(due.len(), 2, "the second of a delivery, and what follows a registration, wait");
    assert_eq!(due[1].change, allow("cy@example.org"));
    let register = due.remove(0);
    ledger.record(register, refused(), at(5)).await;
    let changes: Vec<Change> = ledger.due(at(6)).await.into_iter().map(|effect| effect.change).collect();
    assert_eq!(changes, [allow("bo@example.org"), enroll("ADA")], "a refusal keeps nobody from being tried");
}

#[tokio::test]
async fn an_enrollment_carries_its_effect_and_stays_due_for_it() {
    let ledger = Ledger::new().await;
    let delivery = ledger.ask(ShopMode::Live, &[("k", enroll("ada"))], at(1)).await;
    let effect = ledger.due(at(2)).await.pop().unwrap();
    let account = Came::Account { lms_user_id: 7, username: Username::parse("ada").unwrap() };
    ledger.record(effect, account, at(2)).await;
    assert!(ledger.due(at(3)).await.is_empty());

    let claim = async |now| ledger.store.claim_enrollments(&lms(), now, 10, LEASE).await.unwrap().pop().unwrap();
    let effect = claim(at(3)).await.effect.unwrap();
    let intent = EffectIntent { at: at(3), before: Some(Seen::Absent) };
    ledger.store.record_effect_intent(&effect, intent.clone()).await.unwrap();
    ledger.store.release_claims(at(4)).await.unwrap();
    let gone = ledger.store.record_effect(effect, Came::over(EffectEnd::Done), at(4)).await.unwrap_err();
    assert!(matches!(gone, StoreError::LeaseLost), "{gone}");

    let effect = claim(at(5)).await.effect.unwrap();
    assert_eq!(effect.intent, Some(intent), "the next process knows that something may have been sent");
    let again = Came::Again { due_at: at(9), failed: None, seen: Some(Seen::Absent), keep_intent: false };
    ledger.record(effect, again, at(5)).await;
    assert!(ledger.store.claim_enrollments(&lms(), at(8), 10, LEASE).await.unwrap().is_empty());
    let effect = claim(at(9)).await.effect.unwrap();
    let seen = Some(Seen::Active { mode: Mode::parse("audit").unwrap() });
    ledger.record(effect, Came::Over { end: EffectEnd::Done, seen, changed: true }, at(10)).await;
    assert_eq!(ledger.ends(delivery).await, ["done"]);
    let backlog = ledger.store.backlog().await.unwrap();
    assert_eq!((backlog.effects, backlog.enrollments), (0, 0));
}

#[tokio::test]
async fn what_was_observed_or_refused_makes_room_when_a_person_has_it_run_again() {
    let ledger = Ledger::new().await;
    let asked = [("k", enroll("ada"))];
    let delivery = ledger.ask(ShopMode::Observe, &asked, at(1)).await;
    assert_eq!(ledger.ends(delivery).await, ["observed"]);
    assert!(ledger.due(at(2)).await.is_empty());

    ledger.store.retry(delivery, at(3)).await.unwrap();
    ledger.handle(ShopMode::Live, &asked, at(3)).await;
    let effect = ledger.due(at(3)).await.pop().unwrap();
    let id = effect.id;
    ledger.record(effect, refused(), at(4)).await;
    let reviews = ledger.store.reviews(false).await.unwrap();
    assert_eq!(reviews.iter().map(|review| review.concern.code()).collect::<Vec<_>>(), ["effect-refused"]);

    ledger.ask(ShopMode::Live, &asked, at(5)).await;
    assert!(ledger.due(at(5)).await.is_empty(), "the shop repeating itself is nobody's decision");
    ledger.store.retry(delivery, at(6)).await.unwrap();
    ledger.handle(ShopMode::Live, &asked, at(6)).await;
    let effect = ledger.due(at(6)).await.pop().unwrap();
    assert_eq!(effect.id, id);
    ledger.record(effect, Came::over(EffectEnd::AlreadySo), at(7)).await;
    assert!(ledger.store.reviews(false).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_was_to_be_registered_is_forgotten_when_it_is_over_and_never_stands_in_a_reason() {
    let ledger = Ledger::new().await;
    let delivery = ledger.ask(ShopMode::Live, &[("k", register("ada@example.org", "ada"))], at(1)).await;
    let effect = ledger.due(at(2)).await.pop().unwrap();
    let Change::Address(AddressChange::Register { name, .. }) = &effect.change else { panic!("{:?}", effect.change) };
    assert_eq!(name.as_str(), "Ada L");
    ledger.record(effect, Came::over(EffectEnd::Done), at(3)).await;
    let entry = ledger.store.delivery(delivery).await.unwrap().trail.pop().unwrap();
    assert_eq!(entry.reason, Reason::Effect { asked: Asked::Register, end: EffectEnd::Done });
    let path = ledger.directory.path().join("bursar.db");
    let url = format!("sqlite://{}?mode=ro", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let request: String = sqlx::query_scalar("SELECT request FROM effects").fetch_one(&mut connection).await.unwrap();
    assert_eq!(request, "{}");
}
