//! The shell of `lightsout sql`: lines in, answers out, until `\q`.

mod command;
mod complete;
mod editor;
mod history;

use std::path::Path;
use std::time::{Duration, Instant};

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::answers::QueryLimits;
use super::screen::Screen;
use super::shared::{Output, print};
use super::sql_session::SqlSession;
use super::typed::{Typed, statements_in};
use crate::cli::failure::{Failure, Result};
use command::Command;
use complete::Names;
use lightsout_query::Error as QueryError;
use lightsout_query::answer::Limits;

const NAME: &str = "sql";

/// Files that name files.
const INCLUDES_MAX: usize = 16;

type Line = Editor<Names, FileHistory>;

/// Reads and answers until somebody leaves.
pub(super) async fn run(
    session: SqlSession,
    limits: &QueryLimits,
    output: &Output,
    quiet: bool,
) -> Result<()> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .history_ignore_space(true)
        .auto_add_history(false)
        .build();
    let mut line: Line = Editor::with_config(config).map_err(no_terminal)?;
    line.set_helper(Some(Names::of(session.vocabulary().await?)));
    let history = history::file();
    if let Some(history) = &history {
        // The first time there is none.
        let _ = line.load_history(history);
    }
    if !quiet {
        print(&format!("lightsout {}, lake {}", env!("CARGO_PKG_VERSION"), session.lake().name()));
        print("A query ends with ; and \\d lists tables and views. \\? for help, \\q to quit.");
    }
    let mut shell = Shell {
        session,
        limits: limits.each(),
        screen: Screen::new(output),
        is_timing: true,
        last: String::new(),
        includes: 0,
    };
    let mut typed = Typed::default();
    loop {
        let prompt = if typed.is_empty() { "lightsout> " } else { "        -> " };
        match line.readline(prompt) {
            Ok(text) => {
                let next = shell.take(&text, &mut typed, &mut line).await;
                if let Some(history) = &history {
                    // One that can't be written is no reason to stop.
                    let _ = line.save_history(history);
                }
                if next == Next::Leave {
                    break;
                }
            }
            // What was typed so far is dropped.
            Err(ReadlineError::Interrupted) => typed.clear(),
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(no_terminal(error)),
        }
    }
    Ok(())
}

fn no_terminal(error: ReadlineError) -> Failure {
    let source = match error {
        ReadlineError::Io(source) => source,
        other => std::io::Error::other(other.to_string()),
    };
    Failure::Read { path: "the terminal".to_owned(), source }
}

/// What comes after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    /// Something failed; at the prompt that is as good.
    Failed,
    Leave,
}

struct Shell {
    session: SqlSession,
    limits: Limits,
    screen: Screen,
    is_timing: bool,
    /// The last query that was asked.
    last: String,
    /// Files that are being read now, each by the one before.
    includes: usize,
}

impl Shell {
    /// Takes a line.
    async fn take(&mut self, text: &str, typed: &mut Typed, line: &mut Line) -> Next {
        let remember = |line: &mut Line, entry: &str| drop(line.add_history_entry(entry));
        if typed.is_empty() {
            if let Some(command) = Command::of(text) {
                remember(line, text.trim());
                return self.follow(command, typed, line).await;
            }
            if text.trim().is_empty() {
                return Next::Go;
            }
        }
        if let Some((sql, every)) = command::watched(text) {
            typed.add(sql);
            let sql = typed.text().trim().to_owned();
            typed.clear();
            remember(line, &format!("{sql} \\watch {}", every.as_secs_f64()));
            self.last = sql;
            return self.watch(every, line).await;
        }
        typed.add(text);
        for statement in typed.statements() {
            remember(line, &format!("{statement};"));
            if self.ask(&statement, line).await == Next::Failed {
                return Next::Failed;
            }
        }
        Next::Go
    }

    /// Goes on to what was committed meanwhile, and says so.
    async fn refresh(&mut self) {
        match self.session.refresh().await {
            Ok(true) => {
                self.screen.forget_names();
                lightsout_output::stderr!("(the lake has new commits; results include them from here on)");
            }
            Ok(false) => {}
            Err(error) => {
                lightsout_output::stderr!(
                    "the newest commits can't be read; results come from older ones: {error}"
                );
            }
        }
    }

    /// Asks, shows, and tells what went wrong; Ctrl-C ends the query and not the shell.
    async fn ask(&mut self, sql: &str, line: &mut Line) -> Next {
        match self.session.set_time_zone(sql) {
            Ok(None) => {}
            Ok(Some(told)) => {
                lightsout_output::stderr!("{told}");
                return Next::Go;
            }
            Err(error) => {
                tell(&error);
                return Next::Failed;
            }
        }
        self.refresh().await;
        sql.clone_into(&mut self.last);
        let started = Instant::now();
        self.screen.measure(line.dimensions());
        let screen = &self.screen;
        let (queries, limits) = (self.session.queries(), self.limits);
        let shown = async { screen.show(queries.ask(NAME, sql, &[], limits).await?, queries).await };
        let done = tokio::select! {
            done = shown => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::from(QueryError::Interrupted { name: NAME.to_owned() })),
        };
        match done {
            Ok(note) => {
                let time = started.elapsed();
                let time =
                    if self.is_timing { format!(", {:.3} s", time.as_secs_f64()) } else { String::new() };
                lightsout_output::stderr!("({note}{time})");
                Next::Go
            }
            Err(error) => {
                tell(&error);
                Next::Failed
            }
        }
    }

    /// Asks the last query again and again, until it fails or Ctrl-C.
    async fn watch(&mut self, every: Duration, line: &mut Line) -> Next {
        let sql = self.last.clone();
        if sql.is_empty() {
            lightsout_output::stderr!("there is no query to watch yet");
            return Next::Failed;
        }
        let was_paged = self.screen.without_pager();
        let next = loop {
            lightsout_output::stderr!(
                "{}, every {} s",
                super::shared::now().format("%Y-%m-%d %H:%M:%S UTC"),
                every.as_secs_f64()
            );
            if self.ask(&sql, line).await == Next::Failed {
                break Next::Failed;
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = tokio::signal::ctrl_c() => break Next::Go,
            }
        };
        self.screen.set_pager(Some(was_paged));
        next
    }

    async fn follow(&mut self, command: Command, typed: &mut Typed, line: &mut Line) -> Next {
        self.screen.measure(line.dimensions());
        let note = match command {
            Command::Quit => return Next::Leave,
            Command::Include(path) => return Box::pin(self.include(&path, line)).await,
            Command::Watch(every) => return self.watch(every, line).await,
            Command::Edit => return self.edit(typed, line).await,
            Command::Help => self.screen.page(command::HELP).map(|()| None),
            Command::List(parts) => {
                self.screen.page(&command::list(&self.session.names(parts))).map(|()| None)
            }
            Command::Describe(name) => self.describe(&name).await,
            Command::Timing(on) => {
                self.is_timing = on.unwrap_or(!self.is_timing);
                Ok(Some(format!("timing is {}", if self.is_timing { "on" } else { "off" })))
            }
            Command::Expanded(mode) => Ok(Some(self.screen.expand(mode))),
            Command::Format(format) => Ok(Some(self.screen.set_format(format))),
            Command::Pager(on) => Ok(Some(self.screen.set_pager(on))),
            Command::Output(path) => self.screen.set_output(path).map(Some),
            Command::Wrong(why) => {
                lightsout_output::stderr!("{why}");
                return Next::Failed;
            }
        };
        match note {
            Ok(Some(note)) => lightsout_output::stderr!("{note}"),
            Ok(None) => {}
            Err(error) => {
                tell(&error);
                return Next::Failed;
            }
        }
        Next::Go
    }

    /// Takes the lines of a file as if they were typed, until one fails. A last query may go without its semicolon.
    async fn include(&mut self, path: &Path, line: &mut Line) -> Next {
        let name = path.display().to_string();
        if self.includes == INCLUDES_MAX {
            lightsout_output::stderr!(
                "{name}: files are included more than {INCLUDES_MAX} deep; does one include itself?"
            );
            return Next::Failed;
        }
        let text = match editor::read(path) {
            Ok(text) => text,
            Err(error) => {
                tell(&error);
                return Next::Failed;
            }
        };
        self.includes += 1;
        let (mut typed, mut next) = (Typed::default(), Next::Go);
        for (at, text) in text.lines().enumerate() {
            next = self.take(text, &mut typed, line).await;
            if next == Next::Failed {
                lightsout_output::stderr!("{name}: stopped at line {}", at + 1);
            }
            if next != Next::Go {
                break;
            }
        }
        if next == Next::Go {
            for sql in statements_in(typed.text()) {
                next = self.ask(sql.trim(), line).await;
            }
        }
        self.includes -= 1;
        next
    }

    /// Lets the user write what was typed so far, or the last query, in an editor, and asks what is whole of it.
    async fn edit(&mut self, typed: &mut Typed, line: &mut Line) -> Next {
        let before = if typed.is_empty() { self.last.clone() } else { typed.text().to_owned() };
        match editor::edit(&before) {
            Ok(text) => {
                typed.clear();
                typed.add(text.trim());
                lightsout_output::stderr!("{}", text.trim());
                for statement in typed.statements() {
                    let _ = line.add_history_entry(format!("{statement};"));
                    self.ask(&statement, line).await;
                }
                Next::Go
            }
            Err(error) => {
                tell(&error);
                Next::Failed
            }
        }
    }

    /// Shows the columns of a table, or tells which there are.
    async fn describe(&self, name: &str) -> Result<Option<String>> {
        let names = self.session.names(true);
        let Some(columns) = self.session.queries().columns_of(name).await? else {
            let known: Vec<&str> = names.iter().map(|listed| listed.name.as_str()).collect();
            return Ok(Some(format!("there is no table {name}; there are: {}", known.join(", "))));
        };
        let purpose = names.iter().find(|listed| listed.name == name);
        let purpose = purpose.map(|listed| listed.purpose.as_str());
        self.screen.page(&command::columns(name, purpose, &columns))?;
        Ok(None)
    }
}

/// Of a query that was just typed nobody needs the name.
fn tell(error: &Failure) {
    let text = error.to_string();
    lightsout_output::stderr!("{}", text.strip_prefix("query sql: ").unwrap_or(&text));
}
