//! `lightsout lake status`: what the lake holds, how much room it takes, and what would make it less.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use clap::Args;
use indicatif::HumanBytes;

use super::super::shared::{Global, Output};
use super::dismiss;
use crate::cli::failure::{Failure, Result};
use lightsout_lake::Lake;
use lightsout_lake::size::TableSize;
use lightsout_output::text::count;
use lightsout_workflow::{MEMORY_LIMIT_BYTES, session};

const TABLES: &str = include_str!("../../../queries/views/status.sql");
const TENANTS: &str = include_str!("../../../queries/views/status_by_tenant.sql");

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Print a row per tenant and category instead, with its newest record and last ingest
    #[arg(long)]
    tenants: bool,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(lake: &Lake, arguments: &Arguments, global: &Global) -> Result<u8> {
    let queries = session::open(lake, MEMORY_LIMIT_BYTES).await?;
    let sizes = lake.sizes()?;
    let rows = if arguments.tenants {
        queries.run("status_by_tenant", TENANTS, &[]).await?
    } else {
        let rows = queries.run("status", TABLES, &[]).await?;
        rows.iter().map(|rows| with_sizes(rows, &sizes)).collect::<Result<_>>()?
    };
    arguments.output.write(&rows)?;
    if global.quiet {
        return Ok(0);
    }
    let number = lake.entry().map_or_else(String::new, |entry| format!(", commit {}", entry.number));
    lightsout_output::stderr!("lake format {}{number}", lake.format()?);
    for advice in advice(&sizes) {
        lightsout_output::stderr!("{advice}");
    }
    dismiss::list(lake)?.iter().for_each(|line| lightsout_output::stderr!("{line}"));
    Ok(0)
}

/// The rows with files and bytes of each table.
fn with_sizes(rows: &RecordBatch, sizes: &[TableSize]) -> Result<RecordBatch> {
    let names = rows.column_by_name("table_name").map(AsArray::as_string::<i32>);
    let column = |of: fn(&TableSize) -> u64| -> ArrayRef {
        let names = names.into_iter().flatten();
        let size = |name: Option<&str>| {
            let size = sizes.iter().find(|size| Some(size.table.as_str()) == name);
            size.and_then(|size| i64::try_from(of(size)).ok())
        };
        Arc::new(names.map(size).collect::<Int64Array>())
    };
    let mut fields = rows.schema().fields().to_vec();
    let mut columns = rows.columns().to_vec();
    for (name, values) in [("files", column(|size| size.files)), ("bytes", column(|size| size.bytes))] {
        fields.push(Arc::new(Field::new(name, DataType::Int64, true)));
        columns.push(values);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|source| Failure::Arrow { what: "the sizes of tables", source })
}

fn advice(sizes: &[TableSize]) -> Vec<String> {
    let mut advice = Vec::new();
    for size in sizes.iter().filter(|size| size.is_scattered()) {
        let files = count(size.small_files, "small file", "small files");
        advice.push(format!("{} has {files}; join them with: lightsout lake compact", size.table.as_str()));
    }
    let (files, bytes) =
        sizes.iter().fold((0, 0), |(files, bytes), size| (files + size.old_files, bytes + size.old_bytes));
    if files > 0 {
        let files = count(files, "file", "files");
        advice.push(format!(
            "{files} ({}) of old versions; delete those that no kept decision needs with: lightsout lake vacuum",
            HumanBytes(bytes)
        ));
    }
    advice
}
