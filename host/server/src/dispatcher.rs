//! The dispatcher: gives each delivery its turn, runs its adapter, and has the end of the attempt committed.
//!
//! Owns the order of claiming, running and committing, and what an adapter's problem means for the delivery. No transaction
//! spans a run. If the process dies anywhere here, the lease runs out and the delivery has another turn.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bursar_domain::{
    Clock, LmsName, ShopName, Timestamp, ids::AttemptId, policy::ShopMode, retry, statement::ProductId,
};
use bursar_lms::Lms;
use bursar_sandbox::{
    Adapter, Decision, DeliveryInput, HostFault, KnownLine, LmsReader, Logs, Problem, Remedy, RunError, RunErrorClass,
    ShopApi, Surroundings, Usage, redact,
};
use bursar_store::{
    Store, StoreError,
    inbox::{Claimed, DeliveryState, Origin},
    run::{AttemptRecord, Notes, Outcome, Run},
};
use futures_util::future::join_all;
use tokio::{
    sync::{Semaphore, watch},
    task::{Id, JoinError, JoinSet},
};

use crate::{
    bell::Bell,
    lms_reader::ReadOnlyLms,
    shops::{Obstacle, Permitted, Ready, Shop, Shops},
};

/// How many deliveries are handled side by side. More wait in the inbox.
const SIDE_BY_SIDE: usize = 32;

/// How many of one shop: one whose deliveries take long leaves places for the others.
const OF_ONE_SHOP: u32 = 8;

/// As many lines of orders are one attempt's own affair. Shops send a few, and large ones some hundreds.
const LARGE: usize = 200;

/// For each line above [`LARGE`], how long the shop's next deliveries wait in the inbox. Writing a line takes about 0.2 ms during
/// which nobody else can write: so a shop that states thousands of lines again and again leaves 24 parts in 25 of the time to
/// the others, and one whose order has 500 lines waits a second and a half.
const REST_FOR_LINE: Duration = Duration::from_millis(5);

/// How long a delivery belongs to the run that claimed it: longer than any run may take, waiting for its place included.
const LEASE: Duration = Duration::from_secs(90);

/// How often the inbox is looked at when nothing says that there is something: for deliveries whose time comes, and for
/// what a command line tool puts there.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the dispatcher needs.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    /// The connected shops.
    pub shops: Shops,
    /// The LMSs, for adapters that read theirs.
    pub lms: BTreeMap<LmsName, Lms>,
    /// Where deliveries come from and attempts go.
    pub store: Store,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Rings when a delivery has come, or a lane is free.
    pub inbox: Bell,
    /// To be rung when fulfillment may have something to do.
    pub fulfillment: Bell,
}

impl Dispatcher {
    /// Works until told to stop; then ends what is under way and returns.
    pub async fn work(self, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        let mut under_way = UnderWay::new(self.served());
        if under_way.nobody() {
            // Nothing may be handled, and looking for it again and again costs more the more is kept.
            drop(stop.wait_for(|stop| *stop).await);
            return;
        }
        let mut rung = self.inbox.listen();
        let mut runs = JoinSet::new();
        while !*stop.borrow() {
            let now = self.clock.now();
            while let Some(ended) = runs.try_join_next_with_id() {
                under_way.ended(ended, now);
            }
            let free = u32::try_from(places.available_permits()).unwrap_or(0);
            let shops = under_way.free(now);
            let claimed = if free == 0 { Vec::new() } else { self.claim(free, shops).await };
            let more = !claimed.is_empty();
            for delivery in claimed {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let dispatcher = self.clone();
                let shop = delivery.shop.clone();
                let run = runs.spawn(async move {
                    let lines = dispatcher.run(delivery).await;
                    drop(place);
                    // A lane is free now, and so is a place.
                    dispatcher.inbox.ring();
                    lines
                });
                under_way.began(run.id(), shop);
            }
            if !more || free == 0 {
                tokio::select! {
                    () = rung.wait(LOOK_EVERY) => {}
                    _ = stop.changed() => {}
                }
            }
        }
        while runs.join_next().await.is_some() {}
    }

    /// Takes what is due now, as much as is handled side by side, runs it to its end and answers how many deliveries that
    /// were. For whoever moves time by hand, instead of
    /// [`Dispatcher::work`].
    pub async fn pass(&self) -> usize {
        let shops = UnderWay::new(self.served()).free(self.clock.now());
        let claimed = self.claim(u32::try_from(SIDE_BY_SIDE).unwrap_or(u32::MAX), shops).await;
        join_all(claimed.into_iter().map(|delivery| self.run(delivery))).await.len()
    }

    /// Shops whose deliveries may be handled.
    fn served(&self) -> Vec<ShopName> {
        let served = self.shops.all().into_iter().filter(|shop| shop.policy.mode != ShopMode::Paused);
        served.map(|shop| shop.config.name.clone()).collect()
    }

    async fn claim(&self, limit: u32, shops: Vec<(ShopName, u32)>) -> Vec<Claimed> {
        match self.store.claim_deliveries(self.clock.now(), limit, LEASE, shops).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!(error = %error.chain(), "the inbox cannot be read");
                Vec::new()
            }
        }
    }

    /// Answers how many lines were stated.
    async fn run(&self, claimed: Claimed) -> usize {
        let started_at = self.clock.now();
        let number = claimed.attempts + 1;
        let Some(shop) = self.shops.get(claimed.shop.as_str()) else { return 0 };
        let attempt = match shop.ready(started_at) {
            Err(obstacle) => Attempt::unable(obstacle),
            Ok(Permitted { ready, quarantine }) => {
                let (attempt, failure) = if claimed.state == DeliveryState::Parked {
                    authenticate(ready, &claimed).await
                } else {
                    self.handle(ready, self.surroundings(&shop, ready.api.clone()), &claimed, number).await
                };
                match (failure, quarantine) {
                    (None, _) => self.shops.run_ended(ready, None, started_at),
                    (Some(error), quarantine) => {
                        if error.class() == RunErrorClass::Adapter {
                            self.shops.run_ended(ready, Some(&error), self.clock.now());
                        }
                        if let Some(obstacle) = quarantine {
                            self.commit(claimed, &shop, Attempt::unable(obstacle), number, started_at).await;
                            return 0;
                        }
                    }
                }
                attempt
            }
        };
        let lines = attempt.lines();
        self.commit(claimed, &shop, attempt, number, started_at).await;
        lines
    }

    async fn handle(
        &self,
        ready: &Ready,
        surroundings: SurroundingsOfShop,
        claimed: &Claimed,
        number: u32,
    ) -> (Attempt, Option<RunError>) {
        let Ready { adapter, context, .. } = ready;
        let input = DeliveryInput {
            id: claimed.id,
            topic: claimed.topic.clone(),
            origin: match claimed.origin {
                Origin::Webhook => bursar_sandbox::Origin::Webhook,
                Origin::Backfill => bursar_sandbox::Origin::Backfill,
                Origin::Operator => bursar_sandbox::Origin::Operator,
            },
            attempt: number,
            request: Arc::new(claimed.request.clone()),
        };
        match adapter.handle(context, input, Arc::new(surroundings)).await {
            Ok(handled) => {
                let end = match handled.result {
                    Ok(statements) => End::Outcome(Outcome::Stated(statements)),
                    Err(problem) => End::Problem(problem),
                };
                (Attempt { ran: Some(Ran::new(adapter, handled.usage, handled.logs)), end }, None)
            }
            Err(error) => (failed(adapter, &error), Some(error)),
        }
    }

    fn surroundings(&self, shop: &Arc<Shop>, api: Option<Arc<dyn ShopApi>>) -> SurroundingsOfShop {
        let lms = self.lms.get(&shop.policy.lms).map(|lms| Arc::new(ReadOnlyLms::new(lms)));
        SurroundingsOfShop { store: self.store.clone(), shop: Arc::clone(shop), lms, api }
    }

    async fn commit(&self, claimed: Claimed, shop: &Shop, attempt: Attempt, number: u32, started_at: Timestamp) {
        let now = self.clock.now();
        let outcome = match attempt.end {
            End::Outcome(outcome) => outcome,
            End::Problem(problem) => consequence(problem, claimed.state, number, now),
            End::Unable { code, message } => Outcome::Problem {
                // Nothing is lost and no try is used up: it waits until the shop can be served.
                state: if claimed.state == DeliveryState::Parked {
                    DeliveryState::Parked
                } else {
                    DeliveryState::Waiting
                },
                due_at: Some(now.plus(retry::FOR_A_PERSON)),
                counts: false,
                code: code.to_owned(),
                message,
            },
        };
        let problem = match &outcome {
            Outcome::Problem { code, message, .. } => Some((code.clone(), message.clone())),
            Outcome::Stated(_) | Outcome::Authentic { .. } => None,
        };
        let usage = attempt.ran.as_ref().map(|ran| ran.usage).unwrap_or_default();
        let description = attempt.ran.as_ref().map(|ran| ran.adapter.description());
        let redacted = description
            .filter(|_| claimed.state == DeliveryState::Parked && is_judged(&outcome))
            .map(|description| redact(description, &claimed.request));
        let run = Run {
            delivery: claimed.id,
            lane: claimed.lane.clone(),
            policy: shop.policy.clone(),
            attempt: attempt.ran.map(|ran| ran.record(started_at, now)),
            outcome,
            redacted,
            now,
        };
        match self.store.commit_run(run).await {
            Ok(committed) => {
                let (code, message) = problem.unzip();
                tracing::info!(
                    shop = %claimed.shop, delivery = %claimed.id, topic = claimed.topic, subject = claimed.lane.subject,
                    attempt = number, state = %committed.state, orders = committed.orders,
                    micros = u64::try_from(usage.wall.as_micros()).unwrap_or(u64::MAX), code, why = message,
                    "attempt"
                );
                self.fulfillment.ring();
            }
            Err(StoreError::LeaseLost) => {
                tracing::warn!(delivery = %claimed.id, "an attempt took longer than its lease; somebody else has the delivery");
            }
            Err(error) => {
                tracing::error!(delivery = %claimed.id, error = %error.chain(), "an attempt could not be recorded; it will be made again");
            }
        }
    }
}

/// What is being handled, by shop.
struct UnderWay {
    shops: BTreeMap<ShopName, u32>,
    runs: HashMap<Id, ShopName>,
    /// Shops that stated much, and until when they leave the store to the others.
    resting: HashMap<ShopName, Timestamp>,
}

impl UnderWay {
    fn new(shops: Vec<ShopName>) -> Self {
        Self { shops: shops.into_iter().map(|shop| (shop, 0)).collect(), runs: HashMap::new(), resting: HashMap::new() }
    }

    /// May nothing be handled at all?
    fn nobody(&self) -> bool {
        self.shops.is_empty()
    }

    /// The shops that have places left and do not rest, and how many.
    fn free(&mut self, now: Timestamp) -> Vec<(ShopName, u32)> {
        self.resting.retain(|_, until| *until > now);
        let awake = self.shops.iter().filter(|(shop, _)| !self.resting.contains_key(*shop));
        let free = awake.map(|(shop, busy)| (shop.clone(), OF_ONE_SHOP.saturating_sub(*busy)));
        free.filter(|(_, free)| *free > 0).collect()
    }

    /// A shop that stated much rests. What it stated side by side adds up.
    fn stated(&mut self, shop: &ShopName, lines: usize, now: Timestamp) {
        let above = u32::try_from(lines.saturating_sub(LARGE)).unwrap_or(u32::MAX);
        if above > 0 {
            let until = self.resting.entry(shop.clone()).or_insert(now);
            *until = until.plus(REST_FOR_LINE.saturating_mul(above));
        }
    }

    fn began(&mut self, run: Id, shop: ShopName) {
        *self.shops.entry(shop.clone()).or_default() += 1;
        self.runs.insert(run, shop);
    }

    /// However it ended: a run that panicked is one less too. What it had is taken up again when the lease has run out.
    fn ended(&mut self, ended: Result<(Id, usize), JoinError>, now: Timestamp) {
        let (run, lines) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "an attempt broke off; it will be made again");
                (error.id(), 0)
            }
        };
        let Some(shop) = self.runs.remove(&run) else { return };
        self.stated(&shop, lines, now);
        if let Some(busy) = self.shops.get_mut(&shop) {
            *busy = busy.saturating_sub(1);
        }
    }
}

/// An attempt that has ended.
struct Attempt {
    ran: Option<Ran>,
    end: End,
}

enum End {
    Outcome(Outcome),
    Problem(Problem),
    Unable { code: &'static str, message: String },
}

impl Attempt {
    fn lines(&self) -> usize {
        match &self.end {
            End::Outcome(Outcome::Stated(statements)) => statements.orders.iter().map(|order| order.lines.len()).sum(),
            End::Outcome(_) | End::Problem(_) | End::Unable { .. } => 0,
        }
    }

    fn unable(Obstacle { code, message, .. }: Obstacle) -> Self {
        Self { ran: None, end: End::Unable { code, message } }
    }
}

/// Is a parked request judged by this? Until it is, every byte of it is needed, also when every try was used up: a person
/// may have it judged once the adapter is mended.
fn is_judged(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Authentic { .. } => true,
        Outcome::Problem { state, .. } => state.is_final() && *state != DeliveryState::Failed,
        Outcome::Stated(_) => false,
    }
}

/// What is kept of a run.
struct Ran {
    adapter: Arc<Adapter>,
    usage: Usage,
    logs: Logs,
}

impl Ran {
    fn new(adapter: &Arc<Adapter>, usage: Usage, logs: Logs) -> Self {
        Self { adapter: Arc::clone(adapter), usage, logs }
    }

    fn record(self, started_at: Timestamp, ended_at: Timestamp) -> AttemptRecord {
        let description = self.adapter.description();
        let mut log: Vec<(String, String)> =
            self.logs.lines.into_iter().map(|line| (line.level.as_str().to_owned(), line.message)).collect();
        if self.logs.dropped > 0 {
            log.push(("warning".to_owned(), format!("{} more lines were dropped", self.logs.dropped)));
        }
        AttemptRecord {
            id: AttemptId::new(started_at),
            adapter: description.platform.to_string(),
            adapter_version: description.version.clone(),
            adapter_sha256: self.adapter.sha256().to_owned(),
            started_at,
            ended_at,
            guest_micros: u64::try_from(self.usage.wall.as_micros()).unwrap_or(u64::MAX),
            peak_memory: self.usage.memory_peak,
            notes: Notes { log, ..Notes::default() },
        }
    }
}

/// Judges a request that could not be judged when it came.
async fn authenticate(ready: &Ready, claimed: &Claimed) -> (Attempt, Option<RunError>) {
    let Ready { adapter, context, .. } = ready;
    let authenticated = match adapter.authenticate(context, Arc::new(claimed.request.clone())).await {
        Ok(authenticated) => authenticated,
        Err(error) => return (failed(adapter, &error), Some(error)),
    };
    let refused = |code: String, message: String| {
        End::Outcome(Outcome::Problem { state: DeliveryState::Refused, due_at: None, counts: true, code, message })
    };
    let end = match authenticated.decision {
        Decision::Accept { topic, subject, .. } => End::Outcome(Outcome::Authentic { topic, subject }),
        Decision::Ignore { reason } => End::Outcome(Outcome::Problem {
            state: DeliveryState::Ignored,
            due_at: None,
            counts: true,
            code: "ignored".to_owned(),
            message: reason,
        }),
        Decision::Respond(_) => End::Outcome(Outcome::Problem {
            state: DeliveryState::Ignored,
            due_at: None,
            counts: true,
            code: "handshake".to_owned(),
            message: "a handshake, answered 200 when it came".to_owned(),
        }),
        Decision::Problem(Problem { remedy: Remedy::None, code, message, .. }) => refused(code, message),
        Decision::Problem(problem) => End::Problem(problem),
    };
    (Attempt { ran: Some(Ran::new(adapter, authenticated.usage, authenticated.logs)), end }, None)
}

fn failed(adapter: &Arc<Adapter>, error: &RunError) -> Attempt {
    if let Some(backtrace) = &error.backtrace {
        tracing::error!(adapter = %adapter.description().platform, code = error.kind.code(), %error, backtrace, "the adapter failed");
    }
    let end = match error.class() {
        RunErrorClass::Adapter => End::Problem(Problem {
            remedy: Remedy::Later,
            code: error.kind.code().to_owned(),
            message: error.to_string(),
            retry_after: None,
        }),
        RunErrorClass::Host => End::Unable { code: error.kind.code(), message: error.to_string() },
    };
    Attempt { ran: Some(Ran::new(adapter, error.usage, error.logs.clone())), end }
}

/// What a problem means for the delivery.
///
/// | remedy | the delivery | and the try |
/// |---|---|---|
/// | none | is rejected, for a person to see | counts |
/// | later | is tried again after a growing pause; after [`retry::DELIVERY_TRIES`] it has failed | counts |
/// | operator | waits, and is looked at again now and then | does not count |
///
/// A parked one stays parked where it would be tried again: it is not authentic yet.
fn consequence(problem: Problem, state: DeliveryState, number: u32, now: Timestamp) -> Outcome {
    let Problem { remedy, code, message, retry_after } = problem;
    let parked = state == DeliveryState::Parked;
    let (state, due_at, counts) = match remedy {
        Remedy::None => (DeliveryState::Rejected, None, true),
        Remedy::Later if number >= retry::DELIVERY_TRIES => (DeliveryState::Failed, None, true),
        Remedy::Later => {
            let pause = retry::DELIVERIES.pause(number, fastrand::u32(..), retry_after);
            (if parked { DeliveryState::Parked } else { DeliveryState::Queued }, Some(now.plus(pause)), true)
        }
        Remedy::Operator => (
            if parked { DeliveryState::Parked } else { DeliveryState::Waiting },
            Some(now.plus(retry::FOR_A_PERSON)),
            false,
        ),
    };
    Outcome::Problem { state, due_at, counts, code, message }
}

/// What a run may look up: the orders and the catalog of its own shop, that shop's LMS and its API.
struct SurroundingsOfShop {
    store: Store,
    shop: Arc<Shop>,
    lms: Option<Arc<ReadOnlyLms>>,
    api: Option<Arc<dyn ShopApi>>,
}

#[async_trait]
impl Surroundings for SurroundingsOfShop {
    async fn known(&self, order: &str) -> Result<Vec<KnownLine>, HostFault> {
        let policy = &self.shop.policy;
        let order = self.store.order(&policy.shop, order).await.map_err(fault)?;
        let Some(order) = order else { return Ok(Vec::new()) };
        let lines = order.lines.iter().map(|line| KnownLine {
            id: line.external_id.clone(),
            active: order.why_no_access(line, policy.on_delete).is_none(),
            quantity: line.quantity,
            refunded_quantity: line.refunded_quantity,
            products: line.products.clone(),
            courses: line.pins.iter().flatten().map(|pin| (pin.run.to_string(), pin.mode.to_string())).collect(),
            until: line.until,
            revision: line.revision.clone(),
        });
        Ok(lines.collect())
    }

    async fn courses(&self, products: &[ProductId]) -> Result<Vec<(String, String)>, HostFault> {
        let policy = &self.shop.policy;
        let courses = self.store.courses_of(&policy.shop, products).await.map_err(fault)?;
        let default = &policy.default_mode;
        Ok(courses
            .into_iter()
            .map(|(run, mode)| (run.to_string(), mode.as_ref().unwrap_or(default).to_string()))
            .collect())
    }

    fn lms(&self) -> Option<Arc<dyn LmsReader>> {
        self.lms.clone().map(|lms| lms as Arc<dyn LmsReader>)
    }

    fn shop_api(&self) -> Option<Arc<dyn ShopApi>> {
        self.api.clone()
    }
}

fn fault(error: StoreError) -> HostFault {
    HostFault(error.chain())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn problem(remedy: Remedy) -> Problem {
        Problem { remedy, code: "c".to_owned(), message: "m".to_owned(), retry_after: None }
    }

    fn ends(remedy: Remedy, from: DeliveryState, number: u32) -> (DeliveryState, bool, bool) {
        match consequence(problem(remedy), from, number, NOW) {
            Outcome::Problem { state, due_at, counts, .. } => (state, due_at.is_some(), counts),
            Outcome::Stated(_) | Outcome::Authentic { .. } => panic!("a problem ends in no statement"),
        }
    }

    #[test]
    fn a_definite_problem_ends_the_delivery_and_any_other_leaves_it_another_turn() {
        let queued = DeliveryState::Queued;
        assert_eq!(ends(Remedy::None, queued, 1), (DeliveryState::Rejected, false, true));
        assert_eq!(ends(Remedy::Later, queued, 1), (queued, true, true));
        assert_eq!(ends(Remedy::Later, queued, retry::DELIVERY_TRIES), (DeliveryState::Failed, false, true));
        assert_eq!(ends(Remedy::Operator, queued, 99), (DeliveryState::Waiting, true, false));
    }

    #[test]
    fn what_is_parked_stays_parked_until_it_is_judged() {
        for remedy in [Remedy::Later, Remedy::Operator] {
            assert_eq!(ends(remedy, DeliveryState::Parked, 1).0, DeliveryState::Parked);
        }
    }

    #[test]
    fn a_shop_that_states_much_leaves_the_store_to_the_others_for_a_while() {
        let [large, small] = ["large", "small"].map(|name| name.parse::<ShopName>().unwrap());
        let mut under_way = UnderWay::new(vec![large.clone(), small.clone()]);
        let (both, one) =
            (vec![(large.clone(), OF_ONE_SHOP), (small.clone(), OF_ONE_SHOP)], vec![(small, OF_ONE_SHOP)]);
        under_way.stated(&large, LARGE, NOW);
        assert_eq!(under_way.free(NOW), both, "an order like this is nothing out of the way");
        under_way.stated(&large, LARGE + 100, NOW);
        under_way.stated(&large, LARGE + 100, NOW);
        let rest = REST_FOR_LINE * 200;
        assert_eq!(under_way.free(NOW.plus(rest - Duration::from_millis(1))), one);
        assert_eq!(under_way.free(NOW.plus(rest)), both);
    }

    #[test]
    fn every_byte_is_kept_until_a_request_is_judged() {
        let given_up = consequence(problem(Remedy::Later), DeliveryState::Parked, retry::DELIVERY_TRIES, NOW);
        assert!(!is_judged(&given_up));
        let refused = consequence(problem(Remedy::None), DeliveryState::Parked, 1, NOW);
        assert!(is_judged(&refused));
        assert!(is_judged(&Outcome::Authentic { topic: String::new(), subject: None }));
    }
}
