//! What can go wrong while the lake is served. `pg::failure` maps it to SQLSTATEs, `http::error_page` to pages.

use std::net::SocketAddr;

/// An error of the server, or of one answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that can't be used, by the flag or variable that holds it.
    #[error("{setting}: expected {expected}, found '{found}'")]
    Setting { setting: &'static str, expected: String, found: String },
    #[error("{setting}: listening on {address}: {source}")]
    Listen { setting: &'static str, address: SocketAddr, source: std::io::Error },
    #[error("reading {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("starting the threads of queries: {source}")]
    Threads { source: std::io::Error },
    #[error("{what}: {source}")]
    Arrow { what: &'static str, source: arrow::error::ArrowError },
    #[error(transparent)]
    Query(lightsout_query::Error),
    #[error(transparent)]
    Report(lightsout_report::Error),
    #[error(transparent)]
    Decision(#[from] lightsout_decisions::decision::KeepError),
    /// The lake's roster or its ledger can't be read.
    #[error(transparent)]
    Stage(Box<lightsout_workflow::Error>),
    #[error(transparent)]
    Lake(#[from] lightsout_lake::Error),
}

/// Results of the server.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<lightsout_query::Error> for Error {
    fn from(source: lightsout_query::Error) -> Self {
        match source {
            lightsout_query::Error::Lake(source) => Self::Lake(source),
            other => Self::Query(other),
        }
    }
}

impl From<lightsout_workflow::Error> for Error {
    fn from(source: lightsout_workflow::Error) -> Self {
        match source {
            lightsout_workflow::Error::Lake(source) => Self::Lake(*source),
            lightsout_workflow::Error::Query(source) => source.into(),
            other => Self::Stage(Box::new(other)),
        }
    }
}

impl From<lightsout_report::Error> for Error {
    fn from(source: lightsout_report::Error) -> Self {
        match source {
            lightsout_report::Error::Query(source) => source.into(),
            other => Self::Report(other),
        }
    }
}
