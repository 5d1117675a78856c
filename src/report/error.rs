//! What can go wrong while rows and pages are written.

use std::io;
use std::path::PathBuf;

/// A row, table or page that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("writing {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("parquet file {path}: {source}")]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },
    #[error("{what}: {source}")]
    Arrow { what: &'static str, source: arrow::error::ArrowError },
    #[error("the workbook: {source}")]
    Workbook { source: zip::result::ZipError },
    #[error(
        "a sheet of Excel holds at most {limit}; {found}; write another format (csv, parquet), or ask for less in the query"
    )]
    BeyondExcel { limit: &'static str, found: String },
    #[error("the report page: {source}; this is a bug in lightsout; please report it")]
    Page { source: Box<minijinja::Error> },
    #[error("expected a format ({}), found '{found}'", crate::Format::ALL.map(crate::Format::as_str).join(", "))]
    UnknownFormat { found: String },
    #[error(transparent)]
    Output(#[from] lightsout_output::Error),
    #[error(transparent)]
    Query(#[from] lightsout_query::Error),
}

/// Results of reports.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err` where a file is written.
    pub fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { path: path.into(), source }
    }
}

impl From<lightsout_lake::Error> for Error {
    fn from(source: lightsout_lake::Error) -> Self {
        Self::Query(source.into())
    }
}
