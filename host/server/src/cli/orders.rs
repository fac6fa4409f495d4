//! `bursar orders`: what was bought, why it does or does not give access, and what people decide about it.

use bursar_domain::ShopName;
use clap::{Args, Subcommand};

pub mod decide;
pub mod decided;
pub mod list;
pub mod show;

/// What can be asked of orders.
#[derive(Debug, Subcommand)]
pub enum OrdersCommand {
    /// List orders, newest first.
    List(list::ListArgs),
    /// Show one order: its lines, why each gives access or not, and what people decided.
    Show(show::ShowArgs),
    /// Have an order count as paid, whatever the shop says of the money.
    Approve(decide::ApproveArgs),
    /// Say that a hold does not count: a refund that was a mistake, say.
    Lift(decide::LiftArgs),
    /// End the access that an order gives, whatever the shop says.
    Revoke(decide::RevokeArgs),
    /// Take a revocation back.
    Restore(decide::RestoreArgs),
    /// Give a seat of a line to a learner.
    Seat(decide::SeatArgs),
    /// Move what was bought to another learner, or to another course run.
    Transfer(decide::TransferArgs),
    /// Have an order give its id up, for a shop that uses the id again.
    SetAside(decide::SetAsideArgs),
}

/// Which order.
#[derive(Debug, Args)]
pub struct WhichOrder {
    /// The shop.
    #[arg(value_name = "SHOP", value_parser = ShopName::parse)]
    pub shop: ShopName,
    /// The order's number, or the shop's id of it.
    #[arg(value_name = "ORDER")]
    pub order: String,
}
