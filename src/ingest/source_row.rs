//! The row of a source in the table `sources`.

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::FileFate;
use super::account::{Account, Coverage};
use crate::Result;
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;

/// A row of `sources`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SourceRow {
    pub(super) source_id: String,
    pub(super) batch_id: String,
    pub(super) path: String,
    pub(super) shape: Option<String>,
    pub(super) framing: Option<String>,
    pub(super) encoding: String,
    pub(super) compression: String,
    /// The header row that rows need to be read again.
    pub(super) header: Option<String>,
    pub(super) stored_bytes: u64,
    pub(super) content_bytes: u64,
    pub(super) records: i64,
    pub(super) rows: i64,
    pub(super) rejected: i64,
    pub(super) not_sign_ins: i64,
    pub(super) counted: Option<i64>,
    pub(super) pruned: i64,
    pub(super) missing_columns: Option<String>,
    pub(super) first_signed_in_at: Option<DateTime<Utc>>,
    pub(super) last_signed_in_at: Option<DateTime<Utc>>,
    pub(super) ingested_at: Option<DateTime<Utc>>,
    pub(super) program_version: String,
    pub(super) coverage: Vec<Coverage>,
    pub(super) fate: FileFate,
    /// Why it was refused.
    pub(super) detail: Option<String>,
    /// Where it comes from again and again.
    pub(super) channel: Option<String>,
    /// How the export ends before its data do; absent where it does not.
    pub(super) truncation: Option<String>,
    /// Graph: the filter that the links to next pages repeat.
    pub(super) page_filter: Option<String>,
    pub(super) pages: Option<i64>,
    /// Of them those without a link to a next one.
    pub(super) last_pages: Option<i64>,
    /// Hash of its bytes alone.
    pub(super) content_id: Option<String>,
    /// The tenant that its path or the operator names.
    pub(super) assigned_tenant_id: Option<String>,
    /// The source that the file begins with, if only what is behind it was read.
    pub(super) prefix_source_id: Option<String>,
    pub(super) prefix_bytes: Option<i64>,
    /// The version of a blob that need not be read again.
    pub(super) etag: Option<String>,
}

impl SourceRow {
    /// A row that corrects the account of a source: what now are rows, counted or no sign-ins are rejects no more.
    pub(crate) fn correction(&self, account: &Account, batch_id: &str, now: i64) -> Self {
        let (rows, not_sign_ins) = (signed(account.rows()), signed(account.not_sign_ins));
        let known = &self.coverage;
        Self {
            source_id: self.source_id.clone(),
            batch_id: batch_id.to_owned(),
            path: self.path.clone(),
            shape: self.shape.clone(),
            framing: self.framing.clone(),
            encoding: self.encoding.clone(),
            compression: self.compression.clone(),
            header: self.header.clone(),
            stored_bytes: 0,
            content_bytes: 0,
            records: 0,
            rows,
            rejected: -(rows + not_sign_ins + signed(account.counted)),
            not_sign_ins,
            counted: (account.counted > 0).then(|| signed(account.counted)),
            pruned: 0,
            // What the file as a whole lacks, its rejects lack too.
            missing_columns: self.missing_columns.clone(),
            first_signed_in_at: account.first_at.and_then(DateTime::from_timestamp_micros),
            last_signed_in_at: account.last_at.and_then(DateTime::from_timestamp_micros),
            ingested_at: DateTime::from_timestamp_micros(now),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            coverage: account.coverage().into_iter().filter(|entry| !known.contains(entry)).collect(),
            fate: FileFate::Ingested,
            detail: None,
            channel: self.channel.clone(),
            truncation: self.truncation.clone(),
            page_filter: None,
            pages: None,
            last_pages: None,
            content_id: self.content_id.clone(),
            assigned_tenant_id: self.assigned_tenant_id.clone(),
            prefix_source_id: self.prefix_source_id.clone(),
            prefix_bytes: self.prefix_bytes,
            etag: self.etag.clone(),
        }
    }

    pub(crate) fn source_id(&self) -> &str {
        &self.source_id
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.fate == FileFate::Refused
    }

    /// Whether the row tells of the file itself, not of what was learnt of it later.
    pub(crate) fn is_first(&self) -> bool {
        self.records > 0
    }
}

/// A count as the lake has it.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Rows of `sources` as a batch.
pub(super) fn to_batch(rows: &[SourceRow]) -> Result<RecordBatch> {
    Ok(lightsout_lake::rows::to_batch(Table::Sources, rows)?)
}

/// Every row of `sources`, of all columns or of some.
pub(super) fn read_rows<T: DeserializeOwned>(lake: &Lake, columns: Option<&[&str]>) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    for batch in lake.read(Table::Sources, columns)? {
        rows.extend(lightsout_lake::rows::from_batch(&batch?)?);
    }
    Ok(rows)
}
