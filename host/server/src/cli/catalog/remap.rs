//! `bursar catalog remap`: moves lines that were sold to what the catalog says now.
//!
//! Owns that nobody moves more than they know of: the count that was shown is given back before anything is done.

use bursar_domain::ShopName;
use bursar_store::{Purpose, Store};
use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        CliError, Context,
        because::{self, Because},
    },
    config::StoreConfig,
};

/// Arguments of `bursar catalog remap`.
#[derive(Debug, Args)]
#[command(after_help = "\
A catalog concerns what is sold from now on; this moves what was sold before, too: who bought loses the course run that \
the line sold and gets what the catalog says now. Lines that a person moved stay as they are.

First count, then do it, giving the number of lines back:

  bursar catalog remap campus --product sku:BIO1 --dry-run \\
    --reason \"wrong run\"
  bursar catalog remap campus --product sku:BIO1 --expect 12 \\
    --reason \"wrong run\"

If by then it is another number, nothing is changed.")]
pub struct RemapArgs {
    /// The shop.
    #[arg(value_name = "SHOP", value_parser = ShopName::parse)]
    pub shop: ShopName,
    /// Only lines of this product, as in the catalog: KIND:ID.
    #[arg(long, value_name = "KIND:ID")]
    pub product: Option<String>,
    /// Say how much would change, and change nothing.
    #[arg(long, conflicts_with = "expect")]
    pub dry_run: bool,
    /// Do it, if it concerns this many lines.
    #[arg(long, value_name = "LINES", required_unless_present = "dry_run")]
    pub expect: Option<u32>,
    /// Who and why.
    #[command(flatten)]
    pub because: Because,
}

/// Maps the lines of a shop anew.
///
/// # Errors
/// When the shop is not configured, it concerns another number of lines than was expected, or the store cannot be written.
pub async fn run(context: &Context, args: &RemapArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    let policy = because::policy(&config, &args.shop)?;
    let person = args.because.person(context)?;
    let product = args.product.as_ref().map(|product| {
        if product.contains(':') { product.clone() } else { format!("{}:{product}", super::DEFAULT_KIND) }
    });
    let StoreConfig::Sqlite { path } = &config.store;
    let store = Store::open(path, Purpose::Tool).await?;
    let now = context.clock.now();
    let remapped = store.remap(product, args.expect, person, policy, now).await?;
    let data = json!({
        "dry_run": args.dry_run, "shop": args.shop, "product": args.product,
        "lines": remapped.lines, "ended": remapped.ended, "began": remapped.began,
    });
    context
        .output
        .item(&data, |_| if args.dry_run { format!("it would be {remapped}") } else { format!("done: {remapped}") })?;
    if args.dry_run && remapped.lines > 0 {
        context
            .output
            .say(&format!("nothing was changed; do it with --expect {} in place of --dry-run", remapped.lines));
    }
    Ok(())
}
