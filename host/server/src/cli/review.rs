//! `bursar review`: what needs a person.

use bursar_domain::{ShopName, Timestamp, decision::Answer, ids::ReviewId, reason::Concern};
use bursar_store::{Purpose, Store, reviews::Review};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{CliError, Context, because::Because, deliveries::LIMIT_MAX};
use crate::{
    config::StoreConfig,
    output::{human, table::Table},
    serve::policies,
};

/// What can be asked of reviews.
#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// List what needs a person, oldest first.
    List(ListArgs),
    /// Answer a review.
    Resolve(ResolveArgs),
}

/// Arguments of `bursar review list`.
#[derive(Debug, Args)]
#[command(after_help = "\
A review changes nobody's access by itself. Each says what `bursar review resolve` takes for an answer. What \
facts settle closes by itself.

Examples:
  bursar review list
  bursar review list --shop campus --all")]
pub struct ListArgs {
    /// Of this shop only.
    #[arg(long)]
    pub shop: Option<ShopName>,
    /// Those that are settled, too.
    #[arg(long)]
    pub all: bool,
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIMIT_MAX)))]
    pub limit: u32,
}

/// Arguments of `bursar review resolve`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("answer").required(true))]
#[command(after_help = "\
`bursar review list` says which answers fit. What is answered is not asked again unless there is news.

Examples:
  bursar review resolve rev_01998c2f6d3a7b1c8e4f5a6b7c8d9e0f --keep \\
    --reason \"paid back as goodwill\"
  bursar review resolve rev_01998c2f6d3a7b1c8e4f5a6b7c8d9e0f --again \\
    --reason \"the refunds are meant\"    (removals-paused)")]
pub struct ResolveArgs {
    /// The review.
    #[arg(value_name = "ID")]
    pub id: ReviewId,
    /// Seen, and nothing is to be done.
    #[arg(long, group = "answer")]
    pub noted: bool,
    /// The access stays as it is.
    #[arg(long, group = "answer")]
    pub keep: bool,
    /// The access ends.
    #[arg(long, group = "answer")]
    pub take: bool,
    /// What was paused or refused is tried once more.
    #[arg(long, group = "answer")]
    pub again: bool,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

impl ResolveArgs {
    fn answer(&self) -> Answer {
        match (self.keep, self.take, self.again) {
            (true, ..) => Answer::Keep,
            (_, true, _) => Answer::Take,
            (.., true) => Answer::Again,
            (false, false, false) => Answer::Noted,
        }
    }
}

/// Answers a review.
///
/// # Errors
/// When there is no such open review, or the answer does not fit it.
pub async fn resolve(context: &Context, args: &ResolveArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    let person = args.because.person(context)?;
    let StoreConfig::Sqlite { path } = &config.store;
    let store = Store::open(path, Purpose::Tool).await?;
    let answer = args.answer();
    let (name, now) = (person.name.clone(), context.clock.now());
    let concern = store.answer_review(args.id, answer, person, policies(&config), now).await?;
    let data = json!({ "id": args.id, "answer": answer, "by": name, "code": concern.code(), "words": follows(answer, &concern) });
    context.output.item(&data, |_| format!("{name} answered {answer}: {}\n{}", concern, follows(answer, &concern)))
}

/// What follows from an answer.
fn follows(answer: Answer, concern: &Concern) -> &'static str {
    match (answer, concern) {
        (Answer::Again, Concern::RemovalsPaused { .. }) => "what was paused is taken away now",
        (Answer::Again, _) => "it is tried once more now",
        (Answer::Take, Concern::Revoke { .. }) => "the learner goes back to what was there before",
        (Answer::Take, _) => "the access ends; `bursar orders restore` takes that back",
        (Answer::Keep, _) => "the access stays",
        (Answer::Noted, _) => "nothing else is done",
    }
}

/// What a review can be answered, as arguments of `resolve`.
fn answers(review: &Review) -> Vec<String> {
    match review.resolved_at {
        Some(_) => Vec::new(),
        None => review.concern.answers().iter().map(|answer| format!("--{answer}")).collect(),
    }
}

/// Lists reviews.
///
/// # Errors
/// When the store cannot be read.
pub async fn list(context: &Context, args: &ListArgs) -> Result<(), CliError> {
    let store = context.open_store(Purpose::Tool).await?;
    let mut reviews = store.reviews(args.all).await?;
    reviews.retain(|review| args.shop.as_ref().is_none_or(|shop| review.shop.as_ref() == Some(shop)));
    reviews.truncate(usize::try_from(args.limit).unwrap_or(usize::MAX));
    let rows: Vec<_> = reviews.iter().map(row).collect();
    if rows.is_empty() && !context.output.is_json() {
        context.output.say("nothing needs a person");
        return Ok(());
    }
    if context.output.is_json() {
        return context.output.list(&rows, |_| Table::new([]));
    }
    let now = context.clock.now();
    let blocks: Vec<String> = reviews.iter().map(|review| block(review, now)).collect();
    context.output.text(&blocks.join("\n\n"))
}

/// A review, with room for its sentence: a table would cut that.
fn block(review: &Review, now: Timestamp) -> String {
    let subject = match (&review.shop, &review.order) {
        (Some(shop), Some(order)) => format!("{shop}/{order}, "),
        (Some(shop), None) => format!("{shop}, "),
        (None, _) => String::new(),
    };
    let times = if review.times > 1 { format!(", {} times", review.times) } else { String::new() };
    let answers = answers(review);
    let answer = match (&review.resolution, answers.as_slice()) {
        (Some(resolution), _) => {
            let at = review.resolved_at.map(|at| format!(" {}", human::relative(at, now))).unwrap_or_default();
            format!("settled{at}: {resolution}")
        }
        (None, []) => "closes by itself: `bursar catalog import` says what the product is".to_owned(),
        (None, answers) => format!("answers: {}", answers.join(" ")),
    };
    format!(
        "{}  {subject}since {}{times}\n  {}\n  {answer}",
        review.id,
        human::relative(review.opened_at, now),
        review.concern
    )
}

fn row(review: &Review) -> serde_json::Value {
    json!({
        "id": review.id, "shop": review.shop, "order": review.order, "delivery": review.delivery,
        "code": review.concern.code(), "concern": review.concern, "words": review.concern.to_string(),
        "answers": if review.resolved_at.is_some() { &[] } else { review.concern.answers() },
        "times": review.times, "opened_at": review.opened_at.to_string(), "last_at": review.last_at.to_string(),
        "resolved_at": review.resolved_at.map(|at| at.to_string()), "resolution": review.resolution,
    })
}
