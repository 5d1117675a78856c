//! What a command ends with when it fails: the message, and the exit code. Errors of all crates become a [`Failure`]
//! here and nowhere else; each of them has its exit code by name, so that a new one does not compile without.

use std::path::PathBuf;

use lightsout_config::campaign_file::CampaignError;
use lightsout_config::request_file::RequestsError;
use lightsout_config::roster_file::RosterError;
use lightsout_config::table_file::TableFileError;
use lightsout_config::tenants_file::TenantsFileError;
use lightsout_config::users_file::UsersFileError;
use lightsout_decisions as decisions;
use lightsout_workflow::Error as StageError;

/// An error as the command line reports it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A flag, argument or setting that can't be used.
    #[error("{flag}: expected {expected}, found '{found}'")]
    Usage { flag: &'static str, expected: String, found: String },
    #[error("--tenants-from: {0}")]
    TenantsFile(#[from] TenantsFileError),
    #[error("--users: {0}")]
    UsersFile(#[from] UsersFileError),
    #[error("--with: {0}")]
    TableFile(#[from] TableFileError),
    #[error("reading {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("writing {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{what}: {source}")]
    Arrow { what: &'static str, source: arrow::error::ArrowError },
    #[error("{what}: {source}")]
    Json { what: &'static str, source: serde_json::Error },
    #[error(transparent)]
    Stage(Box<StageError>),
    #[error(transparent)]
    Serve(lightsout_serve::Error),
}

/// Results of commands.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// A flag, argument, setting or hand-written file can't be used.
const USAGE: u8 = 2;
/// Ctrl-C.
pub(super) const INTERRUPTED: u8 = 130;
/// Everything else.
const FAILED: u8 = 1;

impl Failure {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } | Self::TenantsFile(_) | Self::UsersFile(_) | Self::TableFile(_) => USAGE,
            Self::Read { .. } | Self::Write { .. } | Self::Arrow { .. } | Self::Json { .. } => FAILED,
            Self::Stage(error) => of_stage(error),
            Self::Serve(error) => of_server(error),
        }
    }

    /// For `map_err` where a file is written.
    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Write { path: path.into(), source }
    }

    /// For `map_err` where a file is read.
    pub(crate) fn read(path: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Read { path: path.into(), source }
    }
}

fn of_stage(error: &StageError) -> u8 {
    match error {
        StageError::CampaignFile(_)
        | StageError::Roster(_)
        | StageError::Requests(_)
        | StageError::UnknownTenant { .. }
        | StageError::OtherCampaign { .. }
        | StageError::NoOperator(_)
        | StageError::UnknownAnnouncement { .. }
        | StageError::NotARehearsal { .. }
        | StageError::OutOfOtherCampaign { .. }
        | StageError::RehearsalInLake { .. }
        | StageError::PastNoticeDate { .. } => USAGE,
        StageError::Lake(error) => of_lake(error),
        StageError::Ingest(error) => of_ingest(error),
        StageError::Query(error) => of_query(error),
        StageError::Decision(error) => of_decision(error),
        StageError::Report(error) => of_report(error),
        StageError::Recorded(error) => of_stage(error),
        StageError::CampaignState(_)
        | StageError::Notify(_)
        | StageError::Output(_)
        | StageError::EmptyLake { .. }
        | StageError::Write { .. }
        | StageError::Clock(_)
        | StageError::ShortNotice(_)
        | StageError::NotAnnounced(_) => FAILED,
    }
}

fn of_lake(error: &lightsout_lake::Error) -> u8 {
    use lightsout_lake::Error;
    match error {
        Error::NotAFolder { .. }
        | Error::PathCharacters { .. }
        | Error::StoreUrl { .. }
        | Error::WorkingCopy { .. }
        | Error::RepairInStore { .. }
        | Error::NoCache { .. }
        | Error::LeaseSeconds { .. } => USAGE,
        Error::Read { .. }
        | Error::Write { .. }
        | Error::Delta { .. }
        | Error::File { .. }
        | Error::NoLake { .. }
        | Error::NoVersion { .. }
        | Error::LogGap { .. }
        | Error::DataGone { .. }
        | Error::CommitLost { .. }
        | Error::DamagedLog { .. }
        | Error::DamagedData { .. }
        | Error::TableGone { .. }
        | Error::EntryLost { .. }
        | Error::InUse { .. }
        | Error::Locked { .. }
        | Error::CompactedMeanwhile { .. }
        | Error::CompactionDiffers { .. }
        | Error::Manifest { .. }
        | Error::Parquet { .. }
        | Error::Output(_)
        | Error::Arrow { .. }
        | Error::Json { .. }
        | Error::NewerFormat { .. }
        | Error::UnknownHash { .. }
        | Error::NotUpgraded { .. }
        | Error::Store { .. }
        | Error::WrittenMeanwhile { .. }
        | Error::StoreIgnoresConditions { .. }
        | Error::StoreFileGone { .. } => FAILED,
    }
}

fn of_ingest(error: &lightsout_ingest::Error) -> u8 {
    use lightsout_ingest::Error;
    match error {
        Error::NoInput { .. } | Error::OwnFolder { .. } | Error::StoreUrl { .. } | Error::NoBlob { .. } => {
            USAGE
        }
        Error::Interrupted => INTERRUPTED,
        Error::Lake(error) => of_lake(error),
        Error::Read { .. }
        | Error::Store { .. }
        | Error::NoSource { .. }
        | Error::Arrow { .. }
        | Error::Json { .. }
        | Error::UnfilledColumn { .. }
        | Error::WorkerLost => FAILED,
    }
}

fn of_query(error: &lightsout_query::Error) -> u8 {
    use lightsout_query::Error;
    match error {
        Error::Header { .. }
        | Error::QueriesFolder { .. }
        | Error::UserTable { .. }
        | Error::NotOnCluster { .. }
        | Error::UnknownReport { .. } => USAGE,
        Error::Interrupted { .. } => INTERRUPTED,
        Error::Lake(error) => of_lake(error),
        Error::Engine { .. }
        | Error::NotReadOnly { .. }
        | Error::Sql { .. }
        | Error::OutOfTime { .. }
        | Error::OutOfMemory { .. }
        | Error::Broken { .. }
        | Error::Pruned { .. }
        | Error::Busy { .. }
        | Error::TooManyRows { .. }
        | Error::Read { .. }
        | Error::Arrow { .. }
        | Error::Json { .. } => FAILED,
    }
}

fn of_decision(error: &decisions::Error) -> u8 {
    use decisions::Error;
    match error {
        Error::Lake(error) => of_lake(error),
        Error::Query(error) => of_query(error),
        Error::Unknown { .. }
        | Error::NoneYet { .. }
        | Error::Differs { .. }
        | Error::TenantsLost { .. }
        | Error::RosterLost { .. }
        | Error::KeptRosterLost { .. }
        | Error::Unreadable { .. }
        | Error::Keep(_) => FAILED,
    }
}

fn of_report(error: &lightsout_report::Error) -> u8 {
    use lightsout_report::Error;
    match error {
        Error::Query(error) => of_query(error),
        Error::UnknownFormat { .. } => USAGE,
        Error::Write { .. }
        | Error::Parquet { .. }
        | Error::Arrow { .. }
        | Error::Workbook { .. }
        | Error::BeyondExcel { .. }
        | Error::Page { .. }
        | Error::Output(_) => FAILED,
    }
}

fn of_server(error: &lightsout_serve::Error) -> u8 {
    use lightsout_serve::Error;
    match error {
        Error::Setting { .. } => USAGE,
        Error::Lake(error) => of_lake(error),
        Error::Query(error) => of_query(error),
        Error::Report(error) => of_report(error),
        Error::Stage(error) => of_stage(error),
        Error::Listen { .. }
        | Error::Read { .. }
        | Error::Threads { .. }
        | Error::Arrow { .. }
        | Error::Decision(_) => FAILED,
    }
}

impl From<StageError> for Failure {
    fn from(error: StageError) -> Self {
        // By the flag or argument that they are about.
        let usage = |flag, expected, found| Self::Usage { flag, expected, found };
        match error {
            StageError::UnknownTenant { named, expected } => usage("TENANT", expected, named),
            StageError::OtherCampaign { decision_id, campaign, other } => usage(
                "--decision",
                format!("a decision of campaign {campaign} (or name its own with --campaign)"),
                format!("{decision_id}, of campaign {other}"),
            ),
            StageError::PastNoticeDate { date, today } => usage(
                "--notice-date",
                format!("a day that is not in the past, {today} or later"),
                date.to_string(),
            ),
            StageError::ShortNotice(why) => Self::Stage(Box::new(StageError::ShortNotice(format!(
                "{why}; to announce with fewer days: --short-notice"
            )))),
            other => Self::Stage(Box::new(other)),
        }
    }
}

/// Errors of crates below the stages, which are those of the stage that calls them.
macro_rules! of_stages {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                StageError::from(error).into()
            }
        })+
    };
}

of_stages!(
    lightsout_lake::Error,
    lightsout_ingest::Error,
    lightsout_query::Error,
    lightsout_report::Error,
    lightsout_output::Error,
    decisions::Error,
    CampaignError,
    RosterError,
    RequestsError,
);

impl From<lightsout_serve::Error> for Failure {
    fn from(error: lightsout_serve::Error) -> Self {
        match error {
            lightsout_serve::Error::Lake(error) => error.into(),
            lightsout_serve::Error::Query(error) => error.into(),
            lightsout_serve::Error::Report(error) => error.into(),
            other => Self::Serve(other),
        }
    }
}

#[cfg(test)]
mod tests;
