//! `bursar learner letter`: what to send to a learner who paid and has no account in the LMS yet.
//!
//! Owns the words. It sends nothing: how a shop writes to its customers is the shop's.

use std::collections::BTreeSet;

use bursar_domain::{Email, LmsName};
use bursar_store::{
    Purpose,
    waiting::{WaitingFilter, WaitingGrant},
};
use clap::Args;
use serde_json::json;

use super::the_lms;
use crate::cli::{CliError, Context};

/// Where an LMS registers people; a site with pages of its own for it sends them on from there.
const REGISTER: &str = "register";

/// Arguments of `bursar learner letter`.
#[derive(Debug, Args)]
#[command(after_help = "\
It prints a subject and a text, and sends nothing.

Examples:
  bursar learner letter new@example.org
  bursar --json learner letter new@example.org --lms main")]
pub struct LetterArgs {
    /// The e-mail address that the order names.
    #[arg(value_name = "EMAIL", value_parser = Email::parse)]
    pub email: Email,
    /// What waits at this LMS; needed where there are several.
    #[arg(long)]
    pub lms: Option<LmsName>,
}

/// Prints the letter.
///
/// # Errors
/// When nothing waits for the learner, or the store cannot be read.
pub async fn run(context: &Context, args: &LetterArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    let site = the_lms(&config, args.lms.as_ref())?;
    let store = context.open_store(Purpose::Tool).await?;
    let filter = WaitingFilter { lms: Some(site.name.clone()), shop: None, who: Some(args.email.as_str().to_owned()) };
    let waiting = store.waiting(&filter).await?;
    if waiting.is_empty() {
        return Err(CliError::failed(format!("nothing waits for {} in {}", args.email, site.name))
            .hint(format!("`bursar learner show {}` says how their orders stand", args.email)));
    }
    if waiting.iter().any(|grant| !matches!(grant.resolution.as_str(), "waiting" | "retired")) {
        context.output.warning("the account is being looked up, and may be there", None);
    }
    let page = site.url.join(REGISTER).map_err(|error| CliError::failed(format!("no address of a page: {error}")))?;
    let (subject, body) = letter(&args.email, page.as_str(), &waiting);
    let letter = json!({ "lms": site.name, "to": args.email, "subject": subject, "body": body });
    context.output.item(&letter, |_| format!("Subject: {subject}\n\n{body}\n"))
}

fn letter(email: &Email, page: &str, waiting: &[WaitingGrant]) -> (&'static str, String) {
    let courses: BTreeSet<String> = waiting.iter().map(bought).collect();
    let one = courses.len() == 1;
    let subject = if one { "Your course is waiting for you" } else { "Your courses are waiting for you" };
    let list: Vec<String> = courses.into_iter().map(|course| format!("- {course}")).collect();
    let opens = if one { "Your course opens" } else { "Your courses open" };
    let retired = waiting.iter().any(|grant| grant.resolution == "retired");
    let step = if retired {
        format!(
            "The account that belonged to {email} on our learning site was closed at its owner's wish, and nobody can register \
             with this address again. To begin, please register with another address here:\n\n{page}\n\nThen answer this \
             message with your new username, and we will connect it with what you bought."
        )
    } else {
        format!(
            "One step is left before you can begin. Our learning site has no account for you yet. Please register here:\n\n\
             {page}\n\nUse exactly this e-mail address: {email}\n\n{opens} by itself a few minutes later. You need not buy or \
             pay anything again.\n\nDo you have an account there already, under another address? Then please do not register \
             again. Answer this message with your username, or with the address of that account, and we will connect it with \
             what you bought."
        )
    };
    let body =
        format!("Hello,\n\nthank you for your purchase. We are keeping this for you:\n\n{}\n\n{step}", list.join("\n"));
    (subject, body)
}

fn bought(grant: &WaitingGrant) -> String {
    let WaitingGrant { order, run, title, .. } = grant;
    match title {
        Some(title) if !title.is_empty() => format!("{title} ({run}), order {order}"),
        _ => format!("{run}, order {order}"),
    }
}
