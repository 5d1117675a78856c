//! Rows of `rejects`: the bytes of what could not be read, where they stand, why, and what they tell all the
//! same.

use std::sync::Arc;

use arrow::array::{BinaryBuilder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder};

use crate::{Error, Result};
use lightsout_formats::lenient::Lenient;
use lightsout_formats::reject::RejectReason;
use lightsout_lake::schema::Table;
use lightsout_model::sign_in::Category;

/// One rejected record.
pub(super) struct Reject<'a> {
    pub(super) source_id: &'a str,
    pub(super) path: &'a str,
    pub(super) batch_id: &'a str,
    pub(super) byte_offset: u64,
    pub(super) line: u64,
    pub(super) reason: &'a RejectReason,
    /// As in the file.
    pub(super) raw: Vec<u8>,
    pub(super) reads: Lenient,
}

/// What a row holds of fixed length: numbers, offsets, codes.
const ROW_BYTES: usize = 128;

/// Rows that are not written yet.
#[derive(Default)]
pub(super) struct Rejects {
    source_id: StringBuilder,
    path: StringBuilder,
    byte_offset: Int64Builder,
    line: Int64Builder,
    reason: StringBuilder,
    detail: StringBuilder,
    raw: BinaryBuilder,
    batch_id: StringBuilder,
    tenant_id: StringBuilder,
    category: StringBuilder,
    signed_in_at: TimestampMicrosecondBuilder,
    reads_as: StringBuilder,
    sign_in_id: StringBuilder,
    bytes: usize,
}

impl Rejects {
    /// Bytes held: a file of empty records, or one with a long name, holds more beside them than in them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, reject: Reject<'_>) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let Reject { reason, reads, .. } = reject;
        let detail = reason.to_string();
        let read =
            [&reads.tenant_id, &reads.sign_in_id].into_iter().flatten().map(String::len).sum::<usize>();
        let named = reject.source_id.len() + reject.path.len() + reject.batch_id.len();
        self.bytes += reject.raw.len() + detail.len() + named + read + ROW_BYTES;
        self.source_id.append_value(reject.source_id);
        self.path.append_value(reject.path);
        self.byte_offset.append_value(number(reject.byte_offset));
        self.line.append_value(number(reject.line));
        self.reason.append_value(reason.code());
        self.detail.append_value(detail);
        self.raw.append_value(reject.raw);
        self.batch_id.append_value(reject.batch_id);
        self.tenant_id.append_option(reads.tenant_id);
        self.category.append_option(reads.category.map(Category::as_str));
        self.signed_in_at.append_option(reads.signed_in_at);
        self.reads_as.append_value(reads.reads_as.as_str());
        self.sign_in_id.append_option(reads.sign_in_id);
    }

    pub(super) fn into_batch(mut self) -> Result<RecordBatch> {
        RecordBatch::try_new(
            Table::Rejects.file_schema(),
            vec![
                Arc::new(self.source_id.finish()),
                Arc::new(self.path.finish()),
                Arc::new(self.byte_offset.finish()),
                Arc::new(self.line.finish()),
                Arc::new(self.reason.finish()),
                Arc::new(self.detail.finish()),
                Arc::new(self.raw.finish()),
                Arc::new(self.batch_id.finish()),
                Arc::new(self.tenant_id.finish()),
                Arc::new(self.category.finish()),
                Arc::new(self.signed_in_at.finish().with_timezone("UTC")),
                Arc::new(self.reads_as.finish()),
                Arc::new(self.sign_in_id.finish()),
            ],
        )
        .map_err(|source| Error::Arrow { what: "building rejects", source })
    }
}
