//! The host: the parts that `bursar serve` is made of, stepped instead of left to themselves.
//!
//! Owns time. While anything works it stands still; then it jumps to the next moment at which something is due.

use std::{
    collections::BTreeMap,
    env,
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use bursar_domain::{Clock as _, ShopName, Timestamp, ledger::Order, policy::ShopPolicy};
use bursar_sandbox::{Sandbox, SandboxConfig};
use bursar_server::{
    adapters::Adapters,
    cli::{self, Cli, Context},
    config::{Config, Environment, SecretUse},
    dispatcher::Dispatcher,
    fulfillment::{Fulfillment, Pass, Trouble},
    gateway,
    output::Output,
    serve::{self, Parts},
};
use bursar_store::{
    Store,
    people::{DELIVERIES_LISTED_MAX, DeliveryFilter},
};
use clap::Parser as _;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    Result,
    case::ShopWritten,
    clock::CaseClock,
    lms::{API_KEY, CLIENT_ID, CLIENT_SECRET, Lms},
    shop::{Message, SECRET},
};

/// Names the directory of the built adapters where it is not beside the tests.
const ADAPTERS_VARIABLE: &str = "BURSAR_ADAPTERS";

/// More rounds than any case needs for what is due at one moment. More is work that makes itself.
const ROUNDS_MAX: usize = 200;

/// How often time stops on its way at most: a host that looks for somebody every five seconds for three days is like one
/// that is a little late each time, and takes an hour less to play.
const STOPS_MAX: u32 = 60;

/// The host.
#[derive(Debug)]
pub struct Host {
    adapters: &'static Adapters,
    directory: TempDir,
    lms_url: String,
    lms_keys: toml::Table,
    shops: BTreeMap<String, ShopWritten>,
    environment: Environment,
    pub clock: Arc<CaseClock>,
    client: reqwest::Client,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    store: Store,
    dispatcher: Dispatcher,
    fulfillments: Vec<Fulfillment>,
    /// For each fulfillment, of each of its workers.
    workers: Mutex<Vec<[Worker; WORKERS]>>,
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
}

/// How many kinds of work fulfillment does side by side that asks the LMS.
const WORKERS: usize = 4;

/// One kind of work, which pauses after failures as it does in `bursar serve`.
#[derive(Debug, Default)]
struct Worker {
    trouble: Trouble,
    pauses_until: Option<Timestamp>,
}

impl Worker {
    fn pauses(&self, now: Timestamp) -> bool {
        self.pauses_until.is_some_and(|until| until > now)
    }

    /// How much was dealt with, after taking note of how it went.
    fn after(&mut self, pass: Pass, now: Timestamp) -> usize {
        match pass {
            Pass { dealt_with: 0, .. } => {}
            Pass { trouble: None, .. } => self.trouble.over(),
            Pass { trouble: Some(error), .. } => self.pauses_until = Some(now.plus(self.trouble.another(&error))),
        }
        pass.dealt_with
    }
}

fn words(what: &str) -> impl Fn(&dyn std::fmt::Display) -> String {
    let what = what.to_owned();
    move |error| format!("{what}: {error}")
}

/// The adapters, compiled once for all cases of the process. Not to be asked for from within a runtime.
pub fn adapters() -> &'static Adapters {
    static ADAPTERS: OnceLock<Adapters> = OnceLock::new();
    ADAPTERS.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
        let directory = adapters_directory();
        let mut all = Adapters::default();
        for directory in [directory.clone(), directory.join("tests")] {
            let adapters = runtime.block_on(Adapters::read(sandbox.clone(), &directory));
            let adapters = adapters.unwrap_or_else(|error| {
                panic!("{} cannot be read: {error}; run `cargo xtask adapters`", directory.display())
            });
            assert!(adapters.broken.is_empty(), "{:?}", adapters.broken);
            all.sound.extend(adapters.sound);
        }
        all
    })
}

fn adapters_directory() -> PathBuf {
    env::var_os(ADAPTERS_VARIABLE).map_or_else(
        // The executable of a test is in `debug/deps`.
        || env::current_exe().unwrap().ancestors().nth(3).unwrap().join("adapters"),
        PathBuf::from,
    )
}

impl Host {
    /// A host at rest, with an empty ledger.
    pub async fn new(
        adapters: &'static Adapters,
        shops: BTreeMap<String, ShopWritten>,
        lms: &Lms,
        lms_keys: toml::Table,
    ) -> Result<Self> {
        let directory = TempDir::new().map_err(|error| error.to_string())?;
        std::fs::create_dir(directory.path().join("adapters")).map_err(|error| error.to_string())?;
        Store::create(&directory.path().join("bursar.db")).await.map_err(|error| error.to_string())?;
        let variables =
            [("LMS_SECRET", CLIENT_SECRET), ("LMS_API_KEY", API_KEY), ("SHOP_SECRET", SECRET), ("USER", "operator")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build();
        let host = Self {
            adapters,
            directory,
            lms_url: lms.simulator.url(),
            lms_keys,
            shops,
            environment: Environment::Given(variables.into()),
            clock: Arc::default(),
            client: client.map_err(|error| error.to_string())?,
            running: None,
        };
        host.configure()?;
        Ok(host)
    }

    /// The platform that a shop is on.
    pub fn adapter_of(&self, shop: &str) -> Result<&str> {
        let shop = self.shops.get(shop).ok_or_else(|| format!("the case has no shop {shop}"))?;
        Ok(&shop.adapter)
    }

    /// The shops, with what they sell.
    pub fn sold(&self) -> Vec<(String, Vec<String>)> {
        self.shops.iter().map(|(name, shop)| (name.clone(), shop.sells.clone())).collect()
    }

    /// Writes keys into the table of a shop. They count from the next start.
    pub fn set(&mut self, shop: &str, keys: toml::Table) -> Result<()> {
        let known = self.shops.get_mut(shop).ok_or_else(|| format!("the case has no shop {shop}"))?;
        known.keys.extend(keys);
        self.configure()
    }

    fn configure(&self) -> Result<()> {
        let env = |name: &str| toml::Table::from_iter([("env".to_owned(), name.into())]);
        let mut lms = toml::Table::from_iter([
            ("name".to_owned(), "main".into()),
            ("url".to_owned(), self.lms_url.clone().into()),
            ("client_id".to_owned(), CLIENT_ID.into()),
            ("client_secret".to_owned(), env("LMS_SECRET").into()),
            ("calls_per_minute".to_owned(), "unlimited".into()),
            ("timeout".to_owned(), "1s".into()),
        ]);
        lms.extend(self.lms_keys.clone());
        let shops = self.shops.iter().map(|(name, shop)| {
            let secrets = toml::Table::from_iter([("webhook".to_owned(), env("SHOP_SECRET").into())]);
            let mut table = toml::Table::from_iter([
                ("name".to_owned(), name.clone().into()),
                ("adapter".to_owned(), shop.adapter.clone().into()),
                ("lms".to_owned(), "main".into()),
                ("secrets".to_owned(), secrets.into()),
            ]);
            table.extend(shop.keys.clone());
            toml::Value::Table(table)
        });
        let server = toml::Table::from_iter([("listen".to_owned(), "127.0.0.1:0".into())]);
        let config = toml::Table::from_iter([
            ("server".to_owned(), server.into()),
            ("lms".to_owned(), vec![toml::Value::Table(lms)].into()),
            ("shops".to_owned(), shops.collect::<Vec<_>>().into()),
        ]);
        std::fs::write(self.config_file(), config.to_string()).map_err(|error| error.to_string())
    }

    fn config_file(&self) -> PathBuf {
        self.directory.path().join("bursar.toml")
    }

    /// A file of the host's directory.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let file = self.directory.path().join(name);
        std::fs::write(&file, text).map_err(|error| error.to_string())?;
        Ok(file)
    }

    /// Puts the parts together and begins to listen.
    pub async fn start(&mut self) -> Result<()> {
        let failed = words("the host does not start");
        let config = Config::load(&self.config_file(), &self.environment, SecretUse::Read);
        let config = config.map_err(|error| failed(&error))?;
        let parts =
            Parts::assemble(&config, self.adapters, self.clock.clone()).await.map_err(|error| failed(&error))?;
        let Parts { store, gateway, dispatcher, fulfillments, .. } = parts;
        let listener = TcpListener::bind(config.server.listen).await.map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let (stop, stopped) = watch::channel(false);
        let router = gateway::router(Arc::new(gateway));
        let listener = tokio::spawn(serve::accept(listener, router, stopped, Duration::from_secs(5)));
        let workers = Mutex::new(fulfillments.iter().map(|_| Default::default()).collect());
        self.running = Some(Running { store, dispatcher, fulfillments, workers, address, stop, listener });
        Ok(())
    }

    /// Takes the parts apart again.
    pub async fn stop(&mut self) {
        // The shops' connections stay open otherwise, and stopping would wait for them.
        self.client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        if let Some(running) = self.running.take() {
            running.stop.send_replace(true);
            drop(running.listener.await);
            drop((running.dispatcher, running.fulfillments));
            running.store.close().await;
        }
    }

    fn running(&self) -> Result<&Running> {
        self.running.as_ref().ok_or_else(|| "the host does not run".to_owned())
    }

    /// Brings a request; answers the status.
    pub async fn post(&self, message: &Message) -> Result<u16> {
        let failed = words("the host does not answer");
        let url = format!("http://{}/webhooks/{}", self.running()?.address, message.shop);
        let mut request = self.client.post(url).body(message.body.clone());
        for (name, value) in &message.headers {
            request = request.header(name, value);
        }
        Ok(request.send().await.map_err(|error| failed(&error))?.status().as_u16())
    }

    /// Works until nothing more is due at this moment.
    pub async fn settle(&self) -> Result<()> {
        let running = self.running()?;
        for _ in 0..ROUNDS_MAX {
            let mut worked = running.dispatcher.pass().await;
            for (at, fulfillment) in running.fulfillments.iter().enumerate() {
                worked += usize::from(fulfillment.expiry_pass().await > 0);
                for kind in 0..WORKERS {
                    worked += self.work(running, at, kind, fulfillment).await;
                }
            }
            if worked == 0 {
                return Ok(());
            }
        }
        Err(format!("the host does not come to rest: after {ROUNDS_MAX} rounds something is still due"))
    }

    /// One pass of one kind of work, unless it pauses.
    async fn work(&self, running: &Running, at: usize, kind: usize, fulfillment: &Fulfillment) -> usize {
        let now = self.clock.now();
        if running.workers.lock().unwrap()[at][kind].pauses(now) {
            return 0;
        }
        let pass = match kind {
            0 => fulfillment.look_up_pass().await,
            1 => fulfillment.allowances_pass().await,
            2 => fulfillment.effects_pass().await,
            _ => fulfillment.enrollments_pass(&running.stop.subscribe()).await,
        };
        running.workers.lock().unwrap()[at][kind].after(pass, now)
    }

    /// Lets time pass, for the LMS as well, and works whenever something is due.
    pub async fn wait(&self, time: Duration, lms: &Lms) -> Result<()> {
        self.wait_in_strides(time, time / STOPS_MAX, lms).await
    }

    /// The same, with no two stops closer together than `stride`.
    pub async fn wait_in_strides(&self, time: Duration, stride: Duration, lms: &Lms) -> Result<()> {
        let end = self.clock.now().plus(time);
        loop {
            let now = self.clock.now();
            if now >= end {
                return Ok(());
            }
            let due = self.running()?.store.next_due(now).await.map_err(|error| error.to_string())?;
            // What is due and was left lying waits until the LMS is no longer left alone.
            let next = due.into_iter().chain(self.rests_until()?).min().unwrap_or(end).max(now.plus(stride)).min(end);
            // The budget of calls counts in the runtime's own time.
            tokio::time::pause();
            tokio::time::advance(next.since(now)).await;
            tokio::time::resume();
            self.clock.set(next);
            lms.follow(&self.clock);
            self.settle().await?;
        }
    }

    /// Until when the LMS, or one kind of work, is left alone.
    fn rests_until(&self) -> Result<Option<Timestamp>> {
        let running = self.running()?;
        let now = self.clock.now();
        let rests = running.fulfillments.iter().filter_map(|fulfillment| fulfillment.lms.rests());
        let workers = running.workers.lock().unwrap();
        let pauses = workers.iter().flatten().filter_map(|worker| worker.pauses_until).filter(|until| *until > now);
        Ok(rests.map(|rest| now.plus(rest)).chain(pauses).min())
    }

    /// The ledger, for what no command does.
    pub fn store(&self) -> Result<&Store> {
        Ok(&self.running()?.store)
    }

    /// The policies of a shop.
    pub fn policy(&self, shop: &str) -> Result<ShopPolicy> {
        let shop = ShopName::parse(shop).map_err(|error| error.to_string())?;
        let policies = self.running()?.fulfillments.iter().find_map(|fulfillment| fulfillment.policies.get(&shop));
        policies.cloned().ok_or_else(|| format!("the host has no shop {shop}"))
    }

    /// Runs a command as from a shell; answers whether it ended well, and everything it printed.
    pub async fn command(&self, command: &str) -> Result<(bool, String)> {
        let mut arguments = vec!["bursar".to_owned()];
        for word in split(command) {
            arguments.push(self.named(word).await?);
        }
        let Cli { json, command, .. } = Cli::try_parse_from(arguments).map_err(|error| error.to_string())?;
        let printed = Shared::default();
        let output = Output::to(Box::new(printed.clone()), Box::new(printed.clone()), json, None);
        let context = Context {
            config: Some(self.config_file()),
            output,
            environment: self.environment.clone(),
            clock: self.clock.clone(),
            compiler: None,
        };
        let done = cli::run(&context, &command).await;
        if let Err(error) = &done {
            context.output.error(error);
        }
        Ok((done.is_ok(), printed.text()))
    }

    /// Ids are made anew each time, so cases name them: `REVIEW:no-account` is the open review of that code, `DELIVERY:2` the
    /// second delivery.
    async fn named(&self, word: String) -> Result<String> {
        let store = &self.running()?.store;
        if let Some(code) = word.strip_prefix("REVIEW:") {
            let open = store.reviews(false).await.map_err(|error| error.to_string())?;
            let review = open.iter().find(|review| review.concern.code() == code);
            return review.map(|review| review.id.to_string()).ok_or_else(|| format!("no review {code} is open"));
        }
        if let Some(number) = word.strip_prefix("DELIVERY:") {
            let filter = DeliveryFilter { limit: DELIVERIES_LISTED_MAX, ..DeliveryFilter::default() };
            let all = store.deliveries(&filter).await.map_err(|error| error.to_string())?;
            let place: usize = number.parse().map_err(|_| format!("{number:?} is no number of a delivery"))?;
            let delivery = all.iter().rev().nth(place.saturating_sub(1));
            return delivery
                .map(|delivery| delivery.id.to_string())
                .ok_or_else(|| format!("no delivery {number} came"));
        }
        Ok(word)
    }

    /// State and problem of every delivery, the first one first.
    pub async fn deliveries(&self) -> Result<Vec<(String, String)>> {
        let filter = DeliveryFilter { limit: DELIVERIES_LISTED_MAX, ..DeliveryFilter::default() };
        let mut all = self.running()?.store.deliveries(&filter).await.map_err(|error| error.to_string())?;
        all.reverse();
        let problem = |problem: Option<(String, String)>| match problem {
            Some((code, message)) => format!("{code}: {message}"),
            None => String::new(),
        };
        Ok(all.into_iter().map(|delivery| (delivery.state.to_string(), problem(delivery.problem))).collect())
    }

    /// Code and words of every open review.
    pub async fn reviews(&self) -> Result<Vec<(String, String)>> {
        let open = self.running()?.store.reviews(false).await.map_err(|error| error.to_string())?;
        Ok(open.iter().map(|review| (review.concern.code().to_owned(), review.concern.to_string())).collect())
    }

    /// An order, as the ledger has it.
    pub async fn order(&self, shop: &str, id: &str) -> Result<Option<Order>> {
        let shop = ShopName::parse(shop).map_err(|error| error.to_string())?;
        self.running()?.store.order(&shop, id).await.map_err(|error| error.to_string())
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Words between blanks; what stands in quotes is one.
fn split(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in command.chars() {
        match (letter, words.last_mut()) {
            ('"' | '\'', _) if quote.is_none_or(|quote| quote == letter) => {
                quote = if quote.is_some() { None } else { Some(letter) };
            }
            (' ', Some(last)) if quote.is_none() => {
                if !last.is_empty() {
                    words.push(String::new());
                }
            }
            (letter, Some(last)) => last.push(letter),
            (_, None) => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Where a command prints to.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
