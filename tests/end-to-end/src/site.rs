//! A site of a test: a directory with a configuration and a ledger, an LMS, and a `bursar serve` between them.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Output;

use bursar_domain::ledger::Order as LedgerOrder;
use openedx_simulator::{EnrollmentSnapshot, Simulator};
use serde_json::Value;
use tempfile::TempDir;

use crate::http::{self, Answer};
use crate::ledger::Ledger;
use crate::log::Log;
use crate::plan::{CAMPUS, Plan};
use crate::process::{Ended, Serve, command};
use crate::wait::{until, until_some};
use crate::woocommerce::{self, Order};
use crate::{lms, places};

/// The product ids of the catalog that [`Site::sell`] imports, and what they sell, in mode `verified`.
pub const SOLD: [(u64, &str); 2] = [(11, lms::CS101), (12, lms::CS102)];

/// A site. Everything of it ends with the test.
#[derive(Debug)]
pub struct Site {
    directory: TempDir,
    plan: Plan,
    environment: Vec<(String, String)>,
    serve: Option<Serve>,
    /// The LMS.
    pub lms: Simulator,
    /// A look into the ledger.
    pub ledger: Ledger,
}

impl Site {
    /// Makes a site and starts serving.
    #[must_use]
    pub fn start(plan: Plan) -> Self {
        let mut site = Self::at_rest(plan);
        site.serve();
        site
    }

    /// Makes a site at which nothing is started.
    #[must_use]
    pub fn at_rest(plan: Plan) -> Self {
        let directory = TempDir::new().unwrap();
        // `init` makes the ledger; its configuration is not the one under test.
        let begun = places::binary();
        let begun = std::process::Command::new(begun).args(["init", "--directory"]).arg(directory.path()).output();
        let begun = begun.unwrap();
        assert!(begun.status.success(), "{begun:?}");
        fs::copy(places::woocommerce(), directory.path().join("adapters/woocommerce.wasm")).unwrap();
        places::share_compiled(&directory.path().join("cache"));
        let lms = if plan.throttled { lms::start_throttled } else { lms::start }(plan.state.clone());
        let ledger = Ledger::open(&directory.path().join("bursar.db"));
        let mut site = Self { directory, plan, environment: Vec::new(), serve: None, lms, ledger };
        site.configure();
        site
    }

    /// Makes a site, has it sell, and starts serving.
    #[must_use]
    pub fn selling(plan: Plan) -> Self {
        let mut site = Self::at_rest(plan);
        site.sell();
        site.serve();
        site
    }

    /// Puts another plan into the configuration. It counts from the next start.
    pub fn replan(&mut self, change: impl FnOnce(Plan) -> Plan) {
        self.plan = change(self.plan.clone());
        self.configure();
    }

    fn configure(&mut self) {
        let (text, environment) = self.plan.written(&self.lms.url());
        fs::write(self.config(), text).unwrap();
        self.environment = environment;
    }

    /// The configuration's file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path("bursar.toml")
    }

    /// A file of the site.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The variables that hold the secrets.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    // The process ----------------------------------------------------------------------------------------------------

    /// Starts serving.
    pub fn serve(&mut self) {
        assert!(self.serve.is_none(), "it is serving already");
        self.serve = Some(Serve::start(&self.config(), &self.environment));
    }

    /// Starts serving where that cannot be.
    #[must_use]
    pub fn serve_in_vain(&self) -> Ended {
        Serve::start_in_vain(&self.config(), &self.environment)
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Serve {
        self.serve.as_ref().expect("it is serving")
    }

    /// Where the public listener is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.process().address()
    }

    /// The log of the process.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.process().log()
    }

    /// Kills the process as a power cut would.
    pub fn kill(&mut self) {
        self.serve.take().expect("it is serving").kill();
    }

    /// Asks the process to stop, and waits until it has.
    pub fn stop(&mut self) -> Ended {
        let serve = self.serve.take().expect("it is serving");
        serve.ask_to_stop();
        let ended = serve.ended();
        assert!(ended.status.success(), "bursar stopped with {}:\n{}", ended.status, ended.log.tail());
        ended
    }

    /// Stops and starts again.
    pub fn restart(&mut self) {
        self.stop();
        self.serve();
    }

    /// Takes the process away from the site.
    #[must_use]
    pub fn take_process(&mut self) -> Serve {
        self.serve.take().expect("it is serving")
    }

    // The command line -----------------------------------------------------------------------------------------------

    /// Runs a command with the site's configuration.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        command(&self.config(), &self.environment).args(arguments).output().unwrap()
    }

    /// Runs a command that succeeds, and reads the JSON that it prints.
    #[must_use]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = command(&self.config(), &self.environment).arg("--json").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        json_of(&output)
    }

    /// Runs a command that succeeds, and reads the JSON that it prints: one object a line.
    #[must_use]
    pub fn rows(&self, arguments: &[&str]) -> Vec<Value> {
        let output = command(&self.config(), &self.environment).arg("--json").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        rows_of(&output)
    }

    /// Has the shop `campus` sell [`SOLD`].
    pub fn sell(&self) {
        let rows = SOLD.map(|(product, run)| format!("product:{product},{run},verified\n")).concat();
        self.import(CAMPUS, &rows);
    }

    /// Imports rows of a catalog.
    pub fn import(&self, shop: &str, rows: &str) -> Value {
        let file = self.path("catalog.csv");
        fs::write(&file, format!("product,course_run,mode\n{rows}")).unwrap();
        self.json(&["catalog", "import", shop, file.to_str().unwrap()])
    }

    // The shop's side ------------------------------------------------------------------------------------------------

    /// Sends a body as the shop `campus` would, and gives the answer.
    #[must_use]
    pub fn post(&self, topic: &str, body: &[u8]) -> Answer {
        self.post_to(CAMPUS, topic, body)
    }

    /// Sends a body as a shop would, and gives the answer.
    #[must_use]
    pub fn post_to(&self, shop: &str, topic: &str, body: &[u8]) -> Answer {
        let secret = &self.plan.shops.iter().find(|known| known.name == shop).expect("the shop is planned").secrets[0];
        let headers = woocommerce::headers(topic, &woocommerce::signature(body, secret));
        self.post_with(shop, &headers, body)
    }

    /// Sends a body with these headers and its length.
    #[must_use]
    pub fn post_with(&self, shop: &str, headers: &[(String, String)], body: &[u8]) -> Answer {
        http::exchange(self.address(), &request(shop, headers, body))
    }

    /// Sends an order as the shop `campus` would. It must be taken.
    pub fn deliver(&self, order: &Order) {
        self.deliver_to(CAMPUS, order);
    }

    /// Sends an order as a shop would. It must be taken.
    pub fn deliver_to(&self, shop: &str, order: &Order) {
        let answer = self.post_to(shop, "order.updated", &order.body());
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b""[..]));
    }

    // What came of it ------------------------------------------------------------------------------------------------

    /// Waits until every delivery has come to its end, whatever that is.
    pub fn all_handled(&self) {
        until("every delivery is handled", || {
            self.ledger.deliveries().iter().all(|delivery| delivery.state.is_final())
        });
    }

    /// Waits until nothing is under way.
    pub fn at_peace(&self) {
        until("nothing is under way", || {
            let backlog = self.ledger.backlog();
            (backlog.deliveries, backlog.learners, backlog.enrollments) == (0, 0, 0)
        });
    }

    /// An order of the shop `campus` that the ledger must know.
    #[must_use]
    pub fn order(&self, id: &str) -> LedgerOrder {
        self.ledger.order(CAMPUS, id).unwrap_or_else(|| panic!("the ledger has no order {id}"))
    }

    /// A learner's enrollment in the LMS: mode, and whether it counts.
    #[must_use]
    pub fn enrolled(&self, who: &str, run: &str) -> Option<(String, bool)> {
        let EnrollmentSnapshot { mode, is_active, .. } = self.lms.enrollment(who, run)?;
        Some((mode, is_active))
    }

    /// Waits until a learner is enrolled so, and the ledger says that it is right.
    pub fn settled_as(&self, who: &str, run: &str, mode: &str, active: bool) {
        until(&format!("{who} is enrolled in {run} as {mode}, active: {active}"), || {
            self.enrolled(who, run) == Some((mode.to_owned(), active))
        });
        until_some("the ledger has settled the enrollment", || {
            self.ledger.enrollment(&lms::email(who), run).filter(|enrollment| enrollment.state == "settled")
        });
    }
}

/// The bytes of a delivery to a shop.
#[must_use]
pub fn request(shop: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut all = vec![("Host".to_owned(), "bursar.example".to_owned())];
    all.extend_from_slice(headers);
    all.push(("Content-Length".to_owned(), body.len().to_string()));
    let mut bytes = http::head("POST", &format!("/webhooks/{shop}"), &all);
    bytes.extend_from_slice(body);
    bytes
}

/// What a command printed.
#[must_use]
pub fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)))
}

/// What a command printed, one object a line.
#[must_use]
pub fn rows_of(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// What a command said.
#[must_use]
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
