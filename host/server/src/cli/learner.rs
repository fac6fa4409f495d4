//! `bursar learner`: why somebody has, or has not, what they bought, in words for support staff.

use bursar_domain::{LmsName, fulfillment::Seen, statement::Payment};
use bursar_store::{
    Purpose,
    people::{EnrollmentSummary, LearnerAccess, Purchase},
};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{CliError, Context, deliveries};
use crate::{
    config::{Config, LmsConfig},
    output::{
        human,
        table::{Column, Table},
    },
};

pub mod letter;
pub mod link;
pub mod waiting;

/// What can be asked of learners.
#[derive(Debug, Subcommand)]
pub enum LearnerCommand {
    /// Show a learner's orders, grants and enrollments, and the reason for each.
    Show(ShowArgs),
    /// List who paid and waits for an account in the LMS.
    Waiting(waiting::WaitingArgs),
    /// Write what to send to a learner who has no account yet.
    Letter(letter::LetterArgs),
    /// Say which account of the LMS a learner is.
    Link(link::LinkArgs),
}

/// The LMS of this name, or the only one that there is.
fn the_lms<'a>(config: &'a Config, name: Option<&LmsName>) -> Result<&'a LmsConfig, CliError> {
    let known = || config.lms.iter().map(|lms| lms.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, config.lms.as_slice()) {
        (Some(name), _) => config.lms(name.as_str()).ok_or_else(|| {
            CliError::usage(format!("there is no LMS {name} in {}", config.file.display()))
                .hint(format!("there are: {}", known()))
        }),
        (None, [only]) => Ok(only),
        (None, _) => Err(CliError::usage("there are several LMSs").hint(format!("name one with --lms: {}", known()))),
    }
}

/// Arguments of `bursar learner show`.
#[derive(Debug, Args)]
#[command(after_help = "\
It answers from Bursar's own records and asks neither shop nor LMS.

Examples:
  bursar learner show ada@example.org
  bursar learner show ada --lms main
  bursar --json learner show ada@example.org")]
pub struct ShowArgs {
    /// E-mail address or LMS username, in any case.
    #[arg(value_name = "LEARNER")]
    pub learner: String,
    /// In this LMS only.
    #[arg(long)]
    pub lms: Option<LmsName>,
}

/// Shows everything about a learner.
///
/// # Errors
/// When nothing is known of them, or the store cannot be read.
pub async fn show(context: &Context, args: &ShowArgs) -> Result<(), CliError> {
    let store = context.open_store(Purpose::Tool).await?;
    let mut access = store.learner(&args.learner).await?;
    if let Some(lms) = &args.lms {
        access.purchases.retain(|purchase| purchase.grant.as_ref().is_none_or(|grant| grant.lms == *lms));
        access.enrollments.retain(|enrollment| enrollment.lms == *lms);
    }
    if access.purchases.is_empty() && access.enrollments.is_empty() {
        return Err(CliError::failed(format!("no shop ever named {}", args.learner))
            .hint("the order may name another address, or none: `bursar deliveries list` shows what shops sent, `bursar review list` what waits for a person"));
    }
    if context.output.is_json() {
        return context.output.item(&data(&access), |_| String::new());
    }
    tell(context, &access)
}

fn data(access: &LearnerAccess) -> serde_json::Value {
    let purchase = |purchase: &Purchase| {
        let grant = purchase.grant.as_ref();
        json!({
            "shop": purchase.shop, "order": purchase.order, "title": purchase.title, "payment": purchase.payment,
            "lms": grant.map(|grant| &grant.lms), "course_run": grant.map(|grant| &grant.run),
            "mode": grant.map(|grant| &grant.mode), "username": grant.and_then(|grant| grant.username.clone()),
            "live": grant.is_some_and(|grant| grant.ended.is_none()), "unmapped": purchase.unmapped,
            "ended": grant.and_then(|grant| grant.ended.as_ref()), "words": standing(purchase),
        })
    };
    let enrollment = |enrollment: &EnrollmentSummary| {
        json!({
            "lms": enrollment.lms, "username": enrollment.username, "course_run": enrollment.run,
            "baseline": enrollment.baseline, "seen": enrollment.seen, "state": enrollment.state,
            "seen_at": enrollment.seen_at.map(|at| at.to_string()), "reason": enrollment.reason,
            "words": enrollment.reason.as_ref().map(ToString::to_string),
            "next_at": enrollment.due_at.map(|at| at.to_string()),
            "trail": enrollment.trail.iter().map(|entry| json!({
                "at": entry.at.to_string(), "action": entry.action, "reason": entry.reason, "words": entry.reason.to_string(),
            })).collect::<Vec<_>>(),
        })
    };
    json!({
        "purchases": access.purchases.iter().map(purchase).collect::<Vec<_>>(),
        "enrollments": access.enrollments.iter().map(enrollment).collect::<Vec<_>>(),
    })
}

/// How a purchase stands, in a sentence.
fn standing(purchase: &Purchase) -> String {
    if purchase.unmapped {
        return "paid, and waits: the catalog has no course for this product".to_owned();
    }
    let Some(grant) = &purchase.grant else {
        return match purchase.payment {
            Payment::Paid => "paid, and owes nothing: the product is no course, or the line is held".to_owned(),
            Payment::Unpaid => "not paid".to_owned(),
            Payment::Undecided => "not known to be paid".to_owned(),
        };
    };
    match (&grant.ended, &grant.username, grant.resolution.as_deref()) {
        (Some(ended), ..) => format!("owed no more since {}: {}", human::moment(ended.at), ended.reason),
        (None, Some(username), _) => format!("owed to {username}"),
        (None, None, Some("waiting")) => {
            let since = grant.waiting_since.map(human::moment).unwrap_or_default();
            format!("owed, and waits since {since}: the LMS has no account for this learner yet")
        }
        (None, None, Some("retired")) => "owed, but the learner's account was retired".to_owned(),
        (None, None, Some("unsupported")) => {
            "owed, but the learner is named in a way that cannot be looked up".to_owned()
        }
        (None, None, _) => "owed; the account is being looked up".to_owned(),
    }
}

fn tell(context: &Context, access: &LearnerAccess) -> Result<(), CliError> {
    let output = &context.output;
    output.heading("bought")?;
    let mut table = Table::new([
        Column::new("shop"),
        Column::new("order"),
        Column::new("product"),
        Column::new("course run"),
        Column::new("mode"),
        Column::new("how it stands"),
    ]);
    for purchase in &access.purchases {
        let grant = purchase.grant.as_ref();
        table.row([
            purchase.shop.to_string(),
            purchase.order.clone(),
            purchase.title.clone().unwrap_or_default(),
            grant.map(|grant| grant.run.to_string()).unwrap_or_default(),
            grant.map(|grant| grant.mode.to_string()).unwrap_or_default(),
            standing(purchase),
        ]);
    }
    output.table(&table)?;
    for enrollment in &access.enrollments {
        output.heading(&format!("{} in {} as {}", enrollment.run, enrollment.lms, enrollment.username))?;
        output.text(&now(context, enrollment))?;
        output.table(&deliveries::trail(&enrollment.trail))?;
    }
    Ok(())
}

fn now(context: &Context, enrollment: &EnrollmentSummary) -> String {
    let clock = context.clock.now();
    let seen = match (&enrollment.seen, enrollment.seen_at) {
        (Some(seen), Some(at)) => format!("the LMS said {} {}", in_words(seen), human::relative(at, clock)),
        _ => "the LMS has not been asked yet".to_owned(),
    };
    let before =
        enrollment.baseline.as_ref().map(|seen| format!("; before Bursar: {}", in_words(seen))).unwrap_or_default();
    let why = enrollment.reason.as_ref().map(|reason| format!("\n{reason}")).unwrap_or_default();
    let next =
        enrollment.due_at.map(|at| format!("\nlooked at next {}", human::relative(at, clock))).unwrap_or_default();
    format!("{seen}{before}{why}{next}")
}

fn in_words(seen: &Seen) -> String {
    match seen {
        Seen::Absent => "not enrolled".to_owned(),
        Seen::Inactive { mode } => format!("enrolled once as {mode}, switched off"),
        Seen::Active { mode } => format!("enrolled as {mode}"),
    }
}
