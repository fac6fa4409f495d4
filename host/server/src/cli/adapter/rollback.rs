//! `bursar adapter rollback`: put an earlier version of an adapter back.
//!
//! Owns which version that is. It writes the file and nothing else: a running server sees the change as any other.

use std::path::Path;

use bursar_domain::AdapterName;
use clap::Args;
use serde_json::json;

use crate::{
    adapters::versions::{Version, Versions, write_whole},
    cli::{CliError, Context},
};

/// Arguments of `bursar adapter rollback`.
#[derive(Debug, Args)]
#[command(after_help = "\
The server keeps the last three versions of each adapter that it has run. This puts the one before the newest back into \
the adapters' directory, under the name of the file that it came from; a server that runs takes it up at once. Doing it again \
goes forward again.

Examples:
  bursar adapter rollback woocommerce
  bursar adapter rollback woocommerce --to 0.1.0
  bursar adapter rollback woocommerce --to ed50da03")]
pub struct RollbackArgs {
    /// The adapter.
    #[arg(value_name = "ADAPTER", value_parser = AdapterName::parse)]
    pub adapter: AdapterName,
    /// The version, or the beginning of its SHA-256.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
}

/// Puts an earlier version back.
///
/// # Errors
/// When there is none, or it cannot be written.
pub async fn run(context: &Context, args: &RollbackArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    let versions = Versions::within(&config.adapters.cache);
    let name = &args.adapter;
    let kept = versions
        .of(name)
        .map_err(|error| CliError::failed(format!("the versions of {name} cannot be read: {error}")))?;
    let version = chosen(name, &kept, args.to.as_deref())?;
    let bytes = versions
        .read(name, version)
        .map_err(|error| CliError::failed(format!("{name} {} cannot be read: {error}", version.version)))?;
    put_back(&version.file, &bytes)
        .map_err(|error| CliError::failed(format!("{} cannot be written: {error}", version.file.display())))?;
    let data = json!({
        "adapter": name, "version": version.version, "sha256": version.sha256, "file": version.file,
    });
    context.output.item(&data, |_| format!("{name} {} is in {} again", version.version, version.file.display()))
}

fn chosen<'v>(name: &AdapterName, kept: &'v [Version], to: Option<&str>) -> Result<&'v Version, CliError> {
    let found = match to {
        None => kept.get(1),
        Some(to) => kept.iter().find(|version| version.version == to || version.sha256.starts_with(to)),
    };
    found.ok_or_else(|| {
        let there: Vec<String> = kept
            .iter()
            .map(|version| format!("{} ({})", version.version, version.sha256.get(..12).unwrap_or(&version.sha256)))
            .collect();
        match there.as_slice() {
            [] => CliError::failed(format!("no version of {name} was kept"))
                .hint("versions are kept from the first start of the server on"),
            [_] if to.is_none() => CliError::failed(format!("there is no earlier version of {name}")),
            _ => CliError::failed(format!("there is no such version of {name}"))
                .hint(format!("there are: {}, the newest first", there.join(", "))),
        }
    })
}

/// Whoever reads the file may not be who writes it: it gets the rights of the one in its place, or those of a file made anew.
fn put_back(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    const READABLE: u32 = 0o644;
    let rights = match std::fs::metadata(file) {
        Ok(metadata) => metadata.permissions(),
        Err(_) => std::fs::Permissions::from_mode(READABLE),
    };
    write_whole(file, bytes)?;
    std::fs::set_permissions(file, rights)
}

#[cfg(test)]
mod tests {
    use bursar_domain::Timestamp;

    use super::*;

    fn kept(versions: &[(&str, &str)]) -> Vec<Version> {
        let version = |(version, sha256): &(&str, &str)| Version {
            version: (*version).to_owned(),
            sha256: (*sha256).to_owned(),
            file: "adapters/acme.wasm".into(),
            since: Timestamp::from_millis(0),
        };
        versions.iter().map(version).collect()
    }

    #[test]
    fn without_a_wish_it_is_the_one_before_the_newest() {
        let name = AdapterName::parse("acme").unwrap();
        let versions = kept(&[("1.1.0", "bb"), ("1.0.0", "aa"), ("0.9.0", "99")]);
        assert_eq!(chosen(&name, &versions, None).unwrap().version, "1.0.0");
        assert_eq!(chosen(&name, &versions, Some("0.9.0")).unwrap().sha256, "99");
        assert_eq!(chosen(&name, &versions, Some("bb")).unwrap().version, "1.1.0");
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        let name = AdapterName::parse("acme").unwrap();
        let words =
            |versions: &[(&str, &str)], to| format!("{:?}", chosen(&name, &kept(versions), to).unwrap_err().words());
        assert!(words(&[], None).contains("no version of acme was kept"));
        assert!(words(&[("1.0.0", "aa")], None).contains("no earlier version"));
        assert!(words(&[("1.1.0", "bb"), ("1.0.0", "aa")], Some("2.0.0")).contains("1.1.0 (bb)"));
    }
}
