//! `bursar deliveries`: looking at what shops sent, and having it run again.

use bursar_domain::{ShopName, Timestamp, ids::DeliveryId};
use bursar_store::{
    Purpose, Store,
    inbox::DeliveryState,
    people::{AttemptSummary, DeliveryDetail, DeliveryFilter, DeliverySummary, TrailEntry},
};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::{CliError, Context};
use crate::output::{
    human,
    table::{Column, Table},
};

/// Most rows that one command prints: enough to look through, and a slip of the finger is not felt by the store.
pub const LIMIT_MAX: u32 = 1_000;

/// What can be asked of deliveries.
#[derive(Debug, Subcommand)]
pub enum DeliveriesCommand {
    /// List deliveries, newest first.
    List(ListArgs),
    /// Show one delivery: what came, what the adapter said of it, what followed.
    Show(ShowArgs),
    /// Have deliveries run again now.
    Retry(RetryArgs),
}

/// Arguments of `bursar deliveries list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bursar deliveries list --shop campus
  bursar deliveries list --state rejected
  bursar --json deliveries list --limit 200")]
pub struct ListArgs {
    /// Of this shop only.
    #[arg(long)]
    pub shop: Option<ShopName>,
    /// In this state only: parked, queued, waiting, done, ignored, rejected, refused or failed.
    #[arg(long, value_parser = state)]
    pub state: Option<DeliveryState>,
    /// About this order or subject only, as the shop calls it.
    #[arg(long)]
    pub subject: Option<String>,
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIMIT_MAX)))]
    pub limit: u32,
    /// Only those before this one: the last of the page before.
    #[arg(long, value_name = "ID")]
    pub before: Option<DeliveryId>,
}

/// Arguments of `bursar deliveries show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bursar deliveries show dlv_01998c2f6d3a7b1c8e4f5a6b7c8d9e0f
  bursar deliveries show dlv_01998c2f6d3a7b1c8e4f5a6b7c8d9e0f --body")]
pub struct ShowArgs {
    /// The delivery.
    #[arg(value_name = "ID")]
    pub id: DeliveryId,
    /// Print the stored body and nothing else. It holds personal data.
    #[arg(long)]
    pub body: bool,
}

/// Arguments of `bursar deliveries retry`.
#[derive(Debug, Args)]
#[command(after_help = "\
Running a delivery again is safe: what was done already is not done twice.

Examples:
  bursar deliveries retry dlv_01998c2f6d3a7b1c8e4f5a6b7c8d9e0f
  bursar deliveries retry --failed --shop campus")]
pub struct RetryArgs {
    /// The deliveries.
    #[arg(value_name = "ID", required_unless_present = "failed", conflicts_with = "failed")]
    pub ids: Vec<DeliveryId>,
    /// All that were given up, but for those that the shop asked to forget.
    #[arg(long)]
    pub failed: bool,
    /// With --failed: of this shop only.
    #[arg(long, requires = "failed")]
    pub shop: Option<ShopName>,
}

fn state(text: &str) -> Result<DeliveryState, String> {
    DeliveryState::ALL.iter().find(|(word, _)| *word == text).map(|(_, state)| *state).ok_or_else(|| {
        let words: Vec<_> = DeliveryState::ALL.iter().map(|(word, _)| *word).collect();
        format!("is none of {}", words.join(", "))
    })
}

#[derive(Debug, Serialize)]
struct Row {
    id: DeliveryId,
    shop: ShopName,
    state: DeliveryState,
    topic: String,
    subject: Option<String>,
    received_at: String,
    finished_at: Option<String>,
    next_at: Option<String>,
    attempts: u32,
    body_bytes: u64,
    blanked_at: Option<String>,
    problem_code: Option<String>,
    problem: Option<String>,
}

impl From<&DeliverySummary> for Row {
    fn from(delivery: &DeliverySummary) -> Self {
        let (problem_code, problem) = delivery.problem.clone().unzip();
        let text = |at: Timestamp| at.to_string();
        Self {
            id: delivery.id,
            shop: delivery.shop.clone(),
            state: delivery.state,
            topic: delivery.topic.clone(),
            subject: delivery.subject.clone(),
            received_at: text(delivery.received_at),
            finished_at: delivery.finished_at.map(text),
            next_at: delivery.due_at.map(text),
            attempts: delivery.attempts,
            body_bytes: delivery.body_bytes,
            blanked_at: delivery.blanked_at.map(text),
            problem_code,
            problem,
        }
    }
}

/// Lists deliveries.
///
/// # Errors
/// When the store cannot be read.
pub async fn list(context: &Context, args: &ListArgs) -> Result<(), CliError> {
    let store = context.open_store(Purpose::Tool).await?;
    let filter = DeliveryFilter {
        shop: args.shop.clone(),
        state: args.state,
        subject: args.subject.clone(),
        before: args.before,
        limit: args.limit,
    };
    let deliveries = store.deliveries(&filter).await?;
    let rows: Vec<Row> = deliveries.iter().map(Row::from).collect();
    if rows.is_empty() && !context.output.is_json() {
        context.output.say("no deliveries");
        return Ok(());
    }
    let now = context.clock.now();
    context.output.list(&rows, |_| {
        let mut table = Table::new([
            Column::new("delivery").whole(),
            Column::new("shop"),
            Column::new("state"),
            Column::new("topic"),
            Column::new("about"),
            Column::new("tries").right(),
            Column::new("came"),
            Column::new("problem"),
        ]);
        for delivery in &deliveries {
            table.row([
                delivery.id.to_string(),
                delivery.shop.to_string(),
                delivery.state.to_string(),
                delivery.topic.clone(),
                delivery.subject.clone().unwrap_or_default(),
                delivery.attempts.to_string(),
                human::relative(delivery.received_at, now),
                delivery.problem.as_ref().map(|(_, message)| first_line(message).to_owned()).unwrap_or_default(),
            ]);
        }
        table
    })
}

/// Shows one delivery.
///
/// # Errors
/// When there is none, or the store cannot be read.
pub async fn show(context: &Context, args: &ShowArgs) -> Result<(), CliError> {
    let store = context.open_store(Purpose::Tool).await?;
    let delivery = store.delivery(args.id).await?;
    if args.body {
        return context.output.raw(&delivery.request.body);
    }
    if context.output.is_json() {
        return context.output.item(&detail(&delivery), |_| String::new());
    }
    tell(context, &delivery)
}

fn detail(delivery: &DeliveryDetail) -> serde_json::Value {
    let attempt = |attempt: &AttemptSummary| {
        json!({
            "number": attempt.number, "adapter": attempt.adapter, "outcome": attempt.outcome,
            "started_at": attempt.started_at.to_string(), "ended_at": attempt.ended_at.to_string(),
            "micros": attempt.guest_micros, "notes": attempt.notes,
            "problem_code": attempt.problem.as_ref().map(|(code, _)| code),
            "problem": attempt.problem.as_ref().map(|(_, message)| message),
        })
    };
    json!({
        "delivery": Row::from(&delivery.summary),
        "method": delivery.request.method, "path": delivery.request.path, "query": delivery.request.query,
        "attempts": delivery.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "trail": delivery.trail.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// An entry of a trail, for programs.
pub(super) fn entry(entry: &TrailEntry) -> serde_json::Value {
    json!({
        "at": entry.at.to_string(), "actor": entry.actor, "action": entry.action, "course_run": entry.run,
        "reason": entry.reason, "words": entry.reason.to_string(),
    })
}

fn tell(context: &Context, delivery: &DeliveryDetail) -> Result<(), CliError> {
    let output = &context.output;
    let now = context.clock.now();
    let summary = &delivery.summary;
    output.heading(&summary.id.to_string())?;
    let mut facts = format!(
        "{} from {}, {}, {}\ncame {} ({}), {}",
        summary.state,
        summary.shop,
        if summary.topic.is_empty() { "no topic" } else { &summary.topic },
        summary
            .subject
            .as_ref()
            .map_or_else(|| "about nothing in particular".to_owned(), |subject| format!("about {subject}")),
        human::moment(summary.received_at),
        human::relative(summary.received_at, now),
        human::size(summary.body_bytes),
    );
    if let Some((code, message)) = &summary.problem {
        facts.push_str(&format!("\n{message} ({code})"));
    }
    if let Some(at) = summary.blanked_at {
        let when = human::moment(at);
        facts.push_str(&format!("\nblanked {when}: the shop asked that what it is about be forgotten"));
    }
    if let Some(due) = summary.due_at {
        facts.push_str(&format!("\nlooked at next {}", human::relative(due, now)));
    }
    output.text(&facts)?;
    if !delivery.attempts.is_empty() {
        output.heading("attempts")?;
        let mut table = Table::new([
            Column::new("no.").right(),
            Column::new("began"),
            Column::new("took").right(),
            Column::new("outcome"),
            Column::new("adapter"),
            Column::new("said"),
        ]);
        for attempt in &delivery.attempts {
            table.row([
                attempt.number.to_string(),
                human::moment(attempt.started_at),
                human::duration(std::time::Duration::from_micros(attempt.guest_micros)),
                attempt.outcome.clone(),
                attempt.adapter.clone(),
                said(attempt),
            ]);
        }
        output.table(&table)?;
    }
    if !delivery.trail.is_empty() {
        output.heading("what followed")?;
        output.table(&trail(&delivery.trail))?;
    }
    Ok(())
}

fn said(attempt: &AttemptSummary) -> String {
    let problem = attempt.problem.iter().map(|(_, message)| first_line(message).to_owned());
    let ignored = attempt.notes.ignored.iter().cloned();
    let log = attempt.notes.log.iter().map(|(level, text)| format!("{level}: {text}"));
    problem.chain(ignored).chain(log).collect::<Vec<_>>().join("; ")
}

/// A trail as a table.
pub(super) fn trail(entries: &[TrailEntry]) -> Table {
    let mut table = Table::new([
        Column::new("when").whole(),
        Column::new("what"),
        Column::new("course run"),
        Column::new("why").wrapped(),
        Column::new("by"),
    ]);
    for entry in entries {
        table.row([
            human::moment(entry.at),
            entry.action.to_string(),
            entry.run.as_ref().map(ToString::to_string).unwrap_or_default(),
            entry.reason.to_string(),
            entry.actor.clone(),
        ]);
    }
    table
}

/// A hint stands on a line of its own, which has no place in a cell.
pub(super) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Has deliveries run again.
///
/// # Errors
/// When there is no such delivery, or the store cannot be written.
pub async fn retry(context: &Context, args: &RetryArgs) -> Result<(), CliError> {
    let store = context.open_store(Purpose::Tool).await?;
    let ids = if args.failed { failed(&store, args).await? } else { args.ids.clone() };
    let mut rows = Vec::with_capacity(ids.len());
    for id in &ids {
        let state = store.retry(*id, context.clock.now()).await?;
        rows.push(json!({ "id": id, "state": state }));
    }
    if context.output.is_json() {
        return context.output.list(&rows, |_| Table::new([]));
    }
    context.output.say(&match ids.len() {
        0 => "no delivery has failed".to_owned(),
        1 => "1 delivery will be run again by `bursar serve`".to_owned(),
        count => format!("{count} deliveries will be run again by `bursar serve`"),
    });
    Ok(())
}

async fn failed(store: &Store, args: &RetryArgs) -> Result<Vec<DeliveryId>, CliError> {
    let filter = DeliveryFilter {
        shop: args.shop.clone(),
        state: Some(DeliveryState::Failed),
        limit: LIMIT_MAX,
        ..DeliveryFilter::default()
    };
    let failed = store.deliveries(&filter).await?;
    // Of what was blanked nothing is left that could be run.
    Ok(failed.iter().filter(|delivery| delivery.blanked_at.is_none()).map(|delivery| delivery.id).collect())
}
