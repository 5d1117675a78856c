//! The end of a source: its account for people, and its row for the lake.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use chrono::DateTime;

use super::advice::{Facts, advice};
use super::{INCOMPLETE, Source, TORN, channel};
use crate::coverage;
use crate::known::Known;
use crate::source_row::{SourceRow, signed};
use crate::{Error, FileFate, FileReport, IngestSettings, Result};
use lightsout_formats::framing::Framing;
use lightsout_formats::shapes::RecordReader;

impl Source {
    /// The account for people; and the row for the lake, `None` if the lake learns nothing from it. `etag`: the version of
    /// a blob that need not be read again.
    pub(crate) fn close(
        self,
        batch_id: &str,
        known: &Known,
        settings: &IngestSettings,
        etag: Option<String>,
    ) -> Result<(FileReport, Option<SourceRow>)> {
        let stored_bytes = self.stored_bytes();
        let source_id = self.id().to_owned();
        let content_id = self.name.get().map(|name| name.content_id.clone());
        let is_torn = self.is_torn.load(Ordering::Relaxed);
        let says_incomplete = self.says_incomplete();
        let was_refused = known.refused_at(&self.input.name).is_some();
        let refusal = self.refusal(known, settings);
        let shape = self.shape();
        let encoding = self.encoding();
        let of_settings = self.settings.as_ref().map(|settings| settings.tenant_id.clone());
        let account = self.account.into_inner().map_err(|_| Error::WorkerLost)?;
        let mut missing_columns = account.missing_columns();
        // A log of service principals lacks nothing.
        if account.sign_ins == 0 || account.user_rows > 0 {
            missing_columns.extend(self.reader.iter().flat_map(RecordReader::missing_columns));
        }
        missing_columns.sort_unstable();
        missing_columns.dedup();
        let truncation = coverage::truncation(account.records);
        // Settings are no log: neither name nor flag makes them speak for days.
        let coverage = if self.settings_kind.is_some() {
            Vec::new()
        } else {
            // A file without a byte of text may be a download that failed.
            let named = self.input.says.days_between.filter(|_| !self.is_blank);
            let said = (truncation.as_ref(), named);
            coverage::coverage(&self.input, &account, said, &self.known_coverage, settings)
        };
        let facts = Facts {
            fate: self.fate,
            shape: self.reader.as_ref().map(RecordReader::shape),
            encoding,
            account: &account,
            missing_columns: &missing_columns,
            coverage: &coverage,
            known_coverage: &self.known_coverage,
        };
        let report = FileReport {
            advice: advice(&facts, settings),
            path: self.input.name.clone(),
            fate: self.fate,
            detail: self.detail,
            shape,
            framing: self.framing.map(Framing::as_str),
            encoding: encoding.as_str(),
            compression: self.compression,
            stored_bytes,
            content_bytes: account.content_bytes,
            prefix_bytes: self.prefix.as_ref().map(|prefix| prefix.bytes),
            records: account.records,
            rows: account.rows(),
            rejected: account.rejected_total(),
            not_sign_ins: account.not_sign_ins,
            counted: account.counted,
            tenants: (account.occurring().into_iter().map(|(tenant, _)| tenant).chain(of_settings))
                .collect::<BTreeSet<_>>()
                .len(),
            first_signed_in_at: account.first_at.map(lightsout_model::time::format),
            last_signed_in_at: account.last_at.map(lightsout_model::time::format),
            missing_columns: missing_columns.clone(),
            rejected_by_reason: account.rejected.clone(),
            rejected_of_unknown_tenant: self.unplaced.load(Ordering::Relaxed),
            unknown_codes: account.unknown_codes.clone(),
            torn: is_torn,
            changing: self.is_changing,
            incomplete: says_incomplete,
        };
        let fate = match self.fate {
            FileFate::Refused | FileFate::Skipped => refusal,
            FileFate::SeenBefore => {
                (!coverage.is_empty() || was_refused || etag.is_some()).then_some(self.fate)
            }
            FileFate::Ingested | FileFate::Empty => Some(self.fate),
        };
        let Some(fate) = fate else { return Ok((report, None)) };
        let row = SourceRow {
            fate,
            detail: report.detail.clone(),
            etag,
            channel: Some(channel(&self.input, self.reader.as_ref().map(RecordReader::shape))),
            truncation: match (is_torn, says_incomplete) {
                (true, _) => Some(TORN.to_owned()),
                (false, true) => Some(INCOMPLETE.to_owned()),
                (false, false) => truncation,
            },
            content_id,
            assigned_tenant_id: self.input.tenant_id().map(str::to_owned),
            prefix_bytes: self.prefix.as_ref().map(|prefix| signed(prefix.bytes)),
            prefix_source_id: self.prefix.map(|prefix| prefix.source_id),
            page_filter: self.pages.as_ref().and_then(|pages| pages.filter.clone()),
            pages: self.pages.as_ref().map(|pages| signed(pages.count)),
            last_pages: self.pages.as_ref().map(|pages| signed(pages.count - pages.linked)),
            source_id,
            batch_id: batch_id.to_owned(),
            path: self.input.name,
            shape: report.shape.map(str::to_owned),
            framing: report.framing.map(str::to_owned),
            encoding: report.encoding.to_owned(),
            compression: report.compression.to_owned(),
            header: self.header,
            stored_bytes: report.stored_bytes,
            content_bytes: report.content_bytes,
            records: signed(report.records),
            rows: signed(report.rows),
            rejected: signed(report.rejected),
            not_sign_ins: signed(report.not_sign_ins),
            counted: (report.counted > 0).then(|| signed(report.counted)),
            pruned: 0,
            missing_columns: (!missing_columns.is_empty()).then(|| missing_columns.join(";")),
            first_signed_in_at: account.first_at.and_then(DateTime::from_timestamp_micros),
            last_signed_in_at: account.last_at.and_then(DateTime::from_timestamp_micros),
            ingested_at: DateTime::from_timestamp_micros(settings.now),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            coverage,
        };
        Ok((report, Some(row)))
    }
}
