//! Who decides and why: what every command wants that changes what somebody has.

use bursar_domain::{Email, ShopName, Username, policy::ShopPolicy, statement::Identity};
use bursar_store::decisions::Person;
use clap::Args;

use super::{CliError, Context};
use crate::{config::Config, shops};

/// Says who decides where `--as` does not.
const USER_VARIABLE: &str = "USER";

/// Arguments of every command by which a person decides.
#[derive(Debug, Args)]
pub struct Because {
    /// Why, for whoever asks later: it stands in the audit trail.
    #[arg(long, value_name = "TEXT", value_parser = not_blank)]
    pub reason: String,
    /// Who decides; otherwise the variable USER.
    #[arg(long = "as", value_name = "NAME", value_parser = not_blank)]
    pub name: Option<String>,
}

fn not_blank(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() { Err("must not be blank") } else { Ok(text.to_owned()) }
}

impl Because {
    /// The person.
    ///
    /// # Errors
    /// When it cannot be told who decides.
    pub fn person(&self, context: &Context) -> Result<Person, CliError> {
        let user = || context.environment.variable(USER_VARIABLE).filter(|name| !name.trim().is_empty());
        let name = self.name.clone().or_else(user).ok_or_else(|| {
            CliError::usage("it cannot be told who decides: the variable USER is empty").hint("say it with --as NAME")
        })?;
        Ok(Person { name, why: self.reason.clone() })
    }
}

/// The policy of a configured shop.
///
/// # Errors
/// When no shop is called so.
pub fn policy(config: &Config, name: &ShopName) -> Result<ShopPolicy, CliError> {
    config.shop(name.as_str()).map(shops::policy).ok_or_else(|| no_such_shop(config, name))
}

/// Nothing in the configuration is called so.
pub fn no_such_shop(config: &Config, name: &ShopName) -> CliError {
    let names: Vec<_> = config.shops.iter().map(|shop| shop.name.as_str()).collect();
    let error = CliError::usage(format!("there is no shop {name} in {}", config.file.display()));
    if names.is_empty() { error } else { error.hint(format!("there are: {}", names.join(", "))) }
}

/// A learner as written on the command line: what reads as an address is one, everything else is a username.
///
/// # Errors
/// When it is neither.
pub fn learner(text: &str) -> Result<Identity, String> {
    if let Ok(address) = Email::parse(text) {
        return Ok(Identity::Email { address });
    }
    Username::parse(text)
        .map(|name| Identity::Username { name })
        .map_err(|_| "is neither an e-mail address nor a username".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_learner_is_an_address_or_a_username() {
        assert_eq!(learner("Ada@example.org").unwrap().kind(), "email");
        assert_eq!(learner("ada").unwrap().kind(), "username");
        assert!(learner("ada lovelace").is_err());
        assert!(learner("").is_err());
    }

    #[test]
    fn a_reason_of_blanks_is_none() {
        assert!(not_blank("  ").is_err());
        assert_eq!(not_blank(" ticket 7 ").unwrap(), "ticket 7");
    }
}
