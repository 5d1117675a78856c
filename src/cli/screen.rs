//! Answers on the screen, for the shell and for commands on a terminal: a table that fits, one column a line where none
//! does, and a pager where they are too long. Or into a file.

use std::fmt;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use clap::Args;
use tokio::sync::OnceCell;

use super::shared::Output;
use crate::cli::answers::Out;
use crate::cli::failure::{Failure, Result};
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_output::text::count;
use lightsout_query::Queries;
use lightsout_query::answer::Answer;
use lightsout_report::expanded::expanded;
use lightsout_report::terminal::{TENANT_ID, TenantNames, fitted_rows};
use lightsout_report::{Format, RowWriter, TABLE_ROWS_MAX};
use lightsout_workflow::known_tenants::names_in_lake;

/// How rows lie on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expanded {
    On,
    Off,
    /// Where they are wider than the screen.
    Auto,
}

/// The flag of commands that show one answer.
#[derive(Debug, Clone, Args)]
pub(super) struct ExpandedFlag {
    /// Print one column per line, as for rows that do not fit the terminal
    #[arg(short = 'x', long)]
    expanded: bool,
}

impl ExpandedFlag {
    /// Whether it is set, of an output that can be so.
    pub(super) fn is_on(&self, output: &Output) -> Result<bool> {
        match output.format() {
            Some(format) if self.expanded && format != Format::Table => Err(Failure::Usage {
                flag: "--expanded",
                expected: "a table, because it is meant for people".to_owned(),
                found: format!("--format {}", format.as_str()),
            }),
            _ if self.expanded && output.output.is_some() => Err(Failure::Usage {
                flag: "--expanded",
                expected: "no --output, because it is meant for people".to_owned(),
                found: "--output".to_owned(),
            }),
            _ => Ok(self.expanded),
        }
    }
}

pub(super) struct Screen {
    format: Format,
    expanded: Expanded,
    is_paged: bool,
    file: Option<PathBuf>,
    columns: usize,
    lines: usize,
    /// Whether it shows reports: tenants by their names, and the columns that matter most where not all fit.
    is_report: bool,
    names: OnceCell<TenantNames>,
}

/// Columns of a terminal that does not say how many it has.
const COLUMNS_OTHERWISE: usize = 80;

impl Screen {
    /// The screen of a person who waits for one answer; `None` where a program reads it, or a file is written.
    pub(super) fn of_person(output: &Output, is_expanded: bool) -> Option<Self> {
        let is_screen = output.is_table() && output.output.is_none();
        if !(is_expanded || is_screen && std::io::stdout().is_terminal()) {
            return None;
        }
        let mut screen = Self::new(output);
        screen.format = Format::Table;
        if is_expanded {
            screen.expanded = Expanded::On;
        }
        let size = terminal_size::terminal_size_of(std::io::stdout());
        screen.columns = COLUMNS_OTHERWISE;
        screen.measure(size.map(|(columns, lines)| (columns.0, lines.0)));
        Some(screen)
    }

    /// Columns of the terminal.
    pub(super) const fn columns(&self) -> usize {
        self.columns
    }

    /// For rows of a report, whose columns nobody has chosen.
    pub(super) const fn for_report(mut self) -> Self {
        self.is_report = true;
        self
    }

    /// With names of tenants that are not those of the kept roster.
    pub(super) fn with_names(mut self, names: TenantNames) -> Self {
        self.names = OnceCell::new_with(Some(names));
        self
    }

    /// Names may have changed.
    pub(super) fn forget_names(&mut self) {
        self.names = OnceCell::new();
    }

    pub(super) fn new(output: &Output) -> Self {
        Self {
            is_report: false,
            names: OnceCell::new(),
            format: output.format.filter(|_| output.output.is_none()).unwrap_or(Format::Table),
            expanded: Expanded::Auto,
            is_paged: true,
            file: output.output.clone(),
            columns: usize::MAX,
            lines: usize::MAX,
        }
    }

    /// A screen may have changed since the last answer.
    pub(super) fn measure(&mut self, size: Option<(u16, u16)>) {
        if let Some((columns, lines)) = size.filter(|(columns, lines)| *columns > 0 && *lines > 0) {
            (self.columns, self.lines) = (columns.into(), lines.into());
        }
    }

    pub(super) fn expand(&mut self, mode: Option<Expanded>) -> String {
        self.expanded = mode.unwrap_or(match self.expanded {
            Expanded::On => Expanded::Off,
            Expanded::Off | Expanded::Auto => Expanded::On,
        });
        let how = match self.expanded {
            Expanded::On => "on",
            Expanded::Off => "off",
            Expanded::Auto => "used where a row is wider than the screen",
        };
        format!("expanded display is {how}")
    }

    pub(super) fn set_format(&mut self, format: Format) -> String {
        self.format = format;
        format!("the output format is {}", format.as_str())
    }

    pub(super) fn set_pager(&mut self, on: Option<bool>) -> String {
        self.is_paged = on.unwrap_or(!self.is_paged);
        format!("the pager is {}", if self.is_paged { "on" } else { "off" })
    }

    /// Switches the pager off; whether it was on.
    pub(super) const fn without_pager(&mut self) -> bool {
        std::mem::replace(&mut self.is_paged, false)
    }

    pub(super) fn set_output(&mut self, file: Option<PathBuf>) -> Result<String> {
        // What is shown as a table is written as its file's name tells.
        let format = (self.format != Format::Table).then_some(self.format);
        let format = if file.as_deref().and_then(Format::of_path).is_some() { None } else { format };
        Output { format, output: file.clone() }.check()?;
        self.file = file;
        Ok(match &self.file {
            Some(file) => format!("results go to {}, each replacing the one before", file.display()),
            None => "results go to the screen".to_owned(),
        })
    }

    /// Shows a text, by the pager if it is too long.
    pub(super) fn page(&self, text: &str) -> Result<()> {
        let mut pages = Pages::open(self.is_paged && self.is_too_long(text));
        pages.write(text.as_bytes())?;
        pages.write(b"\n")?;
        Ok(())
    }

    fn is_too_long(&self, text: &str) -> bool {
        text.lines().count() + 2 > self.lines
    }

    /// Shows an answer to its end. `queries` know the names of tenants.
    pub(super) async fn show(&self, answer: Answer, queries: &Queries) -> Result<Shown> {
        match &self.file {
            Some(file) => self.to_file(answer, file).await,
            None => self.to_screen(answer, queries).await,
        }
    }

    async fn to_file(&self, mut answer: Answer, file: &Path) -> Result<Shown> {
        let named = Format::of_path(file);
        let chosen = if self.format == Format::Table { Format::Csv } else { self.format };
        let output = Output { format: Some(named.unwrap_or(chosen)), output: Some(file.to_owned()) };
        let mut out = Out::open(&output, &answer.schema())?;
        let mut rows = 0;
        while let Some(batch) = answer.next().await? {
            rows += batch.num_rows();
            out.write(&batch)?;
        }
        out.finish()?;
        Ok(Shown { rows, is_cut: answer.is_cut(), file: Some(file.to_owned()) })
    }

    async fn to_screen(&self, mut answer: Answer, queries: &Queries) -> Result<Shown> {
        let names = if self.format == Format::Table && answer.schema().column_with_name(TENANT_ID).is_some() {
            self.names.get_or_try_init(|| tenant_names(queries)).await?.clone()
        } else {
            TenantNames::new()
        };
        let mut pages: Option<Pages> = None;
        let (mut rows, mut is_over) = (0, false);
        while !is_over {
            let (held, over) = next_rows(&mut answer).await?;
            is_over = over;
            let text = self.text(&answer.schema(), &held, rows, &names)?;
            if rows > 0 && held.is_empty() {
                break;
            }
            rows += held.iter().map(RecordBatch::num_rows).sum::<usize>();
            let pages = pages
                .get_or_insert_with(|| Pages::open(self.is_paged && (!is_over || self.is_too_long(&text))));
            if !pages.write(text.as_bytes())? {
                // Who reads has seen enough.
                break;
            }
        }
        Ok(Shown { rows, is_cut: answer.is_cut(), file: None })
    }

    /// Shows rows that are there already, of a command that knows no more names.
    pub(super) fn show_rows(&self, batches: &[RecordBatch]) -> Result<()> {
        let Some(first) = batches.first() else { return Ok(()) };
        let names = self.names.get().cloned().unwrap_or_default();
        let text = self.text(&first.schema(), batches, 0, &names)?;
        Pages::open(self.is_paged && self.is_too_long(&text)).write(text.as_bytes())?;
        Ok(())
    }

    fn text(
        &self,
        schema: &SchemaRef,
        batches: &[RecordBatch],
        before: usize,
        names: &TenantNames,
    ) -> Result<String> {
        if self.format != Format::Table || self.expanded == Expanded::Off {
            let mut text = Vec::new();
            let mut writer = RowWriter::new(&mut text, self.format, schema)?;
            batches.iter().try_for_each(|batch| writer.write(batch))?;
            writer.finish()?;
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
        let batches = match batches {
            [] => &[RecordBatch::new_empty(SchemaRef::clone(schema))][..],
            batches => batches,
        };
        if self.expanded == Expanded::Auto
            && let Some(table) = fitted_rows(batches, self.columns, names, self.is_report)?
        {
            return Ok(table);
        }
        let (mut text, mut before) = (String::new(), before);
        for batch in batches {
            text.push_str(&expanded(batch, before, names)?);
            before += batch.num_rows();
        }
        if before == 0 {
            text.push_str("(no rows)\n");
        }
        Ok(text)
    }
}

/// The names of the kept roster.
async fn tenant_names(queries: &Queries) -> Result<TenantNames> {
    let roster = names_in_lake(queries).await?;
    Ok(names_of(&roster))
}

pub(super) fn names_of(roster: &Roster) -> TenantNames {
    let name = |tenant: &RosterTenant| Some((tenant.tenant_id.clone(), tenant.display_name.clone()?));
    roster.tenants.values().filter_map(name).collect()
}

/// How much was shown, and where.
#[derive(Debug)]
pub(super) struct Shown {
    rows: usize,
    pub(super) is_cut: bool,
    file: Option<PathBuf>,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = count(self.rows as u64, "row", "rows");
        let more = if self.is_cut { ", stopped by --limit" } else { "" };
        write!(f, "{rows}{more}")?;
        match &self.file {
            Some(file) => write!(f, " to {}", file.display()),
            None => Ok(()),
        }
    }
}

/// As many rows as are measured together, and whether they are the last.
async fn next_rows(answer: &mut Answer) -> Result<(Vec<RecordBatch>, bool)> {
    let (mut held, mut rows) = (Vec::new(), 0);
    while rows < TABLE_ROWS_MAX {
        match answer.next().await? {
            Some(batch) => {
                rows += batch.num_rows();
                held.push(batch);
            }
            None => return Ok((held, true)),
        }
    }
    Ok((held, false))
}

/// Where text goes: the screen, or a program that shows it page by page.
enum Pages {
    Screen,
    Pager(Child),
}

impl Pages {
    fn open(is_paged: bool) -> Self {
        if !is_paged || !std::io::stdout().is_terminal() {
            return Self::Screen;
        }
        let pager = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
        let mut command = Command::new("sh");
        command.arg("-c").arg(pager.as_deref().unwrap_or("less")).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            // Long lines are cut, not wrapped; and the answer stays on the screen.
            command.env("LESS", "-S -X");
        }
        let is_there = pager.is_some() || on_path("less");
        match is_there.then(|| command.spawn()) {
            Some(Ok(child)) => Self::Pager(child),
            // Better all at once than not at all.
            _ => Self::Screen,
        }
    }

    /// `false` where nobody reads any more.
    fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        let done = match self {
            Self::Screen => std::io::stdout().lock().write_all(bytes),
            Self::Pager(child) => match &mut child.stdin {
                Some(stdin) => stdin.write_all(bytes),
                None => Ok(()),
            },
        };
        match done {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
            Err(source) => Err(Failure::Write { path: "the screen".into(), source }),
        }
    }
}

/// Whatever ended the answer, the terminal is the pager's until that ends.
impl Drop for Pages {
    fn drop(&mut self) {
        if let Self::Pager(child) = self {
            drop(child.stdin.take());
            // Its end is all that matters, not how.
            let _ = child.wait();
        }
    }
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
