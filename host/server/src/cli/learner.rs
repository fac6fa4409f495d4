//! `bursar learner`: its arguments.

use bursar_domain::LmsName;
use clap::{Args, Subcommand};

/// What can be asked of learners.
#[derive(Debug, Subcommand)]
pub enum LearnerCommand {
    /// Show a learner's orders, grants and enrollments, and the reason for each.
    Show(ShowArgs),
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
    /// E-mail address, LMS username or account id, in any case.
    #[arg(value_name = "LEARNER")]
    pub learner: String,
    /// In this LMS only.
    #[arg(long)]
    pub lms: Option<LmsName>,
}
