//! Fulfillment: makes the LMS match the grants, and writes down what it did and why.
//!
//! Owns the order of reading, intending, acting and recording, for one LMS. What should be done is decided by
//! `bursar_domain::fulfillment`; how the LMS is asked is `bursar-lms`'s. If the process dies anywhere here, an intent that
//! was written tells the next one to read before it acts.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bursar_domain::{
    Clock, LmsName, ShopName, Timestamp,
    policy::{ModeLadder, ShopMode, ShopPolicy},
    retry,
};
use bursar_lms::{Class, Lms, LmsError};
use bursar_store::{Store, enrollments::DueEnrollment};
use futures_util::{StreamExt as _, stream};
use tokio::sync::watch;

pub use self::course_runs::CourseRuns;
use crate::bell::{Bell, Listener};

mod accounts;
mod allowances;
mod course_runs;
mod effects;
mod enrollments;
mod registration;

pub use registration::RegistrationForm;

/// How many enrollments of one LMS are dealt with side by side. An LMS on two cores answers up to four requests at once
/// about twice as fast as one by one (`docs/lms.md`); more only queue there.
const SIDE_BY_SIDE: usize = 4;

/// How many enrollments are claimed and read together. One list of the LMS says what all of them are, so that each costs
/// little more than its own change; more of them would wait for their turn in the budget longer than it lets anybody wait.
const DEALT_WITH_TOGETHER: u32 = 32;

/// How many calls are made under one claim at the most: a read, a change that is refused, a look at the course run, a change in
/// another way.
const CALLS_UNDER_A_LEASE: u32 = 4;

/// How many learners are looked up together: what one search takes.
const LOOKED_UP_TOGETHER: u32 = 100;

/// How often there is a look for what is due when nothing says that there is something.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often there is a look for what has run out. Grace and quiet time are much longer.
const LOOK_FOR_EXPIRY_EVERY: Duration = Duration::from_secs(60);

/// What fulfillment at one LMS needs.
#[derive(Debug, Clone)]
pub struct Fulfillment {
    /// The LMS's name.
    pub name: LmsName,
    /// The LMS.
    pub lms: Lms,
    /// The order of its modes.
    pub ladder: ModeLadder,
    /// How long one request to it may take.
    pub call_timeout: Duration,
    /// How long after it was found right an enrollment is looked at again; none for never.
    pub look_again: Option<Duration>,
    /// How learners are registered there.
    pub registration: RegistrationForm,
    /// When this process began.
    pub started_at: Timestamp,
    /// The policies of every shop.
    pub policies: Arc<BTreeMap<ShopName, ShopPolicy>>,
    /// Where grants and enrollments are kept.
    pub store: Store,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Rings when there may be something to do.
    pub bell: Bell,
    /// What course runs said of themselves.
    pub course_runs: CourseRuns,
}

/// What one look at what is due came to.
#[derive(Debug, Default)]
pub struct Pass {
    /// How many were due and dealt with, whatever came of it.
    pub dealt_with: usize,
    /// A failure of the LMS that was of use to nobody: those that follow are spared for a while.
    pub trouble: Option<LmsError>,
}

impl Fulfillment {
    /// Works until told to stop; then ends what is under way and returns.
    pub async fn work(self, stop: watch::Receiver<bool>) {
        let learners = tokio::spawn(self.clone().look_up_learners(stop.clone()));
        let expiry = tokio::spawn(self.clone().end_what_is_over(stop.clone()));
        let allowances = tokio::spawn(self.clone().keep_allowances(stop.clone()));
        let effects = tokio::spawn(self.clone().carry_out_effects(stop.clone()));
        self.deal_with_enrollments(stop).await;
        for (task, what) in [
            (learners, "looking up learners"),
            (expiry, "ending what is over"),
            (allowances, "keeping records of who may enroll"),
            (effects, "carrying out effects"),
        ] {
            if let Err(error) = task.await {
                tracing::error!(%error, what, "a worker ended badly");
            }
        }
    }

    async fn end_what_is_over(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            if self.expiry_pass().await == 0 {
                pause_unless_stopped(&mut stop, LOOK_FOR_EXPIRY_EVERY).await;
            }
        }
    }

    /// Ends grants of this LMS's shops whose time is over; answers how many orders that concerned.
    pub async fn expiry_pass(&self) -> u32 {
        let here = |(_, policy): &(&ShopName, &ShopPolicy)| policy.lms == self.name && policy.mode != ShopMode::Paused;
        let policies = self.policies.iter().filter(here).map(|(shop, policy)| (shop.clone(), policy.clone())).collect();
        match self.store.expire(&policies, self.clock.now()).await {
            Ok(0) => 0,
            Ok(orders) => {
                tracing::info!(lms = %self.name, orders, "what was paid for is over");
                self.bell.ring();
                orders
            }
            Err(error) => {
                tracing::error!(lms = %self.name, error = %error.chain(), "what is over cannot be ended");
                0
            }
        }
    }

    async fn look_up_learners(self, mut stop: watch::Receiver<bool>) {
        let mut trouble = Trouble::default();
        let mut rung = self.bell.listen();
        while !*stop.borrow() {
            let pass = self.look_up_pass().await;
            after(pass, &mut trouble, &mut rung, &mut stop).await;
        }
    }

    async fn deal_with_enrollments(self, mut stop: watch::Receiver<bool>) {
        let mut trouble = Trouble::default();
        let mut rung = self.bell.listen();
        while !*stop.borrow() {
            let pass = self.enrollments_pass(&stop).await;
            after(pass, &mut trouble, &mut rung, &mut stop).await;
        }
    }

    /// Looks up the learners who are due now, as many as are looked up together.
    pub async fn look_up_pass(&self) -> Pass {
        let Some(limit) = self.room_for(LOOKED_UP_TOGETHER) else { return Pass::default() };
        let due = match self.store.claim_unresolved(&self.name, self.clock.now(), limit, self.lease()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(lms = %self.name, error = %error.chain(), "the learners to look up cannot be read");
                return Pass::default();
            }
        };
        let dealt_with = due.len();
        let trouble = if due.is_empty() { None } else { self.look_up(due).await.err() };
        if let Some(error) = &trouble {
            tracing::warn!(lms = %self.name, code = error.code(), %error, "learners cannot be looked up");
        }
        self.tell(dealt_with, trouble.as_ref()).await;
        Pass { dealt_with, trouble }
    }

    /// Deals with the enrollments that are due now, as many as are read together.
    pub async fn enrollments_pass(&self, stop: &watch::Receiver<bool>) -> Pass {
        let Some(limit) = self.room_for(DEALT_WITH_TOGETHER) else { return Pass::default() };
        let due = match self.store.claim_enrollments(&self.name, self.clock.now(), limit, self.lease()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(lms = %self.name, error = %error.chain(), "the enrollments that are due cannot be read");
                return Pass::default();
            }
        };
        let dealt_with = due.len();
        let trouble = if due.is_empty() { None } else { self.deal_with_all(due, stop).await };
        self.tell(dealt_with, trouble.as_ref()).await;
        Pass { dealt_with, trouble }
    }

    /// How many may be claimed: none while the LMS is left alone, one to find out whether it is back.
    fn room_for(&self, many: u32) -> Option<u32> {
        match self.lms.rests() {
            Some(_) => None,
            None if self.lms.wants_probe() => Some(1),
            None => Some(many),
        }
    }

    /// A person is told when the LMS cannot be used until somebody mends something, and that it is over.
    async fn tell(&self, dealt_with: usize, trouble: Option<&LmsError>) {
        let problem = trouble.filter(|error| error.class() == Class::Ours).map(ToString::to_string);
        if dealt_with == 0 || (problem.is_none() && trouble.is_some()) {
            return;
        }
        if let Err(error) = self.store.lms_stands(&self.name, problem, self.clock.now()).await {
            tracing::error!(lms = %self.name, error = %error.chain(), "how the LMS fares could not be recorded");
        }
    }

    /// Reads together and deals side by side. Answers a failure of the LMS if it was of use to nobody.
    async fn deal_with_all(&self, due: Vec<DueEnrollment>, stop: &watch::Receiver<bool>) -> Option<LmsError> {
        let read = self.read(&due).await;
        let outage = Arc::new(OnceLock::new());
        let dealt_with = due.into_iter().zip(read).map(|(enrollment, read)| {
            let (fulfillment, stop, outage) = (self.clone(), stop.clone(), Arc::clone(&outage));
            async move {
                if *stop.borrow() {
                    // Those that were not begun keep their claim and are taken up at the next start.
                    return None;
                }
                // An LMS that is not there for one is not there for the next: no call is spent on finding that out.
                let read = outage.get().map_or(read, |error: &LmsError| Err(error.clone()));
                let failure = fulfillment.deal_with(enrollment, read).await;
                if let Some(error) = failure.as_ref().filter(|error| is_outage(error)) {
                    outage.get_or_init(|| error.clone());
                }
                failure
            }
        });
        let failures: Vec<Option<LmsError>> = stream::iter(dealt_with).buffer_unordered(SIDE_BY_SIDE).collect().await;
        let of_use = |failure: &Option<LmsError>| failure.as_ref().is_none_or(|error| error.class() == Class::Definite);
        if failures.iter().any(of_use) { None } else { failures.into_iter().flatten().next() }
    }

    /// A claim must outlive everything that is done under it.
    fn lease(&self) -> Duration {
        self.lms.longest_call().saturating_mul(CALLS_UNDER_A_LEASE).saturating_add(Duration::from_secs(30))
    }

    fn policy(&self, shop: &ShopName) -> Option<&ShopPolicy> {
        self.policies.get(shop)
    }

    /// When to ask the LMS again after this failure.
    fn again_at(&self, error: &LmsError, tries: u32, now: Timestamp) -> Timestamp {
        let wish = match error.class() {
            Class::TryAgain { after } => after,
            // The request may still be on its way; until it cannot be any more, reading tells nothing for certain.
            Class::Unclear => Some(self.call_timeout),
            Class::Definite | Class::Ours => None,
        };
        now.plus(retry::LMS.pause(tries.max(1), fastrand::u32(..), wish))
    }
}

/// Does the failure say something about the LMS, and not perhaps about the one enrollment only?
fn is_outage(error: &LmsError) -> bool {
    match error.class() {
        Class::TryAgain { .. } | Class::Ours => true,
        Class::Definite | Class::Unclear => false,
    }
}

/// What comes between two passes: nothing, waiting until there may be something to do, or leaving the LMS alone.
async fn after(pass: Pass, trouble: &mut Trouble, rung: &mut Listener, stop: &mut watch::Receiver<bool>) {
    match pass {
        Pass { dealt_with: 0, .. } => idle(rung, stop).await,
        Pass { trouble: None, .. } => trouble.over(),
        Pass { trouble: Some(error), .. } => pause_unless_stopped(stop, trouble.another(&error)).await,
    }
}

async fn idle(rung: &mut Listener, stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = rung.wait(LOOK_EVERY) => {}
        _ = stop.changed() => {}
    }
}

async fn pause_unless_stopped(stop: &mut watch::Receiver<bool>, pause: Duration) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        _ = stop.changed() => {}
    }
}

/// How an LMS has fared lately with one kind of work: while it is in trouble it is asked less and less often. Whoever steps
/// the passes instead of letting [`Fulfillment::work`] make them keeps one for each.
#[derive(Debug, Default)]
pub struct Trouble {
    tries: u32,
}

impl Trouble {
    /// It was of use again.
    pub fn over(&mut self) {
        self.tries = 0;
    }

    /// One more failure; answers how long to leave the LMS alone.
    pub fn another(&mut self, error: &LmsError) -> Duration {
        let wish = match error.class() {
            Class::Definite => return Duration::ZERO,
            Class::TryAgain { after } => after,
            Class::Unclear | Class::Ours => None,
        };
        self.tries = self.tries.saturating_add(1);
        retry::LMS.pause(self.tries, fastrand::u32(..), wish)
    }
}
