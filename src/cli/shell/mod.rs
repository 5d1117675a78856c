//! The shell of `lightsout sql`: lines in, answers out, until `\q`.

mod command;
mod complete;
mod history;
mod screen;
mod typed;

use std::time::Instant;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::answers::QueryLimits;
use super::shared::{Output, print};
use crate::cli::failure::{Failure, Result};
use command::Command;
use complete::Names;
use lightsout_query::Error as QueryError;
use lightsout_query::Queries;
use lightsout_query::answer::Limits;
use lightsout_query::column_docs::{Relation, relations};
use screen::Screen;
use typed::Typed;

const NAME: &str = "sql";

type Line = Editor<Names, FileHistory>;

/// Reads and answers until somebody leaves.
pub(super) async fn run(
    queries: &Queries,
    limits: &QueryLimits,
    output: &Output,
    lake: &str,
    quiet: bool,
) -> Result<()> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .history_ignore_space(true)
        .auto_add_history(false)
        .build();
    let mut line: Line = Editor::with_config(config).map_err(no_terminal)?;
    line.set_helper(Some(Names::of(queries.vocabulary().await?)));
    let history = history::file();
    if let Some(history) = &history {
        // The first time there is none.
        let _ = line.load_history(history);
    }
    let mut shell = Shell {
        queries,
        limits: limits.each(),
        screen: Screen::new(output),
        is_timing: true,
        relations: relations(),
    };
    if !quiet {
        print(&format!("lightsout {}, lake {lake}", env!("CARGO_PKG_VERSION")));
        print("A query ends with ; and \\d lists what there is to ask of. \\? for help, \\q to leave.");
    }
    let mut typed = Typed::default();
    loop {
        let prompt = if typed.is_empty() { "lightsout> " } else { "        -> " };
        match line.readline(prompt) {
            Ok(text) => {
                let leave = shell.take(&text, &mut typed, &mut line).await;
                if let Some(history) = &history {
                    // One that can't be written is no reason to stop.
                    let _ = line.save_history(history);
                }
                if leave {
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

/// What a shell is set to.
struct Shell<'a> {
    queries: &'a Queries,
    limits: Limits,
    screen: Screen,
    is_timing: bool,
    relations: Vec<Relation>,
}

impl Shell<'_> {
    /// Takes a line; whether it is the last.
    async fn take(&mut self, text: &str, typed: &mut Typed, line: &mut Line) -> bool {
        let remember = |line: &mut Line, entry: &str| drop(line.add_history_entry(entry));
        if typed.is_empty() {
            if let Some(command) = Command::of(text) {
                remember(line, text.trim());
                return self.follow(command, line).await;
            }
            if text.trim().is_empty() {
                return false;
            }
        }
        typed.add(text);
        for statement in typed.statements() {
            remember(line, &format!("{statement};"));
            self.ask(&statement, line).await;
        }
        false
    }

    /// Asks, shows, and tells what went wrong; Ctrl-C ends the query and not the shell.
    async fn ask(&mut self, sql: &str, line: &mut Line) {
        let started = Instant::now();
        self.screen.measure(line.dimensions());
        let screen = &self.screen;
        let (queries, limits) = (self.queries, self.limits);
        let shown = async { screen.show(queries.ask(NAME, sql, &[], limits).await?).await };
        let done = tokio::select! {
            done = shown => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::from(QueryError::Interrupted { name: NAME.to_owned() })),
        };
        match done {
            Ok(note) => {
                let time = started.elapsed();
                let time =
                    if self.is_timing { format!(", {:.3} s", time.as_secs_f64()) } else { String::new() };
                eprintln!("({note}{time})");
            }
            Err(error) => tell(&error),
        }
    }

    async fn follow(&mut self, command: Command, line: &mut Line) -> bool {
        self.screen.measure(line.dimensions());
        let note = match command {
            Command::Quit => return true,
            Command::Help => self.screen.page(command::HELP).map(|()| None),
            Command::List => self.screen.page(&command::list(&self.relations)).map(|()| None),
            Command::Describe(name) => self.describe(&name).await,
            Command::Timing(on) => {
                self.is_timing = on.unwrap_or(!self.is_timing);
                Ok(Some(format!("timing is {}", if self.is_timing { "on" } else { "off" })))
            }
            Command::Expanded(mode) => Ok(Some(self.screen.expand(mode))),
            Command::Format(format) => Ok(Some(self.screen.set_format(format))),
            Command::Pager(on) => Ok(Some(self.screen.set_pager(on))),
            Command::Output(path) => self.screen.set_output(path).map(Some),
            Command::Wrong(why) => Ok(Some(why)),
        };
        match note {
            Ok(Some(note)) => eprintln!("{note}"),
            Ok(None) => {}
            Err(error) => tell(&error),
        }
        false
    }

    /// Shows the columns of a table, or tells which there are.
    async fn describe(&self, name: &str) -> Result<Option<String>> {
        let Some(columns) = self.queries.columns_of(name).await? else {
            let known: Vec<&str> = self.relations.iter().map(|relation| relation.name).collect();
            return Ok(Some(format!("there is no table {name}; there are: {}", known.join(", "))));
        };
        let purpose = self.relations.iter().find(|relation| relation.name == name);
        let purpose = purpose.map(|relation| relation.purpose);
        self.screen.page(&command::columns(name, purpose, &columns))?;
        Ok(None)
    }
}

/// Of a query that was just typed nobody needs the name.
fn tell(error: &Failure) {
    let text = error.to_string();
    eprintln!("{}", text.strip_prefix("query sql: ").unwrap_or(&text));
}
