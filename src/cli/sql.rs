//! `lightsout sql`: your own queries over the lake.

use std::io::{self, IsTerminal, Read as _};
use std::path::PathBuf;

use clap::Args;

use super::answers::QueryLimits;
use super::shared::{Global, Output, open_lake};
use super::shell;
use crate::cli::failure::{Failure, Result};
use lightsout_workflow::session;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    // Not as documentation: its backticks would be the shell's.
    #[arg(
        conflicts_with = "file",
        help = "For example: \"SELECT * FROM usage_daily ORDER BY day\" [default: stdin, \
                or a shell on a terminal]"
    )]
    query: Option<String>,
    /// Read the query from a file, - for stdin
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    limits: QueryLimits,
}

const NAME: &str = "sql";

/// Bytes of a query that are read at most: more than any that is taken.
const READ_BYTES_MAX: u64 = 16 << 20;

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let sql = question(arguments)?;
    let lake = open_lake(global).await?;
    let queries = session::open(&lake, arguments.limits.memory_limit).await?;
    match sql {
        Some(sql) => arguments.limits.answer(&queries, &arguments.output, NAME, &sql, &[]).await?,
        None => {
            shell::run(&queries, &arguments.limits, &arguments.output, &lake.name(), global.quiet).await?;
        }
    }
    Ok(0)
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
