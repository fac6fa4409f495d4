//! `bursar learner link`: a person says which account of the LMS a learner is.

use bursar_domain::{Email, LmsName, Username, statement::Identity};
use bursar_lms::{AccountLookup, LmsError};
use bursar_store::{Purpose, Store, links::Link};
use clap::Args;
use serde_json::json;

use super::the_lms;
use crate::{
    cli::{CliError, Context, because::Because},
    config::StoreConfig,
    serve,
};

/// Arguments of `bursar learner link`.
#[derive(Debug, Args)]
#[command(after_help = "\
For a learner who bought under another address than that of their account. From then on the address is that account, also \
for later orders, and the LMS is not asked for it any more. What waits is given at once.

What was given to another account is not moved.

Examples:
  bursar learner link ada@work.example ada --reason \"ticket 4711\"
  bursar learner link ada@work.example ada --reason \"called\" --dry-run")]
pub struct LinkArgs {
    /// The e-mail address that orders name.
    #[arg(value_name = "EMAIL", value_parser = Email::parse)]
    pub email: Email,
    /// The account's username in the LMS.
    #[arg(value_name = "USERNAME", value_parser = Username::parse)]
    pub username: Username,
    /// In this LMS; needed where there are several.
    #[arg(long)]
    pub lms: Option<LmsName>,
    /// Ask the LMS and say whom it would join, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

/// Joins a learner to an account.
///
/// # Errors
/// When the LMS has no such account or cannot be asked, or the learner was given something under another account.
pub async fn run(context: &Context, args: &LinkArgs) -> Result<(), CliError> {
    let person = args.because.person(context)?;
    let config = context.load_config()?;
    let site = the_lms(&config, args.lms.as_ref())?;
    let lms = serve::client(site, &context.clock)?;
    let unasked = |error: LmsError| CliError::failed(format!("{} could not be asked: {error}", site.name));
    let account = match lms.account_by_username(&args.username).await.map_err(unasked)? {
        AccountLookup::Found(account) => account,
        AccountLookup::Unknown => {
            return Err(CliError::failed(format!("{} has no account {}", site.name, args.username))
                .hint("the learner finds their username on their profile page in the LMS"));
        }
        AccountLookup::Retired => {
            return Err(CliError::failed(format!("the account {} was retired", args.username))
                .hint("its owner asked to be forgotten; they need a new account, under another address"));
        }
        AccountLookup::Unusable => {
            return Err(CliError::failed(format!("{} answers with a username that cannot be used", site.name)));
        }
    };
    if let Some(AccountLookup::Found(owner)) = lms
        .search_emails(std::slice::from_ref(&args.email))
        .await
        .map_err(unasked)?
        .into_iter()
        .next()
        .map(|(_, found)| found)
        && owner.id != account.id
    {
        let owner = owner.username;
        context.output.warning(&format!("{} knows {} as {owner}, another account", site.name, args.email), None);
    }
    let StoreConfig::Sqlite { path } = &config.store;
    let store = Store::open(path, Purpose::Tool).await?;
    let grants = if args.dry_run {
        None
    } else {
        let link = Link {
            identity: Identity::Email { address: args.email.clone() },
            lms: site.name.clone(),
            lms_user_id: account.id,
            username: account.username.clone(),
            why: person.why,
            actor: format!("operator {}", person.name),
        };
        Some(store.link(link, context.clock.now()).await?.grants)
    };
    let address = account.email.map(String::from);
    let done = json!({
        "dry_run": args.dry_run, "lms": site.name, "email": args.email, "username": account.username,
        "lms_user_id": account.id, "account_email": address, "grants": grants,
    });
    context.output.item(&done, |_| {
        let is = if grants.is_some() { "is" } else { "would be" };
        let address = address.map(|address| format!(", whose address there is {address}")).unwrap_or_default();
        let waited = match grants {
            None => "nothing was changed".to_owned(),
            Some(0) => "nothing had waited for this".to_owned(),
            Some(1) => "1 grant had waited for this and is dealt with by `bursar serve`".to_owned(),
            Some(count) => format!("{count} grants had waited for this and are dealt with by `bursar serve`"),
        };
        let (email, username, id) = (&args.email, &account.username, account.id);
        format!("{email} {is} {username} (user {id} of {}){address}\n{waited}\n", site.name)
    })
}
