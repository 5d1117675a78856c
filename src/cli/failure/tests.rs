//! Each error by its exit code. A variant that is missing here is seen by the exhaustive matches above; what is tested
//! is that it got the code that `--help` and the README promise.

use std::io;
use std::time::Duration;

use super::*;
use lightsout_ingest::Error as IngestError;
use lightsout_lake::Error as LakeError;
use lightsout_query::Error as QueryError;
use lightsout_report::Error as ReportError;

fn text() -> String {
    "x".to_owned()
}

fn disk() -> io::Error {
    io::Error::other("no space left on device")
}

fn no_json() -> serde_json::Error {
    serde_json::from_str::<u8>("{").expect_err("no number")
}

fn no_rows() -> arrow::error::ArrowError {
    arrow::error::ArrowError::ComputeError(text())
}

fn no_pages() -> parquet::errors::ParquetError {
    parquet::errors::ParquetError::General(text())
}

fn lake_errors() -> Vec<(u8, LakeError)> {
    vec![
        (2, LakeError::NotAFolder { found: text() }),
        (2, LakeError::PathCharacters { found: text() }),
        (2, LakeError::StoreUrl { url: text(), problem: text() }),
        (2, LakeError::WorkingCopy { folder: text(), url: text() }),
        (2, LakeError::RepairInStore { lake: text() }),
        (2, LakeError::NoCache { lake: text() }),
        (2, LakeError::LeaseSeconds { found: text() }),
        (1, LakeError::WrittenMeanwhile { lake: text(), found: text() }),
        (1, LakeError::StoreIgnoresConditions { lake: text(), found: "x" }),
        (1, LakeError::StoreFileGone { lake: text(), path: text() }),
        (
            1,
            LakeError::Store {
                lake: text(),
                action: "x",
                hint: text(),
                source: Box::new(object_store::Error::NotImplemented {
                    operation: text(),
                    implementer: text(),
                }),
            },
        ),
        (1, LakeError::Read { path: text(), source: disk() }),
        (1, LakeError::Write { path: "x".into(), source: disk() }),
        (
            1,
            LakeError::Delta {
                lake: text(),
                action: "opening",
                source: Box::new(deltalake::DeltaTableError::Generic(text())),
            },
        ),
        (1, LakeError::File { lake: text(), source: disk() }),
        (1, LakeError::NoLake { lake: text() }),
        (1, LakeError::NoVersion { lake: text(), table: "sources", version: 3, found: text() }),
        (1, LakeError::CommitLost { lake: text(), table: "x", version: 2, number: 1, found: text() }),
        (1, LakeError::DamagedLog { path: "x".into(), lake: "y".into(), found: text() }),
        (1, LakeError::DamagedData { path: "x".into(), lake: "y".into(), found: text() }),
        (1, LakeError::InUse { lake: text() }),
        (1, LakeError::TableGone { lake: text(), table: "sources" }),
        (1, LakeError::EntryLost { lake: text(), table: "sources", version: 3, newest: text() }),
        (1, LakeError::LogGap { lake: text(), table: "sources", version: 3 }),
        (
            1,
            LakeError::DataGone {
                lake: text(),
                table: "sources",
                version: 3,
                gone: 1,
                files: 2,
                first: text(),
            },
        ),
        (1, LakeError::CompactedMeanwhile { lake: text(), table: "sources", gone: 1 }),
        (1, LakeError::CompactionDiffers { lake: text(), table: "sources", expected: 2, found: 1 }),
        (1, LakeError::Manifest { path: "x".into(), source: no_json() }),
        (1, LakeError::Parquet { path: "x".into(), source: no_pages() }),
        (1, LakeError::Arrow { what: "rows", source: no_rows() }),
        (1, LakeError::Json { what: "rows", source: no_json() }),
        (1, LakeError::UnknownHash { lake: text(), found: text(), known: "x" }),
        (1, LakeError::NewerFormat { lake: text(), found: text(), known: 3 }),
        (1, LakeError::Locked { lake: text(), holder: text(), waited: std::time::Duration::ZERO }),
        (1, LakeError::NotUpgraded { lake: text(), source: Box::new(disk()) }),
    ]
}

fn ingest_errors() -> Vec<(u8, IngestError)> {
    vec![
        (2, IngestError::NoInput { input: text() }),
        (2, IngestError::OwnFolder { folder: text() }),
        (130, IngestError::Interrupted),
        (1, IngestError::Read { path: text(), source: disk() }),
        (2, IngestError::NoBlob { url: text() }),
        (2, IngestError::StoreUrl { url: text(), found: text() }),
        (
            1,
            IngestError::Store {
                action: "listing",
                url: text(),
                hint: text(),
                source: Box::new(object_store::Error::NotImplemented {
                    operation: text(),
                    implementer: text(),
                }),
            },
        ),
        (1, IngestError::NoSource { lake: text(), source_id: text() }),
        (1, IngestError::Arrow { what: "rows", source: no_rows() }),
        (1, IngestError::Json { what: "rows", source: no_json() }),
        (1, IngestError::UnfilledColumn { column: text() }),
        (1, IngestError::WorkerLost),
    ]
}

fn query_errors() -> Vec<(u8, QueryError)> {
    let limit = Duration::from_secs(10);
    vec![
        (2, QueryError::Header { path: text(), line: 1, found: text(), expected: text() }),
        (2, QueryError::UserTable { name: text(), expected: text() }),
        (2, QueryError::NotOnCluster { lake: text() }),
        (2, QueryError::QueriesFolder { folder: "x".into(), found: text(), way_out: text() }),
        (2, QueryError::UnknownReport { name: text(), hint: text() }),
        (130, QueryError::Interrupted { name: text() }),
        (
            1,
            QueryError::Engine {
                name: text(),
                source: Box::new(datafusion::error::DataFusionError::Internal(text())),
            },
        ),
        (1, QueryError::NotReadOnly { name: text(), found: text() }),
        (1, QueryError::OutOfTime { name: text(), limit }),
        (1, QueryError::OutOfMemory { name: text(), limit_bytes: 1 << 30 }),
        (1, QueryError::Broken { name: text() }),
        (1, QueryError::Busy { name: text(), at_work: 8, limit }),
        (1, QueryError::TooManyRows { name: text(), limit: 10 }),
        (1, QueryError::Read { path: text(), source: disk() }),
        (1, QueryError::Arrow { what: "rows", source: no_rows() }),
        (1, QueryError::Json { what: "rows", source: no_json() }),
    ]
}

fn decision_errors() -> Vec<(u8, decisions::Error)> {
    vec![
        (1, decisions::Error::Unknown { id: text(), known: text() }),
        (1, decisions::Error::NoneYet { campaign: text(), lake: text() }),
        (1, decisions::Error::Differs { id: text(), differs: text() }),
        (1, decisions::Error::TenantsLost { id: text(), expected: 2, found: 1 }),
        (1, decisions::Error::RosterLost { id: text(), roster_hash: text() }),
        (1, decisions::Error::KeptRosterLost { roster_hash: text() }),
        (1, decisions::Error::Unreadable { source: no_json() }),
        (1, decisions::Error::Keep(no_json().into())),
    ]
}

fn report_errors() -> Vec<(u8, ReportError)> {
    vec![
        (2, ReportError::UnknownFormat { found: text() }),
        (1, ReportError::Write { path: "x".into(), source: disk() }),
        (1, ReportError::Parquet { path: "x".into(), source: no_pages() }),
        (1, ReportError::Arrow { what: "rows", source: no_rows() }),
        (1, ReportError::Output(lightsout_output::Error::Write { path: "x".into(), source: disk() })),
    ]
}

fn stage_errors() -> Vec<(u8, StageError)> {
    let day = chrono::NaiveDate::MIN;
    let campaign = CampaignError::NotFound { name: text(), source: disk() };
    let roster = RosterError::Kind { file: text() };
    let requests = RequestsError::NoTenantId { file: text(), line: 1 };
    let notify =
        lightsout_notify::NotifyError::NothingToTell { kind: "hold", tenant_id: text(), expected: "a day" };
    vec![
        (2, campaign.into()),
        (2, roster.into()),
        (2, requests.into()),
        (2, StageError::UnknownTenant { named: text(), expected: text() }),
        (2, StageError::OtherCampaign { decision_id: text(), campaign: text(), other: text() }),
        (2, StageError::PastNoticeDate { date: day, today: day }),
        (2, StageError::NoOperator(text())),
        (2, StageError::UnknownAnnouncement { found: text(), expected: text() }),
        (2, StageError::NotARehearsal { folder: "x".into() }),
        (2, StageError::OutOfOtherCampaign { out: "x".into(), campaign: text(), other: text() }),
        (2, StageError::RehearsalInLake { folder: "x".into(), lake: "y".into() }),
        (1, StageError::Clock(lightsout_campaign::ClockStop::Slow { wall: chrono::Utc::now(), day })),
        (1, StageError::ShortNotice(text())),
        (1, StageError::CampaignState(no_json().into())),
        (1, notify.into()),
        (1, lightsout_output::Error::Write { path: "x".into(), source: disk() }.into()),
        (1, StageError::EmptyLake { lake: text() }),
        (1, StageError::Write { path: "x".into(), source: disk() }),
        (1, StageError::NotAnnounced(text())),
        (1, StageError::Write { path: "x".into(), source: disk() }.recorded()),
        (130, StageError::Ingest(IngestError::Interrupted).recorded()),
    ]
}

fn server_errors() -> Vec<(u8, lightsout_serve::Error)> {
    use lightsout_serve::Error;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 5433));
    vec![
        (2, Error::Setting { setting: "--pg", expected: text(), found: text() }),
        (1, Error::Listen { setting: "--pg", address, source: disk() }),
        (1, Error::Read { path: text(), source: disk() }),
        (1, Error::Threads { source: disk() }),
        (1, Error::Arrow { what: "rows", source: no_rows() }),
        (1, Error::Decision(no_json().into())),
        (1, Error::Stage(Box::new(decisions::Error::KeptRosterLost { roster_hash: text() }.into()))),
    ]
}

#[test]
fn every_error_ends_with_its_own_exit_code() {
    fn failures<E: Into<Failure>>(errors: Vec<(u8, E)>) -> Vec<(u8, Failure)> {
        errors.into_iter().map(|(code, error)| (code, error.into())).collect()
    }

    let own = vec![
        (2, Failure::Usage { flag: "--pg", expected: text(), found: text() }),
        (2, Failure::TenantsFile(TenantsFileError::Columns { file: text(), found: text() })),
        (2, Failure::UsersFile(UsersFileError::Nobody { file: text() })),
        (1, Failure::Read { path: text(), source: disk() }),
        (1, Failure::Write { path: "x".into(), source: disk() }),
        (1, Failure::Arrow { what: "rows", source: no_rows() }),
        (1, Failure::Json { what: "rows", source: no_json() }),
    ];
    let mut all = own;
    all.extend(failures(lake_errors()));
    all.extend(failures(ingest_errors()));
    all.extend(failures(query_errors()));
    all.extend(failures(decision_errors()));
    all.extend(failures(report_errors()));
    all.extend(failures(stage_errors()));
    all.extend(failures(server_errors()));
    for (code, failure) in all {
        assert_eq!(failure.exit_code(), code, "{failure:?}");
        assert!(!failure.to_string().is_empty(), "{failure:?}");
    }
}

#[test]
fn an_error_keeps_its_code_through_the_crates_above() {
    let lake = || LakeError::NotAFolder { found: text() };
    let through: [Failure; 4] = [
        lake().into(),
        IngestError::Lake(lake()).into(),
        QueryError::Lake(lake()).into(),
        ReportError::Query(QueryError::Lake(lake())).into(),
    ];
    for failure in through {
        assert_eq!(failure.exit_code(), 2, "{failure:?}");
        assert_eq!(failure.to_string(), "--lake: expected a folder, found 'x'");
    }
}

#[test]
fn a_wrong_tenant_is_told_by_its_argument() {
    let error = StageError::UnknownTenant { named: "contoso".to_owned(), expected: "an id".to_owned() };
    assert_eq!(Failure::from(error).to_string(), "TENANT: expected an id, found 'contoso'");
}
