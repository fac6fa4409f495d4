//! What course runs say of themselves, asked for when an enrollment was refused.
//!
//! Owns a short memory of it, so that a class that bought a closed course costs one question and not thirty.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bursar_domain::{CourseRun, Timestamp, fulfillment::RunFacts};
use bursar_lms::{CourseDetails, LmsError};

use super::Fulfillment;

/// How long an answer is remembered. The LMS itself answers from a memory of a minute (`docs/lms.md`).
const REMEMBERED: Duration = Duration::from_secs(60);

/// How many runs are remembered; beyond that the memory is emptied, and they are asked for again.
const RUNS_MAX: usize = 1_000;

/// What was answered, and when.
#[derive(Debug, Clone, Default)]
pub struct CourseRuns(Arc<Mutex<BTreeMap<CourseRun, (RunFacts, Timestamp)>>>);

impl Fulfillment {
    /// What the run says of itself.
    ///
    /// # Errors
    /// As [`bursar_lms::Lms::course_details`].
    pub(super) async fn run_facts(&self, run: &CourseRun) -> Result<RunFacts, LmsError> {
        let now = self.clock.now();
        let known = self.course_runs.0.lock().unwrap_or_else(PoisonError::into_inner).get(run).cloned();
        if let Some((facts, _)) = known.filter(|(_, at)| now.since(*at) < REMEMBERED) {
            return Ok(facts);
        }
        let facts = facts(self.lms.course_details(run).await?);
        let mut runs = self.course_runs.0.lock().unwrap_or_else(PoisonError::into_inner);
        if runs.len() >= RUNS_MAX {
            runs.clear();
        }
        runs.insert(run.clone(), (facts.clone(), now));
        Ok(facts)
    }
}

fn facts(details: CourseDetails) -> RunFacts {
    RunFacts {
        opens: details.enrollment_start,
        closes: details.enrollment_end,
        invitation_only: details.invitation_only,
        modes: details.modes.into_iter().map(|offered| (offered.mode, offered.expires)).collect(),
    }
}
