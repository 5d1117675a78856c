//! `lightsout sql`: your own queries over the lake.

use std::io::{self, IsTerminal, Read as _};
use std::path::PathBuf;

use clap::Args;

use super::answers::QueryLimits;
use super::screen::{ExpandedFlag, Screen};
use super::shared::{Global, Output, print};
use super::shell;
use super::sql_session::{SqlSession, named_time_zone};
use super::typed::statements_in;
use super::user_tables::UserTables;
use crate::cli::failure::{Failure, Result};
use lightsout_query::catalog::own::Library;
use lightsout_report::Format;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    // Not as documentation: its backticks would be the shell's.
    #[arg(
        conflicts_with = "file",
        help = "For example: \"SELECT * FROM usage_daily ORDER BY day\"; separate several \
                with ; [default: stdin, or a shell on a terminal]"
    )]
    query: Option<String>,
    /// Read the query from a file, - for stdin
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    tables: UserTables,
    /// A folder of your own queries, NAME.sql each: views beside the shipped reports
    #[arg(long, value_name = "DIR")]
    queries: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    expanded: ExpandedFlag,
    #[command(flatten)]
    limits: QueryLimits,
}

const NAME: &str = "sql";

/// Bytes of a query that are read at most: more than any that is taken.
const READ_BYTES_MAX: u64 = 16 << 20;

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let sql = question(arguments)?;
    let library = Library::open(arguments.queries.as_deref(), lightsout_config::spreadsheet::decoded)?;
    let memory_limit = arguments.limits.memory_limit;
    let tables = arguments.tables.read(&library, memory_limit, global)?;
    let mut session = SqlSession::open(global, library, tables, arguments.limits.resources()).await?;
    match sql {
        Some(sql) => answer_all(&sql, &mut session, arguments).await?,
        None => shell::run(session, &arguments.limits, &arguments.output, global.quiet).await?,
    }
    Ok(0)
}

/// Answers the statements of a text one after the other, until one fails.
async fn answer_all(sql: &str, session: &mut SqlSession, arguments: &Arguments) -> Result<()> {
    let Arguments { output, limits, .. } = arguments;
    let mut statements = statements_in(sql);
    if statements.is_empty() {
        // The engine says what it expects.
        statements.push(sql.to_owned());
    }
    let is_setting = |sql: &String| named_time_zone(sql).is_some();
    let queries = statements.iter().filter(|sql| !is_setting(sql)).count();
    let is_stream = output.output.is_none() && output.format() != Some(Format::Parquet);
    if queries > 1 && !is_stream {
        return Err(Failure::Usage {
            flag: "QUERY",
            expected: "one query that returns rows, because they are written to one file".to_owned(),
            found: format!("{queries} queries"),
        });
    }
    // One that is not taken keeps all of them from being asked.
    for sql in statements.iter().filter(|sql| !is_setting(sql)) {
        session.queries().check_statement(NAME, sql).await?;
    }
    let screen = Screen::of_person(output, arguments.expanded.is_on(output)?);
    let mut is_first = true;
    for sql in &statements {
        if session.set_time_zone(sql)?.is_some() {
            continue;
        }
        if !std::mem::take(&mut is_first) && !matches!(output.format(), Some(Format::Json | Format::Ndjson)) {
            print("");
        }
        limits.answer(session.queries(), (output, screen.as_ref()), NAME, sql, &[]).await?;
    }
    Ok(())
}

/// The query, `None` where somebody is there to type it.
fn question(arguments: &Arguments) -> Result<Option<String>> {
    if let Some(query) = arguments.query.as_ref().filter(|query| *query != "-") {
        return Ok(Some(query.clone()));
    }
    let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
    let named = arguments.query.is_some() || arguments.file.is_some();
    if !named && io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut sql = String::new();
    match arguments.file.as_ref().filter(|path| !is_stdin(path)) {
        Some(path) => {
            let name = path.display().to_string();
            std::fs::File::open(path)
                .and_then(|file| file.take(READ_BYTES_MAX).read_to_string(&mut sql))
                .map_err(Failure::read(name))?;
        }
        None => {
            io::stdin()
                .lock()
                .take(READ_BYTES_MAX)
                .read_to_string(&mut sql)
                .map_err(Failure::read("stdin"))?;
        }
    }
    Ok(Some(sql.strip_prefix('\u{feff}').unwrap_or(&sql).to_owned()))
}
