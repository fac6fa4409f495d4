//! `bursar deliveries`: its arguments.

use bursar_domain::{ShopName, ids::DeliveryId};
use clap::{Args, Subcommand};

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
  bursar deliveries list --state dead
  bursar --json deliveries list --limit 200")]
pub struct ListArgs {
    /// Of this shop only.
    #[arg(long)]
    pub shop: Option<ShopName>,
    /// In this state only.
    #[arg(long)]
    pub state: Option<String>,
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
  bursar deliveries retry --dead --shop campus")]
pub struct RetryArgs {
    /// The deliveries.
    #[arg(value_name = "ID", required_unless_present = "dead", conflicts_with = "dead")]
    pub ids: Vec<DeliveryId>,
    /// All that were given up.
    #[arg(long)]
    pub dead: bool,
    /// With --dead: of this shop only.
    #[arg(long, requires = "dead")]
    pub shop: Option<ShopName>,
}
