//! What can go wrong in a stage, or between two of them. `cli/failure.rs` maps it to exit codes.

use std::path::PathBuf;

use chrono::NaiveDate;

use lightsout_campaign::ClockStop;

/// An error of a stage.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Lake(Box<lightsout_lake::Error>),
    #[error(transparent)]
    Ingest(lightsout_ingest::Error),
    #[error(transparent)]
    Query(lightsout_query::Error),
    #[error(transparent)]
    Decision(lightsout_decisions::Error),
    #[error(transparent)]
    CampaignFile(Box<lightsout_config::campaign_file::CampaignError>),
    #[error(transparent)]
    Roster(Box<lightsout_config::roster_file::RosterError>),
    #[error(transparent)]
    Requests(#[from] lightsout_config::request_file::RequestsError),
    #[error(transparent)]
    CampaignState(#[from] lightsout_campaign::StateError),
    #[error(transparent)]
    Notify(#[from] lightsout_notify::NotifyError),
    #[error(transparent)]
    Output(#[from] lightsout_output::Error),
    #[error(transparent)]
    Report(lightsout_report::Error),
    #[error("the lake at {lake} holds no records yet; fill it with: lightsout ingest INPUT... --lake {lake}")]
    EmptyLake { lake: String },
    #[error("writing {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("expected {expected}, found '{named}'")]
    UnknownTenant { named: String, expected: String },
    #[error(
        "expected a decision of campaign {campaign} (or name its own with --campaign), found '{decision_id}, of campaign {other}'"
    )]
    OtherCampaign { decision_id: String, campaign: String, other: String },
    #[error("expected a day that is not in the past, {today} or later, found '{date}'")]
    PastNoticeDate { date: NaiveDate, today: NaiveDate },
    /// Nothing was recorded.
    #[error("nothing was announced: {0}")]
    ShortNotice(String),
    #[error("expected {expected}, found '{found}'")]
    UnknownAnnouncement { found: String, expected: String },
    #[error(
        "{folder} is not empty and is not a lake of a rehearsal; expected an empty folder, or the copy of an earlier rehearsal"
    )]
    NotARehearsal { folder: PathBuf },
    /// Nothing was recorded.
    #[error(
        "{} holds notices or runbooks of the campaign {other}, and this is {campaign}. Nothing was recorded; each \
         campaign needs a folder of its own: give another --out",
        out.display()
    )]
    OutOfOtherCampaign { out: PathBuf, campaign: String, other: String },
    #[error(
        "{}: the copy for a rehearsal can't be inside the lake {lake} or contain it; give another folder with --into or --out",
        folder.display()
    )]
    RehearsalInLake { folder: PathBuf, lake: String },
    /// Nothing was announced or turned off.
    #[error("{0}")]
    NoOperator(String),
    /// Nothing was recorded.
    #[error(transparent)]
    Clock(ClockStop),
    /// Nothing was recorded.
    #[error("nothing was announced: {0}")]
    NotAnnounced(String),
    #[error(
        "{0}\nthe event is recorded, but its notices may be missing; run the same command again to write the files"
    )]
    Recorded(Box<Self>),
}

/// Results of stages.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err` where the lake has been written and files have not.
    #[must_use]
    pub fn recorded(self) -> Self {
        Self::Recorded(Box::new(self))
    }

    /// For `map_err` where a file is written.
    pub fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Write { path: path.into(), source }
    }
}

impl From<lightsout_lake::Error> for Error {
    fn from(source: lightsout_lake::Error) -> Self {
        Self::Lake(Box::new(source))
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

impl From<lightsout_query::Error> for Error {
    fn from(source: lightsout_query::Error) -> Self {
        match source {
            lightsout_query::Error::Lake(source) => source.into(),
            other => Self::Query(other),
        }
    }
}

impl From<lightsout_decisions::Error> for Error {
    fn from(source: lightsout_decisions::Error) -> Self {
        match source {
            lightsout_decisions::Error::Lake(source) => source.into(),
            lightsout_decisions::Error::Query(source) => source.into(),
            other => Self::Decision(other),
        }
    }
}

impl From<lightsout_ledger::Error> for Error {
    fn from(source: lightsout_ledger::Error) -> Self {
        match source {
            lightsout_ledger::Error::Query(source) => source.into(),
            lightsout_ledger::Error::Lake(source) => source.into(),
            lightsout_ledger::Error::State(source) => source.into(),
        }
    }
}

impl From<lightsout_decisions::decision::KeepError> for Error {
    fn from(source: lightsout_decisions::decision::KeepError) -> Self {
        Self::Decision(source.into())
    }
}

impl From<lightsout_report::Error> for Error {
    fn from(source: lightsout_report::Error) -> Self {
        match source {
            lightsout_report::Error::Query(source) => source.into(),
            lightsout_report::Error::Output(source) => source.into(),
            other => Self::Report(other),
        }
    }
}

impl From<lightsout_config::campaign_file::CampaignError> for Error {
    fn from(source: lightsout_config::campaign_file::CampaignError) -> Self {
        Self::CampaignFile(Box::new(source))
    }
}

impl From<lightsout_config::roster_file::RosterError> for Error {
    fn from(source: lightsout_config::roster_file::RosterError) -> Self {
        Self::Roster(Box::new(source))
    }
}
