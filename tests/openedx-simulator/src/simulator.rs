//! Owns the handle by which a test or the binary runs an LMS; must never answer a request itself.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::clock::{Clock, SystemClock};
use crate::control;
use crate::fault::{Endpoint, Fault};
use crate::lms::{Core, Lms};
use crate::model::Model;
use crate::model::course_key::CourseKey;
use crate::model::people::PeopleError;
use crate::server;
use crate::site::{Settings, Site};
use crate::snapshot::{EnrollmentSnapshot, Received, Snapshot};
use crate::state::{State, StateError};

/// Threads that answer. Two, so that a held connection of one test never blocks the next call.
const THREADS: usize = 2;
/// How often a stopped socket is looked at before it is taken for gone.
const PATIENCE: u32 = 200;
/// How long between two looks.
const A_MOMENT: Duration = Duration::from_millis(5);

/// The LMS could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state says something that cannot be.
    #[error("the state is wrong")]
    State(#[from] StateError),
    /// The address cannot be listened on.
    #[error("cannot listen")]
    Listen(#[from] std::io::Error),
}

/// How an LMS is to be run.
#[derive(Debug)]
pub struct Options {
    /// What it holds.
    pub state: State,
    /// How it is set up.
    pub settings: Settings,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// Where it listens; port 0 for any free one.
    pub listen: SocketAddr,
}

impl Options {
    /// An LMS on any free port of this machine, in real time, with default settings.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            state,
            settings: Settings::default(),
            clock: Arc::new(SystemClock::default()),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The same without throttles.
    #[must_use]
    pub fn without_throttle(mut self) -> Self {
        self.settings.throttle = false;
        self
    }

    /// The same with a shared key of the site.
    #[must_use]
    pub fn with_api_key(mut self, key: &str) -> Self {
        self.settings.api_key = Some(key.to_owned());
        self
    }
}

/// A running LMS. It stops, and cuts its connections, when it is dropped.
#[derive(Debug)]
pub struct Simulator {
    lms: Arc<Lms>,
    address: SocketAddr,
    /// The threads that answer; none while the LMS is unplugged.
    runtime: Mutex<Option<Runtime>>,
}

impl Simulator {
    /// Starts an LMS on a free port, in real time, with default settings.
    ///
    /// # Errors
    /// When the state is wrong or no port is free.
    pub fn start(state: State) -> Result<Self, StartError> {
        Self::launch(Options::new(state))
    }

    /// Starts an LMS.
    ///
    /// # Errors
    /// When the state is wrong or the address cannot be listened on.
    pub fn launch(options: Options) -> Result<Self, StartError> {
        let now = options.clock.now();
        let site = Site::new(options.state.build(now)?, options.settings, now);
        let lms = Arc::new(Lms::new(site, options.clock));
        let listener = TcpListener::bind(options.listen)?;
        let address = listener.local_addr()?;
        let runtime = serve(&lms, listener)?;
        Ok(Self { lms, address, runtime: Mutex::new(Some(runtime)) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address clients are given, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts all connections and refuses new ones, as when the machine is down. Nothing is forgotten.
    pub fn unplug(&self) {
        self.stop();
        // The threads let go of the socket a moment later; until then a connection would still come about.
        for _ in 0..PATIENCE {
            if TcpStream::connect(self.address).is_err() {
                return;
            }
            std::thread::sleep(A_MOMENT);
        }
    }

    fn stop(&self) {
        if let Some(runtime) = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }

    /// Listens again on the same address.
    ///
    /// # Errors
    /// When somebody else has taken the address.
    pub fn plug_in(&self) -> Result<(), StartError> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if runtime.is_none() {
            *runtime = Some(serve(&self.lms, TcpListener::bind(self.address)?)?);
        }
        Ok(())
    }

    /// Lets time pass in the LMS.
    pub fn advance(&self, by: Duration) {
        self.lms.clock().advance(by);
    }

    /// The time of the LMS.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.lms.clock())
    }

    /// Switches a fault on.
    pub fn add_fault(&self, fault: Fault) {
        self.lms.lock().faults.add(fault);
    }

    /// Switches every fault off.
    pub fn clear_faults(&self) {
        self.lms.lock().faults.clear();
    }

    /// The faults that are switched on.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.lms.lock().faults.list().to_vec()
    }

    /// The requests received so far, in order; control pages do not count.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.lms.lock().log.clone()
    }

    /// How many requests were about `endpoint`.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.lms.lock().log.iter().filter(|line| endpoint.covers(line.endpoint)).count()
    }

    /// Empties the log of requests.
    pub fn forget_requests(&self) {
        self.lms.lock().forget_requests();
    }

    /// Everything the LMS holds.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.lms.lock().site.model)
    }

    /// One enrollment, active or not.
    #[must_use]
    pub fn enrollment(&self, username: &str, course: &str) -> Option<EnrollmentSnapshot> {
        let core = self.lms.lock();
        let model = &core.site.model;
        let user = model.user_by_name(username)?;
        let row = model.enrollment(user.id, &CourseKey::parse(course).ok()?)?;
        Some(EnrollmentSnapshot::of(model, row))
    }

    /// Starts over in another state, with empty throttles; faults and the log stay.
    ///
    /// # Errors
    /// When the state is wrong.
    pub fn reset(&self, state: &State) -> Result<(), StateError> {
        control::reset(&mut self.lms.lock(), state)
    }

    /// Makes every token in circulation invalid.
    pub fn revoke_tokens(&self) {
        self.lms.lock().site.model.tokens.revoke_all();
    }

    /// Somebody fills in the registration form in the browser. The account is not activated. Gives its number.
    ///
    /// # Errors
    /// When the username or the address is taken.
    pub fn register(&self, username: &str, email: &str, name: &str) -> Result<u64, PeopleError> {
        self.people(|model, now| model.register(username, email, name, now)).map(|id| id.0)
    }

    /// Somebody follows the link in the activation mail.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn activate(&self, username: &str) -> Result<(), PeopleError> {
        self.people(|model, now| model.activate(username, now))
    }

    /// An instructor takes a learner out of a course.
    ///
    /// # Errors
    /// When there is no such account, course run or enrollment, or the LMS falls over.
    pub fn unenroll(&self, username: &str, course: &str) -> Result<(), PeopleError> {
        self.people(|model, _| model.unenroll(username, course))
    }

    /// An administrator gives or takes the right to act for others.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn set_staff(&self, username: &str, staff: bool) -> Result<(), PeopleError> {
        self.people(|model, _| model.set_flags(username, Some(staff), None))
    }

    /// An administrator marks an account as confirmed or not, which enrolls nobody.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn set_active(&self, username: &str, active: bool) -> Result<(), PeopleError> {
        self.people(|model, _| model.set_flags(username, None, Some(active)))
    }

    /// Somebody asks to be forgotten.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn retire(&self, username: &str) -> Result<(), PeopleError> {
        self.people(|model, now| model.retire(username, now))
    }

    /// Somebody takes another address.
    ///
    /// # Errors
    /// When there is no such account or the address is taken.
    pub fn change_email(&self, username: &str, email: &str) -> Result<(), PeopleError> {
        self.people(|model, _| model.change_email(username, email))
    }

    /// The deadline of a mode passes.
    ///
    /// # Errors
    /// When there is no such course run or mode.
    pub fn expire_mode(&self, course: &str, mode: &str) -> Result<(), PeopleError> {
        self.people(|model, now| model.expire_mode(course, mode, now))
    }

    /// Enrollment in a course run closes.
    ///
    /// # Errors
    /// When there is no such course run.
    pub fn close_course(&self, course: &str) -> Result<(), PeopleError> {
        self.people(|model, now| model.set_window_open(course, false, now))
    }

    /// Enrollment in a course run opens.
    ///
    /// # Errors
    /// When there is no such course run.
    pub fn open_course(&self, course: &str) -> Result<(), PeopleError> {
        self.people(|model, now| model.set_window_open(course, true, now))
    }

    fn people<T>(&self, act: impl FnOnce(&mut Model, jiff::Timestamp) -> T) -> T {
        let mut core = self.lms.lock();
        let Core { site, .. } = &mut *core;
        let now = site.now;
        act(&mut site.model, now)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Threads that answer on the listener. They are the simulator's own, so that stopping them stops every connection.
fn serve(lms: &Arc<Lms>, listener: TcpListener) -> std::io::Result<Runtime> {
    listener.set_nonblocking(true)?;
    let runtime =
        Builder::new_multi_thread().worker_threads(THREADS).thread_name("openedx-simulator").enable_all().build()?;
    let router = server::router(Arc::clone(lms)).into_make_service_with_connect_info::<SocketAddr>();
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    runtime.spawn(async move { axum::serve(listener, router).await });
    Ok(runtime)
}
