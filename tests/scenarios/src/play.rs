//! Plays a case from beginning to end.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use bursar_server::adapters::Adapters;
use openedx_simulator::{Endpoint, Received};

use crate::{
    Result,
    action::Action,
    case::{Case, Step},
    expectation::{Command, Expectation},
    host::{self, Host},
    judge::{Expected, Found, complaints, is_write},
    lms::Lms,
    shop::{self, Message, Shops},
    words,
};

/// How long everything that happens takes.
const A_MOMENT: Duration = Duration::from_secs(1);

/// How long a case is left alone at its end. Whatever is still written to the LMS then should have been waited for.
const AFTERWARDS: Duration = Duration::from_secs(86_400);

/// How long after the deliveries were sent once more: longer than the quiet time of removals.
const AFTER_REPETITION: Duration = Duration::from_secs(3_600);

/// Plays the case in a folder.
pub fn folder(folder: &Path) -> Result<()> {
    let file = folder.join("case.toml");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    text_in(&text, folder)
}

/// Plays a case whose files lie in a folder.
pub fn text_in(text: &str, folder: &Path) -> Result<()> {
    let case = Case::parse(text)?;
    on_stage(&case, folder, async |play| {
        play.whole(&case).await.map_err(|wrong| format!("{}\n{wrong}", case.written.title))
    })
}

/// Sets the stage for a case, and plays on it.
pub fn on_stage<T>(case: &Case, folder: &Path, play: impl AsyncFnOnce(&mut Play<'_>) -> Result<T>) -> Result<T> {
    // The process has one provider of TLS; whoever chose it chose well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let adapters = host::adapters();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut stage = Play::begin(adapters, case, folder).await?;
        let result = play(&mut stage).await;
        stage.host.stop().await;
        result
    })
}

/// A case that is being played.
#[derive(Debug)]
pub struct Play<'c> {
    folder: &'c Path,
    pub lms: Lms,
    pub host: Host,
    shops: Shops,
    pub expected: Expected,
    /// Made, and not sent yet.
    kept: BTreeMap<String, Message>,
    pub sent: Vec<Message>,
    answers: Vec<u16>,
}

impl<'c> Play<'c> {
    async fn begin(adapters: &'static Adapters, case: &Case, folder: &'c Path) -> Result<Self> {
        let lms = Lms::start(&case.written.lms)?;
        let mut host = Host::new(adapters, case.shops.clone(), &lms, case.written.lms.set.clone()).await?;
        host.start().await?;
        let before = Found { enrollments: lms.enrollments(), allowed: lms.allowed(), ..Found::default() };
        let mut play = Self {
            folder,
            lms,
            host,
            shops: Shops::default(),
            expected: Expected::unchanged(&before),
            kept: BTreeMap::new(),
            sent: Vec::new(),
            answers: Vec::new(),
        };
        for (shop, rows) in play.host.sold() {
            play.sell(&shop, &rows).await?;
        }
        Ok(play)
    }

    async fn whole(&mut self, case: &Case) -> Result<()> {
        for (step, number) in case.steps.iter().zip(1..) {
            let wrong = self.step(step).await?;
            if !wrong.is_empty() {
                let happened: Vec<&str> = step.happens.iter().map(|(text, _)| text.as_str()).collect();
                return Err(format!("after step {number} ({}):\n  {}", happened.join("; "), wrong.join("\n  ")));
            }
        }
        self.end(case.written.not_again.is_none()).await
    }

    /// Something happens, and the host deals with it.
    pub async fn happen(&mut self, action: &Action) -> Result<()> {
        self.act(action).await?;
        self.host.settle().await?;
        self.host.wait(A_MOMENT, &self.lms).await
    }

    async fn step(&mut self, step: &Step) -> Result<Vec<String>> {
        for (text, action) in &step.happens {
            self.happen(action).await.map_err(|error| format!("{text}: {error}"))?;
        }
        self.expected.add(step.then.iter().map(|(_, expectation)| expectation));
        let requests = self.lms.take_requests();
        let mut wrong = complaints(&self.expected, &self.found().await?);
        let status = step.then.iter().find_map(|(_, expectation)| match expectation {
            Expectation::Answered(status) => Some(*status),
            _ => None,
        });
        for answer in std::mem::take(&mut self.answers) {
            if answer != status.unwrap_or(200) {
                wrong.push(format!("expected the answer {}; it was {answer}", status.unwrap_or(200)));
            }
        }
        for (text, expectation) in &step.then {
            if let Some(found) = self.judge(expectation, &requests).await? {
                wrong.push(format!("expected {text}; {found}"));
            }
        }
        Ok(wrong)
    }

    /// What is so now.
    pub async fn found(&self) -> Result<Found> {
        Ok(Found {
            enrollments: self.lms.enrollments(),
            allowed: self.lms.allowed(),
            reviews: self.host.reviews().await?,
            deliveries: self.host.deliveries().await?,
        })
    }

    /// What is wrong with an expectation that is judged by itself.
    async fn judge(&self, expectation: &Expectation, requests: &[Received]) -> Result<Option<String>> {
        Ok(match expectation {
            Expectation::Calls { endpoint, count, at_most } => {
                let calls =
                    requests.iter().filter(|request| *endpoint == Endpoint::Any || request.endpoint == *endpoint);
                let calls = calls.count();
                let right = if *at_most { calls <= *count } else { calls == *count };
                (!right).then(|| format!("there were {calls}"))
            }
            Expectation::NoWrites => written(requests),
            Expectation::Owes { shop, order, run, mode } => {
                let owed = self.owed(shop, order).await?;
                let right = owed.contains(&format!("{} {mode}", words::short_run(run)));
                (!right).then(|| {
                    format!("it owes {}", if owed.is_empty() { "nothing".to_owned() } else { owed.join(", ") })
                })
            }
            Expectation::OwesNothing { shop, order } => {
                let owed = self.owed(shop, order).await?;
                (!owed.is_empty()).then(|| format!("it owes {}", owed.join(", ")))
            }
            Expectation::Command(Command { bursar, prints, never_prints, fails }) => {
                let (well, printed) = self.host.command(bursar).await?;
                let missing = prints.iter().find(|words| !printed.contains(words.as_str()));
                let extra = never_prints.iter().find(|words| printed.contains(words.as_str()));
                match (missing, extra) {
                    _ if well == *fails => {
                        Some(format!("it ended {}, with:\n{printed}", if well { "well" } else { "badly" }))
                    }
                    (Some(missing), _) => Some(format!("{missing:?} is not in:\n{printed}")),
                    (_, Some(extra)) => Some(format!("{extra:?} is in:\n{printed}")),
                    (None, None) => None,
                }
            }
            _ => None,
        })
    }

    async fn owed(&self, shop: &str, order: &str) -> Result<Vec<String>> {
        let order = self.host.order(shop, order).await?.ok_or_else(|| format!("the ledger has no order {order}"))?;
        let grants = order.lines.iter().flat_map(|line| &line.grants).filter(|grant| grant.ended.is_none());
        Ok(grants.map(|grant| format!("{} {}", words::short_run(grant.run.as_str()), grant.mode)).collect())
    }

    async fn act(&mut self, action: &Action) -> Result<()> {
        match action {
            Action::Order(sentence) => {
                let adapter = self.host.adapter_of(&sentence.shop)?.to_owned();
                let message = self.shops.say(sentence, &adapter, &self.host.clock)?;
                self.send(message).await?;
            }
            Action::Keep { name, order } => {
                let adapter = self.host.adapter_of(&order.shop)?.to_owned();
                let message = self.shops.say(order, &adapter, &self.host.clock)?;
                self.kept.insert(name.clone(), message);
            }
            Action::Deliver(name) => {
                let message = self.kept.remove(name).ok_or_else(|| format!("nothing was kept as {name}"))?;
                self.send(message).await?;
            }
            Action::Again(number) => {
                let number = number.unwrap_or(self.sent.len());
                let message = number.checked_sub(1).and_then(|at| self.sent.get(at)).cloned();
                self.send(message.ok_or_else(|| format!("there is no delivery {number}"))?).await?;
            }
            Action::File { name, shop, topic } => {
                let file = self.folder.join(name);
                let body = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
                let message = shop::from_file(shop, self.host.adapter_of(shop)?, topic, body)?;
                self.send(message).await?;
            }
            Action::Wait(time) => self.host.wait(*time, &self.lms).await?,
            Action::Restart => self.restart().await?,
            Action::Configure { shop, keys } => {
                self.host.set(shop, keys.clone())?;
                self.restart().await?;
            }
            Action::Sells { shop, row } => self.sell(shop, std::slice::from_ref(row)).await?,
            Action::Bursar(command) => {
                let (well, printed) = self.host.command(command).await?;
                if !well {
                    return Err(format!("it ended badly, with:\n{printed}"));
                }
            }
            at_the_lms => self.act_at_lms(at_the_lms).await?,
        }
        Ok(())
    }

    async fn act_at_lms(&mut self, action: &Action) -> Result<()> {
        let simulator = &self.lms.simulator;
        match action {
            Action::Registers { who, address } => drop(simulator.register(who, address, who).map_err(told)?),
            Action::Confirms(who) => simulator.activate(who).map_err(told)?,
            Action::ChangesAddress { who, address } => simulator.change_email(who, address).map_err(told)?,
            Action::IsRetired(who) => simulator.retire(who).map_err(told)?,
            Action::IsTakenOut { who, run } => simulator.unenroll(who, run).map_err(told)?,
            Action::IsEnrolled { who, run, mode } => self.lms.enroll(&self.host.clock, who, run, mode).await?,
            Action::Closes(run) => simulator.close_course(run).map_err(told)?,
            Action::Opens(run) => simulator.open_course(run).map_err(told)?,
            Action::StopsOffering { run, mode } => simulator.expire_mode(run, mode).map_err(told)?,
            Action::LmsDown => simulator.unplug(),
            Action::LmsBack => simulator.plug_in().map_err(|error| error.to_string())?,
            Action::LmsBackedUp => self.lms.back_up(),
            Action::LmsRestored => self.lms.restore()?,
            Action::StaffLost => self.lms.set_staff(false)?,
            Action::StaffBack => self.lms.set_staff(true)?,
            Action::TokensRevoked => simulator.revoke_tokens(),
            Action::Fault(fault) => simulator.add_fault(fault.clone()),
            Action::FaultsEnd => simulator.clear_faults(),
            other => return Err(format!("{other:?} happens elsewhere")),
        }
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<()> {
        self.answers.push(self.host.post(&message).await?);
        self.sent.push(message);
        Ok(())
    }

    async fn restart(&mut self) -> Result<()> {
        self.host.stop().await;
        self.host.start().await
    }

    /// Imports rows of a catalog: `BIO: CS101 verified, CS102 audit`, `MUG: no course`.
    async fn sell(&mut self, shop: &str, rows: &[String]) -> Result<()> {
        let mut csv = "product,course_run,mode\n".to_owned();
        for row in rows {
            let (product, courses) =
                row.split_once(": ").ok_or_else(|| format!("{row:?} must be \"PRODUCT: COURSE MODE\""))?;
            let product = words::product(product);
            if courses == "no course" {
                csv.push_str(&format!("{product},,\n"));
                continue;
            }
            for course in courses.split(',') {
                let (run, mode) = course.trim().split_once(' ').unwrap_or((course.trim(), ""));
                csv.push_str(&format!("{product},{},{mode}\n", words::run(run)));
            }
        }
        let file = self.host.write("catalog.csv", &csv)?;
        let (well, printed) = self.host.command(&format!("catalog import {shop} {}", file.display())).await?;
        if well { Ok(()) } else { Err(format!("the catalog cannot be imported: {printed}")) }
    }

    /// What must be so at the end of every case: what is fulfilled causes no more writes, and to send everything once more
    /// changes nothing.
    pub async fn end(&mut self, again: bool) -> Result<()> {
        if let Some(fault) = self.lms.simulator.faults().first() {
            return Err(format!("the case ends with a fault switched on: {fault:?}"));
        }
        self.host.wait(AFTERWARDS, &self.lms).await?;
        self.nothing_changed("a day later")?;
        if !again {
            return Ok(());
        }
        for message in self.sent.clone() {
            self.host.post(&message).await?;
            self.host.settle().await?;
            self.host.wait(A_MOMENT, &self.lms).await?;
        }
        self.host.wait(AFTER_REPETITION, &self.lms).await?;
        self.nothing_changed("when every delivery had been sent once more")
    }

    fn nothing_changed(&mut self, when: &str) -> Result<()> {
        let requests = self.lms.take_requests();
        let found = Found { enrollments: self.lms.enrollments(), allowed: self.lms.allowed(), ..Found::default() };
        let of_the_lms = Expected { reviews: Vec::new(), deliveries: BTreeMap::new(), ..self.expected.clone() };
        let mut wrong = complaints(&of_the_lms, &found);
        wrong.extend(written(&requests).map(|written| format!("expected no writes; {written}")));
        if wrong.is_empty() { Ok(()) } else { Err(format!("{when}:\n  {}", wrong.join("\n  "))) }
    }
}

fn told(error: openedx_simulator::PeopleError) -> String {
    error.to_string()
}

fn written(requests: &[Received]) -> Option<String> {
    let writes: Vec<String> = requests
        .iter()
        .filter(|request| is_write(request))
        .map(|request| format!("{} {} {}", request.method, request.path, request.body))
        .collect();
    if writes.is_empty() { None } else { Some(format!("the host sent {}", writes.join("; "))) }
}
