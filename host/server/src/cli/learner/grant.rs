//! `bursar learner grant`: access that a person gives, without any shop's order.

use bursar_domain::{CourseRun, Mode, ShopName, Timestamp, statement::Identity};
use bursar_store::{Purpose, Store, decisions::GrantByHand};
use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        CliError, Context,
        because::{self, Because},
    },
    config::StoreConfig,
    output::human,
};

/// Arguments of `bursar learner grant`.
#[derive(Debug, Args)]
#[command(after_help = "\
It counts like a paid order of that shop, and its policies hold: a learner without an account is waited for, and what \
was there before comes back when it ends. End it with `bursar orders revoke`, by the name that is printed.

Examples:
  bursar learner grant ada@example.org course-v1:Example+CS101+2026 \\
    --shop campus --reason \"scholarship\"
  bursar learner grant ada course-v1:Example+CS101+2026 --shop campus \\
    --mode audit --until 2027-01-31 --reason \"visiting lecturer\"")]
pub struct GrantArgs {
    /// Who: an e-mail address or a username.
    #[arg(value_name = "LEARNER", value_parser = because::learner)]
    pub learner: Identity,
    /// To which course run.
    #[arg(value_name = "RUN", value_parser = CourseRun::parse)]
    pub run: CourseRun,
    /// On account of this shop: its LMS and its policies count.
    #[arg(long, value_parser = ShopName::parse)]
    pub shop: ShopName,
    /// In this mode; otherwise in the shop's default mode.
    #[arg(long, value_parser = Mode::parse)]
    pub mode: Option<Mode>,
    /// Until the end of this day in UTC, 2027-01-31 say; the shop's grace comes on top. Otherwise for good.
    #[arg(long, value_name = "DATE", value_parser = end_of_day)]
    pub until: Option<Timestamp>,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

/// The moment at which a day is over in UTC.
fn end_of_day(text: &str) -> Result<Timestamp, &'static str> {
    const FORM: &str = "must be a date like 2027-01-31";
    let day: jiff::civil::Date = text.parse().map_err(|_| FORM)?;
    let next = day.tomorrow().map_err(|_| FORM)?;
    let moment = next.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| FORM)?;
    Ok(Timestamp::from_millis(moment.timestamp().as_millisecond()))
}

/// Gives access.
///
/// # Errors
/// When the shop is not configured, the date is over, or the store cannot be written.
pub async fn run(context: &Context, args: &GrantArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    let policy = because::policy(&config, &args.shop)?;
    let person = args.because.person(context)?;
    let now = context.clock.now();
    if let Some(until) = args.until
        && until <= now
    {
        return Err(CliError::usage(format!("--until is over since {}", human::moment(until))));
    }
    let mode = args.mode.clone().unwrap_or_else(|| policy.default_mode.clone());
    let StoreConfig::Sqlite { path } = &config.store;
    let store = Store::open(path, Purpose::Tool).await?;
    let grant = GrantByHand {
        shop: args.shop.clone(),
        learner: args.learner.clone(),
        run: args.run.clone(),
        mode: mode.clone(),
        until: args.until,
    };
    let (name, lms) = (person.name.clone(), policy.lms.clone());
    let order = store.grant_by_hand(grant, person, policy, now).await?;
    let data = json!({
        "shop": args.shop, "order": order.external_id, "learner": args.learner.written(), "course_run": args.run,
        "mode": mode, "lms": lms, "until": args.until.map(|at| at.to_string()), "by": name,
    });
    let until = args.until.map(|at| format!(", until {}", human::moment(at))).unwrap_or_default();
    context
        .output
        .item(&data, |_| format!("{name} gave {} {mode} in {} ({lms}){until}", args.learner.written(), args.run))?;
    context.output.say(&format!(
        "how it went: bursar learner show {}\nto end it:   bursar orders revoke {} '{}' --reason TEXT",
        args.learner.written(),
        args.shop,
        order.external_id
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_when_the_next_one_begins() {
        assert_eq!(end_of_day("2027-01-31").unwrap().to_string(), "2027-02-01T00:00:00.000Z");
        assert!(end_of_day("31.1.2027").is_err());
    }
}
