//! The LMS of a case: what it holds at the beginning, and what it holds now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bursar_domain::{Clock as _, CourseRun, Mode, Username};
use bursar_lms::EnrollmentChange;
use openedx_simulator::{CourseSpec, Date, EnrollmentSpec, ManualClock, Options, Received, Simulator, State, UserSpec};

use crate::{
    Result,
    case::LmsWritten,
    clock::{BEGINNING, CaseClock},
    expectation::Expectation,
    words,
};

/// The service user's application.
pub const CLIENT_ID: &str = "worker-key";
pub const CLIENT_SECRET: &str = "worker-secret";
/// The site's shared key.
pub const API_KEY: &str = "key-of-the-site";
/// The service user.
const WORKER: &str = "worker";
/// Somebody else with the right to enroll people.
const REGISTRAR: &str = "registrar";

/// Who, and in which course run.
pub type Place = (String, String);

/// An LMS.
#[derive(Debug)]
pub struct Lms {
    pub simulator: Simulator,
    beginning: State,
    backup: Option<State>,
    /// Requests of the host since they were last looked at.
    seen: Vec<Received>,
}

fn moment(after: Duration) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(BEGINNING.plus(after).as_millis()).expect("no case takes thousands of years")
}

impl Lms {
    /// Starts it.
    pub fn start(written: &LmsWritten) -> Result<Self> {
        let beginning = state(written)?;
        let clock = ManualClock::new(moment(Duration::ZERO));
        let options =
            Options::new(beginning.clone()).without_throttle().with_api_key(API_KEY).with_clock(Arc::new(clock));
        let simulator = Simulator::launch(options).map_err(|error| format!("the LMS does not start: {error}"))?;
        Ok(Self { simulator, beginning, backup: None, seen: Vec::new() })
    }

    /// Every enrollment: mode, and whether it counts.
    #[must_use]
    pub fn enrollments(&self) -> BTreeMap<Place, (String, bool)> {
        let rows = self.simulator.snapshot().enrollments.into_iter();
        rows.map(|row| ((row.username, row.course), (row.mode, row.is_active))).collect()
    }

    /// Every permission to enroll: address and course run.
    #[must_use]
    pub fn allowed(&self) -> BTreeSet<Place> {
        self.simulator.snapshot().enrollment_allowed.into_iter().map(|row| (row.email, row.course)).collect()
    }

    /// The host's requests since the last question.
    pub fn take_requests(&mut self) -> Vec<Received> {
        self.note_requests();
        std::mem::take(&mut self.seen)
    }

    fn note_requests(&mut self) {
        self.seen.extend(self.simulator.requests());
        self.simulator.forget_requests();
    }

    pub fn back_up(&mut self) {
        let now = self.simulator.snapshot();
        let users = now.users.into_iter().map(|user| UserSpec {
            username: user.username,
            email: Some(user.email),
            name: Some(user.name),
            id: Some(user.id),
            staff: user.staff,
            activated: Some(user.activated),
            retired: user.retiring,
            ..UserSpec::default()
        });
        let enrollments = now.enrollments.into_iter().map(|row| EnrollmentSpec {
            user: row.username,
            course: row.course,
            mode: row.mode,
            is_active: row.is_active,
        });
        let state = State { users: users.collect(), enrollments: enrollments.collect(), ..self.beginning.clone() };
        self.backup = Some(state);
    }

    pub fn restore(&self) -> Result<()> {
        let backup = self.backup.as_ref().ok_or("there is no backup of the LMS")?;
        self.simulator.reset(backup).map_err(|error| format!("the backup cannot be restored: {error}"))
    }

    pub fn set_staff(&self, staff: bool) -> Result<()> {
        self.simulator.set_staff(WORKER, staff).map_err(|error| error.to_string())
    }

    /// Somebody enrolls a learner through the LMS's own API, who is not Bursar.
    pub async fn enroll(&mut self, clock: &Arc<CaseClock>, who: &str, run: &str, mode: &str) -> Result<()> {
        self.note_requests();
        let config = bursar_lms::LmsConfig::new(self.simulator.url(), REGISTRAR, CLIENT_SECRET.into());
        let words = |error: &dyn std::fmt::Display| format!("nobody can enroll {who} in {run}: {error}");
        let lms = bursar_lms::Lms::new(config, clock.clone()).map_err(|error| words(&error))?;
        let username = Username::parse(who).map_err(|error| words(&error))?;
        let course = CourseRun::parse(run).map_err(|error| words(&error))?;
        let change = EnrollmentChange {
            mode: Some(Mode::parse(mode).map_err(|error| words(&error))?),
            is_active: Some(true),
            ..EnrollmentChange::new(username, course)
        };
        lms.enroll(&change).await.map_err(|error| words(&error))?;
        self.simulator.forget_requests();
        Ok(())
    }

    /// Moves its clock to the host's.
    pub fn follow(&self, clock: &CaseClock) {
        let behind = clock.now().as_millis() - self.simulator.clock().now().as_millisecond();
        self.simulator.advance(Duration::from_millis(u64::try_from(behind).unwrap_or_default()));
    }
}

fn state(written: &LmsWritten) -> Result<State> {
    let mut state = State::with_worker()
        .user(UserSpec { username: REGISTRAR.to_owned(), superuser: true, staff: true, ..UserSpec::default() })
        .application(REGISTRAR, CLIENT_SECRET, REGISTRAR);
    for learner in &written.learners {
        state = state.user(learner_of(learner)?);
    }
    for course in &written.courses {
        state = state.course(course_of(course)?);
    }
    for text in &written.enrolled {
        // The sentences of expectations say exactly this.
        let (user, course, mode, is_active) = match Expectation::parse(text, "")? {
            Expectation::In { who, run, mode } => (who, run, mode, true),
            Expectation::Out { who, run, mode: Some(mode) } => (who, run, mode, false),
            _ => return Err(format!("{text:?} must be \"X in COURSE as MODE\" or \"X out of COURSE as MODE\"")),
        };
        state.enrollments.push(EnrollmentSpec { user, course, mode, is_active });
    }
    Ok(state)
}

/// `ada`, `ada with ada@other.org`, `eve: retired`, `carl: not confirmed`.
fn learner_of(text: &str) -> Result<UserSpec> {
    let (name, more) = text.split_once(": ").unwrap_or((text, ""));
    let (username, email) = match words::around(name, "with") {
        Some((username, address)) => (username, words::address(address)),
        None => (name, words::address(name)),
    };
    let user = UserSpec { email: Some(email), ..UserSpec::new(&words::one(username)?) };
    match more {
        "" => Ok(user),
        "retired" => Ok(user.as_retired()),
        "not confirmed" => Ok(user.not_activated()),
        _ => Err(format!("{more:?} is nothing that can be said of an account; \"retired\" and \"not confirmed\" are")),
    }
}

/// `CS101: audit, verified; closes in 2 days; 3 seats; invitation only; verified ends in 2 days`.
fn course_of(text: &str) -> Result<CourseSpec> {
    let (name, rest) = text.split_once(": ").ok_or_else(|| format!("{text:?} must be \"COURSE: MODE, MODE\""))?;
    let mut parts = rest.split(';').map(str::trim);
    let modes: Vec<String> = parts.next().unwrap_or_default().split(',').map(words::one).collect::<Result<_>>()?;
    let mut course = CourseSpec::new(&words::run(name), name);
    let mut ends = BTreeMap::new();
    for part in parts {
        if let Some((mode, time)) = part.split_once(" ends in ") {
            ends.insert(mode.to_owned(), words::duration(time)?);
        } else if let Some(time) = part.strip_prefix("closes in ") {
            course = course.window(None, Some(Date::at(moment(words::duration(time)?))));
        } else if let Some(seats) = part.strip_suffix(" seats") {
            course = course.seats(seats.parse().map_err(|_| format!("{seats:?} is no number of seats"))?);
        } else {
            course = match part {
                "closed" => course.window(Some(Date::days(-60)), Some(Date::days(-1))),
                "invitation only" => course.invitation_only(),
                _ => return Err(format!("{part:?} is nothing that can be said of a course run")),
            };
        }
    }
    for mode in modes {
        let price = if ["audit", "honor"].contains(&mode.as_str()) { 0 } else { 49 };
        course = match ends.remove(&mode) {
            Some(end) => course.mode_until(&mode, price, Date::at(moment(end))),
            None => course.mode(&mode, price),
        };
    }
    match ends.pop_first() {
        Some((mode, _)) => Err(format!("{name} has no mode {mode} that could end")),
        None => Ok(course),
    }
}
