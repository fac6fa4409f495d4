//! `bursar learner waiting`: who paid and waits for an account in the LMS.

use bursar_domain::{LmsName, ShopName};
use bursar_store::{
    Purpose,
    waiting::{WaitingFilter, WaitingGrant},
};
use clap::Args;
use serde_json::json;

use crate::{
    cli::{CliError, Context},
    output::{
        human,
        table::{Column, Table},
    },
};

/// What the columns are called, in the CSV and, as far as it shows them, in the table.
const COLUMNS: [&str; 9] = ["learner", "since", "lms", "shop", "order", "course_run", "mode", "why", "next_look"];

/// A spreadsheet takes a cell that begins with one of these for a formula.
const FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Arguments of `bursar learner waiting`.
#[derive(Debug, Args)]
#[command(after_help = "\
It answers from Bursar's own records and asks neither shop nor LMS. With --csv it prints a file for a spreadsheet; what \
a program would take for a formula has a ' before it.

Examples:
  bursar learner waiting
  bursar learner waiting --shop campus --csv > waiting.csv")]
pub struct WaitingArgs {
    /// At this LMS only.
    #[arg(long)]
    pub lms: Option<LmsName>,
    /// Of this shop only.
    #[arg(long)]
    pub shop: Option<ShopName>,
    /// Print CSV.
    #[arg(long)]
    pub csv: bool,
}

/// Lists who waits.
///
/// # Errors
/// When the store cannot be read.
pub async fn run(context: &Context, args: &WaitingArgs) -> Result<(), CliError> {
    if args.csv && context.output.is_json() {
        return Err(CliError::usage("--csv and --json are two forms").hint("choose one"));
    }
    let store = context.open_store(Purpose::Tool).await?;
    let filter = WaitingFilter { lms: args.lms.clone(), shop: args.shop.clone(), who: None };
    let waiting = store.waiting(&filter).await?;
    if args.csv {
        return context.output.raw(&csv(&waiting)?);
    }
    if waiting.is_empty() && !context.output.is_json() {
        context.output.say("nobody waits for an account");
        return Ok(());
    }
    let now = context.clock.now();
    let rows: Vec<_> = waiting
        .iter()
        .map(|grant| {
            json!({
                "learner": grant.identity, "since": grant.since.to_string(), "lms": grant.lms, "shop": grant.shop,
                "order": grant.order, "title": grant.title, "course_run": grant.run, "mode": grant.mode,
                "resolution": grant.resolution, "why": why(grant),
                "next_look": grant.next_look.map(|at| at.to_string()),
            })
        })
        .collect();
    context.output.list(&rows, |_| {
        let mut table = Table::new([
            Column::new("learner").whole(),
            Column::new("since"),
            Column::new("shop"),
            Column::new("order"),
            Column::new("course run"),
            Column::new("mode"),
            Column::new("why"),
            Column::new("next look"),
        ]);
        for grant in &waiting {
            table.row([
                grant.identity.written().to_owned(),
                human::relative(grant.since, now),
                grant.shop.to_string(),
                grant.order.clone(),
                grant.run.to_string(),
                grant.mode.to_string(),
                why(grant).to_owned(),
                grant.next_look.map(|at| human::relative(at, now)).unwrap_or_default(),
            ]);
        }
        table
    })
}

fn why(grant: &WaitingGrant) -> &'static str {
    match grant.resolution.as_str() {
        "waiting" => "no account yet",
        "retired" => "the account was retired",
        "unsupported" => "named in a way that cannot be looked up",
        _ => "being looked up",
    }
}

fn csv(waiting: &[WaitingGrant]) -> Result<Vec<u8>, CliError> {
    let unwritable = |error: &dyn std::fmt::Display| CliError::failed(format!("the list cannot be written: {error}"));
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(COLUMNS).map_err(|error| unwritable(&error))?;
    for grant in waiting {
        let cells = [
            grant.identity.written(),
            &human::moment(grant.since),
            grant.lms.as_str(),
            grant.shop.as_str(),
            &grant.order,
            grant.run.as_str(),
            grant.mode.as_str(),
            why(grant),
            &grant.next_look.map(human::moment).unwrap_or_default(),
        ];
        csv.write_record(cells.map(harmless)).map_err(|error| unwritable(&error))?;
    }
    csv.into_inner().map_err(|error| unwritable(&error))
}

fn harmless(cell: &str) -> String {
    if cell.starts_with(FORMULAS) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use bursar_domain::{CourseRun, Email, Mode, Timestamp, statement::Identity};

    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text_in_the_csv() {
        let grant = WaitingGrant {
            lms: LmsName::parse("main").unwrap(),
            identity: Identity::Email { address: Email::parse("=cmd@example.org").unwrap() },
            since: Timestamp::from_millis(0),
            shop: ShopName::parse("campus").unwrap(),
            order: "-1, \"x\"".to_owned(),
            title: None,
            run: CourseRun::parse("course-v1:DemoX+CS101+2026").unwrap(),
            mode: Mode::parse("verified").unwrap(),
            resolution: "waiting".to_owned(),
            next_look: None,
        };
        let text = String::from_utf8(csv(&[grant]).unwrap()).unwrap();
        let expected = "learner,since,lms,shop,order,course_run,mode,why,next_look\n\
            '=cmd@example.org,1970-01-01 00:00:00 UTC,main,campus,\"'-1, \"\"x\"\"\",course-v1:DemoX+CS101+2026,verified,no account yet,\n";
        assert_eq!(text, expected);
    }
}
