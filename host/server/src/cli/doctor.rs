//! `bursar doctor`: is everything as it must be? Tried for real, changing nothing.
//!
//! Owns the list of checks and their words. A check that could not be made is said to have failed.

use std::sync::Arc;

use bursar_domain::{Clock, SystemClock};
use bursar_store::{Purpose, Store};
use clap::Args;
use serde::Serialize;

use super::{CliError, Context};
use crate::{
    adapters::{self, serving_sandbox},
    config::{Config, StoreConfig},
    output::table::{Column, Table},
    serve,
    shops::{Service, Shops},
};

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

/// What one check came to.
#[derive(Debug, Serialize)]
struct Check {
    /// What was looked at.
    what: String,
    /// Is it as it must be?
    sound: bool,
    /// What was seen.
    seen: String,
    /// What to do about it.
    hint: Option<String>,
}

impl Check {
    fn sound(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { what: what.into(), sound: true, seen: seen.into(), hint: None }
    }

    /// From a text whose last line may be a hint.
    fn wrong(what: impl Into<String>, text: &str) -> Self {
        let (seen, hint) = match text.split_once("hint: ") {
            Some((seen, hint)) => (seen.trim_end_matches(['\n', ';', ' ']), Some(hint.to_owned())),
            None => (text, None),
        };
        Self { what: what.into(), sound: false, seen: seen.to_owned(), hint }
    }
}

/// Checks everything.
///
/// # Errors
/// When the configuration cannot be used, or anything needs mending.
pub async fn run(context: &Context, args: &DoctorArgs) -> Result<(), CliError> {
    let config = context.load_config()?;
    let mut checks = vec![Check::sound("configuration", format!("{} is sound", config.file.display()))];
    checks.push(store(&config).await);
    checks.extend(adapters_and_shops(context, &config).await);
    if !args.offline {
        for lms in &config.lms {
            checks.extend(site(context, lms).await);
        }
    }
    context.output.list(&checks, |checks| {
        let mut table = Table::new([Column::new(""), Column::new("what"), Column::new("seen"), Column::new("hint")]);
        for check in checks {
            let mark = if check.sound { "ok" } else { "MEND" };
            table.row([mark, &check.what, &check.seen, check.hint.as_deref().unwrap_or_default()]);
        }
        table
    })?;
    let wrong = checks.iter().filter(|check| !check.sound).count();
    match wrong {
        0 => {
            context.output.say("everything is as it must be");
            Ok(())
        }
        1 => Err(CliError::failed("1 thing needs mending")),
        count => Err(CliError::failed(format!("{count} things need mending"))),
    }
}

async fn store(config: &Config) -> Check {
    let StoreConfig::Sqlite { path } = &config.store;
    let what = "store";
    let backlog = match Store::open(path, Purpose::Tool).await {
        Ok(store) => store.backlog().await,
        Err(error) => Err(error),
    };
    match backlog {
        Ok(backlog) => Check::sound(
            what,
            format!(
                "{}: {} deliveries, {} enrollments and {} effects under way, {} learners waited for, {} reviews open",
                path.display(),
                backlog.deliveries,
                backlog.enrollments,
                backlog.effects,
                backlog.learners,
                backlog.reviews
            ),
        ),
        Err(error) => Check::wrong(what, &error.chain()),
    }
}

async fn adapters_and_shops(context: &Context, config: &Config) -> Vec<Check> {
    let sandbox = match serving_sandbox(config, context.compiler.clone()) {
        Ok(sandbox) => sandbox,
        Err(error) => return vec![Check::wrong("sandbox", &error.to_string())],
    };
    let mut checks = Vec::new();
    let status = sandbox.status();
    checks.push(Check::sound(
        "sandbox",
        if status.pooled {
            "ready"
        } else {
            "ready, but without a memory pool: runs begin slower (too little address space)"
        },
    ));
    let mut directory = adapters::directory(config, sandbox, Arc::clone(&context.clock));
    let adapters = match directory.open().await {
        Ok(adapters) => adapters,
        Err(error) => {
            checks.push(Check::wrong("adapters", &format!("{} cannot be read: {error}", directory.path().display())));
            return checks;
        }
    };
    for (name, loaded) in &adapters.sound {
        let seen = format!("{} in {}", loaded.adapter.description().version, loaded.file.display());
        checks.push(Check::sound(format!("adapter {name}"), seen));
    }
    for broken in &adapters.broken {
        checks.push(Check::wrong(format!("adapter file {}", broken.file.display()), &broken.words()));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    for shop in Shops::new(config, &adapters, &clock).all() {
        let what = format!("shop {}", shop.config.name);
        checks.push(match &shop.service {
            Service::Ready(_) => Check::sound(what, format!("served by {}, {}", shop.config.adapter, shop.policy.mode)),
            Service::Waiting(obstacle) => Check::wrong(what, &obstacle.message),
        });
    }
    checks
}

async fn site(context: &Context, lms: &crate::config::LmsConfig) -> Vec<Check> {
    let client = match serve::client(lms, &Arc::clone(&context.clock)) {
        Ok(client) => client,
        Err(error) => return vec![Check::wrong(format!("LMS {}", lms.name), &error.to_string())],
    };
    let findings = client.check_privileges().await;
    findings
        .into_iter()
        .map(|finding| {
            let whose = match finding.client_id {
                // Where there is one service user only, it goes without saying.
                Some(client_id) if !lms.more_users.is_empty() => format!(", client {client_id}"),
                _ => String::new(),
            };
            let what = format!("LMS {}{whose}: {}", lms.name, finding.privilege.label());
            match finding.outcome {
                Ok(seen) => Check::sound(what, seen),
                Err(error) => Check::wrong(what, &error.to_string()),
            }
        })
        .collect()
}
