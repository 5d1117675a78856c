//! Answers on the screen: a table, one column a line where that is too wide, and a pager where they are too
//! long. Or into a file.

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use arrow::array::RecordBatch;

use super::shared::Output;
use crate::cli::answers::Out;
use crate::cli::failure::{Failure, Result};
use lightsout_query::answer::Answer;
use lightsout_report::expanded::expanded;
use lightsout_report::{Format, RowWriter, TABLE_ROWS_MAX};

/// How rows lie on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expanded {
    On,
    Off,
    /// Where they are wider than the screen.
    Auto,
}

pub(super) struct Screen {
    format: Format,
    expanded: Expanded,
    is_paged: bool,
    file: Option<PathBuf>,
    columns: usize,
    lines: usize,
}

impl Screen {
    pub(super) fn new(output: &Output) -> Self {
        Self {
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
        format!("one column a line is {how}")
    }

    pub(super) fn set_format(&mut self, format: Format) -> String {
        self.format = format;
        format!("answers are written as {}", format.as_str())
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
            Some(file) => format!("answers go to {}, each in place of the one before", file.display()),
            None => "answers go to the screen".to_owned(),
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

    /// Shows an answer to its end; a note on how much it was.
    pub(super) async fn show(&self, answer: Answer) -> Result<String> {
        match &self.file {
            Some(file) => self.to_file(answer, file).await,
            None => self.to_screen(answer).await,
        }
    }

    async fn to_file(&self, mut answer: Answer, file: &std::path::Path) -> Result<String> {
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
        Ok(format!("{} to {}", counted(rows, answer.is_cut()), file.display()))
    }

    async fn to_screen(&self, mut answer: Answer) -> Result<String> {
        let mut pages: Option<Pages> = None;
        let (mut rows, mut is_over) = (0, false);
        while !is_over {
            let (held, over) = next_rows(&mut answer).await?;
            is_over = over;
            let text = self.text(&answer, &held, rows)?;
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
        Ok(counted(rows, answer.is_cut()))
    }

    fn text(&self, answer: &Answer, batches: &[RecordBatch], before: usize) -> Result<String> {
        let mut text = Vec::new();
        let mut writer = RowWriter::new(&mut text, self.format, &answer.schema())?;
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.finish()?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let is_wide = || text.lines().next().is_some_and(|line| line.chars().count() > self.columns);
        let is_expanded = self.format == Format::Table
            && match self.expanded {
                Expanded::On => true,
                Expanded::Off => false,
                Expanded::Auto => is_wide(),
            };
        if !is_expanded {
            return Ok(text);
        }
        let (mut text, mut before) = (String::new(), before);
        for batch in batches {
            text.push_str(&expanded(batch, before)?);
            before += batch.num_rows();
        }
        Ok(text)
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

fn counted(rows: usize, is_cut: bool) -> String {
    let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    if is_cut { format!("{rows}, and more than --limit lets through") } else { rows }
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
