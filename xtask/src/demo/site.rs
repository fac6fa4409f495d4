//! The place of the demo: a directory with a configuration, a ledger, a catalog, and an LMS to start.
//!
//! Owns what is set up before the first webhook. It does what an operator would do, with the same commands.

use std::fs::{self, File, TryLockError};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bursar_toolchain::command::typed;
use serde_json::{Value, json};

use super::child::Child;
use super::http;
use super::odoo::Odoo;
use super::shops::{CAMPUS, Shop};
use crate::paths;
use crate::tool::Result;

/// The course run that is sold.
pub(super) const RUN: &str = "course-v1:Demo+T101+2026";
/// The mode that it is sold in.
pub(super) const MODE: &str = "verified";
/// The product that sells it; the same one that the recorded order has.
pub(super) const PRODUCT: &str = "sku:DEMO-T101";
/// A product that nobody has mapped.
pub(super) const UNMAPPED: &str = "sku:DEMO-T999";
/// How long taking access away waits. A shop would have minutes; who watches a demo has seconds.
pub(super) const QUIET_TIME: Duration = Duration::from_secs(2);
/// Those who have an account in the LMS from the start, each for a row of the first shop.
const LEARNERS: [(&str, &str); 7] = [
    ("ada", "ada@example.com"),
    ("ben", "ben@example.com"),
    ("cleo", "cleo@example.com"),
    ("dan", "dan@example.com"),
    ("eve", "eve@example.com"),
    ("finn", "finn@example.com"),
    ("mallory", "mallory@example.com"),
];

/// Where compiled adapters are kept from one demo to the next: those with an interpreter in them take long.
const COMPILED: &str = "demo-compiled";
/// Says that a directory was made here and may be replaced.
const MARKER: &str = ".bursar-demo";
const CLIENT: &str = "bursar";
const CLIENT_SECRET: &str = "demo-client-secret";
const ADMIN_TOKEN: &str = "demo-admin-token";
/// What the shops' APIs know Bursar by; the one that is played asks nobody.
const API_KEY: &str = "demo-api-key";
/// How long a program may take to be ready: an adapter is compiled first, perhaps on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// The running demo.
#[derive(Debug)]
pub(super) struct Site {
    /// The project's directory.
    pub(super) root: PathBuf,
    /// Where everything of the demo is.
    pub(super) directory: PathBuf,
    /// The public listener.
    pub(super) shop_address: SocketAddr,
    /// The admin listener.
    pub(super) admin_address: SocketAddr,
    /// The LMS.
    pub(super) lms_address: SocketAddr,
    /// The shop's API that is played.
    pub(super) odoo: Odoo,
    // In this order they are stopped.
    server: Child,
    lms: Child,
}

impl Site {
    /// Sets everything up in `directory`, with the first shop and these others, and starts it.
    ///
    /// # Errors
    ///
    /// When anything is not as it must be; nothing is left running then.
    pub(super) fn start(root: &Path, directory: &Path, others: &[&'static Shop]) -> Result<Self> {
        replace(directory)?;
        let config = directory.join("bursar.toml");
        let binary = binary(root, "bursar");
        quietly(Command::new(&binary).args(["init", "--directory"]).arg(directory))?;
        fs::write(directory.join(MARKER), "")?;
        write_secret(&directory.join("secrets/lms-client"), CLIENT_SECRET)?;
        write_secret(&directory.join("secrets/admin-token"), ADMIN_TOKEN)?;
        write_secret(&directory.join("secrets/api-key"), API_KEY)?;
        let shops: Vec<&Shop> = std::iter::once(&CAMPUS).chain(others.iter().copied()).collect();
        for shop in &shops {
            let file = format!("{}.wasm", shop.adapter);
            fs::copy(paths::adapters_directory(root).join(&file), directory.join("adapters").join(&file))
                .map_err(|error| format!("{file} cannot be copied: {error}"))?;
            write_secret(&directory.join("secrets").join(shop.name), shop.secret.1)?;
        }
        fs::write(directory.join("lms.json"), format!("{:#}", lms_state(others)))?;
        let buyer =
            others.iter().find(|shop| shop.product.is_none()).map_or_else(|| CAMPUS.email(), |shop| shop.email());
        let odoo = Odoo::start(root, &buyer)?;

        let state = directory.join("lms.json");
        let mut command = Command::new(self::binary(root, "openedx-simulator"));
        command.args(["--listen", "127.0.0.1:0", "--state"]).arg(state);
        let mut lms = Child::start("openedx-simulator", &mut command, &directory.join("lms.log"))?;
        let lms_address = lms.wait_until(START_PATIENCE, |log| {
            log.lines().find_map(|line| line.strip_prefix("listening on http://")?.parse().ok())
        })?;

        let [shop_address, admin_address] = free_addresses()?;
        let cache = paths::target_directory(root).join(COMPILED);
        let mut text = configuration(shop_address, admin_address, lms_address, &cache);
        for shop in &shops {
            let quiet = if **shop == CAMPUS { QUIET_TIME } else { Duration::ZERO };
            text.push_str(&shop.configuration(quiet.as_secs(), odoo.address));
        }
        fs::write(&config, text)?;
        for shop in &shops {
            let Some(catalog) = (if **shop == CAMPUS { Some(catalog()) } else { shop.catalog() }) else { continue };
            let file = directory.join(format!("{}.csv", shop.name));
            fs::write(&file, catalog)?;
            let mut import = Command::new(&binary);
            import.arg("--config").arg(&config).args(["catalog", "import", shop.name]);
            quietly(import.arg(file))?;
        }
        // Compiling all of them may take longer than a start may.
        let mut compile = Command::new(&binary);
        quietly(compile.arg("--config").arg(&config).args(["adapter", "list"]))?;

        let mut command = Command::new(&binary);
        command.arg("--config").arg(&config).arg("serve");
        let mut server = Child::start("bursar", &mut command, &directory.join("bursar.log"))?;
        server.wait_until(START_PATIENCE, |_| {
            http::get(shop_address, "/healthz").ok().filter(|(status, _)| *status == 200)
        })?;
        Ok(Self {
            root: root.to_owned(),
            directory: directory.to_owned(),
            shop_address,
            admin_address,
            lms_address,
            odoo,
            server,
            lms,
        })
    }

    /// `bursar` with these arguments, on this configuration, printing JSON: its standard output, whether it failed or not.
    ///
    /// # Errors
    ///
    /// When it cannot be run, or either server has ended.
    pub(super) fn bursar(&mut self, arguments: &[&str]) -> Result<Vec<Value>> {
        self.still_runs()?;
        let mut command = Command::new(binary(&self.root, "bursar"));
        command.arg("--config").arg(self.directory.join("bursar.toml")).arg("--json").args(arguments);
        let output = command.stderr(Stdio::null()).output()?;
        String::from_utf8(output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Do both servers still run?
    ///
    /// # Errors
    ///
    /// When one has ended.
    pub(super) fn still_runs(&mut self) -> Result<()> {
        self.server.still_runs()?;
        self.lms.still_runs()
    }

    /// How a command on this configuration is typed.
    #[must_use]
    pub(super) fn typed(&self, arguments: &str) -> String {
        let binary = binary(&self.root, "bursar");
        let config = self.directory.join("bursar.toml");
        let (binary, config) = (paths::typed(&self.root, &binary), paths::typed(&self.root, &config));
        format!("{binary} --config {config} {arguments}")
    }

    /// How the admin listener is asked.
    #[must_use]
    pub(super) fn typed_readiness(&self) -> String {
        format!("curl -H 'Authorization: Bearer {ADMIN_TOKEN}' http://{}/readyz", self.admin_address)
    }
}

/// A binary of the dev profile.
#[must_use]
pub(crate) fn binary(root: &Path, name: &str) -> PathBuf {
    paths::target_directory(root).join("debug").join(name)
}

/// Runs a command whose words matter only when it fails.
fn quietly(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{} ended with {}:\n{}", typed(command), output.status, words.trim_end()).into())
}

/// Removes the directory of an earlier demo, and nothing else.
fn replace(directory: &Path) -> Result<()> {
    let shown = directory.display();
    if !directory.exists() {
        return Ok(());
    }
    if !directory.join(MARKER).exists() {
        return Err(format!("{shown} is there, and no demo made it\nhint: move it away").into());
    }
    // The server holds this lock while it runs.
    if let Ok(lock) = File::open(directory.join("bursar.db.lock"))
        && let Err(TryLockError::WouldBlock) = lock.try_lock()
    {
        return Err(format!("a demo is running in {shown}\nhint: stop it with Ctrl-C where it was started").into());
    }
    fs::remove_dir_all(directory).map_err(|error| format!("{shown} cannot be replaced: {error}").into())
}

/// Ports that are free now; held together, so that they differ.
fn free_addresses() -> Result<[SocketAddr; 2]> {
    let held = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    let [one, other] = &held;
    Ok([one.local_addr()?, other.local_addr()?])
}

fn configuration(shop: SocketAddr, admin: SocketAddr, lms: SocketAddr, cache: &Path) -> String {
    format!(
        r#"# The demo's configuration. The LMS is simulated; all secrets are made up.
[server]
listen = "{shop}"

[admin]
listen = "{admin}"
token = {{ file = "secrets/admin-token" }}

[store]
url = "sqlite:bursar.db"

[adapters]
directory = "adapters"
cache = {cache:?}

[[lms]]
name = "main"
url = "http://{lms}"
client_id = "{CLIENT}"
client_secret = {{ file = "secrets/lms-client" }}
"#
    )
}

/// The recorded order has two more lines; they sell no course.
fn catalog() -> String {
    format!("product,course_run,mode\n{PRODUCT},{RUN},{MODE}\nsku:DEMO-T102,,\nsku:BOOK-1,,\n")
}

fn lms_state(others: &[&Shop]) -> Value {
    let mut users = vec![json!({ "username": "bursar_worker", "staff": true })];
    users.extend(LEARNERS.iter().map(|(username, email)| json!({ "username": username, "email": email })));
    users.extend(others.iter().map(|shop| json!({ "username": shop.learner, "email": shop.email() })));
    json!({
        "users": users,
        "applications": [{ "client_id": CLIENT, "client_secret": CLIENT_SECRET, "owner": "bursar_worker" }],
        "courses": [{ "id": RUN, "name": "Intro to Testing", "modes": { "audit": 0, MODE: 49 } }],
    })
}

/// For its owner only: Bursar warns of secrets that everybody can read, also of the demo's.
fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    use std::io::Write as _;

    let mut file = fs::File::options();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path)?.write_all(secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_demo_made_is_not_removed() {
        let directory = std::env::temp_dir().join(format!("bursar-xtask-replace-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        assert!(replace(&directory).unwrap_err().to_string().contains("no demo made it"));
        fs::write(directory.join(MARKER), "").unwrap();
        replace(&directory).unwrap();
        assert!(!directory.exists());
    }
}
