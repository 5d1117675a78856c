//! Structs to table rows and back, for the tables that are small: sources, decisions, events.

use std::sync::Arc;

use arrow::array::RecordBatch;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Lake;
use crate::commit::{Locked, Manifest};
use crate::error::{Error, Result};
use crate::schema::Table;

/// Rows of a table, by member name. A member that the table lacks is dropped, a column that the
/// rows lack is null.
pub fn to_batch<T: Serialize>(table: Table, rows: &[T]) -> Result<RecordBatch> {
    let arrow = |source| Error::Arrow { what: "building table rows", source };
    let schema = table.file_schema();
    let mut decoder = arrow::json::ReaderBuilder::new(Arc::clone(&schema))
        .with_batch_size(rows.len().max(1))
        .build_decoder()
        .map_err(arrow)?;
    decoder.serialize(rows).map_err(arrow)?;
    Ok(decoder.flush().map_err(arrow)?.unwrap_or_else(|| RecordBatch::new_empty(schema)))
}

/// The rows of a batch, members by column name; columns that `T` lacks are passed.
pub fn from_batch<T: DeserializeOwned>(batch: &RecordBatch) -> Result<Vec<T>> {
    let arrow = |source| Error::Arrow { what: "reading table rows", source };
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::LineDelimited>(Vec::new());
    writer.write(batch).map_err(arrow)?;
    writer.finish().map_err(arrow)?;
    let text = writer.into_inner();
    serde_json::Deserializer::from_slice(&text)
        .into_iter()
        .collect::<std::result::Result<_, _>>()
        .map_err(|source| Error::Json { what: "reading table rows", source })
}

impl Lake {
    /// Appends rows to a small table in one commit of its own; nothing where there are none.
    pub async fn append<T: Serialize>(
        &mut self,
        lock: &Locked,
        table: Table,
        rows: &[T],
        now_ms: i64,
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let batch = to_batch(table, rows)?;
        let batch_id = uuid::Uuid::new_v4().simple().to_string();
        let file = crate::write::write_file(self.root(), table, &format!("part-{batch_id}"), &batch)?;
        let manifest = Manifest { batch_id, files: vec![file], replaced: Vec::new() };
        self.commit(lock, &manifest, now_ms).await
    }
}
