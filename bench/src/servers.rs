//! The servers that are measured, as processes: `bursar serve`, the bare server of the baseline, and the LMS simulator.
//!
//! Owns their directories and their end: none outlives its [`Server`].

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bursar_domain::ids::DeliveryId;
use bursar_store::people::{DELIVERIES_LISTED_MAX, DeliveryFilter};
use bursar_store::{Purpose, Store};
use serde_json::{Value, json};

use crate::Result;
use crate::arguments::{Arguments, SERVE_BARE};
use crate::load::Connection;
use crate::orders::{PRODUCT, SHOP};

/// The secret of the shop's webhooks.
pub(crate) const KEY: &str = "a-secret-of-forty-eight-characters-like-init-s-0";
/// Bursar's client id in the LMS; its secret is the same as that of webhooks.
pub(crate) const CLIENT: &str = "bursar";
/// The course run that is sold.
pub(crate) const RUN: &str = "course-v1:Bench+T101+2026";
/// The mode in which it is sold.
pub(crate) const MODE: &str = "verified";
/// The file of a ledger.
pub(crate) const LEDGER: &str = "bursar.db";
/// The file of a configuration.
pub(crate) const CONFIGURATION: &str = "bursar.toml";
/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often there is a look whether it does. This is the precision of `startup.ms`.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    directory: PathBuf,
    pub(crate) address: SocketAddr,
    /// From its start to its first answer.
    pub(crate) started_in: Duration,
}

/// How the shop is configured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shop<'a> {
    /// `live` or `paused`.
    pub(crate) mode: &'a str,
    /// The LMS.
    pub(crate) lms: SocketAddr,
    /// `90`, or `"unlimited"`.
    pub(crate) calls_per_minute: &'a str,
    /// The adapters in its directory, by their files among the built ones.
    pub(crate) adapters: &'a [&'a str],
}

/// The adapter that the shop is served by.
pub(crate) const WOOCOMMERCE: &[&str] = &["woocommerce.wasm"];

impl Server {
    /// `bursar serve` with a fresh ledger.
    pub(crate) async fn bursar(arguments: &Arguments, name: &str, shop: Shop<'_>) -> Result<Self> {
        let directory = set_up(arguments, name, shop).await?;
        Self::serve(arguments, directory, shop).await
    }

    /// Ends `bursar serve`, and starts it again with the same ledger and this shop.
    pub(crate) async fn again(self, arguments: &Arguments, shop: Shop<'_>) -> Result<Self> {
        let directory = self.directory.clone();
        drop(self);
        Self::serve(arguments, directory, shop).await
    }

    async fn serve(arguments: &Arguments, directory: PathBuf, shop: Shop<'_>) -> Result<Self> {
        let address = free_address()?;
        fs::write(directory.join(CONFIGURATION), configuration(address, shop))?;
        let mut serve = command(arguments, &directory);
        Self::start(serve.arg("serve"), directory, address, "/healthz").await
    }

    /// The baseline's server with a fresh ledger.
    pub(crate) async fn bare(arguments: &Arguments, name: &str) -> Result<Self> {
        let directory = fresh(arguments, name)?;
        let address = free_address()?;
        Store::create(&directory.join(LEDGER)).await?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(SERVE_BARE).arg(&directory).arg(address.to_string());
        Self::start(&mut command, directory, address, "/healthz").await
    }

    /// The LMS simulator, with `buyer1 … buyerN`.
    pub(crate) async fn simulator(arguments: &Arguments, throttle: &str, buyers: u64) -> Result<Self> {
        let directory = fresh(arguments, "simulator")?;
        let address = free_address()?;
        fs::write(directory.join("state.json"), lms_state(buyers))?;
        let mut command = Command::new(&arguments.simulator);
        command.args(["--throttle", throttle, "--listen", &address.to_string(), "--state"]);
        command.arg(directory.join("state.json"));
        Self::start(&mut command, directory, address, "/_simulator/health").await
    }

    async fn start(command: &mut Command, directory: PathBuf, address: SocketAddr, page: &str) -> Result<Self> {
        let log = fs::File::create(directory.join("log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let began = Instant::now();
        let mut server = Self { child: command.spawn()?, directory, address, started_in: Duration::ZERO };
        while began.elapsed() < PATIENCE {
            if matches!(get(address, page).await, Ok((200, _))) {
                server.started_in = began.elapsed();
                return Ok(server);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let log = server.directory.join("log");
        Err(format!("a server does not answer\nhint: {} says why", log.display()).into())
    }

    /// The file of its ledger.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.directory.join(LEDGER)
    }

    /// The adapters' directory.
    pub(crate) fn adapters(&self) -> PathBuf {
        self.directory.join("adapters")
    }

    /// Memory that it has in use now, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .map_err(|error| format!("memory can be measured on Linux only: {error}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("there is no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing of it is needed any more, and what was acknowledged is on disk.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a directory for `bursar`: secret, configuration, empty ledger and catalog.
pub(crate) async fn set_up(arguments: &Arguments, name: &str, shop: Shop<'_>) -> Result<PathBuf> {
    let directory = fresh(arguments, name)?;
    fs::write(directory.join("secret"), KEY)?;
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    fs::write(directory.join(CONFIGURATION), configuration(anywhere, shop))?;
    let adapters = directory.join("adapters");
    fs::create_dir(&adapters)?;
    for file in shop.adapters {
        let name = Path::new(file).file_name().ok_or("an adapter without a name")?;
        fs::copy(arguments.adapters.join(file), adapters.join(name))?;
    }
    let catalog = format!("product,course_run,mode\nsku:{PRODUCT},{RUN},{MODE}\nsku:BOOK-1,,\nsku:BOOK-2,,\n");
    fs::write(directory.join("products.csv"), catalog)?;
    Store::create(&directory.join(LEDGER)).await?;
    let mut import = command(arguments, &directory);
    let imported = import.args(["--json", "catalog", "import", SHOP]).arg(directory.join("products.csv")).output()?;
    if !imported.status.success() {
        return Err(String::from_utf8_lossy(&imported.stderr).into_owned().into());
    }
    Ok(directory)
}

fn command(arguments: &Arguments, directory: &Path) -> Command {
    let mut command = Command::new(&arguments.bursar);
    command.arg("--config").arg(directory.join(CONFIGURATION));
    command
}

/// What the LMS holds: one course run, and `buyer1 … buyerN`.
pub(crate) fn lms_state(buyers: u64) -> String {
    let mut users = vec![json!({ "username": "bursar_worker", "staff": true })];
    users.extend((1..=buyers).map(|number| json!({ "username": buyer(number), "email": address_of(number) })));
    let state = json!({
        "users": users,
        "applications": [{ "client_id": CLIENT, "client_secret": KEY, "owner": "bursar_worker" }],
        "courses": [{ "id": RUN, "name": "Course", "modes": { "audit": 0, MODE: 49 } }],
    });
    state.to_string()
}

/// The username of a learner.
pub(crate) fn buyer(number: u64) -> String {
    format!("buyer{number}")
}

/// Their address.
pub(crate) fn address_of(number: u64) -> String {
    format!("buyer{number}@example.com")
}

/// Gets a page of a server.
pub(crate) async fn get(address: SocketAddr, page: &str) -> Result<(u16, Vec<u8>)> {
    let mut connection = Connection::open(address).await?;
    Ok(connection.exchange(format!("GET {page} HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes()).await?)
}

/// The enrollments that are active in the simulator.
pub(crate) fn enrolled(state: &[u8]) -> Result<usize> {
    let state: Value = serde_json::from_slice(state)?;
    let rows = state.get("enrollments").and_then(Value::as_array).ok_or("the state names no enrollments")?;
    Ok(rows.iter().filter(|row| row.get("is_active") == Some(&Value::Bool(true))).count())
}

/// The subject of every delivery in a ledger.
pub(crate) async fn subjects(ledger: &Path) -> Result<Vec<String>> {
    let store = Store::open(ledger, Purpose::Tool).await?;
    let mut subjects = Vec::new();
    let mut before: Option<DeliveryId> = None;
    loop {
        let filter = DeliveryFilter { before, limit: DELIVERIES_LISTED_MAX, ..DeliveryFilter::default() };
        let page = store.deliveries(&filter).await?;
        let Some(last) = page.last() else { return Ok(subjects) };
        before = Some(last.id);
        subjects.extend(page.into_iter().map(|delivery| delivery.subject.unwrap_or_default()));
    }
}

/// A directory beside the adapters, so on the disk that things are built on and not in memory.
fn fresh(arguments: &Arguments, name: &str) -> Result<PathBuf> {
    let directory = arguments.adapters.with_file_name("bench").join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn configuration(address: SocketAddr, shop: Shop<'_>) -> String {
    let Shop { mode, lms, calls_per_minute, .. } = shop;
    format!(
        r#"[server]
listen = "{address}"
[store]
url = "sqlite:{LEDGER}"
# Compiled once for all that are measured.
[adapters]
cache = "../cache"
[log]
level = "warn"
[[lms]]
name = "main"
url = "http://{lms}"
client_id = "{CLIENT}"
client_secret = {{ file = "secret" }}
calls_per_minute = {calls_per_minute}
[[shops]]
name = "{SHOP}"
adapter = "woocommerce"
lms = "main"
mode = "{mode}"
secrets.webhook = [{{ file = "secret" }}]
"#
    )
}
