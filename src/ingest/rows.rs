//! Column builders: classified records in, sorted record batches out.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};

use crate::error::{Error, Result};
use crate::lake::schema::Table;
use crate::sign_in::{Classified, RawSignIn};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Days since 1970 of an instant.
#[must_use]
pub(super) fn day_of(micros: i64) -> i32 {
    i32::try_from(micros.div_euclid(MICROS_PER_DAY)).unwrap_or(0)
}

/// What a row has besides its record.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowContext<'a> {
    pub tenant_id: &'a str,
    pub sign_in_id: &'a str,
    pub signed_in_at: i64,
    pub source_id: &'a str,
    pub source_offset: u64,
}

/// Rows of one stream that are not written yet.
#[derive(Default)]
pub(super) struct Rows {
    text: [StringBuilder; 23],
    signed_in_at: Vec<i64>,
    emitted_at: TimestampMicrosecondBuilder,
    event_date: Date32Builder,
    error_code: Int64Builder,
    is_interactive: BooleanBuilder,
    source: StringBuilder,
    source_offset: Int64Builder,
    bytes: usize,
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.signed_in_at.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.signed_in_at.is_empty()
    }

    /// Bytes of text held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, raw: &RawSignIn<'_>, classified: Classified, row: RowContext<'_>) {
        let texts = [
            Some(row.tenant_id),
            Some(row.sign_in_id),
            raw.category.map(crate::sign_in::Category::as_str),
            raw.user_id.as_deref(),
            raw.user_principal_name.as_deref(),
            raw.user_type.as_deref(),
            raw.app_id.as_deref(),
            raw.app_name.as_deref(),
            raw.resource_id.as_deref(),
            raw.resource_name.as_deref(),
            raw.client_app.as_deref(),
            classified.protocol.map(crate::protocol::Protocol::as_str),
            Some(classified.auth_method.as_str()),
            classified.auth_evidence,
            Some(classified.outcome.as_str()),
            raw.failure_reason.as_deref(),
            raw.conditional_access.as_deref(),
            raw.user_agent.as_deref(),
            raw.ip_address.as_deref(),
            raw.country.as_deref(),
            raw.home_tenant_id.as_deref(),
            raw.resource_tenant_id.as_deref(),
            raw.correlation_id.as_deref(),
        ];
        for (builder, text) in self.text.iter_mut().zip(texts) {
            builder.append_option(text);
            self.bytes += text.map_or(0, str::len);
        }
        self.source.append_value(row.source_id);
        self.signed_in_at.push(row.signed_in_at);
        self.emitted_at.append_option(raw.emitted_at);
        self.event_date.append_value(day_of(row.signed_in_at));
        self.error_code.append_option(raw.error_code);
        self.is_interactive.append_option(raw.is_interactive);
        self.source_offset.append_value(i64::try_from(row.source_offset).unwrap_or(i64::MAX));
        self.bytes += 100;
    }

    /// Takes the rows out, sorted by tenant and time.
    pub(super) fn take(&mut self) -> Result<RecordBatch> {
        let mut rows = std::mem::take(self);
        let mut texts = rows.text.iter_mut().map(|builder| -> ArrayRef { Arc::new(builder.finish()) });
        let mut text = || {
            texts.next().unwrap_or_else(|| arrow::array::new_empty_array(&arrow::datatypes::DataType::Utf8))
        };
        let times = |builder: &mut TimestampMicrosecondBuilder| -> ArrayRef {
            Arc::new(builder.finish().with_timezone("UTC"))
        };
        let signed_in_at: ArrayRef =
            Arc::new(arrow::array::TimestampMicrosecondArray::from(rows.signed_in_at).with_timezone("UTC"));
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(30);
        for field in Table::SignInRecords.file_schema().fields() {
            columns.push(match field.name().as_str() {
                "signed_in_at" => Arc::clone(&signed_in_at),
                "emitted_at" => times(&mut rows.emitted_at),
                "event_date" => Arc::new(rows.event_date.finish()),
                "error_code" => Arc::new(rows.error_code.finish()),
                "is_interactive" => Arc::new(rows.is_interactive.finish()),
                "source_id" => Arc::new(rows.source.finish()),
                "source_offset" => Arc::new(rows.source_offset.finish()),
                _ => text(),
            });
        }
        let arrow = |source| Error::Arrow { what: "building rows", source };
        let batch = RecordBatch::try_new(Table::SignInRecords.file_schema(), columns).map_err(arrow)?;
        let by = |at: usize| SortColumn { values: Arc::clone(batch.column(at)), options: None };
        let order = lexsort_to_indices(&[by(0), by(3)], None).map_err(arrow)?;
        take_record_batch(&batch, &order).map_err(arrow)
    }
}
