//! `bursar review`: its arguments.

use bursar_domain::ShopName;
use clap::{Args, Subcommand};

use super::deliveries::LIMIT_MAX;

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
