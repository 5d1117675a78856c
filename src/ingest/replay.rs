//! Tries rejected records again: a newer version may read them, an operator may now name their tenant, a
//! time may lie in the future no longer. What is accepted becomes rows of its source; the others stay
//! rejects, with the reason of today.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use serde::Serialize;

use super::assign::Assignments;
use super::source::Source;
use super::source_row::{self, SourceRow};
use super::worker::Worker;
use super::{IngestSettings, Keep, Progress};
use crate::{Error, Result};
use lightsout_formats::broken_off;
use lightsout_formats::encoding::Encoding;
use lightsout_formats::frame::{Chunk, Records};
use lightsout_formats::reject::RejectReason;
use lightsout_lake::Lake;
use lightsout_lake::commit::{Manifest, Replaced, Replacing};
use lightsout_lake::schema::Table;
use lightsout_lake::write::write_file;
use lightsout_model::time::DateOrder;

/// What became of the rejects.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReplayReport {
    pub tried: u64,
    pub rows: u64,
    pub not_sign_ins: u64,
    pub counted: u64,
    pub still_rejected: u64,
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
}

/// Tries every reject of the lake again. With `dry_run` nothing is written. In a lake that counts provably modern sign-ins
/// those among the rejects are counted as well, whatever `settings.keep` says.
///
/// # Errors
/// Fails if the lake can't be read or written; then nothing has changed.
pub async fn replay(
    lake: &mut Lake,
    settings: &IngestSettings,
    assignments: &Assignments,
) -> Result<ReplayReport> {
    let lock = lake.lock().await?;
    let batch_id = uuid::Uuid::new_v4().simple().to_string();
    let mut report = ReplayReport::default();
    let sources = sources(lake, settings, assignments)?;
    let counts = sources.values().any(|(_, row)| row.counted.is_some());
    let settings =
        &IngestSettings { keep: if counts { Keep::Legacy } else { settings.keep }, ..settings.clone() };
    let progress = Progress::default();
    let mut worker = Worker::new(settings, &progress, lake.root().to_owned(), &batch_id, 0);
    for batch in lake.read(Table::Rejects, None)? {
        for reject in rejects(&batch?) {
            let Some((source, _)) = sources.get(&reject.source_id) else {
                return Err(Error::NoSource { lake: lake.name(), source_id: reject.source_id });
            };
            worker.chunk(source, &reject.into_chunk(source.encoding()))?;
        }
    }
    let ids = HashMap::new();
    let mut files = Vec::new();
    for file in worker.finish()? {
        files.push(file.settle(&ids)?);
    }
    let mut corrections = Vec::new();
    for (source, row) in sources.into_values() {
        let source = Arc::into_inner(source).ok_or(Error::WorkerLost)?;
        let account = source.account.into_inner().map_err(|_| Error::WorkerLost)?;
        report.tried += account.records;
        report.rows += account.rows();
        report.not_sign_ins += account.not_sign_ins;
        report.counted += account.counted;
        report.still_rejected += account.rejected_total();
        for (reason, count) in &account.rejected {
            *report.rejected_by_reason.entry(reason).or_default() += count;
        }
        if account.sign_ins + account.not_sign_ins > 0 {
            corrections.push(row.correction(&account, &batch_id, settings.now));
        }
    }
    if corrections.is_empty() || settings.dry_run {
        super::batch::discard(lake, &files);
        return Ok(report);
    }
    let name = format!("part-{batch_id}");
    corrections.sort_by(|a, b| a.source_id().cmp(b.source_id()));
    files.push(write_file(lake.root(), Table::Sources, &name, &source_row::to_batch(&corrections)?)?);
    let replaced = lake.files(Table::Rejects)?.into_iter().map(|file| Replaced {
        table: Table::Rejects,
        path: file.path,
        bytes: file.bytes,
        reason: Replacing::Rows,
    });
    let manifest = Manifest { batch_id, files, replaced: replaced.collect() };
    lake.commit(&lock, &manifest, settings.now / 1000).await?;
    Ok(report)
}

/// The sources of the lake, ready to read records of theirs.
fn sources(
    lake: &Lake,
    settings: &IngestSettings,
    assignments: &Assignments,
) -> Result<HashMap<String, (Arc<Source>, SourceRow)>> {
    let mut sources = HashMap::new();
    for row in source_row::read_rows::<SourceRow>(lake, None)? {
        if !row.is_first() {
            continue;
        }
        let dates = settings.date_order.unwrap_or(DateOrder::Unsettled);
        if let Some(source) = Source::reopen(&row, assignments, dates) {
            sources.insert(row.source_id().to_owned(), (Arc::new(source), row));
        }
    }
    Ok(sources)
}

struct Reject {
    source_id: String,
    byte_offset: u64,
    line: u64,
    reason: String,
    detail: String,
    raw: Vec<u8>,
}

impl Reject {
    /// The record alone, at its place in the file.
    fn into_chunk(self, encoding: Encoding) -> Chunk {
        let bytes = encoding.decode(&self.raw);
        let whole = 0..bytes.len();
        // Of these the whole record is not kept.
        let broken = match self.reason.as_str() {
            "over_long" => Some(RejectReason::over_long()),
            "broken_compression" => Some(RejectReason::BrokenCompression { detail: self.detail }),
            "broken_off" => Some(broken_off()),
            "cut_row" => Some(RejectReason::CutRow),
            // The header of the file does not say which cell is which.
            "other_header" => Some(RejectReason::OtherHeader),
            _ => None,
        };
        Chunk {
            offset: self.byte_offset,
            encoding,
            first_line: self.line,
            bytes: bytes.into(),
            records: Records::At(if broken.is_none() { vec![whole.clone()] } else { Vec::new() }),
            broken: broken.map(|reason| (whole, reason)).into_iter().collect(),
            ..Chunk::default()
        }
    }
}

fn rejects(batch: &RecordBatch) -> impl Iterator<Item = Reject> {
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).map(AsArray::as_string::<i32>);
        column
            .filter(|column| column.is_valid(row))
            .map_or_else(String::new, |column| column.value(row).to_owned())
    };
    let number = |name: &str, row: usize| {
        let column = batch.column_by_name(name).map(AsArray::as_primitive::<Int64Type>);
        column.map_or(0, |column| u64::try_from(column.value(row)).unwrap_or(0))
    };
    (0..batch.num_rows()).map(move |row| Reject {
        source_id: text("source_id", row),
        byte_offset: number("byte_offset", row),
        line: number("line", row),
        reason: text("reason", row),
        detail: text("detail", row),
        raw: batch
            .column_by_name("raw")
            .map_or_else(Vec::new, |raw| raw.as_binary::<i32>().value(row).to_owned()),
    })
}
