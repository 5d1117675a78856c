//! Which files concern the tenants of a session: those with entries of theirs, and those of which nobody knows whose
//! they are and that came with some of theirs. Of the latter a doubt may be theirs, so that a verdict must count them.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, AsArray as _, BooleanArray, ListArray, StringArray, StructArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt as _;
use tokio::sync::OnceCell;

use super::{Rights, TenantRights};

/// The columns that tell whose a file is.
pub(super) const COLUMNS: [&str; 4] = ["source_id", "batch_id", "coverage", "assigned_tenant_id"];

/// See the file's first lines. Read once in a session.
#[derive(Debug)]
pub(super) struct SourceAccess {
    rights: Arc<Rights>,
    sources: Arc<dyn TableProvider>,
    visible: OnceCell<Arc<VisibleSources>>,
}

/// The files that concern the session's tenants.
#[derive(Debug, Default)]
pub(super) struct VisibleSources {
    /// Batches with files of its tenants, and those with files of any tenant.
    own_batches: HashSet<String>,
    batches: HashSet<String>,
    sources: HashSet<String>,
}

/// Whose one file is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SourceRow {
    pub(super) has_own: bool,
    pub(super) has_others: bool,
    pub(super) own_records: i64,
}

impl SourceAccess {
    pub(super) fn new(rights: Arc<Rights>, sources: Arc<dyn TableProvider>) -> Self {
        Self { rights, sources, visible: OnceCell::new() }
    }

    pub(super) async fn visible(&self, state: &dyn Session) -> Result<Arc<VisibleSources>> {
        self.visible.get_or_try_init(|| self.read(state)).await.cloned()
    }

    async fn read(&self, state: &dyn Session) -> Result<Arc<VisibleSources>> {
        let schema = self.sources.schema();
        let mut columns =
            COLUMNS.map(|name| schema.index_of(name)).into_iter().collect::<Result<Vec<_>, _>>()?;
        columns.push(schema.index_of("records")?);
        let plan = self.sources.scan(state, Some(&columns), &[], None).await?;
        let batches: Vec<RecordBatch> = execute_stream(plan, state.task_ctx())?.try_collect().await?;
        let mut found = VisibleSources::default();
        for batch in &batches {
            let ids = texts(batch, "batch_id")?;
            for (at, row) in source_rows(batch, &self.rights)?.iter().enumerate() {
                if row.has_own {
                    found.own_batches.insert(ids.value(at).to_owned());
                }
                if row.has_own || row.has_others {
                    found.batches.insert(ids.value(at).to_owned());
                }
            }
        }
        for batch in &batches {
            let ids = texts(batch, "source_id")?;
            let kept = found.concerns(batch, &self.rights)?;
            let concerned = (0..batch.num_rows()).filter(|at| kept.value(*at));
            let concerned: Vec<String> = concerned.map(|at| ids.value(at).to_owned()).collect();
            found.sources.extend(concerned);
        }
        Ok(Arc::new(found))
    }
}

impl VisibleSources {
    /// Of a batch of `sources`, the rows that are seen.
    pub(super) fn concerns(&self, batch: &RecordBatch, rights: &Rights) -> Result<BooleanArray> {
        let ids = texts(batch, "batch_id")?;
        let rows = source_rows(batch, rights)?;
        let is_seen = rows.iter().enumerate().map(|(at, row)| {
            let may_be_own =
                self.own_batches.contains(ids.value(at)) || !self.batches.contains(ids.value(at));
            Some(row.has_own || !row.has_others && may_be_own)
        });
        Ok(is_seen.collect())
    }

    pub(super) fn contains(&self, source_id: &str) -> bool {
        self.sources.contains(source_id)
    }
}

/// Whose each file of a batch is.
pub(super) fn source_rows(batch: &RecordBatch, rights: &Rights) -> Result<Vec<SourceRow>> {
    let TenantRights::Only(own) = &rights.tenants else {
        return Ok(vec![SourceRow { has_own: true, ..SourceRow::default() }; batch.num_rows()]);
    };
    let wrong = || exec_datafusion_err!("sources.coverage is not as ingest writes it");
    let lists: &ListArray =
        batch.column_by_name("coverage").and_then(|column| column.as_list_opt()).ok_or_else(wrong)?;
    let entries: &StructArray = lists.values().as_struct_opt().ok_or_else(wrong)?;
    let tenants = entries.column_by_name("tenant_id").and_then(|column| column.as_string_opt::<i32>());
    let tenants = tenants.ok_or_else(wrong)?;
    let records = entries.column_by_name("records").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let records = records.ok_or_else(wrong)?;
    let assigned = texts(batch, "assigned_tenant_id")?;
    let of_row = |at: usize| {
        let mut row = SourceRow::default();
        let mut see = |tenant_id: &str, count: i64| {
            if own.contains(tenant_id) {
                row.has_own = true;
                row.own_records += count;
            } else {
                row.has_others = true;
            }
        };
        if assigned.is_valid(at) {
            see(assigned.value(at), 0);
        }
        for entry in entries_of(lists, at).filter(|entry| tenants.is_valid(*entry)) {
            see(tenants.value(entry), if records.is_valid(entry) { records.value(entry) } else { 0 });
        }
        row
    };
    Ok((0..batch.num_rows()).map(of_row).collect())
}

/// The places of the entries of one file.
pub(super) fn entries_of(lists: &ListArray, row: usize) -> Range<usize> {
    if lists.is_null(row) {
        return 0..0;
    }
    let offsets = lists.value_offsets();
    let place = |offset: i32| usize::try_from(offset).unwrap_or(0);
    place(offsets[row])..place(offsets[row + 1])
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt());
    column.ok_or_else(|| exec_datafusion_err!("the column {name} is no text"))
}
