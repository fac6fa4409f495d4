//! `bursar serve` from the inside: puts the parts together, and takes them apart in good order.
//!
//! Owns start and stop. On a signal: no new connections, what is being answered is answered, runs end, what is on its way to
//! the LMS is recorded; then the process ends. A second signal ends it at once. Killing it instead loses nothing either.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use bursar_domain::{Clock, policy::ModeLadder};
use bursar_lms::{Lms, LmsError, ServiceUser};
use bursar_sandbox::CompilerProcess;
use bursar_store::{Purpose, Store, StoreError};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};

use crate::{
    adapters::{Adapters, directory, keeper::Keeper, serving_sandbox},
    admin,
    bell::Bell,
    config::{CallBudget, Config, LmsConfig, SecretUnread, StoreConfig},
    dispatcher::Dispatcher,
    fulfillment::{CourseRuns, Fulfillment, RegistrationForm},
    gateway::{self, BODIES_MAX, Gateway, Room},
    notices::{self, Notices},
    shops::{Service, Shops},
};

/// How many connections are open at once. More wait to be accepted, in the system's own queue.
const CONNECTIONS_MAX: usize = 512;

/// How long the head of a request may take to arrive. A slower sender's connection is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// What can keep the server from starting, or end it.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sandbox cannot be set up.
    #[error("the sandbox cannot be set up: {0}")]
    Sandbox(#[from] bursar_sandbox::SandboxError),
    /// The adapters' directory cannot be read.
    #[error(
        "the adapters' directory {directory} cannot be read: {source}\nhint: make it, or correct `[adapters] directory`"
    )]
    Adapters {
        /// Which.
        directory: String,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration does not fit the adapters.
    #[error("{file}: shops.{shop}.{key}: {message}")]
    Shop {
        /// The configuration.
        file: String,
        /// Which shop.
        shop: String,
        /// Which key.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// An LMS's client cannot be made.
    #[error("the LMS {name} cannot be used: {source}")]
    Lms {
        /// Which.
        name: String,
        /// Why.
        source: LmsError,
    },
    /// The listener cannot be opened.
    #[error("cannot listen on {address}: {source}\nhint: is another program, or another bursar, using it?")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretUnread),
    /// Signals cannot be received.
    #[error("signals cannot be received: {0}")]
    Signals(std::io::Error),
}

/// The working parts of a server, put together and at rest.
#[derive(Debug)]
pub struct Parts {
    /// Everything that is kept.
    pub store: Store,
    /// The connected shops.
    pub shops: Shops,
    /// What takes requests, for [`gateway::router`].
    pub gateway: Gateway,
    /// What runs adapters.
    pub dispatcher: Dispatcher,
    /// One for each LMS.
    pub fulfillments: Vec<Fulfillment>,
    /// What hears from LMSs, for [`notices::router`].
    pub notices: Notices,
}

impl Parts {
    /// Opens the store to serve it and puts the parts together. Nothing works yet.
    ///
    /// # Errors
    /// When the configuration does not fit the adapters, the store cannot be opened, or an LMS cannot be used.
    pub async fn assemble(config: &Config, adapters: &Adapters, clock: Arc<dyn Clock>) -> Result<Self, ServeError> {
        let StoreConfig::Sqlite { path } = &config.store;
        let shops = Shops::new(config, adapters, &clock);
        check_shops(config, &shops)?;
        let store = Store::open(path, Purpose::Serve).await?;
        store.release_claims(clock.now()).await?;
        let modes = shops.all().iter().map(|shop| (shop.config.name.clone(), shop.policy.mode)).collect();
        store.wake_live(modes, clock.now()).await?;
        let (inbox, bell) = (Bell::default(), Bell::default());
        let fulfillments = fulfillments(config, &shops, &store, &clock, &bell)?;
        let notices = Notices::new(config, &store, &clock, &bell)?;
        let dispatcher = Dispatcher {
            shops: shops.clone(),
            // The very clients that fulfillment has: one token and one budget for everything that asks an LMS.
            lms: fulfillments.iter().map(|of| (of.name.clone(), of.lms.clone())).collect(),
            store: store.clone(),
            clock: Arc::clone(&clock),
            inbox: inbox.clone(),
            fulfillment: bell,
        };
        let gateway = Gateway {
            shops: shops.clone(),
            store: store.clone(),
            clock,
            max_body: config.server.max_body,
            room: Room::new(BODIES_MAX),
            inbox,
        };
        Ok(Self { store, shops, gateway, dispatcher, fulfillments, notices })
    }
}

/// Serves until a signal says to stop.
///
/// # Errors
/// When it cannot start. Nothing was started then.
pub async fn serve(config: Config, clock: Arc<dyn Clock>, compiler: Option<CompilerProcess>) -> Result<(), ServeError> {
    let sandbox = serving_sandbox(&config, compiler)?;
    let mut directory = directory(&config, sandbox, Arc::clone(&clock));
    let adapters = directory
        .open()
        .await
        .map_err(|source| ServeError::Adapters { directory: directory.path().display().to_string(), source })?;
    let parts = Parts::assemble(&config, &adapters, Arc::clone(&clock)).await?;
    let Parts { store, shops, gateway, dispatcher, fulfillments, notices } = parts;
    let listener = TcpListener::bind(config.server.listen)
        .await
        .map_err(|source| ServeError::Listen { address: config.server.listen, source })?;
    let address =
        listener.local_addr().map_err(|source| ServeError::Listen { address: config.server.listen, source })?;
    let mut signals = Signals::new().map_err(ServeError::Signals)?;

    tell(&adapters, &shops);
    let (stop, stopped) = watch::channel(false);
    let mut workers = JoinSet::new();
    for fulfillment in fulfillments {
        workers.spawn(fulfillment.work(stopped.clone()));
    }
    let (told, adapters_told) = watch::channel(Vec::new());
    let keeper = Keeper {
        directory,
        adapters,
        shops: shops.clone(),
        store: store.clone(),
        clock: Arc::clone(&clock),
        inbox: dispatcher.inbox.clone(),
        rescan: config.adapters.rescan,
        cache: config.adapters.cache.clone(),
        told,
    };
    workers.spawn(keeper.work(stopped.clone()));
    workers.spawn(dispatcher.work(stopped.clone()));
    if let Some(token) = &config.admin.token {
        let admin = admin::Admin::new(token.get()?.clone(), store.clone(), clock, shops, adapters_told);
        let admin = admin::router(Arc::new(admin));
        let listener = TcpListener::bind(config.admin.listen)
            .await
            .map_err(|source| ServeError::Listen { address: config.admin.listen, source })?;
        let address =
            listener.local_addr().map_err(|source| ServeError::Listen { address: config.admin.listen, source })?;
        tracing::info!(%address, "admin listening");
        workers.spawn(accept(listener, admin, stopped.clone(), config.server.drain));
    } else {
        tracing::info!("the admin listener is off, because [admin] has no token");
    }
    let public = gateway::router(Arc::new(gateway)).merge(notices::router(Arc::new(notices)));
    workers.spawn(accept(listener, public, stopped, config.server.drain));
    tracing::info!(%address, "listening");

    signals.next().await;
    tracing::info!("stopping: what is under way is ended; a second signal stops at once");
    stop.send_replace(true);
    tokio::select! {
        () = async { while workers.join_next().await.is_some() {} } => {}
        () = signals.next() => tracing::warn!("stopping at once; what is under way is taken up at the next start"),
        () = tokio::time::sleep(config.server.drain + DRAIN_SLACK) => {
            tracing::warn!("time is up before everything has ended; what is under way is taken up at the next start");
        }
    }
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Workers may take a little longer than connections, because they record what came of theirs.
const DRAIN_SLACK: Duration = Duration::from_secs(2);

/// Keys that do not fit the adapter are a wrong configuration, and nothing is started with one.
fn check_shops(config: &Config, shops: &Shops) -> Result<(), ServeError> {
    for shop in shops.all() {
        if let Service::Waiting(obstacle) = &shop.service
            && let Some(key) = &obstacle.key
        {
            return Err(ServeError::Shop {
                file: config.file.display().to_string(),
                shop: shop.config.name.to_string(),
                key: key.clone(),
                message: obstacle.message.clone(),
            });
        }
    }
    Ok(())
}

fn tell(adapters: &Adapters, shops: &Shops) {
    for (name, loaded) in &adapters.sound {
        let version = &loaded.adapter.description().version;
        tracing::info!(adapter = %name, version, sha256 = loaded.adapter.sha256(), file = %loaded.file.display(), "adapter loaded");
    }
    for broken in &adapters.broken {
        tracing::error!(file = %broken.file.display(), reason = broken.words(), "a file is no adapter that can run");
    }
    for shop in shops.all() {
        match &shop.service {
            Service::Ready(_) => {
                tracing::info!(shop = %shop.config.name, adapter = %shop.config.adapter, mode = %shop.policy.mode, "shop ready")
            }
            Service::Waiting(obstacle) => {
                tracing::error!(shop = %shop.config.name, code = obstacle.code, why = obstacle.message, "a shop cannot be served; what it sends is kept");
            }
        }
    }
}

fn fulfillments(
    config: &Config,
    shops: &Shops,
    store: &Store,
    clock: &Arc<dyn Clock>,
    bell: &Bell,
) -> Result<Vec<Fulfillment>, ServeError> {
    let policies = Arc::new(shops.policies());
    config
        .lms
        .iter()
        .map(|lms| {
            let client = client(lms, clock)?;
            Ok(Fulfillment {
                name: lms.name.clone(),
                lms: client,
                ladder: ModeLadder::new(lms.mode_ladder.clone()),
                call_timeout: lms.timeout,
                registration: RegistrationForm {
                    extra: lms.registration.clone().into_iter().collect(),
                    per_week: lms.registrations_per_week.get(),
                },
                started_at: clock.now(),
                policies: Arc::clone(&policies),
                store: store.clone(),
                clock: Arc::clone(clock),
                bell: bell.clone(),
                look_again: lms.look_again,
                course_runs: CourseRuns::default(),
            })
        })
        .collect()
}

/// A client of a configured LMS.
///
/// # Errors
/// When its address cannot be used.
pub fn client(lms: &LmsConfig, clock: &Arc<dyn Clock>) -> Result<Lms, ServeError> {
    let secret = lms.user.client_secret.get()?.clone();
    let mut config = bursar_lms::LmsConfig::new(lms.url.as_str(), lms.user.client_id.clone(), secret);
    for user in &lms.more_users {
        let client_secret = user.client_secret.get()?.clone();
        config.more_users.push(ServiceUser { client_id: user.client_id.clone(), client_secret });
    }
    if let Some(key) = &lms.api_key {
        config.api_key = Some(key.get()?.clone());
    }
    config.call_timeout = lms.timeout;
    config.calls_per_minute = match lms.calls_per_minute {
        CallBudget::PerMinute(calls) => Some(calls),
        CallBudget::Unlimited => None,
    };
    Lms::new(config, Arc::clone(clock)).map_err(|source| ServeError::Lms { name: lms.name.to_string(), source })
}

/// What reads a request from a connection.
#[must_use]
pub fn reader() -> auto::Builder<TokioExecutor> {
    let mut reader = auto::Builder::new(TokioExecutor::new()).http1_only();
    reader.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    reader
}

/// Answers connections until told to stop, then ends those that are open. Which requests there are is the router's: the
/// benchmarks measure the gateway against another one behind this same listener.
pub async fn accept(listener: TcpListener, router: axum::Router, mut stop: watch::Receiver<bool>, drain: Duration) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let server = reader();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, say: others will be closed in a moment.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "answers on this connection may be late");
        }
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service).into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended badly");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still open when time was up");
    }
}

/// How long nothing is accepted after accepting failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The signals that say to stop.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The policies of every configured shop, for commands that change the ledger beside a server.
#[must_use]
pub fn policies(config: &Config) -> BTreeMap<bursar_domain::ShopName, bursar_domain::policy::ShopPolicy> {
    config.shops.iter().map(|shop| (shop.name.clone(), crate::shops::policy(shop))).collect()
}
