//! A look into the ledger, by the store's own library. It reads only.

use std::path::Path;

use bursar_domain::ShopName;
use bursar_domain::ledger::Order;
use bursar_store::inbox::DeliveryState;
use bursar_store::people::{Backlog, DeliveryFilter, DeliverySummary, EnrollmentSummary, LearnerAccess, OrderFilter};
use bursar_store::reviews::Review;
use bursar_store::trail::AuditAction;
use bursar_store::{Purpose, Store};
use tokio::runtime::{Builder, Runtime};

/// More deliveries than a test sends.
const ALL: u32 = 1_000;

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    runtime: Runtime,
    store: Store,
}

impl Ledger {
    /// Opens it beside whoever serves it.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let store = runtime.block_on(Store::open(path, Purpose::Tool)).unwrap();
        Self { runtime, store }
    }

    /// An order of a shop.
    #[must_use]
    pub fn order(&self, shop: &str, id: &str) -> Option<Order> {
        let shop = ShopName::parse(shop).unwrap();
        self.runtime.block_on(self.store.order(&shop, id)).unwrap()
    }

    /// Every order of a shop, by id.
    #[must_use]
    pub fn orders_of(&self, shop: &str) -> Vec<Order> {
        let filter = OrderFilter { shop: Some(ShopName::parse(shop).unwrap()), limit: ALL, ..OrderFilter::default() };
        let listed = self.runtime.block_on(self.store.orders(&filter)).unwrap();
        let mut orders: Vec<_> = listed.iter().map(|listed| self.order(shop, &listed.external_id).unwrap()).collect();
        orders.sort_by(|one, other| one.external_id.cmp(&other.external_id));
        orders
    }

    /// Every delivery of every shop, the newest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<DeliverySummary> {
        let filter = DeliveryFilter { limit: ALL, ..DeliveryFilter::default() };
        self.runtime.block_on(self.store.deliveries(&filter)).unwrap()
    }

    /// The deliveries of a shop, the newest first.
    #[must_use]
    pub fn deliveries_of(&self, shop: &str) -> Vec<DeliverySummary> {
        let shop = ShopName::parse(shop).unwrap();
        let filter = DeliveryFilter { shop: Some(shop), limit: ALL, ..DeliveryFilter::default() };
        self.runtime.block_on(self.store.deliveries(&filter)).unwrap()
    }

    /// The states of the deliveries of a shop, the newest first.
    #[must_use]
    pub fn states_of(&self, shop: &str) -> Vec<DeliveryState> {
        self.deliveries_of(shop).into_iter().map(|delivery| delivery.state).collect()
    }

    /// Everything about a learner.
    #[must_use]
    pub fn learner(&self, who: &str) -> LearnerAccess {
        self.runtime.block_on(self.store.learner(who)).unwrap()
    }

    /// What is known of a learner's enrollment in a course run.
    #[must_use]
    pub fn enrollment(&self, who: &str, run: &str) -> Option<EnrollmentSummary> {
        self.learner(who).enrollments.into_iter().find(|enrollment| enrollment.run.as_str() == run)
    }

    /// What was done and left at a learner's enrollment, with the words for it.
    #[must_use]
    pub fn trail(&self, who: &str, run: &str) -> Vec<(AuditAction, String)> {
        let entries = self.enrollment(who, run).map(|enrollment| enrollment.trail).unwrap_or_default();
        entries.into_iter().map(|entry| (entry.action, entry.reason.to_string())).collect()
    }

    /// The open reviews.
    #[must_use]
    pub fn reviews(&self) -> Vec<Review> {
        self.runtime.block_on(self.store.reviews(false)).unwrap()
    }

    /// How much is not finished.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        self.runtime.block_on(self.store.backlog()).unwrap()
    }
}
