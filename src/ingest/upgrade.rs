//! Brings a lake that an earlier version made to the tables and columns of today. What `sources` knows of each
//! day is counted again from the sign-in records; tables that only gain columns have null in them for old rows.
//!
//! An earlier version kept, for each source, runs of days: of its records, of its storage path, and of declared
//! ranges. How many records a day had, and in which hours, is in `sign_in_records` alone.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Schema, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::account::{Account, StoredRow};
use super::find::{Assigned, Input, PathFacts};
use super::{FileFate, IngestSettings, Keep};
use super::{coverage, source, source_row};
use crate::{Error, Result};
use lightsout_formats::shapes::Shape;
use lightsout_lake::Lake;
use lightsout_lake::commit::{Manifest, Replaced, Replacing};
use lightsout_lake::schema::Table;
use lightsout_lake::write::DataFileWriter;
use lightsout_model::coverage::Basis;
use lightsout_model::evidence::DayRange;
use lightsout_model::sign_in::{Category, Outcome};

/// What an upgrade has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgraded {
    /// Tables with new columns.
    pub tables: Vec<Table>,
    /// Sources whose days were counted again.
    pub sources: usize,
    /// The format that the lake had before and has now.
    pub format: (u32, u32),
}

/// Rows of `sources` that are written at a time.
const STEP_ROWS: usize = 10_000;

/// Upgrades the lake if it needs it. `None`: it does not.
///
/// # Errors
/// Fails if the lake can't be read or written; then it is as it was, or another run goes on from there.
pub async fn upgrade(lake: &mut Lake, now: DateTime<Utc>) -> Result<Option<Upgraded>> {
    if lake.to_upgrade()?.is_empty() || (lake.outdated()?.is_empty() && !lake.is_writable()) {
        return Ok(None);
    }
    let lock = lake.lock().await?;
    // Another process may have done it meanwhile.
    let (tables, format) = (lake.outdated()?, lake.format()?);
    if lake.to_upgrade()?.is_empty() {
        return Ok(None);
    }
    let mut sources = 0;
    if tables.contains(&Table::Sources) && keeps_runs(&lake.logged_schema(Table::Sources)?) {
        let batch_id = uuid::Uuid::new_v4().simple().to_string();
        let rows = read_sources(lake)?;
        sources = rows.len();
        let accounts = count(lake, &clocks(&rows))?;
        let rows = converted(rows, accounts)?;
        let mut writer =
            DataFileWriter::create(lake.root(), Table::Sources, None, &format!("part-{batch_id}"))?;
        for some in rows.chunks(STEP_ROWS) {
            writer.write(&lightsout_lake::rows::to_batch(Table::Sources, some)?)?;
        }
        let files = vec![writer.finish()?];
        let replaced = lake.files(Table::Sources)?.into_iter().map(|file| Replaced {
            table: Table::Sources,
            path: file.path,
            bytes: file.bytes,
            reason: Replacing::Columns,
        });
        let manifest = Manifest { batch_id, files, replaced: replaced.collect() };
        if manifest.replaced.is_empty() {
            super::batch::discard(lake, &manifest.files);
        } else {
            lake.commit(&lock, &manifest, now.timestamp_millis()).await?;
        }
    }
    for table in lake.to_upgrade()? {
        lake.commit_columns(&lock, table).await?;
    }
    Ok(Some(Upgraded { tables, sources, format: (format, lake.format()?) }))
}

/// Whether `coverage` holds runs of days instead of counts.
fn keeps_runs(sources: &Schema) -> bool {
    let Ok(coverage) = sources.field_with_name("coverage") else { return false };
    let DataType::List(entry) = coverage.data_type() else { return false };
    matches!(entry.data_type(), DataType::Struct(members) if members.find("kind").is_some())
}

/// A row of `sources`, by column.
type Row = Map<String, Value>;

/// Every row, the first of each source before what was learnt of it later.
fn read_sources(lake: &Lake) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = source_row::read_rows(lake, None)?;
    let key = |row: &Row| (text(row, "ingested_at").to_owned(), std::cmp::Reverse(number(row, "records")));
    rows.sort_by_cached_key(key);
    Ok(rows)
}

fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

fn number(row: &Row, column: &str) -> i64 {
    row.get(column).and_then(Value::as_i64).unwrap_or(0)
}

/// The clock of a row's ingest.
fn ingested_at(row: &Row) -> i64 {
    let at = text(row, "ingested_at").parse::<DateTime<Utc>>();
    at.map_or(i64::MAX, |at| at.timestamp_micros())
}

/// The latest clock that records of each source were read by.
fn clocks(rows: &[Row]) -> HashMap<String, i64> {
    let mut clocks: HashMap<String, i64> = HashMap::new();
    for row in rows {
        let clock = clocks.entry(text(row, "source_id").to_owned()).or_insert(i64::MIN);
        *clock = ingested_at(row).max(*clock);
    }
    clocks
}

/// What the records of each source show.
fn count(lake: &Lake, clocks: &HashMap<String, i64>) -> Result<HashMap<String, Account>> {
    const COLUMNS: [&str; 12] = [
        "source_id",
        "tenant_id",
        "category",
        "signed_in_at",
        "outcome",
        "client_app",
        "user_id",
        "user_principal_name",
        "app_id",
        "app_name",
        "home_tenant_id",
        "resource_tenant_id",
    ];
    let mut accounts: HashMap<String, Account> = HashMap::new();
    for batch in lake.read(Table::SignInRecords, Some(&COLUMNS))? {
        let batch = batch?;
        let [
            source_ids,
            tenants,
            categories,
            outcomes,
            clients,
            users,
            names,
            apps,
            app_names,
            homes,
            resources,
        ] = [
            "source_id",
            "tenant_id",
            "category",
            "outcome",
            "client_app",
            "user_id",
            "user_principal_name",
            "app_id",
            "app_name",
            "home_tenant_id",
            "resource_tenant_id",
        ]
        .map(|name| texts(&batch, name));
        let times = batch.column_by_name("signed_in_at");
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        for row in 0..batch.num_rows() {
            let (Some(source_id), Some(tenant_id), Some(times)) =
                (cell(source_ids, row), cell(tenants, row), times)
            else {
                continue;
            };
            let account = match accounts.get_mut(source_id) {
                Some(account) => account,
                None => accounts.entry(source_id.to_owned()).or_default(),
            };
            let stored = StoredRow {
                tenant_id,
                category: cell(categories, row).and_then(|word| word.parse::<Category>().ok()),
                signed_in_at: times.value(row),
                outcome: outcome(cell(outcomes, row)),
                client_app: cell(clients, row).unwrap_or_default(),
                user: cell(users, row).or_else(|| cell(names, row)).unwrap_or_default(),
                app: cell(apps, row).or_else(|| cell(app_names, row)).unwrap_or_default(),
                home_tenant_id: cell(homes, row),
                resource_tenant_id: cell(resources, row),
            };
            account.count_stored(&stored, clocks.get(source_id).copied().unwrap_or(i64::MAX));
        }
    }
    accounts.values_mut().for_each(Account::settle);
    Ok(accounts)
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>())
}

fn cell(column: Option<&StringArray>, row: usize) -> Option<&str> {
    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
}

fn outcome(word: Option<&str>) -> Outcome {
    const ALL: [Outcome; 4] = [Outcome::Success, Outcome::Interrupted, Outcome::Blocked, Outcome::Failure];
    ALL.into_iter().find(|outcome| Some(outcome.as_str()) == word).unwrap_or(Outcome::Unknown)
}

/// An entry of `coverage` as an earlier version kept it.
#[derive(Debug, Deserialize)]
struct Run {
    tenant_id: String,
    category: Option<Category>,
    kind: String,
    first_day: NaiveDate,
    last_day: NaiveDate,
}

/// The rows with the columns of today. The first row of a source tells of its records.
fn converted(rows: Vec<Row>, mut accounts: HashMap<String, Account>) -> Result<Vec<Row>> {
    let mut seen: HashSet<String> = HashSet::new();
    rows.into_iter()
        .map(|row| {
            let source_id = text(&row, "source_id").to_owned();
            let account = accounts.remove(&source_id).unwrap_or_default();
            let is_first = seen.insert(source_id);
            convert(row, account, is_first)
        })
        .collect()
}

fn convert(mut row: Row, mut account: Account, is_first: bool) -> Result<Row> {
    let wrong = |source| Error::Json { what: "a source of an earlier version", source };
    let runs = row.remove("coverage").filter(|runs| !runs.is_null()).unwrap_or(Value::Array(Vec::new()));
    let runs: Vec<Run> = serde_json::from_value(runs).map_err(wrong)?;
    let name = text(&row, "path").to_owned();
    let path = (name != "-").then(|| PathBuf::from(&name));
    let input = Input {
        says: path.as_deref().map(PathFacts::of).unwrap_or_default(),
        path,
        blob: None,
        name,
        stored_bytes: 0,
        assigned: Assigned::default(),
        is_of_folder: false,
        unreadable: None,
    };
    account.records = u64::try_from(number(&row, "records")).unwrap_or(0);
    let truncation = coverage::truncation(account.records);
    let named = input.says.days_between;
    let settings = settings(ingested_at(&row));
    let mut coverage = coverage::coverage(&input, &account, (truncation.as_ref(), named), &[], &settings);
    for run in runs.into_iter().filter(|run| run.kind == "declared") {
        let range = DayRange { first: run.first_day, last: run.last_day };
        if let Some(stated) = coverage::until_yesterday(range, Basis::Covers, &settings) {
            coverage::entry_of(&mut coverage, &run.tenant_id, run.category).stated.push(stated);
        }
    }
    let fate = match (is_first, number(&row, "records"), number(&row, "rows"), number(&row, "not_sign_ins")) {
        (true, 0, 0, 0) => FileFate::Empty,
        (false, _, 0, 0) => FileFate::SeenBefore,
        _ => FileFate::Ingested,
    };
    let channel = source::channel(&input, Shape::from_word(text(&row, "shape")));
    let value = |value| serde_json::to_value(value).map_err(wrong);
    row.insert("coverage".to_owned(), serde_json::to_value(coverage).map_err(wrong)?);
    row.insert("fate".to_owned(), serde_json::to_value(fate).map_err(wrong)?);
    row.insert("channel".to_owned(), value(Some(channel))?);
    row.insert("truncation".to_owned(), value(truncation)?);
    Ok(row)
}

/// As the ingest of then would have been told today; what it was told besides is in the rows.
fn settings(now: i64) -> IngestSettings {
    IngestSettings {
        tenant_id: None,
        category: None,
        date_order: None,
        covers: None,
        jobs: 1,
        memory_limit_bytes: 0,
        roster: lightsout_model::tenant::Roster::default(),
        skip_unrecognised: false,
        keep: Keep::All,
        dry_run: false,
        now,
    }
}
