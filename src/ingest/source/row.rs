//! The row of a source in the lake: corrected when its rejects are read after all, and opened again to read them.

use std::path::PathBuf;
use std::sync::Mutex;

use chrono::DateTime;

use super::{Name, Source, SourceRow, signed};
use crate::FileFate;
use crate::account::Account;
use crate::assign::Assignments;
use crate::find::{Assigned, Input, PathFacts};
use lightsout_formats::encoding::Encoding;
use lightsout_formats::shapes::{RecordReader, Shape};
use lightsout_model::time::DateOrder;

impl SourceRow {
    /// A row that corrects the account of a source: `rows` and `not_sign_ins` of its rejects are
    /// none any more.
    pub(crate) fn correction(&self, account: &Account, batch_id: &str, now: i64) -> Self {
        let (rows, not_sign_ins) = (signed(account.rows), signed(account.not_sign_ins));
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
            rejected: -(rows + not_sign_ins),
            not_sign_ins,
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
        }
    }

    /// The source as its records are read again.
    pub(crate) fn reopen(&self, assignments: &Assignments, dates: DateOrder) -> Option<Source> {
        let path = PathBuf::from(&self.path);
        let mut reader = match &self.header {
            Some(header) => RecordReader::csv(header).ok()?,
            None => RecordReader::json(Shape::from_word(self.shape.as_deref()?)?),
        };
        reader.dates = dates;
        let mut input = Input {
            says: PathFacts::of(&path),
            path: Some(path),
            name: self.path.clone(),
            stored_bytes: 0,
            assigned: Assigned::default(),
            is_of_folder: false,
            unreadable: None,
        };
        input.assigned = assignments.of(&input);
        Some(Source {
            reader: Some(reader),
            header: self.header.clone(),
            encoding: Mutex::new(Encoding::from_word(&self.encoding).unwrap_or_default()),
            fate: FileFate::Ingested,
            name: Name { id: self.source_id.clone(), content_id: String::new(), stored_bytes: 0 }.into(),
            ..Source::unnamed(input)
        })
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
