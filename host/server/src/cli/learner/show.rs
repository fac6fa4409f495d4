//! `bursar learner show`: why somebody has, or has not, what they bought, in words for support staff.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use bursar_domain::{CourseRun, LmsName, ShopName, Timestamp, Username, ledger::Line};
use bursar_store::{
    Store,
    people::{EnrollmentSummary, LearnerAccess, OrderDetail, Purchase},
};
use clap::Args;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Bought, Topic},
    now::{self, Told},
};
use crate::{
    cli::{
        CliError, Context, deliveries,
        orders::decided::{self, Decided},
        standing,
    },
    config::{Config, StoreConfig},
    output::{
        human,
        table::{Column, Table},
    },
    shops,
};

/// Arguments of `bursar learner show`.
#[derive(Debug, Args)]
#[command(after_help = "\
The first lines are the answer, one for each course run. It asks the LMS what it says now, and reads everything else from \
Bursar's own records; an LMS that cannot be asked is no failure.

Examples:
  bursar learner show ada@example.org
  bursar learner show ada --lms main --recorded
  bursar --json learner show ada@example.org")]
pub struct ShowArgs {
    /// E-mail address or LMS username, in any case of letters.
    #[arg(value_name = "LEARNER")]
    pub learner: String,
    /// In this LMS only.
    #[arg(long)]
    pub lms: Option<LmsName>,
    /// Ask no LMS: show what each said last.
    #[arg(long)]
    pub recorded: bool,
}

/// The orders behind the purchases, by shop and the shop's id.
type Orders = BTreeMap<(ShopName, String), OrderDetail>;

/// Everything that is shown.
struct Page<'a> {
    who: &'a str,
    now: Timestamp,
    config: &'a Config,
    access: &'a LearnerAccess,
    orders: &'a Orders,
    told: &'a BTreeMap<LmsName, Told>,
}

/// Shows everything about a learner.
///
/// # Errors
/// When nothing is known of them, or the store cannot be read.
pub async fn run(context: &Context, args: &ShowArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    let StoreConfig::Sqlite { path } = &config.store;
    let store = Store::open(path, bursar_store::Purpose::Tool).await?;
    let mut access = store.learner(&args.learner).await?;
    if let Some(lms) = &args.lms {
        access.purchases.retain(|purchase| purchase.grant.as_ref().is_none_or(|grant| grant.lms == *lms));
        access.enrollments.retain(|enrollment| enrollment.lms == *lms);
    }
    if access.purchases.is_empty() && access.enrollments.is_empty() {
        return Err(CliError::failed(format!("no shop ever named {}", args.learner))
            .hint("the order may name another address, or none: `bursar orders list` shows who is named, `bursar review list` what waits for a person"));
    }
    let mut orders = Orders::new();
    for purchase in &access.purchases {
        let key = (purchase.shop.clone(), purchase.order_id.clone());
        if let Entry::Vacant(unknown) = orders.entry(key) {
            unknown.insert(store.order_detail(&purchase.shop, &purchase.order_id).await?);
        }
    }
    let told = if args.recorded { BTreeMap::new() } else { now::ask(context, &accounts(&access)).await };
    for (lms, told) in &told {
        if let Err(problem) = told {
            let hint = "what it said last is shown; `bursar doctor` says what to mend, --recorded does not ask";
            context.output.warning(&format!("the LMS {lms} could not be asked: {problem}"), Some(hint));
        }
    }
    let page = Page {
        who: &args.learner,
        now: context.clock.now(),
        config: &config,
        access: &access,
        orders: &orders,
        told: &told,
    };
    if context.output.is_json() {
        return context.output.item(&page.data(), |_| String::new());
    }
    page.tell(context)
}

/// The learner's accounts that are known, in each LMS.
fn accounts(access: &LearnerAccess) -> BTreeMap<LmsName, Vec<Username>> {
    let owed = access.purchases.iter().filter_map(|purchase| purchase.grant.as_ref());
    let owed = owed.filter_map(|grant| Some((&grant.lms, grant.username.as_ref()?)));
    let enrolled = access.enrollments.iter().map(|enrollment| (&enrollment.lms, &enrollment.username));
    let mut accounts: BTreeMap<LmsName, Vec<Username>> = BTreeMap::new();
    for (lms, username) in owed.chain(enrolled) {
        let known = accounts.entry(lms.clone()).or_default();
        if let Ok(username) = Username::parse(username)
            && !known.contains(&username)
        {
            known.push(username);
        }
    }
    accounts
}

impl<'a> Page<'a> {
    fn order(&self, purchase: &Purchase) -> Option<&'a OrderDetail> {
        self.orders.get(&(purchase.shop.clone(), purchase.order_id.clone()))
    }

    /// What was bought and what was done, a course run at a time, in the order in which it became known.
    fn topics(&self) -> Vec<Topic<'a>> {
        let mut topics: Vec<Topic<'a>> = Vec::new();
        for purchase in &self.access.purchases {
            let Some(grant) = &purchase.grant else { continue };
            let bought = Bought { purchase, grant, order: self.order(purchase).map(|detail| &detail.order) };
            self.topic(&mut topics, &grant.lms, &grant.run, grant.username.as_deref()).bought.push(bought);
        }
        for enrollment in &self.access.enrollments {
            self.topic(&mut topics, &enrollment.lms, &enrollment.run, Some(&enrollment.username));
        }
        topics
    }

    fn topic<'t>(
        &self,
        topics: &'t mut Vec<Topic<'a>>,
        lms: &LmsName,
        run: &CourseRun,
        username: Option<&str>,
    ) -> &'t mut Topic<'a> {
        let is_it = |topic: &Topic<'_>| topic.lms == *lms && topic.run == *run && topic.username.as_deref() == username;
        let index = topics.iter().position(is_it).unwrap_or_else(|| {
            let enrollment = self.access.enrollments.iter().find(|enrollment| {
                enrollment.lms == *lms && enrollment.run == *run && Some(enrollment.username.as_str()) == username
            });
            let listed = self.told.get(lms).and_then(|told| told.as_ref().ok());
            let now = listed.zip(username).map(|(listed, username)| now::find(listed, username, run));
            let (lms, run, username) = (lms.clone(), run.clone(), username.map(str::to_owned));
            topics.push(Topic { lms, run, username, bought: Vec::new(), enrollment, now });
            topics.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the index was found or made just now")]
        &mut topics[index]
    }

    /// What was bought and owes nothing that could be named: unpaid, unmapped, held before it was mapped, no course.
    fn others(&self) -> Vec<(&'a Purchase, String)> {
        let without = self.access.purchases.iter().filter(|purchase| purchase.grant.is_none());
        without.map(|purchase| (purchase, self.standing(purchase))).collect()
    }

    fn line(&self, purchase: &Purchase) -> Option<(&'a OrderDetail, &'a Line)> {
        let detail = self.order(purchase)?;
        Some((detail, detail.order.lines.iter().find(|line| line.external_id == purchase.line)?))
    }

    /// How a purchase stands, in a sentence.
    fn standing(&self, purchase: &Purchase) -> String {
        if let Some(grant) = &purchase.grant {
            return standing::grant(grant);
        }
        let Some((detail, line)) = self.line(purchase) else { return String::new() };
        let policy = self.config.shop(purchase.shop.as_str()).map(shops::policy);
        standing::line(&detail.order, line, policy.as_ref(), detail.catalog.get(&line.id), self.now).why
    }

    /// Was it found to be no course?
    fn is_no_course(&self, purchase: &Purchase) -> bool {
        self.line(purchase).is_some_and(|(_, line)| line.pins.as_ref().is_some_and(Vec::is_empty))
    }

    /// The answers: one for each course run, then one for each purchase that no course run is known of.
    fn answers(&self, topics: &[Topic<'a>]) -> Vec<Answer> {
        let runs = topics.iter().map(|topic| topic.answer(self.who, self.now));
        // A book beside a course is no question; a book alone is.
        let courses = self.access.purchases.iter().any(|purchase| !self.is_no_course(purchase));
        let asked = |(purchase, _): &(&Purchase, String)| !(courses && self.is_no_course(purchase));
        let others = self.others().into_iter().filter(asked).map(|(purchase, why)| {
            let title = purchase.title.as_ref().map(|title| format!("“{title}” of ")).unwrap_or_default();
            let words = format!("{} has nothing from {title}{}: {why}", self.who, order_name(purchase));
            Answer { has: false, words }
        });
        runs.chain(others).collect()
    }

    /// What people decided about the lines behind a course run, with the order.
    fn decisions(&self, topic: &Topic<'a>) -> Vec<(String, Decided)> {
        let mut decisions: Vec<(String, Decided)> = Vec::new();
        let mut seen: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
        for bought in &topic.bought {
            let purchase = bought.purchase;
            let Some(detail) = self.order(purchase) else { continue };
            if seen.insert((purchase.shop.as_str(), &purchase.order_id, &purchase.line)) {
                let of_line = |decided: &Decided| decided.line.as_ref().is_none_or(|line| *line == purchase.line);
                let decided = decided::of_order(detail).into_iter().filter(of_line);
                decisions.extend(decided.map(|decided| (order_name(purchase), decided)));
            }
        }
        decisions
    }

    // For programs ---------------------------------------------------------------------------------------------------

    fn data(&self) -> Value {
        let topics = self.topics();
        let answers: Vec<Answer> = self.answers(&topics);
        let answer = |(index, answer): (usize, &Answer)| {
            let topic = topics.get(index);
            json!({
                "has": answer.has, "words": answer.words, "lms": topic.map(|topic| &topic.lms),
                "course_run": topic.map(|topic| &topic.run), "username": topic.and_then(|topic| topic.username.as_ref()),
                "asked": topic.is_some_and(|topic| topic.now.is_some()), "seen": topic.and_then(Topic::seen),
                "decisions": topic.map(|topic| self.decisions(topic).iter().map(|(order, decided)| {
                    let mut data = decided.data();
                    if let Some(data) = data.as_object_mut() {
                        data.insert("order".to_owned(), json!(order));
                    }
                    data
                }).collect::<Vec<_>>()).unwrap_or_default(),
            })
        };
        json!({
            "learner": self.who,
            "answers": answers.iter().enumerate().map(answer).collect::<Vec<_>>(),
            "purchases": self.access.purchases.iter().map(|purchase| self.purchase(purchase)).collect::<Vec<_>>(),
            "enrollments": self.access.enrollments.iter().map(|enrollment| self.enrollment(enrollment, &topics)).collect::<Vec<_>>(),
        })
    }

    fn purchase(&self, purchase: &Purchase) -> Value {
        let grant = purchase.grant.as_ref();
        json!({
            "shop": purchase.shop, "order": purchase.order, "order_id": purchase.order_id, "line": purchase.line,
            "title": purchase.title, "payment": purchase.payment,
            "lms": grant.map(|grant| &grant.lms), "course_run": grant.map(|grant| &grant.run),
            "mode": grant.map(|grant| &grant.mode), "username": grant.and_then(|grant| grant.username.clone()),
            "since": grant.map(|grant| grant.since.to_string()),
            "until": grant.and_then(|grant| grant.until).map(|at| at.to_string()),
            "live": grant.is_some_and(|grant| grant.ended.is_none()), "unmapped": purchase.unmapped,
            "ended": grant.and_then(|grant| grant.ended.as_ref()), "words": self.standing(purchase),
        })
    }

    fn enrollment(&self, enrollment: &EnrollmentSummary, topics: &[Topic<'a>]) -> Value {
        let topic = topics.iter().find(|topic| topic.enrollment.is_some_and(|known| known.id == enrollment.id));
        json!({
            "lms": enrollment.lms, "username": enrollment.username, "course_run": enrollment.run,
            "baseline": enrollment.baseline, "seen": enrollment.seen, "state": enrollment.state,
            "seen_at": enrollment.seen_at.map(|at| at.to_string()), "now": topic.and_then(|topic| topic.now.as_ref()),
            "reason": enrollment.reason, "words": enrollment.reason.as_ref().map(ToString::to_string),
            "next_at": enrollment.due_at.map(|at| at.to_string()),
            "closed_at": enrollment.closed_at.map(|at| at.to_string()),
            "trail": enrollment.trail.iter().map(deliveries::entry).collect::<Vec<_>>(),
        })
    }

    // For people -----------------------------------------------------------------------------------------------------

    fn tell(&self, context: &Context) -> Result<(), CliError> {
        let output = &context.output;
        let topics = self.topics();
        let answers: Vec<String> = self.answers(&topics).into_iter().map(|answer| answer.words).collect();
        output.text(&answers.join("\n"))?;
        for topic in &topics {
            let account = topic.username.as_ref().map(|username| format!(" as {username}")).unwrap_or_default();
            output.heading(&format!("{} in {}{account}", topic.run, topic.lms))?;
            output.text(&self.facts(topic))?;
            let decisions = self.decisions(topic);
            for (order, decided) in &decisions {
                output.text(&format!("decided about {order}: {}", decided.words()))?;
            }
            if let Some(enrollment) = topic.enrollment.filter(|enrollment| !enrollment.trail.is_empty()) {
                output.text("")?;
                output.table(&done(enrollment))?;
            }
        }
        let others = self.others();
        if !others.is_empty() {
            output.heading("no course run")?;
            let mut table = Table::new([
                Column::new("bought"),
                Column::new("line"),
                Column::new("product"),
                Column::new("how it stands").wrapped(),
            ]);
            for (purchase, why) in others {
                let title = purchase.title.clone().unwrap_or_default();
                table.row([order_name(purchase), purchase.line.clone(), title, why]);
            }
            output.table(&table)?;
        }
        Ok(())
    }

    /// What the LMS says, what was there before, why it is as it is, and what comes next.
    fn facts(&self, topic: &Topic<'a>) -> String {
        let mut facts = Vec::new();
        let recorded = topic.enrollment.and_then(|enrollment| enrollment.seen.as_ref().zip(enrollment.seen_at));
        match (&topic.now, recorded) {
            (Some(now), Some((seen, at))) if seen != now => {
                facts.push(format!("the LMS says now: {}", standing::seen(now)));
                facts.push(format!("it said {}: {}", human::relative(at, self.now), standing::seen(seen)));
            }
            (Some(now), _) => facts.push(format!("the LMS says now: {}", standing::seen(now))),
            (None, Some((seen, at))) => {
                facts.push(format!("the LMS said {}: {}", human::relative(at, self.now), standing::seen(seen)));
            }
            (None, None) => facts.push("the LMS has not been asked yet".to_owned()),
        }
        facts.extend(topic.enrollment.into_iter().flat_map(|enrollment| self.recorded(enrollment)));
        facts.extend(topic.bought.iter().map(bought));
        facts.join("\n")
    }

    /// What was there before, why it is as it is, and what comes next.
    fn recorded(&self, enrollment: &EnrollmentSummary) -> Vec<String> {
        let before = enrollment.baseline.as_ref().map(|seen| format!("before Bursar: {}", standing::seen(seen)));
        let why = enrollment.reason.as_ref().map(|reason| format!("why: {reason}"));
        let closed = enrollment.closed_at.filter(|_| enrollment.baseline.is_none()).map(|closed| {
            format!(
                "closed {}: nothing is owed, what Bursar had given was undone or let go, and the rest is the learner's own",
                standing::when(closed, self.now)
            )
        });
        let next = enrollment.due_at.map(|due| format!("looked at next {}", human::relative(due, self.now)));
        [before, why, closed, next].into_iter().flatten().collect()
    }
}

/// `campus/1001`.
fn order_name(purchase: &Purchase) -> String {
    standing::name(purchase.shop.as_str(), Some(&purchase.order), &purchase.order_id)
}

/// What was bought and what became of it, in a sentence.
fn bought(Bought { purchase, grant, .. }: &Bought<'_>) -> String {
    let title = purchase.title.as_ref().map(|title| format!(" “{title}”")).unwrap_or_default();
    let until = grant.until.map(|until| format!(", until {}", human::moment(until))).unwrap_or_default();
    let (order, line) = (order_name(purchase), &purchase.line);
    let since = human::moment(grant.since);
    format!("bought: {order} line {line}{title}, {} since {since}{until}: {}", grant.mode, standing::grant(grant))
}

/// What was done and left, without the course run, which stands above it.
fn done(enrollment: &EnrollmentSummary) -> Table {
    let columns = [Column::new("done").whole(), Column::new("what"), Column::new("why").wrapped(), Column::new("by")];
    let mut table = Table::new(columns);
    for entry in &enrollment.trail {
        table.row([human::moment(entry.at), entry.action.to_string(), entry.reason.to_string(), entry.actor.clone()]);
    }
    table
}
