//! What people decided about an order, and what speaks against it by now: the same for an order and for a learner.

use bursar_domain::{
    Timestamp,
    decision::Decision,
    ids::LineId,
    ledger::Hold,
    reason::Reason,
    statement::{Cause, Payment},
};
use bursar_store::people::OrderDetail;
use serde_json::{Value, json};

use crate::{cli::standing, output::human};

/// What a person decided.
#[derive(Debug, Clone)]
pub struct Decided {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// The shop's id of the line; none for all of them.
    pub line: Option<String>,
    /// What, in words that follow the name.
    pub what: String,
    /// Why, in their words.
    pub why: String,
    /// What speaks against it.
    pub but: Option<String>,
}

impl Decided {
    /// In sentences, for people.
    #[must_use]
    pub fn words(&self) -> String {
        let line = self.line.as_ref().map(|line| format!("line {line}, ")).unwrap_or_default();
        let but = self.but.as_ref().map(|but| format!("\n  but {but}")).unwrap_or_default();
        format!("{}, {line}{} {} ({}){but}", human::moment(self.at), self.by, self.what, self.why)
    }

    /// For programs.
    #[must_use]
    pub fn data(&self) -> Value {
        json!({
            "at": self.at.to_string(), "by": self.by, "line": self.line, "what": self.what, "why": self.why,
            "but": self.but,
        })
    }
}

/// Everything that people decided about an order and that counts, the oldest first. Revocations are holds and no decisions
/// of the ledger; they are listed with the others.
#[must_use]
pub fn of_order(detail: &OrderDetail) -> Vec<Decided> {
    let order = &detail.order;
    let line_name = |id: Option<LineId>| {
        id.and_then(|id| order.lines.iter().find(|line| line.id == id)).map(|line| line.external_id.clone())
    };
    let of_ruling = |decision: &Decision| Decided {
        at: decision.at,
        by: decision.by.clone(),
        line: line_name(decision.line),
        what: standing::ruling(&decision.ruling),
        why: decision.why.clone(),
        but: standing::against(order, decision, decision.line.and_then(|line| detail.catalog.get(&line))),
    };
    let of_bar = |line: Option<LineId>, hold: &Hold| Decided {
        at: hold.changed_at,
        by: who_barred(detail, hold),
        line: line_name(line),
        what: "revoked the access".to_owned(),
        why: hold.evidence.clone(),
        but: (order.payment == Payment::Paid).then(|| "the shop says that it is paid".to_owned()),
    };
    let is_bar = |hold: &&Hold| hold.cause == Cause::Operator && hold.holds;
    let on_lines = order
        .lines
        .iter()
        .flat_map(|line| line.holds.iter().filter(is_bar).map(|hold| of_bar(Some(line.id), hold)).collect::<Vec<_>>());
    let mut decided: Vec<Decided> = order
        .decisions
        .iter()
        .map(of_ruling)
        .chain(order.holds.iter().filter(is_bar).map(|hold| of_bar(None, hold)))
        .chain(on_lines)
        .collect();
    decided.sort_by_key(|decided| decided.at);
    decided
}

/// The hold knows why and when; the audit trail of that moment knows who.
fn who_barred(detail: &OrderDetail, hold: &Hold) -> String {
    let entry = detail.trail.iter().find(|entry| {
        entry.at == hold.changed_at && matches!(&entry.reason, Reason::Decided { words, .. } if *words == hold.evidence)
    });
    let actor = entry.map_or("a person", |entry| entry.actor.as_str());
    actor.strip_prefix("operator ").unwrap_or(actor).to_owned()
}
