//! Rosters as rows of `rosters`, named by their hash. A row with a `roster_version` is of a roster that somebody kept: the
//! greatest version is the lake's roster, which commands use that are given none. Rows without one were written with a
//! decision that was made with a roster of its own.

use std::collections::BTreeMap;
use std::io;

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decision::DecisionRow;
use crate::error::{Error, Result};
use crate::parts_hasher::PartsHasher;
use crate::step_writer::write_steps;
use crate::tenants::STEP_TENANTS;
use lightsout_lake::Lake;
use lightsout_lake::commit::Manifest;
use lightsout_lake::rows::{from_batch, to_batch};
use lightsout_lake::schema::Table;
use lightsout_model::tenant::{Roster, RosterTenant};

#[derive(Serialize)]
struct NewRow<'a> {
    roster_hash: &'a str,
    tenant_id: &'a str,
    roster_row: String,
    roster_version: Option<i64>,
    kept_at: Option<DateTime<Utc>>,
}

/// A row without what the roster says, of which there may be many versions.
#[derive(Deserialize)]
struct VersionRow {
    roster_hash: String,
    // Earlier programs kept no version.
    #[serde(default)]
    roster_version: Option<i64>,
    #[serde(default)]
    kept_at: Option<DateTime<Utc>>,
}

/// A roster that somebody kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterVersion {
    pub roster_hash: String,
    /// Counted from 1.
    pub version: i64,
    pub kept_at: DateTime<Utc>,
}

impl RosterVersion {
    /// As much of the hash as a person needs to tell versions apart.
    #[must_use]
    pub fn short_hash(&self) -> &str {
        self.roster_hash.get(..8).unwrap_or(&self.roster_hash)
    }
}

/// The latest version among some rows, by its number: a clock may have been wrong by a year.
pub(crate) fn latest_version_of(rows: &RecordBatch) -> Result<Option<RosterVersion>> {
    let version = |row: VersionRow| {
        let (version, kept_at) = (row.roster_version?, row.kept_at?);
        Some(RosterVersion { roster_hash: row.roster_hash, version, kept_at })
    };
    let versions = from_batch::<VersionRow>(rows)?.into_iter().filter_map(version);
    Ok(versions.max_by_key(|version| version.version))
}

/// The lake's roster, and which version it is; `None` if nobody has kept one.
///
/// # Errors
/// Fails if the lake can't be read, or has lost a part of the roster.
pub fn latest(lake: &Lake) -> Result<Option<(RosterVersion, Roster)>> {
    let Some(version) = latest_version(lake)? else { return Ok(None) };
    let mut stored = StoredRoster::default();
    for rows in lake.read_where(Table::Rosters, "roster_hash", &version.roster_hash, None)? {
        stored.add(&rows?)?;
    }
    let roster = stored.into_roster_of_hash(&version.roster_hash)?;
    let lost = || Error::KeptRosterLost { roster_hash: version.roster_hash.clone() };
    Ok(Some((version.clone(), roster.ok_or_else(lost)?)))
}

fn latest_version(lake: &Lake) -> Result<Option<RosterVersion>> {
    let mut latest: Option<RosterVersion> = None;
    for rows in lake.read(Table::Rosters, Some(&VERSION_COLUMNS))? {
        let found = latest_version_of(&rows?)?;
        latest = latest.into_iter().chain(found).max_by_key(|version| version.version);
    }
    Ok(latest)
}

/// The columns of a [`VersionRow`].
pub(crate) const VERSION_COLUMNS: [&str; 3] = ["roster_hash", "roster_version", "kept_at"];

/// Keeps a roster as the lake's latest version, unless it is that already. It must have tenants: without rows there is
/// nothing to keep.
///
/// # Errors
/// Fails if the lake can't be read or written.
pub async fn keep(lake: &mut Lake, roster: &Roster, now: DateTime<Utc>) -> Result<Option<RosterVersion>> {
    let lock = lake.lock().await?;
    let roster_hash = hash(roster)?;
    let before = latest_version(lake)?;
    if roster.tenants.is_empty() || before.as_ref().is_some_and(|before| before.roster_hash == roster_hash) {
        return Ok(None);
    }
    // The tables keep microseconds.
    let kept_at = DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now);
    let version =
        RosterVersion { roster_hash, version: before.map_or(1, |before| before.version + 1), kept_at };
    let batch_id = uuid::Uuid::new_v4().simple().to_string();
    let steps = batches(&version.roster_hash, roster, Some(&version));
    let files = write_steps(lake, Table::Rosters, &format!("part-{batch_id}"), steps)?;
    let manifest = Manifest { batch_id, files: files.into_iter().collect(), replaced: Vec::new() };
    lake.commit(&lock, &manifest, now.timestamp_millis()).await?;
    Ok(Some(version))
}

/// The hash that a roster is named by.
///
/// # Errors
/// Fails only if it can't be written as JSON.
pub fn hash(roster: &Roster) -> Result<String> {
    let mut hasher = PartsHasher::default();
    hasher.json(roster).map_err(|source| Error::Unreadable { source })?;
    Ok(hasher.finish())
}

/// The hash of a roster that consists of some rows: tenants and their texts.
///
/// # Errors
/// Fails only if a tenant's id can't be written as JSON.
pub fn hash_of_rows(rows: impl IntoIterator<Item = (String, String)>) -> Result<String> {
    let roster = StoredRoster(rows.into_iter().collect());
    roster.hash().map_err(|source| Error::Unreadable { source: serde_json::Error::io(source) })
}

#[derive(Deserialize)]
struct StoredRow {
    tenant_id: String,
    roster_row: String,
}

/// The rows of a roster, in steps; none of one without tenants.
pub fn batches<'a>(
    roster_hash: &'a str,
    roster: &'a Roster,
    version: Option<&'a RosterVersion>,
) -> impl Iterator<Item = Result<RecordBatch>> + 'a {
    let row = move |(tenant_id, tenant): (&'a String, &RosterTenant)| -> serde_json::Result<NewRow<'a>> {
        Ok(NewRow {
            roster_hash,
            tenant_id,
            roster_row: serde_json::to_string(tenant)?,
            roster_version: version.map(|version| version.version),
            kept_at: version.map(|version| version.kept_at),
        })
    };
    let mut tenants = roster.tenants.iter().peekable();
    std::iter::from_fn(move || {
        tenants.peek()?;
        let rows: serde_json::Result<Vec<NewRow<'_>>> =
            tenants.by_ref().take(STEP_TENANTS).map(row).collect();
        Some(rows)
    })
    .map(|rows| {
        let rows = rows.map_err(|source| Error::Unreadable { source })?;
        Ok(to_batch(Table::Rosters, &rows)?)
    })
}

/// The rows of one roster, as they are read.
#[derive(Default)]
pub(crate) struct StoredRoster(BTreeMap<String, String>);

impl StoredRoster {
    pub(crate) fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        let rows = from_batch::<StoredRow>(rows)?;
        self.0.extend(rows.into_iter().map(|row| (row.tenant_id, row.roster_row)));
        Ok(())
    }

    /// The hash of the roster's JSON, from the texts of its rows: what a later program would write of them may differ.
    fn hash(&self) -> io::Result<String> {
        let mut hasher = PartsHasher::default();
        hasher.written(|to| {
            to.write_all(b"{\"tenants\":{")?;
            for (at, (tenant_id, row)) in self.0.iter().enumerate() {
                if at > 0 {
                    to.write_all(b",")?;
                }
                serde_json::to_writer(&mut *to, tenant_id)?;
                to.write_all(b":")?;
                to.write_all(row.as_bytes())?;
            }
            to.write_all(b"}}")
        })?;
        Ok(hasher.finish())
    }

    /// The roster of a decision.
    pub(crate) fn into_roster_of(self, row: &DecisionRow) -> Result<Roster> {
        let lost = || Error::RosterLost { id: row.decision_id.clone(), roster_hash: row.roster_hash.clone() };
        self.into_roster_of_hash(&row.roster_hash)?.ok_or_else(lost)
    }

    /// The roster, if it is the one of this hash: a row that is missing, or was changed since, changes the hash.
    pub(crate) fn into_roster_of_hash(self, roster_hash: &str) -> Result<Option<Roster>> {
        if self.hash().is_ok_and(|hash| hash == roster_hash) {
            self.into_roster().map(Some)
        } else {
            Ok(None)
        }
    }

    fn into_roster(self) -> Result<Roster> {
        let tenant = |(tenant_id, row): (String, String)| {
            let row = serde_json::from_str(&row).map_err(|source| Error::Unreadable { source })?;
            Ok((tenant_id, row))
        };
        Ok(Roster { tenants: self.0.into_iter().map(tenant).collect::<Result<_>>()? })
    }
}
