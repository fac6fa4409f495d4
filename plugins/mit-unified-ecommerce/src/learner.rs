//! Who learns: by address, or by the id that a login provider knows them by.

use bursar_adapter::field::Field;
use bursar_adapter::loose::Loose;
use bursar_adapter::{Problem, Result, log, orders};

use crate::body::User;
use crate::settings::{Settings, SsoId};

/// Stands for a list or an object where an address should be. The host finds it malformed, which is what it is.
const NOT_TEXT: &str = "(not text)";

/// States the learner of lines that do not name one.
pub(crate) fn of_order(stated: &orders::Order, user: &User<'_>) -> Result<()> {
    let address = match &user.email {
        Loose::Absent => return Ok(()),
        email => Field::new("user.email", email).text().unwrap_or_else(|_| Some(NOT_TEXT.into())),
    };
    if let Some(address) = address
        && let Err(problem) = stated.learner_email(&address)
    {
        unreadable(problem, "email-malformed", "user.email")?;
    }
    Ok(())
}

/// States the learner of a line, where the setting `sso_provider` says that learners are known by a login. Without an id the
/// address of the order counts.
pub(crate) fn of_line(stated: &orders::Line, user: &User<'_>, settings: &Settings) -> Result<()> {
    if settings.sso_provider.is_empty() {
        return Ok(());
    }
    let (place, id) = match settings.sso_id {
        SsoId::GlobalId => ("user.global_id", &user.global_id),
        SsoId::Username => ("user.username", &user.username),
    };
    if let Some(id) = Field::new(place, id).id()?
        && let Err(problem) = stated.learner_external(&settings.sso_provider, &id)
    {
        unreadable(problem, "identity-malformed", place)?;
    }
    Ok(())
}

/// The host asks a person about an unreadable learner, once it is paid; any other problem ends the run.
fn unreadable(problem: Problem, expected: &str, place: &str) -> Result<()> {
    if problem.code != expected {
        return Err(problem);
    }
    log::warning(&format!("{place} names a learner who cannot be read"));
    Ok(())
}
