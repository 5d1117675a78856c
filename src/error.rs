//! What can go wrong, by whose fault it is: usage, input, policy, disk, the engine. Each error
//! carries its place; the exit code follows from the kind.

use std::path::PathBuf;

use lightsout_query::Error as QueryError;

/// An error of any stage, as the command line tells it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag or setting that can't be used.
    #[error("{flag}: expected {expected}, found '{found}'")]
    Usage { flag: &'static str, expected: String, found: String },
    #[error(
        "lightsout {command} is not built into this program; build one that has it with: cargo install --path . --locked --features {feature}"
    )]
    NotBuiltIn { command: &'static str, feature: &'static str },
    #[error("{flag}: listening on {address}: {source}")]
    Listen { flag: &'static str, address: std::net::SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Lake(Box<lightsout_lake::Error>),
    #[error(transparent)]
    Ingest(lightsout_ingest::Error),
    #[error(transparent)]
    Query(QueryError),
    #[error(transparent)]
    Campaign(Box<lightsout_config::campaign_file::CampaignError>),
    #[error(transparent)]
    Roster(Box<lightsout_config::roster_file::RosterError>),
    #[error("--tenants-from: {0}")]
    Assignments(#[from] lightsout_ingest::assign::AssignmentsError),
    #[error("reading {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("writing {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("the lake at {lake} holds no records yet; fill it with: lightsout ingest INPUT... --lake {lake}")]
    EmptyLake { lake: String },
    #[error("parquet file {path}: {source}")]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },
    #[error("{what}: {source}")]
    Arrow { what: &'static str, source: arrow::error::ArrowError },
    #[error("{what}: {source}")]
    Json { what: &'static str, source: serde_json::Error },
    #[error("the report page: {source}; this is a fault of lightsout")]
    Page { source: Box<minijinja::Error> },
    #[error(transparent)]
    Notify(#[from] lightsout_notify::NotifyError),
    #[error(transparent)]
    Output(#[from] lightsout_output::Error),
    #[error("decision {id} is not in the lake; kept decisions: {known}")]
    NoDecision { id: String, known: String },
    #[error(
        "no decision of campaign {campaign} is in the lake at {lake} yet; make one with: lightsout assess"
    )]
    NoDecisionYet { campaign: String, lake: String },
    #[error("decision {id} can't be made again as it was: {differs}")]
    DecisionDiffers { id: String, differs: String },
    /// Nothing was recorded.
    #[error("nothing was announced: {0}")]
    Announce(String),
    #[error("{0}\nwhat happened is recorded; run the same command again to write the files")]
    Recorded(Box<Self>),
    #[error(transparent)]
    Requests(#[from] lightsout_config::request_file::RequestsError),
    #[error(transparent)]
    CampaignState(#[from] lightsout_campaign::StateError),
    #[error(transparent)]
    KeepDecision(#[from] lightsout_decisions::decision::KeepError),
}

impl From<lightsout_config::campaign_file::CampaignError> for Error {
    fn from(source: lightsout_config::campaign_file::CampaignError) -> Self {
        Self::Campaign(Box::new(source))
    }
}

impl From<lightsout_config::roster_file::RosterError> for Error {
    fn from(source: lightsout_config::roster_file::RosterError) -> Self {
        Self::Roster(Box::new(source))
    }
}

impl From<lightsout_ingest::Error> for Error {
    fn from(source: lightsout_ingest::Error) -> Self {
        match source {
            lightsout_ingest::Error::Lake(source) => source.into(),
            other => Self::Ingest(other),
        }
    }
}

impl From<QueryError> for Error {
    fn from(source: QueryError) -> Self {
        match source {
            QueryError::Lake(source) => source.into(),
            other => Self::Query(other),
        }
    }
}

impl From<lightsout_lake::Error> for Error {
    fn from(source: lightsout_lake::Error) -> Self {
        Self::Lake(Box::new(source))
    }
}

/// Results of every stage.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// 2 for usage and settings, 130 for an interrupt, 1 for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. }
            | Self::NotBuiltIn { .. }
            | Self::Campaign(_)
            | Self::Roster(_)
            | Self::Assignments(_)
            | Self::Requests(_)
            | Self::Ingest(lightsout_ingest::Error::NoInput { .. })
            | Self::Query(
                QueryError::Header { .. }
                | QueryError::QueriesFolder { .. }
                | QueryError::UnknownReport { .. },
            ) => 2,
            Self::Lake(source) if matches!(**source, lightsout_lake::Error::NotAFolder { .. }) => 2,
            Self::Ingest(lightsout_ingest::Error::Interrupted)
            | Self::Query(QueryError::Interrupted { .. }) => 130,
            _ => 1,
        }
    }

    /// For `map_err` where the ledger has been written and files have not.
    #[must_use]
    pub fn recorded(self) -> Self {
        Self::Recorded(Box::new(self))
    }

    /// For `map_err` where a file is written.
    pub fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Write { path: path.into(), source }
    }

    /// For `map_err` where a file is read.
    pub fn read(path: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Read { path: path.into(), source }
    }
}
