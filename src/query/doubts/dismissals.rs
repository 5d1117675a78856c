//! Doubts that people have looked into and dismissed: `lightsout lake dismiss`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::Queries;
use crate::{Error, Result};
use lightsout_lake::schema::Table;
use lightsout_model::evidence::Dismissal;

pub(super) const REJECTED_RECORDS: &str = "rejected_records";
pub(super) const REFUSED_FILES: &str = "refused_files";

pub(super) const CLIENT_NOT_STATED: &str = "client_not_stated";
pub(super) const LEGACY_AGENT_ELSEWHERE: &str = "legacy_agent_elsewhere";
pub(super) const TENANT_MISMATCH: &str = "tenant_mismatch";
pub(super) const UNKNOWN_OUTCOME: &str = "unknown_outcome";
pub(super) const UNRECOGNISED_CLIENT: &str = "unrecognised_client";
pub(super) const USED_BEFORE_WINDOW: &str = "used_before_window";

/// The doubts that can be dismissed, by their reason codes.
pub const DOUBTS: [&str; 8] = [
    REJECTED_RECORDS,
    REFUSED_FILES,
    TENANT_MISMATCH,
    LEGACY_AGENT_ELSEWHERE,
    UNRECOGNISED_CLIENT,
    CLIENT_NOT_STATED,
    UNKNOWN_OUTCOME,
    USED_BEFORE_WINDOW,
];

const NAME: &str = "dismissals";
const SQL: &str = "SELECT * FROM dismissals";

/// A row of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DismissalRow {
    pub dismissal_id: String,
    pub tenant_id: String,
    pub doubt: String,
    /// A JSON array; absent for all that the lake held then.
    pub paths: Option<String>,
    pub by_whom: String,
    pub why: String,
    pub dismissed_at: DateTime<Utc>,
}

/// All dismissals.
#[derive(Debug, Default)]
pub(super) struct Dismissals {
    pub(super) by_tenant: BTreeMap<String, Vec<Dismissal>>,
}

impl Dismissals {
    /// Whether what came with that path at that time is dismissed. What came later is new.
    pub(super) fn cover(
        &self,
        tenant_id: &str,
        doubt: &str,
        path: &str,
        ingested_at: Option<DateTime<Utc>>,
    ) -> bool {
        let covers = |dismissal: &Dismissal| {
            dismissal.doubt == doubt
                && ingested_at.is_none_or(|at| at <= dismissal.dismissed_at)
                && (dismissal.paths.is_empty() || dismissal.paths.iter().any(|known| known == path))
        };
        self.by_tenant.get(tenant_id).is_some_and(|dismissals| dismissals.iter().any(covers))
    }
}

impl DismissalRow {
    /// The batch that adds it to its table.
    ///
    /// # Errors
    /// Fails if the row does not fit the table.
    pub fn to_batch(&self) -> Result<arrow::array::RecordBatch> {
        Ok(lightsout_lake::rows::to_batch(Table::Dismissals, std::slice::from_ref(self))?)
    }

    /// The paths as the table has them.
    ///
    /// # Errors
    /// Fails if they are no text.
    pub fn paths_of(paths: &[String]) -> Result<Option<String>> {
        if paths.is_empty() {
            return Ok(None);
        }
        let json = serde_json::to_string(paths);
        json.map(Some).map_err(|source| Error::Json { what: "paths of a dismissal", source })
    }
}

impl Queries {
    pub(super) async fn dismissals(&self) -> Result<Dismissals> {
        let mut rows: Vec<DismissalRow> = Vec::new();
        self.each(NAME, SQL, &[], |batch| {
            rows.extend(lightsout_lake::rows::from_batch::<DismissalRow>(batch)?);
            Ok(())
        })
        .await?;
        rows.sort_by(|a, b| (a.dismissed_at, &a.dismissal_id).cmp(&(b.dismissed_at, &b.dismissal_id)));
        let mut dismissals = Dismissals::default();
        for row in rows {
            let paths = row.paths.as_deref().map(serde_json::from_str).transpose();
            let paths = paths.map_err(|source| Error::Json { what: "paths of a dismissal", source })?;
            dismissals.by_tenant.entry(row.tenant_id).or_default().push(Dismissal {
                doubt: row.doubt,
                paths: paths.unwrap_or_default(),
                by_whom: row.by_whom,
                why: row.why,
                dismissed_at: row.dismissed_at,
            });
        }
        Ok(dismissals)
    }
}
