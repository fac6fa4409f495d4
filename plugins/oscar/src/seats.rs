//! Which order gave a learner a seat.
//!
//! The call that revokes does not name the order (fact 4), and the ledger is asked by order. So each sale is noted a second time,
//! as a line of an order that stands for the learner: `seats/ada`. It is unpaid and owes nothing; its lines hold, as the ids of
//! their product, order number, course run and mode.

use bursar_adapter::orders::{self, KnownLine, Payment};

use crate::REVISION;
use crate::call::{Sale, Seat};

/// The order that stands for a learner. Names that differ in their case only are one learner's.
pub(crate) fn noted_under(user: &str) -> String {
    format!("seats/{}", user.to_lowercase())
}

/// Notes a sale.
pub(crate) fn note(sale: &Sale<'_>) {
    let Sale { seat, order, .. } = sale;
    let noted = orders::patch(noted_under(&seat.user), &REVISION);
    noted.payment(Payment::Unpaid);
    noted
        .line(format!("{order}/{}", seat.run))
        .product([("order", order.as_ref()), ("run", seat.run.as_ref()), ("mode", seat.mode.as_ref())], "");
}

/// What is known of a seat.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sold {
    /// Nothing.
    Unknown,
    /// That each order that sold it gives access no more.
    Over,
    /// That this order sold it, and no other one still gives access.
    By(String),
    /// That several did.
    BySeveral,
}

/// Looks a seat up.
pub(crate) fn sold(seat: &Seat<'_>) -> Sold {
    let noted = orders::known(noted_under(&seat.user));
    let orders: Vec<String> = noted.iter().filter_map(|line| order_of(line, seat)).collect();
    if orders.is_empty() {
        return Sold::Unknown;
    }
    let mut giving = orders.into_iter().filter(|order| gives_access(order, &seat.run));
    match (giving.next(), giving.next()) {
        (None, _) => Sold::Over,
        (Some(order), None) => Sold::By(order),
        (Some(_), Some(_)) => Sold::BySeveral,
    }
}

/// The order of a noted line, if the line is about this seat.
fn order_of(line: &KnownLine, seat: &Seat<'_>) -> Option<String> {
    let product = line.product();
    let of = |kind: &str| product.iter().find(|(known, _)| known == kind).map(|(_, id)| id.as_str());
    let is_it = of("run") == Some(seat.run.as_ref()) && of("mode") == Some(seat.mode.as_ref());
    of("order").filter(|_| is_it).map(str::to_owned)
}

/// Does the order's line of this course run give access, as far as the shop is concerned?
pub(crate) fn gives_access(order: &str, run: &str) -> bool {
    orders::known(order).iter().any(|line| line.id() == run && line.active())
}
