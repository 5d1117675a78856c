//! What can go wrong while inputs are read and committed. A bad record or a bad file is no error: it is counted, kept
//! and told.

/// An error of an ingest.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no input matches '{input}'; expected a file, a folder, a glob pattern, or - for stdin")]
    NoInput { input: String },
    #[error(
        "{folder} was written by lightsout: a lake, or the output of a run; expected sign-in logs. Name the folder of your \
         exports"
    )]
    OwnFolder { folder: String },
    #[error("reading {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error(
        "'{url}' is not an address that can be read: found {found}; expected az://CONTAINER/PREFIX, \
         abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX"
    )]
    StoreUrl { url: String, found: String },
    #[error(
        "no blob matches '{url}'; expected a container, a prefix up to a /, a pattern, or the name of one blob"
    )]
    NoBlob { url: String },
    #[error("{action} {url}: {source}; {hint}")]
    Store { action: &'static str, url: String, hint: String, source: Box<object_store::Error> },
    #[error("the lake at {lake} has rejects of a source {source_id} that its table sources does not know")]
    NoSource { lake: String, source_id: String },
    #[error("{what}: {source}")]
    Arrow { what: &'static str, source: arrow::error::ArrowError },
    #[error("{what}: {source}")]
    Json { what: &'static str, source: serde_json::Error },
    #[error(
        "nothing fills the column {column} of sign_in_records; this is a bug in lightsout; please report it"
    )]
    UnfilledColumn { column: String },
    #[error("a worker thread ended early; nothing of its batch was committed; run the command again")]
    WorkerLost,
    #[error("interrupted; what was committed stays; run the same command again to continue")]
    Interrupted,
    #[error(transparent)]
    Lake(#[from] lightsout_lake::Error),
}

/// Results of an ingest.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err` where a file is read.
    pub fn read(path: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Read { path: path.into(), source }
    }
}
