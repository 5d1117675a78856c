//! `lake export`: what the lake holds of one tenant, as files of its own, for a customer who leaves. Nothing of another
//! tenant: what a source or a decision says of several is left out.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use arrow::array::RecordBatch;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use lightsout_lake::Lake;
use lightsout_lake::rows::{from_batch, to_batch};
use lightsout_lake::schema::Table;
use lightsout_output::atomic_file::write_content;
use lightsout_output::manifest::{FILE, ManifestEntry};
use lightsout_report::{Format, RowWriter};

/// What was written.
#[derive(Debug, Serialize)]
pub struct ExportReport {
    pub tenant_id: String,
    pub program_version: String,
    /// A file for each table, sorted by name.
    pub files: Vec<ManifestEntry>,
}

impl ExportReport {
    /// Rows of all files.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().filter_map(|file| file.rows).sum()
    }
}

/// Writes a tenant's rows of every table under `out`, and a manifest last.
///
/// # Errors
/// Fails if the lake can't be read or a file not be written.
pub fn export(lake: &Lake, tenant_id: &str, format: Format, out: &Path) -> Result<ExportReport> {
    fs::create_dir_all(out).map_err(write(out))?;
    let manifest = out.join(FILE);
    if manifest.exists() {
        // Nobody takes half of an export for a whole one.
        fs::remove_file(&manifest).map_err(write(&manifest))?;
    }
    let (sources, own) = sources(lake, tenant_id)?;
    let (decisions, rosters) = decisions(lake, tenant_id)?;
    let mut files = Vec::new();
    for table in Table::ALL {
        let mut file = Target::create(out, table, format)?;
        match table {
            Table::Sources => file.write(&to_batch(table, &sources)?)?,
            Table::Decisions => file.write(&to_batch(table, &decisions)?)?,
            Table::Rosters => file.write(&to_batch(table, &rosters)?)?,
            _ => {
                for rows in lake.read_where(table, "tenant_id", tenant_id, None)? {
                    file.write(&rows?)?;
                }
            }
        }
        if table == Table::Rejects {
            // Those that say no tenant, of files that are this one's alone.
            for rows in lake.read(table, None)? {
                let mut rows = from_batch::<Value>(&rows?)?;
                rows.retain(|row| row["tenant_id"].is_null() && own.contains(member(row, "source_id")));
                if !rows.is_empty() {
                    file.write(&to_batch(table, &rows)?)?;
                }
            }
        }
        files.push(file.finish(out)?);
    }
    files.sort_by(|a, b| a.file.cmp(&b.file));
    let program_version = env!("CARGO_PKG_VERSION").to_owned();
    let report = ExportReport { tenant_id: tenant_id.to_owned(), program_version, files };
    let text = serde_json::to_vec_pretty(&report)
        .map_err(|source| lightsout_lake::Error::Json { what: "the manifest of an export", source })?;
    write_content(&manifest, &text)?;
    Ok(report)
}

fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Write { path, source }
}

fn member<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The rows of `sources` that speak of the tenant, and the ids of those that speak of no other.
fn sources(lake: &Lake, tenant_id: &str) -> Result<(Vec<Value>, HashSet<String>)> {
    let (mut kept, mut own) = (Vec::new(), HashSet::new());
    for batch in lake.read(Table::Sources, None)? {
        for mut row in from_batch::<Value>(&batch?)? {
            let entries = row["coverage"].as_array().cloned().unwrap_or_default();
            let (its, others): (Vec<Value>, Vec<Value>) =
                entries.into_iter().partition(|entry| member(entry, "tenant_id") == tenant_id);
            let is_assigned = member(&row, "assigned_tenant_id") == tenant_id;
            if its.is_empty() && !is_assigned {
                continue;
            }
            if others.is_empty() {
                own.insert(member(&row, "source_id").to_owned());
            } else {
                // The name and the numbers of a file that is of several.
                for name in ["path", "channel", "page_filter", "header", "detail"] {
                    row[name] = Value::Null;
                }
                for name in [
                    "records",
                    "rows",
                    "rejected",
                    "not_sign_ins",
                    "counted",
                    "pruned",
                    "stored_bytes",
                    "content_bytes",
                ] {
                    row[name] = Value::Null;
                }
            }
            row["coverage"] = its.into();
            kept.push(row);
        }
    }
    Ok((kept, own))
}

/// The decisions that judged the tenant, without what they say of all; and the tenant's rows of rosters.
fn decisions(lake: &Lake, tenant_id: &str) -> Result<(Vec<Value>, Vec<Value>)> {
    let mut ids = HashSet::new();
    for rows in lake.read_where(Table::DecisionTenants, "tenant_id", tenant_id, Some(&["decision_id"]))? {
        let rows = from_batch::<Value>(&rows?)?;
        ids.extend(rows.iter().map(|row| member(row, "decision_id").to_owned()));
    }
    let mut decisions = Vec::new();
    for batch in lake.read(Table::Decisions, None)? {
        for mut row in from_batch::<Value>(&batch?)? {
            if ids.contains(member(&row, "decision_id")) {
                for name in ["roster", "evidence", "tenants"] {
                    row[name] = Value::Null;
                }
                decisions.push(row);
            }
        }
    }
    let mut rosters = Vec::new();
    for rows in lake.read_where(Table::Rosters, "tenant_id", tenant_id, None)? {
        rosters.extend(from_batch::<Value>(&rows?)?);
    }
    Ok((decisions, rosters))
}

/// A file of one table's rows.
struct Target {
    name: String,
    writer: RowWriter<BufWriter<File>>,
    rows: u64,
}

impl Target {
    fn create(out: &Path, table: Table, format: Format) -> Result<Self> {
        let name = format!("{}.{}", table.as_str(), format.as_str());
        let path = out.join(&name);
        let file = BufWriter::new(File::create(&path).map_err(write(&path))?);
        let writer = RowWriter::new(file, format, &table.file_schema()).map_err(Error::Report)?;
        Ok(Self { name, writer, rows: 0 })
    }

    fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.rows += rows.num_rows() as u64;
        self.writer.write(rows).map_err(Error::Report)
    }

    fn finish(self, out: &Path) -> Result<ManifestEntry> {
        self.writer.finish().map_err(Error::Report)?;
        Ok(ManifestEntry::of(out, &self.name, Some(self.rows))?)
    }
}
