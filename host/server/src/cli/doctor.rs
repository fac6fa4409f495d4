//! `bursar doctor`: its arguments.

use clap::Args;

/// Arguments of `bursar doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
It changes nothing, neither here nor in an LMS, and ends with 1 if anything needs mending.

Examples:
  bursar doctor
  bursar doctor --offline      call no LMS")]
pub struct DoctorArgs {
    /// Call no LMS: check only what is on this machine.
    #[arg(long)]
    pub offline: bool,
}
