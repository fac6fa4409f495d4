//! `bursar adapter test`: an adapter's fixtures, run in the sandbox of production.
//!
//! Owns what is printed and the exit code. Reading, running and comparing are [`bursar_fixtures`]'s.

use std::path::{Path, PathBuf};

use bursar_fixtures::{Adapters, Budget, Checked, DiffLine, End, Folder, Phase, Resource, Spent, check, folders};
use bursar_sandbox::Adapter;
use clap::Args;
use serde_json::{Value, json};

use super::sandbox::sandbox;
use crate::{
    cli::{CliError, Context},
    output::{Cell, Column, Output, Style, Table, human},
};

/// Where an adapter's build puts its component.
const DIST: &str = "dist";

/// Arguments of `bursar adapter test`.
#[derive(Debug, Args)]
#[command(after_help = "\
A case is a folder of DIR/fixtures with a request, its exact body, and what is expected to come of them. The limits are \
those of production, and the table shows how much of each was used. It is a failure if anything differs.

Examples:
  bursar adapter test adapters/acme
  bursar adapter test adapters/acme --case paid-order --update")]
pub struct TestArgs {
    /// The adapter's folder, with `fixtures/` in it.
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,
    /// The component; otherwise the one in DIR/dist.
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,
    /// Run this case only. May be repeated.
    #[arg(long = "case", value_name = "NAME")]
    pub cases: Vec<String>,
    /// Write what happens to expected.json, and show what changes by it.
    #[arg(long)]
    pub update: bool,
}

/// Runs the cases and says how they ended.
///
/// # Errors
/// When anything is not as expected, or nothing can be run.
pub async fn run(context: &Context, args: &TestArgs) -> Result<(), CliError> {
    let folders = chosen(folders(&args.directory)?, &args.cases)?;
    let component = component(args)?;
    let adapters = load(context, &component).await?;
    let mut cases = Vec::new();
    for folder in &folders {
        let checked = check(&adapters, folder).await;
        if args.update {
            checked.accept()?;
        }
        cases.push(checked);
    }
    let report = Report { cases, updated: args.update };
    if context.output.is_json() {
        context.output.item(&report.data(&adapters.adapter, &component), |_| String::new())?;
    } else {
        report.print(&context.output)?;
    }
    if report.failed() == 0 { Ok(()) } else { Err(CliError::Reported) }
}

fn chosen(folders: Vec<Folder>, names: &[String]) -> Result<Vec<Folder>, CliError> {
    if let Some(unknown) = names.iter().find(|name| !folders.iter().any(|folder| folder.name == **name)) {
        let there: Vec<&str> = folders.iter().map(|folder| folder.name.as_str()).collect();
        return Err(
            CliError::usage(format!("there is no case {unknown:?}")).hint(format!("there are: {}", there.join(", ")))
        );
    }
    Ok(folders.into_iter().filter(|folder| names.is_empty() || names.contains(&folder.name)).collect())
}

/// The component to run.
fn component(args: &TestArgs) -> Result<PathBuf, CliError> {
    if let Some(file) = &args.component {
        return Ok(file.clone());
    }
    let dist = args.directory.join(DIST);
    let entries = std::fs::read_dir(&dist).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "wasm")).collect();
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(CliError::failed(format!("there is no component in {}", dist.display()))
            .hint(format!("build it: bursar adapter build {}", args.directory.display()))),
        several => {
            let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            Err(CliError::failed(format!("there is more than one component in {}", dist.display()))
                .hint(format!("choose with --component: {}", names.join(", "))))
        }
    }
}

async fn load(context: &Context, component: &Path) -> Result<Adapters, CliError> {
    let bytes = std::fs::read(component)
        .map_err(|error| CliError::failed(format!("{} cannot be read: {error}", component.display())))?;
    let adapter = sandbox(context, false)?.load(bytes.clone()).await?;
    let counting = sandbox(context, true)?.load(bytes).await?;
    Ok(Adapters { adapter, counting })
}

/// Everything that was tried.
struct Report {
    cases: Vec<Checked>,
    updated: bool,
}

impl Report {
    /// Cases that stand in the way of success. What was written is as it should be now.
    fn failed(&self) -> usize {
        let fails = |case: &&Checked| match case.end {
            End::AsExpected => false,
            End::Differs { .. } | End::New { .. } => !self.updated,
            End::Broken(_) => true,
        };
        self.cases.iter().filter(fails).count()
    }

    fn print(&self, output: &Output) -> Result<(), CliError> {
        let width = self.cases.iter().map(|case| self.status(&case.end).0.len()).max().unwrap_or_default();
        for case in &self.cases {
            let (status, style) = self.status(&case.end);
            output.marked(style, status, &format!("{:1$}{2}", "", width - status.len() + 2, case.folder.name))?;
        }
        if self.cases.iter().any(|case| !case.budgets.is_empty()) {
            output.text("")?;
            output.table(&budgets(&self.cases))?;
            output.text(LEGEND)?;
        }
        for case in &self.cases {
            self.print_end(output, case)?;
        }
        if !self.updated && self.cases.iter().any(|case| matches!(case.end, End::New { .. } | End::Differs { .. })) {
            output.text("")?;
            let hint = " --update writes what happened to expected.json; review it as you would code";
            output.marked(Style::Cyan, "hint:", hint)?;
        }
        output.text("")?;
        let failed = self.failed();
        let style = if failed == 0 { Style::Green } else { Style::Red };
        let passed = self.cases.len() - failed;
        output.marked(style, &format!("{passed} passed, {failed} failed"), "")
    }

    /// Why a case is not as expected.
    fn print_end(&self, output: &Output, case: &Checked) -> Result<(), CliError> {
        let name = &case.folder.name;
        match &case.end {
            End::AsExpected => return Ok(()),
            End::Broken(fault) => {
                output.heading(&format!("{name} cannot be run"))?;
                output.text(&indented(&fault.to_string()))?;
            }
            End::New { .. } if !self.updated && case.remarks.is_empty() => return Ok(()),
            End::New { .. } if !self.updated => output.heading(&format!("{name} has no expected.json"))?,
            End::New { comparison, .. } | End::Differs { comparison, .. } => {
                let marks = "(- expected, + happened)";
                output.heading(&match (&case.end, self.updated) {
                    (End::New { .. }, _) => format!("{name}: expected.json is new"),
                    (_, true) => format!("{name}: expected.json was changed (- before, + now)"),
                    (_, false) => format!("{name} is not as expected {marks}"),
                })?;
                for line in &comparison.lines {
                    match line {
                        DiffLine::Same(text) => output.text(&format!("    {text}"))?,
                        DiffLine::Expected(text) => output.marked(Style::Red, &format!("  - {text}"), "")?,
                        DiffLine::Happened(text) => output.marked(Style::Green, &format!("  + {text}"), "")?,
                        DiffLine::Gap => output.text("    …")?,
                    }
                }
            }
        }
        case.remarks.iter().try_for_each(|remark| output.text(&indented(remark)))
    }

    fn status(&self, end: &End) -> (&'static str, Style) {
        match end {
            End::AsExpected => ("ok", Style::Green),
            End::Differs { .. } if self.updated => ("updated", Style::Yellow),
            End::New { .. } if self.updated => ("written", Style::Yellow),
            End::Differs { .. } => ("differs", Style::Red),
            End::New { .. } => ("new", Style::Red),
            End::Broken(_) => ("broken", Style::Red),
        }
    }

    fn data(&self, adapter: &Adapter, component: &Path) -> Value {
        let description = adapter.description();
        let cases: Vec<Value> = self.cases.iter().map(|case| self.case_data(case)).collect();
        let failed = self.failed();
        json!({
            "adapter": {
                "platform": description.platform, "version": description.version, "sha256": adapter.sha256(),
                "component": component,
            },
            "cases": cases, "passed": self.cases.len() - failed, "failed": failed,
        })
    }

    fn case_data(&self, case: &Checked) -> Value {
        let (happened, differences) = match &case.end {
            End::Differs { comparison, happened } | End::New { comparison, happened } => {
                (Some(happened), &comparison.places[..])
            }
            End::AsExpected | End::Broken(_) => (None, &[][..]),
        };
        let problem = match &case.end {
            End::Broken(fault) => json!({
                "file": fault.file, "key": fault.key, "problem": fault.problem, "hint": fault.hint,
            }),
            _ => Value::Null,
        };
        json!({
            "case": case.folder.name, "status": self.status(&case.end).0, "differences": differences,
            "happened": happened, "problem": problem, "remarks": case.remarks, "budget": case.budgets,
        })
    }
}

/// What the figures are.
const LEGEND: &str = if cfg!(debug_assertions) {
    "Shares are of production's limits. Times are those of the whole run, with answers that come at once; \
     this is a debug build of bursar, which makes them longer."
} else {
    "Shares are of production's limits. Times are those of the whole run, with answers that come at once."
};

/// What each case used.
fn budgets(cases: &[Checked]) -> Table {
    let is_near = |case: &Checked| case.budgets.iter().any(|budget| budget.near().next().is_some());
    let any_is_near = cases.iter().any(is_near);
    let mut columns = vec![
        Column::new("case").whole(),
        Column::new("authenticate").right().whole(),
        Column::new("handle").right().whole(),
        Column::new("memory").right().whole(),
        Column::new("calls").right().whole(),
        Column::new("output").right().whole(),
        Column::new("fuel").right().whole(),
    ];
    if any_is_near {
        columns.push(Column::new("near the limit").wrapped());
    }
    let mut table = Table::new(columns);
    for case in cases.iter().filter(|case| !case.budgets.is_empty()) {
        let mut row = vec![
            Cell::from(case.folder.name.as_str()),
            time(&case.budgets, Phase::Authenticate),
            time(&case.budgets, Phase::Handle),
            largest(&case.budgets, |resource| resource == Resource::MemoryBytes, |spent| human::size(spent.used)),
            largest(&case.budgets, |resource| resource == Resource::HostCalls, |spent| human::count(spent.used)),
            largest(&case.budgets, Resource::is_output, |_| {
                human::size(case.budgets.iter().map(|budget| budget.output_bytes).sum())
            }),
            Cell::from(fuel(&case.budgets)),
        ];
        if any_is_near {
            row.push(Cell::from(near(&case.budgets)).styled(Style::Red));
        }
        table.row(row);
    }
    table
}

fn time(budgets: &[Budget], phase: Phase) -> Cell {
    let budgets: Vec<Budget> = budgets.iter().filter(|budget| budget.phase == phase).cloned().collect();
    largest(
        &budgets,
        |resource| resource == Resource::CpuMicroseconds,
        |spent| human::duration(std::time::Duration::from_micros(spent.used)),
    )
}

/// The largest share of a limit among these, in words and percent; red where it is near the limit.
fn largest(budgets: &[Budget], of: impl Fn(Resource) -> bool, words: impl Fn(&Spent) -> String) -> Cell {
    let spent = budgets.iter().flat_map(|budget| &budget.spent).filter(|spent| of(spent.resource));
    let Some(spent) = spent.max_by_key(|spent| (spent.percent(), spent.used)) else { return Cell::from("-") };
    let percent = match spent.percent() {
        0 if spent.used > 0 => "<1".to_owned(),
        percent => percent.to_string(),
    };
    let cell = Cell::from(format!("{} {percent:>3} %", words(spent)));
    if spent.is_near() { cell.styled(Style::Red) } else { cell }
}

fn fuel(budgets: &[Budget]) -> String {
    let counted: Option<u64> = budgets.iter().map(|budget| budget.fuel).sum();
    counted.map_or_else(|| "-".to_owned(), human::count)
}

fn near(budgets: &[Budget]) -> String {
    let near = budgets.iter().flat_map(|budget| {
        budget
            .near()
            .map(|spent| format!("{} of {}: {} %", spent.resource.words(), budget.phase.as_str(), spent.percent()))
    });
    near.collect::<Vec<_>>().join(", ")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
