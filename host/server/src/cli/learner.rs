//! `bursar learner`: why somebody has, or has not, what they bought, and access that people give by hand.

use clap::Subcommand;

mod answer;
pub mod grant;
mod now;
pub mod show;

/// What can be asked of learners.
#[derive(Debug, Subcommand)]
pub enum LearnerCommand {
    /// Show what a learner bought, what was done, what the LMS says now, and why.
    Show(show::ShowArgs),
    /// Give a learner access by hand, without any shop's order.
    Grant(grant::GrantArgs),
}
