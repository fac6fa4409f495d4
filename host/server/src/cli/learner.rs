//! `bursar learner`: why somebody has, or has not, what they bought; access that people give by hand; and learners without an
//! account.

use bursar_domain::LmsName;
use clap::Subcommand;

use super::CliError;
use crate::config::{Config, LmsConfig};

mod answer;
pub mod grant;
pub mod letter;
pub mod link;
mod now;
pub mod show;
pub mod waiting;

/// What can be asked of learners.
#[derive(Debug, Subcommand)]
pub enum LearnerCommand {
    /// Show what a learner bought, what was done, what the LMS says now, and why.
    Show(show::ShowArgs),
    /// Give a learner access by hand, without any shop's order.
    Grant(grant::GrantArgs),
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
