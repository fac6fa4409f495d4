//! `bursar orders list`.

use bursar_domain::{ShopName, statement::Payment};
use bursar_store::{
    Purpose,
    people::{OrderFilter, OrderSummary},
};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::{CliError, Context, deliveries::LIMIT_MAX, standing},
    output::{
        human,
        table::{Column, Table},
    },
};

/// Arguments of `bursar orders list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bursar orders list
  bursar orders list --shop campus --limit 200
  bursar orders list --learner ada@example.org")]
pub struct ListArgs {
    /// Of this shop only.
    #[arg(long)]
    pub shop: Option<ShopName>,
    /// For this learner only: an e-mail address or a username, in any case of letters.
    #[arg(long)]
    pub learner: Option<String>,
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIMIT_MAX)))]
    pub limit: u32,
}

/// Lists orders.
///
/// # Errors
/// When the store cannot be read.
pub async fn run(context: &Context, args: &ListArgs) -> Result<(), CliError> {
    let store = context.open_store(Purpose::Tool).await?;
    let filter = OrderFilter { shop: args.shop.clone(), learner: args.learner.clone(), limit: args.limit };
    let orders = store.orders(&filter).await?;
    let rows: Vec<Value> = orders.iter().map(row).collect();
    if rows.is_empty() && !context.output.is_json() {
        context.output.say("no orders");
        return Ok(());
    }
    let now = context.clock.now();
    context.output.list(&rows, |_| {
        let mut table = Table::new([
            Column::new("shop"),
            Column::new("order"),
            Column::new("learner"),
            Column::new("stands"),
            Column::new("lines").right(),
            Column::new("owed").right(),
            Column::new("reviews").right(),
            Column::new("changed"),
        ]);
        for order in &orders {
            table.row([
                order.shop.to_string(),
                called(order).to_owned(),
                order.learner.clone().unwrap_or_default(),
                stands(order),
                order.lines.to_string(),
                order.owed.to_string(),
                if order.reviews == 0 { String::new() } else { order.reviews.to_string() },
                human::relative(order.changed_at, now),
            ]);
        }
        table
    })
}

/// What `orders show` finds it by.
fn called(order: &OrderSummary) -> &str {
    if order.external_id.contains(' ') {
        &order.external_id
    } else {
        order.number.as_ref().unwrap_or(&order.external_id)
    }
}

/// `paid`, `unpaid, approved`, `paid, refunded`.
fn stands(order: &OrderSummary) -> String {
    let payment = match order.payment {
        Payment::Paid => "paid",
        Payment::Unpaid => "not paid",
        Payment::Undecided => "not known to be paid",
    };
    let approved = order.approved.then_some("approved");
    let held = order.held.iter().map(|cause| standing::cause(*cause));
    std::iter::once(payment).chain(approved).chain(held).collect::<Vec<_>>().join(", ")
}

fn row(order: &OrderSummary) -> Value {
    json!({
        "id": order.id, "shop": order.shop, "order": called(order), "external_id": order.external_id,
        "number": order.number, "learner": order.learner, "payment": order.payment, "approved": order.approved,
        "held": order.held, "lines": order.lines, "owed": order.owed, "reviews": order.reviews,
        "placed_at": order.placed_at.map(|at| at.to_string()), "changed_at": order.changed_at.to_string(),
    })
}
