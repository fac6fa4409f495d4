//! `bursar catalog`: its arguments.

use std::path::PathBuf;

use bursar_domain::ShopName;
use clap::{Args, Subcommand};

/// What can be asked of catalogs.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Read a shop's catalog from CSV.
    Import(ImportArgs),
    /// Write a shop's catalog as CSV.
    Export(ExportArgs),
}

/// Arguments of `bursar catalog import`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is CSV with a header line. A product that sells several courses has a line for each; a blank mode is the \
shop's default mode; a product with a blank course run is declared to be no course:

  product,course_run,mode
  sku:CS101-V,course-v1:Example+CS101+2026,verified
  variation:31,course-v1:Example+CS101+2026,
  product:900,,

What was sold already stays as it was sold: a catalog concerns what is sold from now on, and paid lines that \
wait for it.

Examples:
  bursar catalog import campus products.csv
  bursar catalog import campus products.csv --dry-run
  bursar catalog import campus - < products.csv")]
pub struct ImportArgs {
    /// The shop.
    #[arg(value_name = "SHOP")]
    pub shop: ShopName,
    /// The file; `-` for standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Say what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Remove products that the file does not name.
    #[arg(long)]
    pub replace: bool,
}

/// Arguments of `bursar catalog export`.
#[derive(Debug, Args)]
#[command(after_help = "\
What it writes can be imported again.

Example: bursar catalog export campus > products.csv")]
pub struct ExportArgs {
    /// The shop.
    #[arg(value_name = "SHOP")]
    pub shop: ShopName,
}
