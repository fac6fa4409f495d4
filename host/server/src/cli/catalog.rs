//! `bursar catalog`: which product sells which course, as CSV.
//!
//! Owns the file's form. What an import means for lines that were sold is the store's and the domain's.

use std::{collections::BTreeSet, io::Read as _, path::PathBuf};

use bursar_domain::{CourseRun, Mode, ShopName, statement::ProductId};
use bursar_store::{
    Purpose,
    catalog::{CatalogRow, Imported, planned},
};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{CliError, Context};
use crate::{
    config::StoreConfig,
    output::table::{Column, Table},
    serve::policies,
};

pub mod remap;

/// The header line of the file.
const HEADER: [&str; 3] = ["product", "course_run", "mode"];

/// The kind of a product that is written without one: what shops print on invoices.
const DEFAULT_KIND: &str = "sku";

/// What can be asked of catalogs.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Read a shop's catalog from CSV.
    Import(ImportArgs),
    /// Write a shop's catalog as CSV.
    Export(ExportArgs),
    /// Move what was sold before to what the catalog says now.
    Remap(remap::RemapArgs),
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

/// Imports a shop's catalog.
///
/// # Errors
/// When the file does not read, the shop is not configured, or the store cannot be written.
pub async fn import(context: &Context, args: &ImportArgs) -> Result<(), CliError> {
    let config = context.load_config_without_secrets()?;
    if config.shop(args.shop.as_str()).is_none() {
        return Err(CliError::usage(format!("there is no shop {} in {}", args.shop, config.file.display())));
    }
    let name = args.file.display().to_string();
    let text = if name == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(&args.file)
    };
    let text = text.map_err(|error| CliError::failed(format!("{name} cannot be read: {error}")))?;
    let rows = read(&name, &text, &args.shop)?;
    let StoreConfig::Sqlite { path } = &config.store;
    let store = bursar_store::Store::open(path, Purpose::Tool).await?;
    let imported = if args.dry_run {
        let current: Vec<CatalogRow> = store.catalog().await?.into_iter().filter(|row| row.shop == args.shop).collect();
        planned(&current, &rows, args.replace)
    } else {
        store.import_catalog(rows, args.replace, policies(&config), context.operator(), context.clock.now()).await?
    };
    let Imported { added, ended, unchanged, orders } = imported;
    let done = json!({
        "dry_run": args.dry_run, "added": added, "ended": ended, "unchanged": unchanged, "orders_waiting": orders,
    });
    context.output.item(&done, |_| {
        let would = if args.dry_run { "would be " } else { "" };
        let waiting = if args.dry_run || orders == 0 {
            String::new()
        } else {
            format!("\n{orders} orders had waited for this and were looked at again")
        };
        format!("{added} {would}added, {ended} {would}ended, {unchanged} unchanged{waiting}\n")
    })
}

/// Exports a shop's catalog.
///
/// # Errors
/// When the store cannot be read.
pub async fn export(context: &Context, args: &ExportArgs) -> Result<(), CliError> {
    let store = context.open_store(Purpose::Tool).await?;
    let rows: Vec<CatalogRow> = store.catalog().await?.into_iter().filter(|row| row.shop == args.shop).collect();
    if context.output.is_json() {
        let rows: Vec<_> = rows
            .iter()
            .map(cells)
            .map(|[product, run, mode]| json!({ "product": product, "course_run": run, "mode": mode }))
            .collect();
        return context.output.list(&rows, |_| Table::new([Column::new("product")]));
    }
    let mut csv = csv::Writer::from_writer(Vec::new());
    let unwritable =
        |error: &dyn std::fmt::Display| CliError::failed(format!("the catalog cannot be written: {error}"));
    csv.write_record(HEADER).map_err(|error| unwritable(&error))?;
    for row in &rows {
        csv.write_record(cells(row)).map_err(|error| unwritable(&error))?;
    }
    let bytes = csv.into_inner().map_err(|error| unwritable(&error))?;
    context.output.raw(&bytes)
}

fn cells(row: &CatalogRow) -> [String; 3] {
    let (run, mode) = row.sells.clone().unzip();
    [
        row.product.to_string(),
        run.map(String::from).unwrap_or_default(),
        mode.flatten().map(String::from).unwrap_or_default(),
    ]
}

/// Reads the whole file; every line that is wrong is told.
fn read(file: &str, text: &str, shop: &ShopName) -> Result<Vec<CatalogRow>, CliError> {
    let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let header = csv.headers().map_err(|error| CliError::failed(format!("{file}: {error}")))?;
    let positions = HEADER.map(|name| header.iter().position(|column| column == name));
    let [Some(product_at), Some(run_at), mode_at] = positions else {
        return Err(CliError::failed(format!("{file}: the first line must name the columns {}", HEADER.join(", ")))
            .hint("`bursar catalog export` writes a file of the right form"));
    };
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for record in csv.records() {
        let record = record.map_err(|error| CliError::failed(format!("{file}: {error}")))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
        match row(shop, cell(Some(product_at)), cell(Some(run_at)), cell(mode_at)) {
            Ok(row) if !seen.insert((row.product.clone(), row.sells.clone().map(|(run, _)| run))) => {
                wrong.push(format!("{file}:{line}: names {} for the second time", row.product));
            }
            Ok(row) => rows.push(row),
            Err(problem) => wrong.push(format!("{file}:{line}: {problem}")),
        }
    }
    if wrong.is_empty() { Ok(rows) } else { Err(CliError::failed(wrong.join("\n")).hint("nothing was imported")) }
}

fn row(shop: &ShopName, product: &str, run: &str, mode: &str) -> Result<CatalogRow, String> {
    let (kind, id) = product.split_once(':').unwrap_or((DEFAULT_KIND, product));
    if id.is_empty() || kind.is_empty() {
        return Err("the product is blank; write KIND:ID, sku:CS101 for example".to_owned());
    }
    let mode = if mode.is_empty() { None } else { Some(Mode::parse(mode).map_err(|error| error.to_string())?) };
    let sells = match (run.is_empty(), mode) {
        (true, None) => None,
        (true, Some(_)) => return Err("names a mode, but no course run".to_owned()),
        (false, mode) => Some((CourseRun::parse(run).map_err(|error| error.to_string())?, mode)),
    };
    Ok(CatalogRow { shop: shop.clone(), product: ProductId { kind: kind.to_owned(), id: id.to_owned() }, sells })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> ShopName {
        ShopName::parse("campus").unwrap()
    }

    #[test]
    fn a_file_reads_whatever_the_order_of_its_columns() {
        let text = "mode,product,course_run\nverified,sku:A,course-v1:X+Y+Z\n,product:7,course-v1:X+Y+Z\n,900,\n";
        let rows = read("f.csv", text, &shop()).unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].sells.as_ref().unwrap().1.as_ref().unwrap().as_str(), "verified");
        assert_eq!(rows[1].sells.as_ref().unwrap().1, None);
        assert_eq!((rows[2].product.to_string(), rows[2].sells.clone()), ("sku:900".to_owned(), None));
    }

    #[test]
    fn every_wrong_line_is_named_and_nothing_is_taken() {
        let text = "product,course_run,mode\nsku:A,nonsense,\n,course-v1:X+Y+Z,\nsku:B,,audit\n";
        let error = read("f.csv", text, &shop()).unwrap_err().to_string();
        assert!(error.contains("f.csv:2: course run must look like"), "{error}");
        assert!(error.contains("f.csv:3: the product is blank"), "{error}");
        assert!(error.contains("f.csv:4: names a mode, but no course run"), "{error}");
    }
}
