//! One row of a list of tenants, and such rows as files. The campaign's own lists have the same columns
//! first, and theirs after them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, StringArray, UInt64Array};
use chrono::NaiveDate;

use crate::{NoticeContext, NotifyError};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantAssessment, TenantVerdict};
use lightsout_output::manifest::ManifestEntry;
use lightsout_output::table;
use lightsout_output::text::plain;

/// What a list says of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    pub tenant_id: String,
    pub display_name: Option<String>,
    pub domains: Vec<String>,
    pub contacts: Vec<String>,
    pub language: Option<String>,
    /// That of its notice, another one where there are no texts in the roster's. An excluded tenant gets none.
    pub notice_language: Option<&'static str>,
    pub cloud: Option<String>,
    pub verdict: TenantVerdict,
    /// Codes of the verdict's reasons.
    pub reasons: Vec<&'static str>,
    /// Those that the list is about.
    pub protocols: Vec<Protocol>,
    /// Distinct users of protocols in use.
    pub users: u64,
    pub effective_date: Option<NaiveDate>,
    pub decision_id: String,
}

impl ListRow {
    /// The row of a tenant, with its names and contacts from the roster.
    #[must_use]
    pub fn of(
        context: &NoticeContext,
        tenant: &TenantAssessment,
        protocols: Vec<Protocol>,
        effective_date: Option<NaiveDate>,
    ) -> Self {
        let roster = context.roster_tenant(&tenant.tenant_id);
        Self {
            tenant_id: tenant.tenant_id.clone(),
            display_name: context.display_name(tenant).map(str::to_owned),
            domains: roster.map(|roster| roster.domains.clone()).unwrap_or_default(),
            contacts: roster.map(|roster| roster.contacts.clone()).unwrap_or_default(),
            language: roster.and_then(|roster| roster.language.clone()),
            notice_language: (tenant.verdict != TenantVerdict::Excluded)
                .then(|| context.language(&tenant.tenant_id).tag()),
            cloud: roster.and_then(|roster| roster.cloud.clone()),
            verdict: tenant.verdict,
            reasons: Reason::codes(&tenant.reasons),
            protocols,
            users: tenant.users,
            effective_date,
            decision_id: context.assessment.decision_id.clone(),
        }
    }
}

/// A column of text after those of every list: its name, and what it says of a row.
pub type MoreColumn<'a> = (&'static str, &'a dyn Fn(&ListRow) -> Option<String>);

/// Writes the rows, sorted by tenant id, as `<name>.csv`, `.json` and `.parquet`; the three files for
/// the folder's manifest.
///
/// In JSON and Parquet domains, contacts, reasons and protocols are lists, and text is one line without
/// control or direction characters. In CSV lists are joined with `;`, and what a spreadsheet would take
/// for a formula has an apostrophe before it.
///
/// # Errors
/// Fails if a file can't be written.
pub fn write_rows(
    folder: &Path,
    name: &str,
    rows: &[ListRow],
    more: &[MoreColumn],
) -> Result<Vec<ManifestEntry>, NotifyError> {
    let mut rows: Vec<&ListRow> = rows.iter().collect();
    rows.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    let days = rows.iter().map(|row| row.effective_date.map(|day| day.to_epoch_days()));
    let users = rows.iter().map(|row| row.users);
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("tenant_id", texts(&rows, |row| Some(&row.tenant_id))),
        ("display_name", texts(&rows, |row| row.display_name.as_deref())),
        ("domains", lists(&rows, |row| row.domains.iter().map(String::as_str).collect())),
        ("contacts", lists(&rows, |row| row.contacts.iter().map(String::as_str).collect())),
        ("language", texts(&rows, |row| row.language.as_deref())),
        ("notice_language", texts(&rows, |row| row.notice_language)),
        ("cloud", texts(&rows, |row| row.cloud.as_deref())),
        ("verdict", texts(&rows, |row| Some(row.verdict.as_str()))),
        ("reasons", lists(&rows, |row| row.reasons.clone())),
        ("protocols", lists(&rows, |row| row.protocols.iter().map(|protocol| protocol.as_str()).collect())),
        ("users", Arc::new(UInt64Array::from_iter_values(users))),
        ("effective_date", Arc::new(days.collect::<Date32Array>())),
        ("decision_id", texts(&rows, |row| Some(&row.decision_id))),
    ];
    for (name, says) in more {
        let column = rows.iter().map(|row| says(row).map(|text| plain(&text)));
        columns.push((name, Arc::new(column.collect::<StringArray>())));
    }
    let batch = table::batch(columns).map_err(lightsout_output::Error::rows(&folder.join(name)))?;
    let files = table::write_files(folder, name, &batch)?;
    let entry = |file: &String| Ok(ManifestEntry::of(folder, file, Some(rows.len() as u64))?);
    files.iter().map(entry).collect()
}

fn texts<'a>(rows: &[&'a ListRow], each: impl Fn(&'a ListRow) -> Option<&'a str>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| each(row).map(plain)).collect::<StringArray>())
}

/// An entry of which nothing is left says nothing.
fn lists<'a>(rows: &[&'a ListRow], each: impl Fn(&'a ListRow) -> Vec<&'a str>) -> ArrayRef {
    table::lists(rows.iter().map(|row| {
        let entries = each(row).into_iter().map(plain);
        entries.filter(|entry| !entry.is_empty()).collect::<Vec<_>>()
    }))
}
