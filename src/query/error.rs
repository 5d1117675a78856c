//! What can go wrong with a query, with its name and the way out.

use std::path::PathBuf;

use datafusion::error::DataFusionError;
use datafusion::logical_expr::sqlparser::parser::ParserError;

/// An error of a query.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("query {name}: {}", engine_message(.source))]
    Engine { name: String, source: Box<DataFusionError> },
    #[error(
        "query {name}: only read-only statements are allowed (SELECT, EXPLAIN, SHOW, DESCRIBE); found {found}"
    )]
    NotReadOnly { name: String, found: String },
    #[error("query {name}: {error}")]
    Sql { name: String, error: Box<crate::sql_error::SqlError> },
    #[error(
        "query {name}: stopped after {}, the limit of --timeout; query fewer days or tenants, or raise it, as in --timeout {}",
        span(.limit, 1), span(.limit, 4)
    )]
    OutOfTime { name: String, limit: std::time::Duration },
    #[error(
        "query {name}: it needs more memory than the {} of --memory-limit; query fewer columns, days or tenants, or raise it, as in --memory-limit {}",
        size(*.limit_bytes, 1), size(*.limit_bytes, 4)
    )]
    OutOfMemory { name: String, limit_bytes: usize },
    #[error(
        "the lake was pruned before {before}, and a window that begins on {first} looks back to {needed}: usage before that day would be missed; expected a window that begins on {earliest} or later"
    )]
    Pruned {
        before: chrono::NaiveDate,
        first: chrono::NaiveDate,
        needed: chrono::NaiveDate,
        earliest: chrono::NaiveDate,
    },
    #[error("query {name}: the query engine crashed (see above); please report the query, or rewrite it")]
    Broken { name: String },
    #[error(
        "query {name}: waited {} for one of the {at_work} running queries to end; try again later",
        span(.limit, 1)
    )]
    Busy { name: String, at_work: usize, limit: std::time::Duration },
    #[error(
        "query {name}: it has more than the {limit} rows that --limit allows; aggregate in the query, or add a LIMIT"
    )]
    TooManyRows { name: String, limit: usize },
    #[error(
        "--cluster: executors cannot read the lake at {lake}; expected a folder that all of them mount under the same path, or s3://; mount the \
         container on all machines and give its folder as --lake"
    )]
    NotOnCluster { lake: String },
    #[error("query {name}: interrupted")]
    Interrupted { name: String },
    #[error("query file {path}, line {line}: found {found}; expected {expected}")]
    Header { path: String, line: usize, found: String, expected: String },
    #[error(
        "--queries: expected a folder with files *.sql, one query each; found {found} at {}; {way_out}",
        .folder.display()
    )]
    QueriesFolder { folder: PathBuf, found: String, way_out: String },
    #[error("--with {name}=FILE: expected {expected}")]
    UserTable { name: String, expected: String },
    #[error("unknown report '{name}'; {hint}")]
    UnknownReport { name: String, hint: String },
    #[error("reading {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("{what}: {source}")]
    Arrow { what: &'static str, source: arrow::error::ArrowError },
    #[error("{what}: {source}")]
    Json { what: &'static str, source: serde_json::Error },
    #[error(transparent)]
    Lake(#[from] lightsout_lake::Error),
}

/// Results of queries.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err` where a file is read.
    pub fn read(path: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Read { path: path.into(), source }
    }
}

/// A time as `--timeout` takes it.
fn span(time: &std::time::Duration, times: u32) -> String {
    let time = *time * times;
    match (time.as_secs(), time.subsec_millis()) {
        (0, millis) => format!("{millis}ms"),
        (seconds, 0) if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        (seconds, 0) if seconds % 60 == 0 => format!("{}m", seconds / 60),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, millis) => format!("{}ms", seconds * 1000 + u64::from(millis)),
    }
}

/// A size as `--memory-limit` takes it.
fn size(bytes: usize, times: usize) -> String {
    let mib = (bytes * times) >> 20;
    if mib.is_multiple_of(1024) { format!("{}GiB", mib / 1024) } else { format!("{mib}MiB") }
}

/// What the engine says, without the names of its own types.
fn engine_message(source: &DataFusionError) -> String {
    match source.find_root() {
        DataFusionError::SQL(parser, _) => match &**parser {
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => message.clone(),
            ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
        },
        DataFusionError::External(inner) => inner.to_string(),
        _ => source.to_string(),
    }
}
