//! `bursar orders show`: one order, with everything that is known of it.

use bursar_domain::{
    Timestamp,
    decision::{Decision, Ruling},
    grants::{Grant, Pin},
    ids::LineId,
    ledger::{Hold, Line, Order},
    policy::ShopPolicy,
    statement::{Cause, Identity, Learner, Payment},
};
use bursar_store::{
    Purpose, Store,
    people::{EnrollmentSummary, OrderDetail},
    reviews::Review,
};
use clap::Args;
use serde_json::{Value, json};

use super::{
    WhichOrder,
    decided::{self, Decided},
};
use crate::{
    cli::{
        CliError, Context, deliveries,
        standing::{self, Standing},
    },
    config::StoreConfig,
    output::{
        human,
        table::{Column, Table},
    },
    shops,
};

/// Arguments of `bursar orders show`.
#[derive(Debug, Args)]
#[command(after_help = "\
It answers from Bursar's own records; `bursar learner show` asks the LMS, too.

Examples:
  bursar orders show campus 1001
  bursar --json orders show campus 1001")]
pub struct ShowArgs {
    /// Which order.
    #[command(flatten)]
    pub which: WhichOrder,
}

/// What is shown of an order.
struct Page<'a> {
    detail: &'a OrderDetail,
    policy: Option<ShopPolicy>,
    now: Timestamp,
}

/// Shows one order.
///
/// # Errors
/// When there is none, or the store cannot be read.
pub async fn run(context: &Context, args: &ShowArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    let StoreConfig::Sqlite { path } = &config.store;
    let store = Store::open(path, Purpose::Tool).await?;
    let detail = store.order_detail(&args.which.shop, &args.which.order).await.map_err(|error| match error {
        bursar_store::StoreError::NotFound { .. } => {
            CliError::failed(format!("no shop ever sent order {} of {}", args.which.order, args.which.shop)).hint(
                "`bursar orders list` has those that are known; what a shop sent stands in `bursar deliveries list`",
            )
        }
        other => other.into(),
    })?;
    let policy = config.shop(args.which.shop.as_str()).map(shops::policy);
    let page = Page { detail: &detail, policy, now: context.clock.now() };
    if context.output.is_json() {
        return context.output.item(&page.data(), |_| String::new());
    }
    page.tell(context)
}

impl Page<'_> {
    fn order(&self) -> &Order {
        &self.detail.order
    }

    fn standing(&self, line: &Line) -> Standing {
        standing::line(self.order(), line, self.policy.as_ref(), self.detail.catalog.get(&line.id), self.now)
    }

    fn enrollment(&self, grant: &Grant) -> Option<&EnrollmentSummary> {
        let username = self.detail.grants.get(&grant.id)?.username.as_ref()?;
        self.detail.enrollments.iter().find(|enrollment| {
            enrollment.username == *username && enrollment.run == grant.run && enrollment.lms == grant.lms
        })
    }

    // For programs ---------------------------------------------------------------------------------------------------

    fn data(&self) -> Value {
        let order = self.order();
        let detail = self.detail;
        json!({
            "id": order.id, "shop": order.shop, "external_id": order.external_id, "number": order.number,
            "words": self.answer(), "payment": order.payment, "test": order.test,
            "approved": order.is_approved(), "learner": order.learner.as_ref().map(learner_data),
            "placed_at": order.placed_at.map(|at| at.to_string()),
            "first_seen_at": detail.first_seen_at.to_string(), "changed_at": detail.changed_at.to_string(),
            "refunded": order.refunded, "holds": order.holds.iter().map(|hold| self.hold_data(None, hold)).collect::<Vec<_>>(),
            "lines": order.lines.iter().map(|line| self.line_data(line)).collect::<Vec<_>>(),
            "decisions": decided::of_order(self.detail).iter().map(Decided::data).collect::<Vec<_>>(),
            "reviews": detail.reviews.iter().map(review_data).collect::<Vec<_>>(),
            "deliveries": detail.deliveries.iter().map(|delivery| json!({
                "id": delivery.id, "state": delivery.state, "received_at": delivery.received_at.to_string(),
            })).collect::<Vec<_>>(),
            "trail": detail.trail.iter().map(deliveries::entry).collect::<Vec<_>>(),
        })
    }

    fn line_data(&self, line: &Line) -> Value {
        let standing = self.standing(line);
        json!({
            "id": line.id, "external_id": line.external_id, "title": line.title, "present": line.present,
            "products": line.products.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "quantity": line.quantity, "refunded_quantity": line.refunded_quantity,
            "learner": line.learner.as_ref().map(learner_data), "until": line.until.map(|at| at.to_string()),
            "gives": standing.gives, "why": standing.why,
            "holds": line.holds.iter().map(|hold| self.hold_data(Some(line.id), hold)).collect::<Vec<_>>(),
            "courses": line.pins.as_ref().map(|pins| pins.iter().map(|pin| json!({
                "course_run": pin.run, "mode": pin.mode, "from": self.source(line, pin), "since": pin.pinned_at.to_string(),
            })).collect::<Vec<_>>()),
            "grants": line.grants.iter().map(|grant| self.grant_data(grant)).collect::<Vec<_>>(),
        })
    }

    fn grant_data(&self, grant: &Grant) -> Value {
        let known = self.detail.grants.get(&grant.id);
        json!({
            "id": grant.id, "lms": grant.lms, "course_run": grant.run, "mode": grant.mode, "seat": grant.seat,
            "learner": identity_data(&grant.identity), "username": known.and_then(|known| known.username.as_ref()),
            "since": grant.since.to_string(), "until": grant.until.map(|at| at.to_string()),
            "live": grant.ended.is_none(), "ended": grant.ended, "words": known.map(standing::grant),
            "seen": self.enrollment(grant).and_then(|enrollment| enrollment.seen.as_ref()),
        })
    }

    fn hold_data(&self, line: Option<LineId>, hold: &Hold) -> Value {
        json!({
            "cause": hold.cause, "holds": hold.holds, "evidence": hold.evidence, "since": hold.changed_at.to_string(),
            "lifted_by": standing::lifted_by(self.order(), hold.cause, line).map(|decision| &decision.by),
        })
    }

    // For people -----------------------------------------------------------------------------------------------------

    /// The answer, in a sentence.
    fn answer(&self) -> String {
        let order = self.order();
        let name = standing::order_name(order);
        let standings: Vec<Standing> = order.lines.iter().map(|line| self.standing(line)).collect();
        let giving = standings.iter().filter(|standing| standing.gives).count();
        match (standings.as_slice(), giving) {
            ([], _) => format!("{name} has no lines"),
            ([only], 1) => format!("{name} gives access: {}", only.why),
            (_, 0) => {
                let first = standings.first().map(|standing| standing.why.clone()).unwrap_or_default();
                let same = standings.iter().all(|standing| standing.why == first);
                let why = if same { first } else { "each line has a reason of its own".to_owned() };
                format!("{name} gives no access: {why}")
            }
            (all, giving) if giving == all.len() => {
                format!("{name} gives access by all of its {giving} lines")
            }
            (all, giving) => format!("{name} gives access by {giving} of its {} lines", all.len()),
        }
    }

    fn tell(&self, context: &Context) -> Result<(), CliError> {
        let output = &context.output;
        let order = self.order();
        output.text(&self.answer())?;
        output.text(&self.facts())?;
        for line in &order.lines {
            output.heading(&self.line_title(line))?;
            output.text(&self.line_facts(line))?;
        }
        let holds = self.holds();
        if !holds.is_empty() {
            output.heading("holds")?;
            let columns = [
                Column::new("line"),
                Column::new("cause").whole(),
                Column::new("since").whole(),
                Column::new("shown by").wrapped(),
                Column::new("counts").wrapped(),
            ];
            let mut table = Table::new(columns);
            holds.into_iter().for_each(|row| table.row(row));
            output.table(&table)?;
        }
        let decided = decided::of_order(self.detail);
        if !decided.is_empty() {
            output.heading("decided by people")?;
            let words: Vec<String> = decided.iter().map(Decided::words).collect();
            output.text(&words.join("\n"))?;
        }
        if !self.detail.reviews.is_empty() {
            output.heading("reviews")?;
            let mut rows = Table::new([
                Column::new("review").whole(),
                Column::new("what").wrapped(),
                Column::new("since"),
                Column::new("settled").wrapped(),
            ]);
            for review in &self.detail.reviews {
                let (id, what) = (review.id.to_string(), review.concern.to_string());
                let since = human::relative(review.opened_at, self.now);
                rows.row([id, what, since, review.resolution.clone().unwrap_or_default()]);
            }
            output.table(&rows)?;
        }
        if !self.detail.deliveries.is_empty() {
            output.heading("deliveries")?;
            let mut rows = Table::new([
                Column::new("delivery").whole(),
                Column::new("state"),
                Column::new("came"),
                Column::new("problem").wrapped(),
            ]);
            for delivery in &self.detail.deliveries {
                let problem = delivery.problem.as_ref().map(|(_, message)| deliveries::first_line(message).to_owned());
                rows.row([
                    delivery.id.to_string(),
                    delivery.state.to_string(),
                    human::relative(delivery.received_at, self.now),
                    problem.unwrap_or_default(),
                ]);
            }
            output.table(&rows)?;
        }
        if !self.detail.trail.is_empty() {
            output.heading("what happened")?;
            output.table(&deliveries::trail(&self.detail.trail))?;
        }
        Ok(())
    }

    fn facts(&self) -> String {
        let order = self.order();
        let payment = match order.payment {
            Payment::Paid => "the shop says that it is paid",
            Payment::Unpaid => "the shop says that it is not paid",
            Payment::Undecided => "the shop never said whether it is paid",
        };
        let mut facts = vec![match standing::approval(order) {
            Some(approval) => format!("{payment}; {} approved it", approval.by),
            None => payment.to_owned(),
        }];
        if let Some(refunded) = &order.refunded {
            facts.push(format!("{} of {} {} went back", refunded.amount, refunded.total, refunded.currency));
        }
        if order.test {
            facts.push("a test order".to_owned());
        }
        facts.push(match &order.learner {
            Some(learner) => format!("for {}", written(learner)),
            None => "names no learner".to_owned(),
        });
        if let Some(at) = order.placed_at {
            facts.push(format!("placed {}", human::moment(at)));
        }
        facts.push(format!("changed {}", standing::when(self.detail.changed_at, self.now)));
        if order.number.as_ref().is_some_and(|number| *number != order.external_id) {
            facts.push(format!("the shop's id is {}", order.external_id));
        }
        facts.join("\n")
    }

    fn line_title(&self, line: &Line) -> String {
        let title = line.title.as_ref().map(|title| format!(" “{title}”")).unwrap_or_default();
        let products: Vec<String> = line.products.iter().map(ToString::to_string).collect();
        let products = if products.is_empty() { String::new() } else { format!(" ({})", products.join(", ")) };
        format!("line {}{title}{products}", line.external_id)
    }

    fn line_facts(&self, line: &Line) -> String {
        let standing = self.standing(line);
        let mut facts =
            vec![format!("{}: {}", if standing.gives { "gives access" } else { "gives no access" }, standing.why)];
        if let Some(learner) = &line.learner {
            facts.push(format!("for {}", written(learner)));
        }
        if line.quantity != 1 || line.refunded_quantity > 0 {
            let refunded = if line.refunded_quantity == 0 {
                String::new()
            } else {
                format!(", {} refunded", line.refunded_quantity)
            };
            facts.push(format!("{} sold{refunded}", line.quantity));
        }
        if let Some(until) = line.until {
            facts.push(format!("until {}", standing::when(until, self.now)));
        }
        for pin in line.pins.iter().flatten() {
            let since = human::moment(pin.pinned_at);
            facts.push(format!("sells {} in {} ({}, since {since})", pin.mode, pin.run, self.source(line, pin)));
        }
        facts.extend(line.grants.iter().map(|grant| self.grant(grant)));
        facts.join("\n")
    }

    /// Where it comes from that a line sells a course run.
    fn source(&self, line: &Line, pin: &Pin) -> String {
        if pin.entry.is_some() {
            return "catalog".to_owned();
        }
        let sells = |decision: &&Decision| match &decision.ruling {
            Ruling::Sells { courses } => courses.iter().any(|(run, mode)| *run == pin.run && *mode == pin.mode),
            _ => false,
        };
        standing::decisions_of(self.order(), line.id)
            .find(sells)
            .map_or_else(|| "order".to_owned(), |decision| decision.by.clone())
    }

    /// A grant, in a sentence.
    fn grant(&self, grant: &Grant) -> String {
        let stands = self.detail.grants.get(&grant.id).map(standing::grant).unwrap_or_default();
        let said = match self.enrollment(grant).map(|enrollment| (&enrollment.seen, enrollment.seen_at)) {
            Some((Some(seen), Some(at))) => {
                format!("; the LMS said {}: {}", human::relative(at, self.now), standing::seen(seen))
            }
            _ => String::new(),
        };
        let (seat, learner) = (grant.seat, grant.identity.written());
        format!("seat {seat}, {learner}: {} in {}, {stands}{said}", grant.mode, grant.run)
    }

    fn holds(&self) -> Vec<[String; 5]> {
        let order = self.order();
        let row = |line: Option<&Line>, hold: &Hold| {
            let lifted = standing::lifted_by(order, hold.cause, line.map(|line| line.id));
            let keeps = hold.cause == Cause::Deleted
                && self
                    .policy
                    .as_ref()
                    .is_some_and(|policy| policy.on_delete != bursar_domain::policy::OnDelete::Revoke);
            let counts = match lifted {
                Some(decision) => format!("no, {} lifted it", decision.by),
                None if keeps => "no, by the shop's on_delete".to_owned(),
                None => "yes".to_owned(),
            };
            let line = line.map_or_else(|| "all".to_owned(), |line| line.external_id.clone());
            [
                line,
                standing::cause(hold.cause).to_owned(),
                human::moment(hold.changed_at),
                hold.evidence.clone(),
                counts,
            ]
        };
        // What does not hold is there for its revision; what once held and was lifted by the shop tells the trail.
        let of_order = order.holds.iter().filter(|hold| hold.holds).map(|hold| row(None, hold));
        let of_lines = order
            .lines
            .iter()
            .flat_map(|line| line.holds.iter().filter(|hold| hold.holds).map(move |hold| (line, hold)))
            .map(|(line, hold)| row(Some(line), hold));
        of_order.chain(of_lines).collect()
    }
}

fn written(learner: &Learner) -> &str {
    match learner {
        Learner::Known(identity) => identity.written(),
        Learner::Malformed => "somebody named in a way that names nobody",
    }
}

fn learner_data(learner: &Learner) -> Value {
    match learner {
        Learner::Known(identity) => identity_data(identity),
        Learner::Malformed => json!({ "kind": "malformed" }),
    }
}

fn identity_data(identity: &Identity) -> Value {
    json!({ "kind": identity.kind(), "written": identity.written() })
}

fn review_data(review: &Review) -> Value {
    json!({
        "id": review.id, "code": review.concern.code(), "words": review.concern.to_string(), "times": review.times,
        "opened_at": review.opened_at.to_string(), "resolved_at": review.resolved_at.map(|at| at.to_string()),
        "resolution": review.resolution,
    })
}
