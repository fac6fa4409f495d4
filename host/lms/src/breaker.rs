//! The breaker: after failures in a row that say that the LMS is away, or that we may not use it, calls rest, and only
//! single probes find out when it is back.
//!
//! Owns when calls rest and when one may probe, and nothing of what a call is. [`Circuit`] is the state alone, without
//! clock, lock or log: it is told the time and the dice. Time is the [`Clock`]'s, because the host compares it with what
//! it has put down for later.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bursar_domain::{Clock, Timestamp, retry};

use crate::error::{Class, Doubt, Fault, LmsError, Setback};

/// How many failures in a row, with no answer between them, make calls rest. One or two may be a worker of the LMS that
/// was restarted; each more costs a call, and a time-out where the LMS is silent.
const FAILURES: u32 = 5;

/// What those are told who come while a probe is under way: it is over soon, and how soon is not known.
const PROBE_TAKES: Duration = Duration::from_secs(1);

/// Why calls to an LMS rest, or why only a probe may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// Since when. Failed probes do not move it.
    pub since: Timestamp,
    /// The latest failure.
    pub why: LmsError,
    /// How long calls go on resting; `None` when one may go, to see whether the LMS is back.
    pub rests: Option<Duration>,
}

/// What a call came to, as far as it says anything of the LMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The LMS answered, whatever it said.
    Answered,
    /// It did not, or what answered is not an LMS of ours.
    Outage(LmsError),
    /// It has something against this one of our service users, which must not be lost among the successes of others.
    UserRefused { user: usize, why: LmsError },
    /// Nothing was sent.
    Unsent,
}

impl Outcome {
    /// `user`: whose token was used.
    pub(crate) fn of<T>(result: &Result<T, LmsError>, user: Option<usize>) -> Self {
        let Err(error) = result else { return Self::Answered };
        let is_outage = match error {
            // A refusal is an answer, and so is "not so fast", with which the budget deals.
            LmsError::Definite(_)
            | LmsError::TryAgain(Setback::Throttled { .. } | Setback::RegistrationLimit { .. }) => false,
            LmsError::TryAgain(Setback::NoTurn { .. } | Setback::Resting { .. }) => return Self::Unsent,
            LmsError::TryAgain(Setback::Unavailable { .. } | Setback::Unreachable { .. } | Setback::NoToken { .. }) => {
                true
            }
            LmsError::Unclear(Doubt::TimedOut | Doubt::CutOff | Doubt::NotData { .. }) => true,
            // 520 and above are a proxy's, which found no LMS. A 500 is one crash over one request: if it counted, a
            // single enrollment that the LMS cannot digest could stop all others.
            LmsError::Unclear(Doubt::ServerError { status }) => *status >= 520,
            LmsError::Unclear(_) => false,
            // May be about what was in the one request.
            LmsError::Ours(Fault::BadRequest { .. }) => false,
            LmsError::Ours(Fault::ServiceUser { .. }) => {
                return match user {
                    Some(user) => Self::UserRefused { user, why: error.clone() },
                    None => Self::Outage(error.clone()),
                };
            }
            LmsError::Ours(_) => true,
        };
        if is_outage { Self::Outage(error.clone()) } else { Self::Answered }
    }
}

/// On what terms a call was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Terms {
    /// Calls go. `outages`: how many outages there had been, so that what was under way when one began cannot end it.
    Ordinary { outages: u64 },
    /// This call is the one that finds out.
    Probe,
    /// What becomes of it tells nothing about what is wrong.
    Bystander,
}

#[derive(Debug)]
enum Phase {
    Closed { failures: u32 },
    Open(Open),
}

#[derive(Debug)]
struct Open {
    since: Timestamp,
    why: LmsError,
    /// The service user whose refusal began this: only a call in their name can end it.
    refused: Option<usize>,
    /// How many probes failed.
    failed_probes: u32,
    rest_began: Timestamp,
    rest: Duration,
    probing: bool,
}

impl Open {
    /// How much is left of the rest. A clock that was set back ends it: better one probe too early than a rest for hours.
    fn left(&self, now: Timestamp) -> Option<Duration> {
        if now < self.rest_began {
            return None;
        }
        self.rest.checked_sub(now.since(self.rest_began)).filter(|left| !left.is_zero())
    }

    /// How long nobody may go.
    fn rests(&self, now: Timestamp) -> Option<Duration> {
        self.left(now).or(self.probing.then_some(PROBE_TAKES))
    }
}

/// What a report changed, for the log.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    Opened { rest: Duration },
    StaysOpen { rest: Duration },
    Closed { since: Timestamp, failed_probes: u32 },
}

#[derive(Debug)]
struct Circuit {
    phase: Phase,
    outages: u64,
}

impl Circuit {
    fn new() -> Self {
        Self { phase: Phase::Closed { failures: 0 }, outages: 0 }
    }

    /// May a call go? `by_user`: in the name of a service user. The error is how long to wait.
    fn admit(&mut self, now: Timestamp, by_user: bool) -> Result<Terms, Duration> {
        let Phase::Open(open) = &mut self.phase else { return Ok(Terms::Ordinary { outages: self.outages }) };
        if let Some(rests) = open.rests(now) {
            return Err(rests);
        }
        if open.refused.is_some() && !by_user {
            return Ok(Terms::Bystander);
        }
        open.probing = true;
        Ok(Terms::Probe)
    }

    /// May a call that was let through, and had to wait for its turn, still go?
    fn confirm(&self, terms: Terms, now: Timestamp) -> Result<(), Duration> {
        match (&self.phase, terms) {
            (Phase::Open(open), Terms::Ordinary { .. }) => Err(open.rests(now).unwrap_or(PROBE_TAKES)),
            _ => Ok(()),
        }
    }

    /// The service user in whose name the probe must go.
    fn probes_as(&self, terms: Terms) -> Option<usize> {
        match (&self.phase, terms) {
            (Phase::Open(open), Terms::Probe) => open.refused,
            _ => None,
        }
    }

    fn report(&mut self, terms: Terms, outcome: Outcome, now: Timestamp, dice: u32) -> Option<Change> {
        match (&mut self.phase, terms) {
            (Phase::Closed { failures }, Terms::Ordinary { outages }) if outages == self.outages => {
                let (why, refused) = match outcome {
                    Outcome::Unsent => return None,
                    Outcome::Answered => {
                        *failures = 0;
                        return None;
                    }
                    Outcome::Outage(why) => {
                        *failures += 1;
                        if *failures < FAILURES {
                            return None;
                        }
                        (why, None)
                    }
                    Outcome::UserRefused { user, why } => (why, Some(user)),
                };
                let rest = rest(1, dice, &why);
                let open = Open { since: now, why, refused, failed_probes: 0, rest_began: now, rest, probing: false };
                self.phase = Phase::Open(open);
                self.outages += 1;
                Some(Change::Opened { rest })
            }
            (Phase::Open(open), Terms::Probe) => {
                open.probing = false;
                match outcome {
                    // Nobody has probed, so the next call may.
                    Outcome::Unsent => return None,
                    Outcome::Answered => {
                        let change = Change::Closed { since: open.since, failed_probes: open.failed_probes };
                        self.phase = Phase::Closed { failures: 0 };
                        return Some(change);
                    }
                    Outcome::Outage(why) => open.why = why,
                    Outcome::UserRefused { user, why } => (open.why, open.refused) = (why, Some(user)),
                }
                open.failed_probes = open.failed_probes.saturating_add(1);
                open.rest_began = now;
                open.rest = rest(open.failed_probes.saturating_add(1), dice, &open.why);
                Some(Change::StaysOpen { rest: open.rest })
            }
            _ => None,
        }
    }

    /// Whoever sent the probe did not wait for its end. It may have reached the LMS, so there is another rest, and as
    /// nothing came of it the rest is not longer.
    fn abandon(&mut self, terms: Terms, now: Timestamp) {
        if let (Phase::Open(open), Terms::Probe) = (&mut self.phase, terms) {
            open.probing = false;
            open.rest_began = now;
        }
    }

    fn outage(&self, now: Timestamp) -> Option<Outage> {
        match &self.phase {
            Phase::Closed { .. } => None,
            Phase::Open(open) => Some(Outage { since: open.since, why: open.why.clone(), rests: open.rests(now) }),
        }
    }
}

fn rest(failures: u32, dice: u32, why: &LmsError) -> Duration {
    let wish = match why.class() {
        Class::TryAgain { after } => after,
        Class::Definite | Class::Unclear | Class::Ours => None,
    };
    retry::LMS.pause(failures, dice, wish)
}

/// The breaker of one LMS.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// For the log.
    lms: String,
    clock: Arc<dyn Clock>,
    circuit: Mutex<Circuit>,
}

impl Breaker {
    pub(crate) fn new(lms: String, clock: Arc<dyn Clock>) -> Self {
        Self { lms, clock, circuit: Mutex::new(Circuit::new()) }
    }

    /// Lets a call through, or says why not. `by_user`: the call goes in the name of a service user.
    pub(crate) fn admit(&self, by_user: bool) -> Result<Permit<'_>, LmsError> {
        let terms = self.lock().admit(self.clock.now(), by_user).map_err(resting)?;
        Ok(Permit { breaker: self, terms, open: true })
    }

    pub(crate) fn outage(&self) -> Option<Outage> {
        self.lock().outage(self.clock.now())
    }

    fn report(&self, terms: Terms, outcome: Outcome) {
        let mut circuit = self.lock();
        let change = circuit.report(terms, outcome, self.clock.now(), fastrand::u32(..));
        let why = match &circuit.phase {
            Phase::Open(open) if change.is_some() => Some(open.why.clone()),
            _ => None,
        };
        drop(circuit);
        let (lms, code) = (&self.lms, why.as_ref().map(LmsError::code));
        let why = why.map(|why| why.to_string());
        match change {
            Some(Change::Opened { rest }) => {
                tracing::warn!(%lms, code, why, ?rest, "the LMS is not to be used: calls rest, probes go on");
            }
            Some(Change::StaysOpen { rest }) => tracing::debug!(%lms, code, why, ?rest, "a probe of the LMS failed"),
            Some(Change::Closed { since, failed_probes }) => {
                tracing::info!(%lms, %since, failed_probes, "the LMS answers again: calls go on");
            }
            None => {}
        }
    }

    /// No code that holds the lock can fail half-way, so a poisoned lock guards a sound state.
    fn lock(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn resting(after: Duration) -> LmsError {
    Setback::Resting { after }.into()
}

/// Leave for one call. What became of it is to be reported; without a report, the call was abandoned.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    breaker: &'a Breaker,
    terms: Terms,
    /// Not reported yet.
    open: bool,
}

impl Permit<'_> {
    /// The service user in whose name the call must go, if it matters.
    pub(crate) fn user(&self) -> Option<usize> {
        self.breaker.lock().probes_as(self.terms)
    }

    /// After waiting: may the call still go?
    pub(crate) fn confirm(&self) -> Result<(), LmsError> {
        self.breaker.lock().confirm(self.terms, self.breaker.clock.now()).map_err(resting)
    }

    pub(crate) fn report(mut self, outcome: Outcome) {
        self.open = false;
        self.breaker.report(self.terms, outcome);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if mem::take(&mut self.open) {
            self.breaker.lock().abandon(self.terms, self.breaker.clock.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::{Refusal, UserProblem};

    /// Gives the pause of the schedule as it is, without spread.
    const EVEN: u32 = retry::SPREAD_PER_MILLE;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(0).plus(Duration::from_secs(seconds))
    }

    fn away() -> Outcome {
        Outcome::Outage(Doubt::TimedOut.into())
    }

    fn refused(user: usize) -> Outcome {
        let why = Fault::ServiceUser { client_id: format!("client-{user}"), problem: UserProblem::LostStaff }.into();
        Outcome::UserRefused { user, why }
    }

    /// One call at this second; the error is how long it would have to wait.
    fn call(circuit: &mut Circuit, second: u64, outcome: Outcome) -> Result<Option<Change>, Duration> {
        let terms = circuit.admit(at(second), true)?;
        Ok(circuit.report(terms, outcome, at(second), EVEN))
    }

    fn opened() -> Circuit {
        let mut circuit = Circuit::new();
        for _ in 0..FAILURES {
            call(&mut circuit, 0, away()).unwrap();
        }
        assert!(circuit.outage(at(0)).is_some());
        circuit
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_them_begins_the_row_anew() {
        let mut circuit = Circuit::new();
        for _ in 1..FAILURES {
            assert_eq!(call(&mut circuit, 0, away()), Ok(None));
        }
        assert_eq!(call(&mut circuit, 0, Outcome::Answered), Ok(None));
        for _ in 1..FAILURES {
            assert_eq!(call(&mut circuit, 0, away()), Ok(None));
        }
        assert_eq!(call(&mut circuit, 0, Outcome::Unsent), Ok(None), "what was not sent counts neither way");
        assert_eq!(call(&mut circuit, 7, away()), Ok(Some(Change::Opened { rest: Duration::from_secs(1) })));
        let outage = circuit.outage(at(7)).unwrap();
        assert_eq!((outage.since, outage.rests), (at(7), Some(Duration::from_secs(1))));
        assert_eq!(outage.why, Doubt::TimedOut.into());
    }

    #[test]
    fn each_failed_probe_makes_the_rest_longer_up_to_five_minutes() {
        let mut circuit = opened();
        let (mut now, mut rests) = (1, Vec::new());
        for _ in 0..10 {
            let Ok(Some(Change::StaysOpen { rest })) = call(&mut circuit, now, away()) else { panic!("no probe") };
            assert_eq!(call(&mut circuit, now, away()), Err(rest), "a second call went");
            rests.push(rest.as_secs());
            now += rest.as_secs();
        }
        assert_eq!(rests, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(circuit.outage(at(now)).unwrap().since, at(0));
        let closed = call(&mut circuit, now, Outcome::Answered);
        assert_eq!(closed, Ok(Some(Change::Closed { since: at(0), failed_probes: 10 })));
        assert_eq!(circuit.outage(at(now)), None);
        for _ in 1..FAILURES {
            assert_eq!(call(&mut circuit, now, away()), Ok(None));
        }
        let again = call(&mut circuit, now, away());
        assert_eq!(again, Ok(Some(Change::Opened { rest: Duration::from_secs(1) })), "the old rest was remembered");
    }

    #[test]
    fn what_the_lms_asks_for_is_rested_but_no_longer_than_five_minutes() {
        for (asked, rested) in [(120, 120), (7_200, 300)] {
            let mut circuit = opened();
            let why = Setback::Unavailable { status: 503, after: Some(Duration::from_secs(asked)) };
            let rest = Duration::from_secs(rested);
            assert_eq!(call(&mut circuit, 1, Outcome::Outage(why.into())), Ok(Some(Change::StaysOpen { rest })));
        }
    }

    #[test]
    fn only_one_probe_goes_and_the_others_wait_for_its_end() {
        let mut circuit = opened();
        let probe = circuit.admit(at(1), true).unwrap();
        assert_eq!(circuit.admit(at(1), true), Err(PROBE_TAKES));
        assert_eq!(circuit.admit(at(500), true), Err(PROBE_TAKES), "a slow probe is still a probe");
        assert_eq!(circuit.outage(at(500)).unwrap().rests, Some(PROBE_TAKES));
        circuit.report(probe, Outcome::Answered, at(500), EVEN);
        assert!(circuit.admit(at(500), true).is_ok());
    }

    #[test]
    fn a_probe_that_was_not_sent_or_is_given_up_leaves_room_for_another() {
        let mut circuit = opened();
        assert_eq!(call(&mut circuit, 1, Outcome::Unsent), Ok(None));
        let given_up = circuit.admit(at(1), true).unwrap();
        circuit.abandon(given_up, at(20));
        assert_eq!(circuit.admit(at(20), true), Err(Duration::from_secs(1)));
        assert_eq!(circuit.admit(at(21), true), Ok(Terms::Probe));
    }

    #[test]
    fn what_was_under_way_when_it_opened_neither_closes_it_nor_makes_the_rest_longer() {
        let mut circuit = Circuit::new();
        let early = circuit.admit(at(0), true).unwrap();
        for _ in 0..FAILURES {
            call(&mut circuit, 0, away()).unwrap();
        }
        assert_eq!(circuit.confirm(early, at(0)), Err(Duration::from_secs(1)), "it went after all");
        for outcome in [Outcome::Answered, away(), refused(0)] {
            assert_eq!(circuit.report(early, outcome, at(0), EVEN), None);
        }
        call(&mut circuit, 1, Outcome::Answered).unwrap();
        assert_eq!(circuit.report(early, refused(0), at(1), EVEN), None, "an old failure opened it anew");
    }

    #[test]
    fn a_refused_user_opens_it_at_once_and_only_a_probe_in_their_name_closes_it() {
        let mut circuit = Circuit::new();
        call(&mut circuit, 0, Outcome::Answered).unwrap();
        assert!(matches!(call(&mut circuit, 0, refused(1)), Ok(Some(Change::Opened { .. }))));
        let bystander = circuit.admit(at(1), false).unwrap();
        assert_eq!(bystander, Terms::Bystander);
        assert_eq!(circuit.report(bystander, Outcome::Answered, at(1), EVEN), None);
        let probe = circuit.admit(at(1), true).unwrap();
        assert_eq!(circuit.probes_as(probe), Some(1));
        circuit.report(probe, away(), at(1), EVEN);
        let probe = circuit.admit(at(9), true).unwrap();
        assert_eq!(circuit.probes_as(probe), Some(1), "an outage on top hid the refused user");
        assert!(matches!(circuit.report(probe, Outcome::Answered, at(9), EVEN), Some(Change::Closed { .. })));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_make_the_rest_longer() {
        let mut circuit = Circuit::new();
        for _ in 0..FAILURES {
            call(&mut circuit, 7_200, away()).unwrap();
        }
        assert!(circuit.admit(at(7_200), true).is_err());
        assert_eq!(circuit.admit(at(3_600), true), Ok(Terms::Probe));
    }

    #[test]
    fn what_a_call_came_to_is_told_from_its_failure() {
        let after = Duration::from_secs(60);
        let user = |problem| LmsError::from(Fault::ServiceUser { client_id: "c".to_owned(), problem });
        let outages: [LmsError; 9] = [
            Setback::Unavailable { status: 502, after: None }.into(),
            Setback::Unreachable { problem: String::new() }.into(),
            Setback::NoToken { why: String::new() }.into(),
            Doubt::TimedOut.into(),
            Doubt::CutOff.into(),
            Doubt::NotData { status: 200 }.into(),
            Doubt::ServerError { status: 521 }.into(),
            Fault::Redirected { status: 302, location: String::new() }.into(),
            Fault::WrongUrl { status: 404, endpoint: "me" }.into(),
        ];
        for error in outages {
            assert_eq!(Outcome::of(&Err::<(), _>(error.clone()), Some(0)), Outcome::Outage(error));
        }
        let answers: [LmsError; 6] = [
            Refusal::UnknownUser.into(),
            Setback::Throttled { after }.into(),
            Setback::RegistrationLimit { after }.into(),
            Doubt::ServerError { status: 500 }.into(),
            Doubt::WrongEcho { what: "mode" }.into(),
            Fault::BadRequest { said: String::new() }.into(),
        ];
        for error in answers {
            assert_eq!(Outcome::of(&Err::<(), _>(error), Some(0)), Outcome::Answered);
        }
        assert_eq!(Outcome::of(&Ok(()), None), Outcome::Answered);
        let error = user(UserProblem::NotStaff);
        let expected = Outcome::UserRefused { user: 3, why: error.clone() };
        assert_eq!(Outcome::of(&Err::<(), _>(error), Some(3)), expected);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Wait(u64),
        Call(Outcome),
        /// Let in, and given up.
        Abandon,
        /// Let in, and answered at the next such step.
        Linger,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let outcome = prop_oneof![
            4 => Just(away()),
            1 => Just(Outcome::Answered),
            1 => (0_usize..3).prop_map(refused),
            1 => Just(Outcome::Unsent),
        ];
        let step = prop_oneof![
            2 => (0_u64..400).prop_map(Step::Wait),
            5 => outcome.prop_map(Step::Call),
            1 => Just(Step::Abandon),
            1 => Just(Step::Linger),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn whatever_happens_there_is_one_probe_at_most_and_five_minutes_later_one_may_go(
            steps in steps(), dice in any::<u32>()
        ) {
            let mut circuit = Circuit::new();
            let (mut now, mut lingering): (u64, Vec<Terms>) = (0, Vec::new());
            for step in steps {
                match step {
                    Step::Wait(seconds) => now += seconds,
                    Step::Call(outcome) => {
                        let Ok(terms) = circuit.admit(at(now), true) else { continue };
                        circuit.report(terms, outcome, at(now), dice);
                    }
                    Step::Abandon => {
                        let Ok(terms) = circuit.admit(at(now), true) else { continue };
                        circuit.abandon(terms, at(now));
                    }
                    Step::Linger => {
                        for terms in lingering.drain(..) {
                            circuit.report(terms, away(), at(now), dice);
                        }
                        lingering.extend(circuit.admit(at(now), true));
                    }
                }
                let probing = lingering.contains(&Terms::Probe);
                let rests = circuit.outage(at(now)).and_then(|outage| outage.rests);
                prop_assert!(rests.is_none_or(|rests| rests <= retry::LMS.longest));
                if probing {
                    prop_assert!(circuit.admit(at(now), true).is_err(), "two probes at once");
                } else {
                    let later = at(now + retry::LMS.longest.as_secs());
                    prop_assert_eq!(circuit.outage(later).and_then(|outage| outage.rests), None);
                }
            }
        }
    }
}
