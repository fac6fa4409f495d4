//! Adapters: from a file's bytes to something that can be run.
//!
//! Owns loading and the two calls of a loaded adapter. Adapters share a [`Sandbox`]; each call runs in an instance of its
//! own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use bursar_domain::{Request, ShopName};
use tokio::sync::Semaphore;
use wasmtime::{
    Engine,
    component::{Component, HasSelf, Linker, types::ComponentItem},
};

use crate::{
    compiler::{self, CompilerProcess},
    contract::{Everything, EverythingPre},
    description::{Description, Unsound},
    engine::{self, Ticker},
    error::{LoadError, LoadErrorKind, RunError, RunErrorKind, SandboxError},
    inspect::{self, Inspection, inspect},
    limits::{self, Limits},
    outcome::{Authenticated, Decision, Handled, Problem, Remedy},
    run::{
        self, Finished, Returned, book,
        lane::LongRuns,
        limiter::{Limiter, SharedMemory},
        state::{DeliveryFacts, Phase, RunState, VerdictDraft, VerdictKind, problem},
    },
    shop::{DeliveryInput, Permission, ShopContext, Surroundings},
    text, wasi,
};

/// How a sandbox is set up.
#[derive(Debug, Clone, Default)]
pub struct SandboxConfig {
    /// What one run may use.
    pub limits: Limits,
    /// Where compiled adapters are kept between starts; made private to the process's user. None: they are compiled at
    /// every start. Never the directory that holds the adapters: what is in here is run as machine code.
    pub cache_directory: Option<PathBuf>,
    /// The program that compiles adapters into that directory, in a process of its own that can be killed: what a server
    /// wants. None: this process compiles, and nothing ends a compilation that takes too long.
    pub compiler: Option<CompilerProcess>,
    /// Is it counted how much each run computes ([`Usage::fuel`](crate::Usage::fuel))? It makes guests two to three times
    /// slower, so it is for authors' tools; a server never sets it. Every limit stays as it is.
    pub count_fuel: bool,
}

/// Loads adapters. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    limits: Arc<Limits>,
    compiler: Option<compiler::Apart>,
    engine: Engine,
    linker: Linker<RunState>,
    /// The same and an empty WASI, for components that import it.
    linker_with_wasi: Linker<RunState>,
    ticker: Ticker,
    pooled: bool,
    authenticating: Semaphore,
    handling: Semaphore,
    memory: Arc<SharedMemory>,
    long_runs: LongRuns,
    shops: Mutex<BTreeMap<ShopName, Arc<Places>>>,
}

/// Places of one adapter or one shop.
struct Places {
    authenticating: Semaphore,
    handling: Semaphore,
}

impl Places {
    fn new(of_each: usize) -> Self {
        Self { authenticating: Semaphore::new(of_each), handling: Semaphore::new(of_each) }
    }
}

/// How a sandbox is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SandboxStatus {
    /// Memories come out of a pool. Otherwise the machine has too little address space for it, and runs begin slower.
    pub pooled: bool,
    /// The thread that measures guest time is alive. Without it nothing may be run.
    pub ticking: bool,
    /// Free places for `authenticate`, of [`Limits::authenticate_places`].
    pub authenticate_places: usize,
    /// Free places for `handle`, of [`Limits::handle_places`].
    pub handle_places: usize,
    /// Bytes of guest memory of all runs together.
    pub memory: usize,
}

/// What the adapter interface consists of.
const FUNCTIONS: [&str; 3] = ["describe", "authenticate", "handle"];

/// Compiling takes all cores of a small machine by itself; two at a time would only take memory too.
static COMPILING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(1));

impl Sandbox {
    /// Sets a sandbox up.
    ///
    /// # Errors
    /// When this machine cannot run adapters safely, or the cache directory cannot be used.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        let limits = Arc::new(config.limits.within_bounds());
        let built = engine::build(&limits, config.cache_directory.as_deref(), config.count_fuel)?;
        let compiler = config.compiler.map(|process| {
            compiler::Apart::new(process, config.cache_directory, &limits, config.count_fuel, &built.engine)
        });
        let mut linker = Linker::new(&built.engine);
        Everything::add_to_linker::<_, HasSelf<RunState>>(&mut linker, |state| state)
            .map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        let mut linker_with_wasi = linker.clone();
        wasi::add_to_linker(&mut linker_with_wasi).map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        Ok(Self(Arc::new(Inner {
            compiler: compiler.transpose()?,
            ticker: Ticker::start(built.engine.weak())?,
            engine: built.engine,
            linker,
            linker_with_wasi,
            pooled: built.pooled,
            authenticating: Semaphore::new(limits.authenticate_places),
            handling: Semaphore::new(limits.handle_places),
            memory: Arc::default(),
            long_runs: LongRuns::new(),
            shops: Mutex::default(),
            limits,
        })))
    }

    /// How the sandbox is doing.
    #[must_use]
    pub fn status(&self) -> SandboxStatus {
        SandboxStatus {
            pooled: self.0.pooled,
            ticking: self.0.ticker.is_alive(),
            authenticate_places: self.0.authenticating.available_permits(),
            handle_places: self.0.handling.available_permits(),
            memory: self.0.memory.held(),
        }
    }

    /// Loads an adapter: [`inspect`]s it, compiles it, links it and has it describe itself. One adapter is compiled at a time,
    /// by the process of its own where there is one, else on a thread for blocking work; an adapter in Rust takes about a tenth
    /// of a second, one in an interpreted language some seconds.
    ///
    /// # Errors
    /// When the file is no adapter, is damaged, breaks the contract or a limit.
    pub async fn load(&self, bytes: impl Into<Arc<[u8]>> + Send) -> Result<Adapter, LoadError> {
        let bytes: Arc<[u8]> = bytes.into();
        let host = |error: &dyn fmt::Display| LoadError::from(LoadErrorKind::Host(error.to_string()));
        let _turn = COMPILING.acquire().await.map_err(|error| host(&error))?;
        if let Some(compiler) = &self.0.compiler {
            compiler.compile(&bytes).await?;
        }
        let inner = Arc::clone(&self.0);
        let (inspection, pre) =
            tokio::task::spawn_blocking(move || inner.compile(&bytes)).await.map_err(|error| host(&error))??;
        let description = self.describe(&pre).await?;
        let places = Places::new(self.0.limits.places_of_adapter);
        Ok(Adapter(Arc::new(Loaded { sandbox: self.clone(), pre, inspection, description, places })))
    }

    async fn describe(&self, pre: &EverythingPre<RunState>) -> Result<Description, LoadError> {
        let limits = &self.0.limits;
        let state = self.0.state(Phase::Describe, limits.handle_cpu);
        // Loading is the host's own doing, so it takes nobody's places but those of all.
        let of_nobody = Semaphore::new(run::PLACES);
        let places = [&of_nobody, &of_nobody, &self.0.handling];
        let finished = run::run(pre, places, limits.handle_wall, state)
            .await
            .map_err(|error| LoadError { kind: not_described(error.kind), backtrace: error.backtrace })?;
        let Returned::Description(position) = finished.returned else {
            return Err(LoadErrorKind::Host("the wrong function ran".to_owned()).into());
        };
        let mut drafts = finished.state.descriptions;
        if book::index(position) >= drafts.len() {
            return Err(LoadErrorKind::Host("a description without content".to_owned()).into());
        }
        drafts.swap_remove(book::index(position)).check().map_err(|unsound| {
            LoadError::from(match unsound {
                Unsound::Word(words) => LoadErrorKind::Description(words),
                Unsound::Settings(words) => LoadErrorKind::Settings(words),
            })
        })
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Inner {
    fn compile(&self, bytes: &[u8]) -> Result<(Inspection, EverythingPre<RunState>), LoadErrorKind> {
        let inspection = inspect(bytes, &self.limits).map_err(|error| error.kind)?;
        let said = |error: wasmtime::Error| text::words(&format!("{error:#}"), limits::MESSAGE);
        let component =
            Component::from_binary(&self.engine, bytes).map_err(|error| LoadErrorKind::Compile(said(error)))?;
        self.check_exports(&component)?;
        let linker = if inspection.wasi.is_empty() { &self.linker } else { &self.linker_with_wasi };
        let pre = linker
            .instantiate_pre(&component)
            .and_then(EverythingPre::new)
            .map_err(|error| self.newer(&component, &error).unwrap_or_else(|| LoadErrorKind::Link(said(error))))?;
        Ok((inspection, pre))
    }

    /// Are the three functions of an adapter there? Their types are checked when the component is linked.
    fn check_exports(&self, component: &Component) -> Result<(), LoadErrorKind> {
        let (_, adapter) = component.get_export(None, inspect::ADAPTER).ok_or(LoadErrorKind::NotAnAdapter)?;
        match FUNCTIONS.into_iter().find(|function| component.get_export_index(Some(&adapter), function).is_none()) {
            Some(function) => Err(LoadErrorKind::MissingFunction { function }),
            None => Ok(()),
        }
    }

    /// What of a newer contract the component cannot be linked without; none if that is not why linking failed. Wasmtime
    /// says it in words only, so the names of what is imported from newer interfaces are looked for in them.
    fn newer(&self, component: &Component, error: &wasmtime::Error) -> Option<LoadErrorKind> {
        let words = format!("{error:#}");
        for (interface, import) in component.component_type().imports(&self.engine) {
            let (ComponentItem::ComponentInstance(instance), Some((_, version))) =
                (import.ty, inspect::contract_name(interface))
            else {
                continue;
            };
            if version == inspect::VERSION || !words.contains(&format!("`{interface}`")) {
                continue;
            }
            let missing = |name: &str| words.contains(&format!("`{name}`"));
            if let Some((name, _)) = instance.exports(&self.engine).find(|(name, _)| missing(name)) {
                return Some(LoadErrorKind::NewerFunction { name: name.to_owned(), interface: interface.to_owned() });
            }
        }
        None
    }

    fn state(&self, phase: Phase, cpu: std::time::Duration) -> RunState {
        let limiter = Limiter::new(&self.limits, Arc::clone(&self.memory));
        RunState::new(phase, Arc::clone(&self.limits), limiter, self.long_runs.lane(), cpu)
    }

    /// The places of a shop, whichever adapter serves it: there are as many as shops were ever configured.
    fn places_of(&self, shop: &ShopName) -> Arc<Places> {
        let mut shops = self.shops.lock().unwrap_or_else(PoisonError::into_inner);
        let places = || Arc::new(Places::new(self.limits.places_of_shop));
        Arc::clone(shops.entry(shop.clone()).or_insert_with(places))
    }
}

/// A loaded adapter. Cheap to clone; a clone may be used while another version takes its place.
#[derive(Clone)]
pub struct Adapter(Arc<Loaded>);

struct Loaded {
    sandbox: Sandbox,
    pre: EverythingPre<RunState>,
    inspection: Inspection,
    description: Description,
    places: Places,
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter")
            .field("platform", &self.0.description.platform)
            .field("version", &self.0.description.version)
            .field("sha256", &self.0.inspection.sha256)
            .finish_non_exhaustive()
    }
}

impl Adapter {
    /// What the adapter says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// What its file is.
    #[must_use]
    pub fn inspection(&self) -> &Inspection {
        &self.0.inspection
    }

    /// SHA-256 of its file, lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.0.inspection.sha256
    }

    /// What it imports.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.0.inspection.imports
    }

    /// What it wants beyond the minimal world.
    #[must_use]
    pub fn permissions(&self) -> &BTreeSet<Permission> {
        &self.0.inspection.permissions
    }

    /// What a shop must grant before it is served: all that the adapter wants but what it says that it can do without.
    pub fn needed_permissions(&self) -> impl Iterator<Item = Permission> {
        let optional = &self.description().optional_permissions;
        self.permissions().iter().copied().filter(|wanted| !optional.contains_key(wanted))
    }

    /// Bytes of its file.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.inspection.size
    }

    /// Is this request the shop's? Within [`Limits::authenticate_cpu`] and [`Limits::authenticate_wall`].
    ///
    /// # Errors
    /// When the run came to no decision.
    pub async fn authenticate(
        &self,
        shop: &Arc<ShopContext>,
        request: Arc<Request>,
    ) -> Result<Authenticated, RunError> {
        let inner = &self.0.sandbox.0;
        let mut state = inner.state(Phase::Authenticate, inner.limits.authenticate_cpu);
        state.shop = Some(Arc::clone(shop));
        state.request = Some(request);
        let of_shop = inner.places_of(&shop.name);
        let places = [&of_shop.authenticating, &self.0.places.authenticating, &inner.authenticating];
        let finished = run::run(&self.0.pre, places, inner.limits.authenticate_wall, state).await?;
        let usage = finished.usage();
        let Finished { returned, mut state, .. } = finished;
        let decision = match returned {
            Returned::Verdict(Ok(position)) => {
                let index = book::index(position);
                if index >= state.verdicts.len() {
                    return Err(RunError { kind: book::unknown_handle(), backtrace: None, logs: state.logs, usage });
                }
                decide(state.verdicts.swap_remove(index), state.verified || shop.unsigned)
            }
            Returned::Verdict(Err(problem)) => Decision::Problem(problem.into()),
            Returned::Description(_) | Returned::Handled(_) => return Err(wrong_function(state, usage)),
        };
        Ok(Authenticated { decision, logs: state.logs, usage, failed_check: state.failed_check })
    }

    /// What does this delivery say? Within [`Limits::handle_cpu`] and [`Limits::handle_wall`]. If it fails in whatever way,
    /// nothing was said.
    ///
    /// # Errors
    /// When the run came to no end of its own.
    pub async fn handle(
        &self,
        shop: &Arc<ShopContext>,
        delivery: DeliveryInput,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Handled, RunError> {
        let inner = &self.0.sandbox.0;
        let mut state = inner.state(Phase::Handle, inner.limits.handle_cpu);
        state.shop = Some(Arc::clone(shop));
        state.request = Some(delivery.request);
        state.delivery = Some(DeliveryFacts {
            id: delivery.id.to_string(),
            topic: delivery.topic,
            origin: delivery.origin,
            attempt: delivery.attempt,
        });
        state.surroundings = Some(surroundings);
        let of_shop = inner.places_of(&shop.name);
        let places = [&of_shop.handling, &self.0.places.handling, &inner.handling];
        let finished = run::run(&self.0.pre, places, inner.limits.handle_wall, state).await?;
        let usage = finished.usage();
        let Finished { returned, state, .. } = finished;
        let result = match returned {
            Returned::Handled(Ok(())) => Ok(state.book.close()),
            Returned::Handled(Err(problem)) => Err(problem.into()),
            Returned::Description(_) | Returned::Verdict(_) => return Err(wrong_function(state, usage)),
        };
        Ok(Handled { result, logs: state.logs, usage })
    }
}

/// A component whose functions have other types is linked and fails when it is first run.
fn not_described(kind: RunErrorKind) -> LoadErrorKind {
    match kind {
        RunErrorKind::Misuse(words) if words.starts_with(run::OTHER_TYPES) => LoadErrorKind::Link(words),
        kind => LoadErrorKind::Describe(kind),
    }
}

fn wrong_function(state: RunState, usage: crate::outcome::Usage) -> RunError {
    let kind = RunErrorKind::Host("the wrong function ran".to_owned());
    RunError { kind, backtrace: None, logs: state.logs, usage }
}

/// What a verdict comes to. Acceptance without a proof is refused here and nowhere else.
fn decide(verdict: VerdictDraft, proven: bool) -> Decision {
    let answer = match verdict.answer.transpose() {
        Ok(answer) => answer,
        Err(problem) => return Decision::Problem(problem),
    };
    match (verdict.kind, answer) {
        (VerdictKind::Accept { .. }, _) if !proven => Decision::Problem(unverified()),
        (VerdictKind::Accept { topic }, answer) => Decision::Accept {
            topic,
            subject: verdict.subject,
            key: verdict.key,
            occurred_at: verdict.occurred_at.map(book::moment),
            answer,
        },
        (VerdictKind::Ignore { reason }, _) => Decision::Ignore { reason },
        (VerdictKind::Respond, Some(answer)) => Decision::Respond(answer),
        (VerdictKind::Respond, None) => {
            Decision::Problem(problem(Remedy::Operator, "answer-refused", "the adapter gave no answer"))
        }
    }
}

fn unverified() -> Problem {
    problem(Remedy::None, "unverified", "the adapter accepted the request without a check that succeeded")
}
