//! `bursar review`: what needs a person.

use bursar_domain::ShopName;
use bursar_store::{Purpose, reviews::Review};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{CliError, Context, deliveries::LIMIT_MAX};
use crate::output::{
    human,
    table::{Column, Table},
};

/// What can be asked of reviews.
#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// List what needs a person, oldest first.
    List(ListArgs),
}

/// Arguments of `bursar review list`.
#[derive(Debug, Args)]
#[command(after_help = "\
A review changes nobody's access by itself.

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
    let now = context.clock.now();
    context.output.list(&rows, |_| {
        let mut table = Table::new([
            Column::new("review").whole(),
            Column::new("shop"),
            Column::new("order"),
            Column::new("what"),
            Column::new("times").right(),
            Column::new("since"),
            Column::new("settled"),
        ]);
        for review in &reviews {
            table.row([
                review.id.to_string(),
                review.shop.as_ref().map(ToString::to_string).unwrap_or_default(),
                review.order.clone().unwrap_or_default(),
                review.concern.to_string(),
                review.times.to_string(),
                human::relative(review.opened_at, now),
                review.resolution.clone().unwrap_or_default(),
            ]);
        }
        table
    })
}

fn row(review: &Review) -> serde_json::Value {
    json!({
        "id": review.id, "shop": review.shop, "order": review.order, "delivery": review.delivery,
        "code": review.concern.code(), "concern": review.concern, "words": review.concern.to_string(),
        "times": review.times, "opened_at": review.opened_at.to_string(), "last_at": review.last_at.to_string(),
        "resolved_at": review.resolved_at.map(|at| at.to_string()), "resolution": review.resolution,
    })
}
