//! `bursar orders approve`, `lift`, `revoke`, `restore`, `seat`, `transfer` and `set-aside`: what people decide.
//!
//! Owns what is refused because it would change nothing or is meant otherwise, and the words for what follows. What follows
//! is worked out by the store and the domain.

use std::collections::BTreeSet;

use bursar_domain::{
    CourseRun, Mode,
    grants::{FIRST_SEAT, Grant},
    ledger::{Hold, Line, Order},
    policy::ShopPolicy,
    reason::Concern,
    statement::{Cause, Identity, Payment},
};
use bursar_store::{
    Purpose, Store, StoreError,
    decisions::{OrderDecision, OrderPart},
    people::OrderDetail,
};
use clap::Args;
use serde_json::{Value, json};

use super::WhichOrder;
use crate::{
    cli::{
        CliError, Context,
        because::{self, Because},
        standing,
    },
    config::StoreConfig,
    output::human,
};

/// Arguments of `bursar orders approve`.
#[derive(Debug, Args)]
#[command(after_help = "\
For an invoice that will be settled, or money that came another way. The order counts as paid from now on, whatever \
the shop says of the money; a refund or cancellation still ends the access.

Example:
  bursar orders approve campus 1001 --reason \"invoice 77, due in January\"")]
pub struct ApproveArgs {
    /// Which order.
    #[command(flatten)]
    pub which: WhichOrder,
    /// Say what would follow, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

/// Arguments of `bursar orders lift`.
#[derive(Debug, Args)]
#[command(after_help = "\
The hold counts no more, for good: the shop may say it again, and that is shown and changes nothing. A revocation is \
no hold of the shop's; `orders restore` takes it back.

Examples:
  bursar orders lift campus 1001 refunded --reason \"goodwill, ticket 512\"
  bursar orders lift campus 1001 disputed --line 7 --reason \"dispute won\"")]
pub struct LiftArgs {
    /// Which order.
    #[command(flatten)]
    pub which: WhichOrder,
    /// What is to count no more: refunded, cancelled, deleted or disputed.
    #[arg(value_name = "CAUSE", value_parser = cause)]
    pub cause: Cause,
    /// For this line only: the shop's id of it.
    #[arg(long, value_name = "LINE")]
    pub line: Option<String>,
    /// Say what would follow, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

/// Arguments of `bursar orders revoke`.
#[derive(Debug, Args)]
#[command(after_help = "\
The learner goes back to what they had before, when the shop's quiet time is over. Other orders for the same course run \
go on counting. `orders restore` takes it back.

Examples:
  bursar orders revoke campus 1001 --reason \"fraud, ticket 512\" --dry-run
  bursar orders revoke campus 1001 --line 7 --reason \"wrong course\"")]
pub struct RevokeArgs {
    /// Which order.
    #[command(flatten)]
    pub which: WhichOrder,
    /// This line only: the shop's id of it.
    #[arg(long, value_name = "LINE")]
    pub line: Option<String>,
    /// Say what would follow, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

/// Arguments of `bursar orders restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
It takes back what `orders revoke`, or the answer `take` to a review, did. What the shop says counts again.

Example:
  bursar orders restore campus 1001 --reason \"it was no fraud\"")]
pub struct RestoreArgs {
    /// Which order.
    #[command(flatten)]
    pub which: WhichOrder,
    /// This line only: the shop's id of it.
    #[arg(long, value_name = "LINE")]
    pub line: Option<String>,
    /// Say what would follow, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

/// Arguments of `bursar orders seat`.
#[derive(Debug, Args)]
#[command(after_help = "\
A line of several has as many seats. Seat 1 is the learner's whom the order names; without --seat the first free one is \
taken. A seat that somebody has goes over to the new learner.

Examples:
  bursar orders seat campus 1001 bo@example.org --reason \"list of the company\"
  bursar orders seat campus 1001 --seat 2 cy --reason \"bo left the company\"")]
pub struct SeatArgs {
    /// Which order.
    #[command(flatten)]
    pub which: WhichOrder,
    /// Who: an e-mail address or a username.
    #[arg(value_name = "LEARNER", value_parser = because::learner)]
    pub learner: Identity,
    /// Of this line: the shop's id of it. Needed where the order has several.
    #[arg(long, value_name = "LINE")]
    pub line: Option<String>,
    /// Which seat, from 1; otherwise the first that is free.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub seat: Option<u32>,
    /// Say what would follow, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

/// Arguments of `bursar orders transfer`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("to").required(true))]
#[command(after_help = "\
What the shop says of learner and course counts no more for this line; refunds and cancellations do.

Examples:
  bursar orders transfer campus 1001 --to-learner bo@example.org \\
    --reason \"bought for a colleague\"
  bursar orders transfer campus 1001 --line 7 \\
    --to-run course-v1:Example+CS101+2027 --reason \"next year's run\"")]
pub struct TransferArgs {
    /// Which order.
    #[command(flatten)]
    pub which: WhichOrder,
    /// This line: the shop's id of it. Needed where the order has several.
    #[arg(long, value_name = "LINE")]
    pub line: Option<String>,
    /// To this learner: an e-mail address or a username.
    #[arg(long, value_name = "LEARNER", group = "to", value_parser = because::learner)]
    pub to_learner: Option<Identity>,
    /// To this course run.
    #[arg(long, value_name = "RUN", group = "to", value_parser = CourseRun::parse)]
    pub to_run: Option<CourseRun>,
    /// In this mode; otherwise in the one that was sold.
    #[arg(long, requires = "to_run", value_parser = Mode::parse)]
    pub mode: Option<Mode>,
    /// Of a line that sells several course runs: only this one.
    #[arg(long, value_name = "RUN", requires = "to_run", value_parser = CourseRun::parse)]
    pub from_run: Option<CourseRun>,
    /// Say what would follow, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

/// Arguments of `bursar orders set-aside`.
#[derive(Debug, Args)]
#[command(after_help = "\
When a shop was restored from a backup, it counts on from an older number: new orders come under ids that others had \
before, and are not applied (review order-identity-changed). Set the old order aside: it keeps what it gave, under \
another id. Then have the delivery of the new one run again.

Example:
  bursar orders set-aside campus 1001 --reason \"shop restored on 3 May\"")]
pub struct SetAsideArgs {
    /// Which order.
    #[command(flatten)]
    pub which: WhichOrder,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

fn cause(text: &str) -> Result<Cause, &'static str> {
    match text {
        "refunded" => Ok(Cause::Refunded),
        "cancelled" => Ok(Cause::Cancelled),
        "deleted" => Ok(Cause::Deleted),
        "disputed" => Ok(Cause::Disputed),
        _ => Err("is none of refunded, cancelled, deleted, disputed"),
    }
}

/// Has an order count as paid.
///
/// # Errors
/// When there is no such order, or it is paid already.
pub async fn approve(context: &Context, args: &ApproveArgs) -> Result<(), CliError> {
    let desk = Desk::open(context, &args.which).await?;
    let order = &desk.detail.order;
    if order.payment == Payment::Paid && !order.is_approved() {
        return Err(CliError::failed(format!("{} is paid, so there is nothing to approve", desk.name()))
            .hint(format!("`bursar orders show {} {}` says why it gives no access", order.shop, desk.quoted())));
    }
    let done = format!("approved {}: it counts as paid", desk.name());
    desk.decide(None, OrderDecision::Approve, &args.because, args.dry_run, &done).await
}

/// Has a hold count no more.
///
/// # Errors
/// When there is no such order, or nothing holds it for that cause.
pub async fn lift(context: &Context, args: &LiftArgs) -> Result<(), CliError> {
    let desk = Desk::open(context, &args.which).await?;
    let order = &desk.detail.order;
    let line = desk.line(args.line.as_deref())?;
    let held = |holds: &[Hold]| holds.iter().any(|hold| hold.cause == args.cause && hold.holds);
    let lines = order.lines.iter().filter(|known| line.is_none_or(|line| line.id == known.id));
    let word = standing::cause(args.cause);
    if !held(&order.holds) && !lines.clone().any(|line| held(&line.holds)) {
        let gone = lines.clone().any(|line| line.quantity_left() == 0);
        let error = CliError::failed(format!("{} is not held as {word}, so there is nothing to lift", desk.name()));
        return Err(if gone && args.cause == Cause::Refunded {
            error.hint("the whole quantity was refunded; `bursar learner grant` gives access by hand")
        } else {
            error.hint(format!("`bursar orders show {} {}` lists what holds it", order.shop, desk.quoted()))
        });
    }
    let done = format!("lifted that {} is {word}", desk.part(args.line.as_deref()));
    desk.decide(args.line.as_deref(), OrderDecision::Lift { cause: args.cause }, &args.because, args.dry_run, &done)
        .await
}

/// Ends the access that an order, or a line of it, gives.
///
/// # Errors
/// When there is no such order, or it was revoked before.
pub async fn revoke(context: &Context, args: &RevokeArgs) -> Result<(), CliError> {
    let desk = Desk::open(context, &args.which).await?;
    if is_barred(desk.holds(args.line.as_deref())?) {
        return Err(CliError::failed(format!("{} was revoked before", desk.part(args.line.as_deref()))));
    }
    let done = format!("revoked {}", desk.part(args.line.as_deref()));
    desk.decide(args.line.as_deref(), OrderDecision::Bar, &args.because, args.dry_run, &done).await
}

/// Takes a revocation back.
///
/// # Errors
/// When there is no such order, or it was not revoked.
pub async fn restore(context: &Context, args: &RestoreArgs) -> Result<(), CliError> {
    let desk = Desk::open(context, &args.which).await?;
    if !is_barred(desk.holds(args.line.as_deref())?) {
        let order = &desk.detail.order;
        let error = CliError::failed(format!("{} was not revoked", desk.part(args.line.as_deref())));
        let barred = order.lines.iter().find(|line| is_barred(&line.holds));
        return Err(match (args.line.as_ref(), barred) {
            (Some(_), _) if is_barred(&order.holds) => error.hint("the whole order was: leave out --line"),
            (None, Some(line)) => error.hint(format!("a line of it was: --line {}", line.external_id)),
            _ => error.hint("what the shop took back is lifted with `bursar orders lift`"),
        });
    }
    let done = format!("took the revocation of {} back", desk.part(args.line.as_deref()));
    desk.decide(args.line.as_deref(), OrderDecision::Unbar, &args.because, args.dry_run, &done).await
}

fn is_barred(holds: &[Hold]) -> bool {
    holds.iter().any(|hold| hold.cause == Cause::Operator && hold.holds)
}

/// Gives a seat to a learner.
///
/// # Errors
/// When there is no such order, line or seat.
pub async fn seat(context: &Context, args: &SeatArgs) -> Result<(), CliError> {
    let desk = Desk::open(context, &args.which).await?;
    let line = desk.one_line(args.line.as_deref())?;
    let learner = args.learner.clone();
    let done = match args.seat {
        Some(seat) => format!("gave seat {seat} of {} to {}", desk.part(Some(&line)), learner.written()),
        None => format!("gave a seat of {} to {}", desk.part(Some(&line)), learner.written()),
    };
    let decision = OrderDecision::Seat { seat: args.seat, learner };
    desk.decide(Some(&line), decision, &args.because, args.dry_run, &done).await
}

/// Moves what was bought to another learner, or to another course run.
///
/// # Errors
/// When there is no such order or line, or it is not clear what is to move.
pub async fn transfer(context: &Context, args: &TransferArgs) -> Result<(), CliError> {
    let desk = Desk::open(context, &args.which).await?;
    let line = desk.one_line(args.line.as_deref())?;
    let part = desk.part(Some(&line));
    let (decision, done) = match (&args.to_learner, &args.to_run) {
        (Some(learner), _) => {
            let done = format!("transferred {part} to {}", learner.written());
            (OrderDecision::Seat { seat: Some(FIRST_SEAT), learner: learner.clone() }, done)
        }
        (None, Some(run)) => {
            (OrderDecision::Sell { courses: desk.moved(&line, args, run)? }, { format!("transferred {part} to {run}") })
        }
        (None, None) => return Err(CliError::usage("it is not said where to: give --to-learner or --to-run")),
    };
    desk.decide(Some(&line), decision, &args.because, args.dry_run, &done).await
}

/// Has an order give its id up.
///
/// # Errors
/// When there is no such order.
pub async fn set_aside(context: &Context, args: &SetAsideArgs) -> Result<(), CliError> {
    let desk = Desk::open(context, &args.which).await?;
    let before = &desk.detail.order;
    if before.external_id.contains(' ') {
        return Err(CliError::failed(format!("{} has no id of the shop's to give up", desk.name())));
    }
    // What was kept from being applied tells where the other order came from.
    let mut waiting: Vec<String> = desk
        .detail
        .reviews
        .iter()
        .filter(|review| review.resolved_at.is_none() && review.concern == Concern::OrderIdentityChanged)
        .filter_map(|review| review.delivery.map(|delivery| delivery.to_string()))
        .collect();
    waiting.dedup();
    let part = OrderPart { shop: before.shop.clone(), order: before.external_id.clone(), line: None };
    let person = args.because.person(context)?;
    let decided =
        desk.store.decide(part, OrderDecision::SetAside, person, desk.policy.clone(), context.clock.now()).await?;
    let data =
        json!({ "order": decided.external_id, "was": before.external_id, "shop": decided.shop, "deliveries": waiting });
    context.output.item(&data, |_| format!("set {} aside; it is now called “{}”", desk.name(), decided.external_id))?;
    match waiting.as_slice() {
        [] => context.output.say("what the shop sends under its id from now on is another order"),
        deliveries => context.output.say(&format!(
            "now have the other order's delivery run again:\n  bursar deliveries retry {}",
            deliveries.join(" ")
        )),
    }
    Ok(())
}

/// An order in front of a person who decides about it.
struct Desk<'a> {
    context: &'a Context,
    store: Store,
    policy: ShopPolicy,
    detail: OrderDetail,
}

impl<'a> Desk<'a> {
    async fn open(context: &'a Context, which: &WhichOrder) -> Result<Self, CliError> {
        let config = context.load_config_without_secrets()?;
        let policy = because::policy(&config, &which.shop)?;
        let StoreConfig::Sqlite { path } = &config.store;
        let store = Store::open(path, Purpose::Tool).await?;
        let detail = store.order_detail(&which.shop, &which.order).await.map_err(|error| match error {
            StoreError::NotFound { .. } => {
                CliError::failed(format!("no shop ever sent order {} of {}", which.order, which.shop))
                    .hint("`bursar orders list` has those that are known")
            }
            other => other.into(),
        })?;
        Ok(Self { context, store, policy, detail })
    }

    fn name(&self) -> String {
        standing::order_name(&self.detail.order)
    }

    /// The order as it is written on a command line.
    fn quoted(&self) -> String {
        let Order { number, external_id, .. } = &self.detail.order;
        if external_id.contains(' ') {
            format!("'{external_id}'")
        } else {
            number.as_ref().unwrap_or(external_id).clone()
        }
    }

    /// `campus/1001`, or `line 7 of campus/1001`.
    fn part(&self, line: Option<&str>) -> String {
        match line {
            Some(line) if self.detail.order.lines.len() > 1 => format!("line {line} of {}", self.name()),
            _ => self.name(),
        }
    }

    fn line(&self, name: Option<&str>) -> Result<Option<&Line>, CliError> {
        let Some(name) = name else { return Ok(None) };
        let lines = &self.detail.order.lines;
        lines.iter().find(|line| line.external_id == name).map(Some).ok_or_else(|| {
            CliError::failed(format!("{} has no line {name}", self.name()))
                .hint(format!("it has: {}", line_names(lines)))
        })
    }

    /// The line that is named, or the only one that there is.
    fn one_line(&self, name: Option<&str>) -> Result<String, CliError> {
        let lines = &self.detail.order.lines;
        match (self.line(name)?, lines.as_slice()) {
            (Some(line), _) | (None, [line]) => Ok(line.external_id.clone()),
            (None, lines) => Err(CliError::failed(format!("{} has {} lines", self.name(), lines.len()))
                .hint(format!("say which with --line: {}", line_names(lines)))),
        }
    }

    fn holds(&self, line: Option<&str>) -> Result<&[Hold], CliError> {
        Ok(self.line(line)?.map_or(self.detail.order.holds.as_slice(), |line| line.holds.as_slice()))
    }

    /// What a line sells when it is moved to `run`.
    fn moved(&self, line: &str, args: &TransferArgs, run: &CourseRun) -> Result<Vec<(CourseRun, Mode)>, CliError> {
        let pins = self.line(Some(line))?.and_then(|line| line.pins.as_deref()).unwrap_or_default();
        let known = || {
            pins.iter().map(|pin| pin.run.as_str()).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
        };
        let moves = |pin: &&bursar_domain::grants::Pin| args.from_run.as_ref().is_none_or(|from| pin.run == *from);
        let moving: Vec<_> = pins.iter().filter(moves).collect();
        if let (Some(from), []) = (&args.from_run, moving.as_slice()) {
            return Err(CliError::failed(format!("{} does not sell {from}", self.part(Some(line))))
                .hint(format!("it sells: {}", known())));
        }
        let runs: BTreeSet<&CourseRun> = moving.iter().map(|pin| &pin.run).collect();
        if runs.len() > 1 {
            return Err(CliError::failed(format!("{} sells several course runs", self.part(Some(line))))
                .hint(format!("say which one is replaced with --from-run: {}", known())));
        }
        let mut courses: Vec<(CourseRun, Mode)> =
            pins.iter().filter(|pin| !moves(pin)).map(|pin| (pin.run.clone(), pin.mode.clone())).collect();
        let modes: Vec<Mode> = match &args.mode {
            Some(mode) => vec![mode.clone()],
            None if moving.is_empty() => vec![self.policy.default_mode.clone()],
            None => moving.iter().map(|pin| pin.mode.clone()).collect(),
        };
        courses.extend(modes.into_iter().map(|mode| (run.clone(), mode)));
        Ok(courses)
    }

    /// Decides, or shows what would follow.
    async fn decide(
        &self,
        line: Option<&str>,
        decision: OrderDecision,
        because: &Because,
        dry_run: bool,
        done: &str,
    ) -> Result<(), CliError> {
        let person = because.person(self.context)?;
        let name = person.name.clone();
        let before = &self.detail.order;
        let part =
            OrderPart { shop: before.shop.clone(), order: before.external_id.clone(), line: line.map(str::to_owned) };
        let (policy, now) = (self.policy.clone(), self.context.clock.now());
        let after = if dry_run {
            self.store.rehearse(part, decision, person, policy, now).await?
        } else {
            self.store.decide(part, decision, person, policy, now).await?
        };
        let change = Change::between(before, &after);
        let data = json!({
            "dry_run": dry_run, "shop": before.shop, "order": before.external_id, "by": name, "words": done,
            "ended": change.ended.iter().map(|grant| data(grant)).collect::<Vec<_>>(),
            "began": change.began.iter().map(|grant| data(grant)).collect::<Vec<_>>(),
        });
        self.context.output.item(&data, |_| {
            let done = if dry_run {
                format!("nothing was changed; {name} would have {done}")
            } else {
                format!("{name} {done}")
            };
            let more: Vec<String> =
                change.words(&self.policy).into_iter().chain(self.nothing(&change, &after)).collect();
            format!("{done}\n  {}", more.join("\n  "))
        })
    }

    /// Why nothing follows, line by line.
    fn nothing(&self, change: &Change<'_>, after: &Order) -> Vec<String> {
        if !change.ended.is_empty() || !change.began.is_empty() {
            return Vec::new();
        }
        let now = self.context.clock.now();
        let why = |line: &Line| {
            let standing = standing::line(after, line, Some(&self.policy), self.detail.catalog.get(&line.id), now);
            let verb = if standing.gives { "gives access" } else { "gives no access" };
            format!("line {} {verb}: {}", line.external_id, standing.why)
        };
        std::iter::once("nobody's access changes by it".to_owned()).chain(after.lines.iter().map(why)).collect()
    }
}

fn line_names(lines: &[Line]) -> String {
    lines.iter().map(|line| line.external_id.as_str()).collect::<Vec<_>>().join(", ")
}

/// What a decision changes about who is owed what.
struct Change<'a> {
    ended: Vec<&'a Grant>,
    began: Vec<&'a Grant>,
}

impl<'a> Change<'a> {
    fn between(before: &'a Order, after: &'a Order) -> Self {
        let live =
            |order: &'a Order| order.lines.iter().flat_map(|line| &line.grants).filter(|grant| grant.ended.is_none());
        let is_in = |order: &'a Order, grant: &Grant| live(order).any(|known| known.id == grant.id);
        Self {
            ended: live(before).filter(|grant| !is_in(after, grant)).collect(),
            began: live(after).filter(|grant| !is_in(before, grant)).collect(),
        }
    }

    fn words(&self, policy: &ShopPolicy) -> Vec<String> {
        let grant = |grant: &Grant| format!("{} in {} for {}", grant.mode, grant.run, grant.identity.written());
        let quiet = if policy.quiet_time.is_zero() {
            String::new()
        } else {
            format!(", in the LMS after {}", human::duration(policy.quiet_time))
        };
        let ended = self.ended.iter().map(|ended| format!("ends: {}{quiet}", grant(ended)));
        ended.chain(self.began.iter().map(|began| format!("begins: {}", grant(began)))).collect()
    }
}

fn data(grant: &Grant) -> Value {
    json!({
        "course_run": grant.run, "mode": grant.mode, "seat": grant.seat, "learner": grant.identity.written(),
        "lms": grant.lms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_is_no_cause_that_is_lifted() {
        assert_eq!(cause("refunded"), Ok(Cause::Refunded));
        assert!(cause("operator").is_err());
    }
}
