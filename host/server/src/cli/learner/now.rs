//! What the LMSs say now of a learner's enrollments, if they can be asked.
//!
//! Owns asking for people: few calls, and never a failure. Nothing is recorded; fulfillment asks for itself.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bursar_domain::{CourseRun, LmsName, Username, fulfillment::Seen};
use bursar_lms::{Enrollment, EnrollmentFilter, Lms, LmsError, Priority};
use tokio::time::timeout;

use crate::{
    cli::{CliError, Context},
    config::{Config, SecretUse},
    serve,
};

/// How long somebody at a desk waits for an LMS. Then what it said last is shown.
const PATIENCE: Duration = Duration::from_secs(15);

/// What one LMS says of the learner's accounts, or why it could not be asked.
pub(super) type Told = Result<Vec<Enrollment>, String>;

/// Asks each LMS for everything that it has of these accounts.
pub(super) async fn ask(context: &Context, accounts: &BTreeMap<LmsName, Vec<Username>>) -> BTreeMap<LmsName, Told> {
    if accounts.is_empty() {
        return BTreeMap::new();
    }
    let all = |problem: String| accounts.keys().map(|lms| (lms.clone(), Err(problem.clone()))).collect();
    let config = match Config::load(&context.config_file(), &context.environment, SecretUse::Read) {
        Ok(config) => config,
        Err(error) => {
            let words = CliError::from(error).words();
            return all(words.into_iter().next().map(|words| words.message.into_owned()).unwrap_or_default());
        }
    };
    let mut told = BTreeMap::new();
    for (name, usernames) in accounts {
        told.insert(name.clone(), one(context, &config, name, usernames).await);
    }
    told
}

async fn one(context: &Context, config: &Config, name: &LmsName, usernames: &[Username]) -> Told {
    let lms = config.lms(name.as_str()).ok_or("it is configured no more")?;
    let lms = serve::client(lms, &Arc::clone(&context.clock)).map_err(|error| first_line(&error.to_string()))?;
    let lms = lms.at(Priority::Purchase);
    match timeout(PATIENCE, list(&lms, usernames)).await {
        Ok(Ok(enrollments)) => Ok(enrollments),
        Ok(Err(error)) => Err(first_line(&error.to_string())),
        Err(_) => Err(format!("it did not answer within {} s", PATIENCE.as_secs())),
    }
}

async fn list(lms: &Lms, usernames: &[Username]) -> Result<Vec<Enrollment>, LmsError> {
    let Some(filter) = EnrollmentFilter::users(usernames.iter().cloned()) else { return Ok(Vec::new()) };
    lms.enrollments(&filter).await
}

/// A hint has a line of its own, which has no place in a sentence.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// What these say of one account and course run. The LMS ignores the case of letters in both (`docs/lms.md`).
pub(super) fn find(enrollments: &[Enrollment], username: &str, run: &CourseRun) -> Seen {
    let found = enrollments.iter().find(|enrollment| {
        enrollment.username.as_str().eq_ignore_ascii_case(username)
            && enrollment.run.as_str().eq_ignore_ascii_case(run.as_str())
    });
    match found {
        None => Seen::Absent,
        Some(enrollment) if enrollment.is_active => Seen::Active { mode: enrollment.mode.clone() },
        Some(enrollment) => Seen::Inactive { mode: enrollment.mode.clone() },
    }
}
