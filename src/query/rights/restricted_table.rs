//! A table or view as a restricted session has it: without the rows of other tenants, and with other values in columns
//! that tell too much. No filter of a query is computed beneath: an error of a cast would quote what it must not see.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, BooleanArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::exec_datafusion_err;
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{col, lit};

use super::column_rules::{self, ColumnRule};
use super::masks::Mask;
use super::pseudonyms::Pseudonyms;
use super::restricted_exec::RestrictedExec;
use super::source_access::{self, SourceAccess, VisibleSources};
use super::{Rights, TenantRights};
use lightsout_lake::schema::Table;

/// See the file's first lines.
#[derive(Debug)]
pub(super) struct RestrictedTable {
    name: &'static str,
    inner: Arc<dyn TableProvider>,
    rights: Arc<Rights>,
    pseudonyms: Arc<Pseudonyms>,
    sources: Arc<SourceAccess>,
}

impl RestrictedTable {
    pub(super) fn new(
        name: &'static str,
        inner: Arc<dyn TableProvider>,
        rights: Arc<Rights>,
        pseudonyms: Arc<Pseudonyms>,
        sources: Arc<SourceAccess>,
    ) -> Self {
        Self { name, inner, rights, pseudonyms, sources }
    }

    fn rule(&self, column: &str) -> Option<ColumnRule> {
        column_rules::of(self.name, column, &self.rights)
    }

    /// The columns that must be read to show these.
    fn read_columns(&self, shown: &[usize]) -> Result<Vec<usize>> {
        let schema = self.inner.schema();
        let mut names: Vec<&str> = Vec::new();
        if self.rights.tenants != TenantRights::All {
            names.extend(schema.field_with_name("tenant_id").is_ok().then_some("tenant_id"));
            if self.name == Table::Rejects.as_str() {
                names.push("source_id");
            }
            if self.name == Table::Sources.as_str() {
                names.extend(source_access::COLUMNS);
                names.extend(["records", "rejected"]);
            }
        }
        let mut rules = shown.iter().filter_map(|at| self.rule(schema.field(*at).name()));
        if rules.any(|rule| rule == ColumnRule::Text) {
            let users = ["user_principal_name", "user_id"];
            names.extend(users.into_iter().filter(|name| schema.field_with_name(name).is_ok()));
        }
        let mut columns = shown.to_vec();
        for name in names {
            columns.push(schema.index_of(name)?);
        }
        columns.sort_unstable();
        columns.dedup();
        Ok(columns)
    }

    /// What the files' statistics are asked, so that files of other tenants alone are not opened.
    fn tenant_filter(&self) -> Vec<Expr> {
        match &self.rights.tenants {
            TenantRights::Only(own) if self.name == Table::SignInRecords.as_str() => {
                vec![col("tenant_id").in_list(own.iter().map(|id| lit(id.as_str())).collect(), false)]
            }
            TenantRights::Only(_) | TenantRights::All => Vec::new(),
        }
    }
}

#[async_trait]
impl TableProvider for RestrictedTable {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        self.inner.table_type()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.inner.schema();
        let shown = projection.cloned().unwrap_or_else(|| (0..schema.fields().len()).collect());
        let columns = self.read_columns(&shown)?;
        let inner = self.inner.scan(state, Some(&columns), &self.tenant_filter(), None).await?;
        let needs_sources = self.rights.tenants != TenantRights::All
            && [Table::Sources.as_str(), Table::Rejects.as_str()].contains(&self.name);
        let sources = if needs_sources { Some(self.sources.visible(state).await?) } else { None };
        let columns = shown.iter().map(|at| {
            let name = schema.field(*at).name();
            (name.clone(), self.rule(name))
        });
        let restriction = Restriction {
            table: self.name,
            rights: Arc::clone(&self.rights),
            pseudonyms: Arc::clone(&self.pseudonyms),
            sources,
            columns: columns.collect(),
            schema: Arc::new(schema.project(&shown)?),
        };
        Ok(Arc::new(RestrictedExec::new(inner, restriction)))
    }
}

/// What becomes of the batches of one scan.
#[derive(Debug)]
pub(super) struct Restriction {
    pub(super) table: &'static str,
    rights: Arc<Rights>,
    pseudonyms: Arc<Pseudonyms>,
    sources: Option<Arc<VisibleSources>>,
    columns: Vec<(String, Option<ColumnRule>)>,
    pub(super) schema: SchemaRef,
}

impl Restriction {
    pub(super) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let batch = match self.seen_rows(batch)? {
            Some(seen) => &filter_record_batch(batch, &seen)?,
            None => batch,
        };
        let mask = Mask { rights: &self.rights, pseudonyms: &self.pseudonyms, batch };
        let column = |(name, rule): &(String, Option<ColumnRule>)| -> Result<ArrayRef> {
            let missing = || exec_datafusion_err!("the column {name} was not read");
            match rule {
                Some(rule) => mask.apply(*rule, name),
                None => batch.column_by_name(name).cloned().ok_or_else(missing),
            }
        };
        let columns = self.columns.iter().map(column).collect::<Result<Vec<_>>>()?;
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &rows)?)
    }

    /// `None`: all of them.
    fn seen_rows(&self, batch: &RecordBatch) -> Result<Option<BooleanArray>> {
        let TenantRights::Only(own) = &self.rights.tenants else { return Ok(None) };
        if self.table == Table::Decisions.as_str() {
            return Ok(None);
        }
        if self.table == Table::Sources.as_str() {
            let sources = self.sources.as_ref().ok_or_else(|| exec_datafusion_err!("no list of files"))?;
            return sources.concerns(batch, &self.rights).map(Some);
        }
        // A table of which nobody knows whose its rows are has none to show.
        let Some(tenants) = texts(batch, "tenant_id") else {
            return Ok(Some(BooleanArray::from(vec![false; batch.num_rows()])));
        };
        let files = self.sources.as_ref().zip(texts(batch, "source_id"));
        let is_seen = tenants.iter().enumerate().map(|(at, tenant_id)| {
            Some(match (tenant_id, &files) {
                (Some(tenant_id), _) => own.contains(tenant_id),
                (None, Some((sources, ids))) => sources.contains(ids.value(at)),
                (None, None) => false,
            })
        });
        Ok(Some(is_seen.collect()))
    }
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch.column_by_name(name)?.as_string_opt()
}
