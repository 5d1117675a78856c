//! `assessment`, `protocol_usage` and `coverage_gaps`: one row per tenant, one per tenant and protocol, one
//! per tenant, category and gap, each as CSV, JSON and Parquet of the same columns.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use chrono::NaiveDate;

use crate::error::{Error, Result};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Assessment, CoverageGap, Reason, TenantAssessment};
use lightsout_notify::gap_cure;
use lightsout_output::table;

/// The rows of a table of an assessment.
pub type Rows = fn(&Assessment) -> Result<RecordBatch>;

/// Every table by its name.
pub const TABLES: [(&str, Rows); 3] =
    [("assessment", tenants), ("protocol_usage", protocol_usage), ("coverage_gaps", coverage_gaps)];

/// Writes the tables under `out`.
///
/// # Errors
/// Fails if a file can't be written.
pub fn write_all(out: &Path, assessment: &Assessment) -> Result<()> {
    fs::create_dir_all(out).map_err(Error::write(out))?;
    for (name, rows) in TABLES {
        table::write_files(out, name, &rows(assessment)?)?;
    }
    Ok(())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    table::batch(columns).map_err(|source| Error::Arrow { what: "building the assessment", source })
}

fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn joined<T>(rows: &[T], each: impl Fn(&T) -> Vec<&'static str>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| Some(each(row).join(";"))).collect::<StringArray>())
}

fn numbers<T>(rows: &[T], each: impl Fn(&T) -> u64) -> ArrayRef {
    Arc::new(rows.iter().map(|row| Some(each(row))).collect::<UInt64Array>())
}

fn days<T>(rows: &[T], each: impl Fn(&T) -> Option<NaiveDate>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| each(row).map(|day| day.to_epoch_days())).collect::<Date32Array>())
}

fn names(protocols: &[Protocol]) -> Vec<&'static str> {
    protocols.iter().map(|protocol| protocol.as_str()).collect()
}

fn tenants(assessment: &Assessment) -> Result<RecordBatch> {
    let rows = &assessment.tenants;
    batch(vec![
        ("tenant_id", text(rows.iter().map(|row| Some(row.tenant_id.as_str())))),
        ("display_name", text(rows.iter().map(|row| row.display_name.as_deref()))),
        ("verdict", text(rows.iter().map(|row| Some(row.verdict.as_str())))),
        ("reasons", joined(rows, |row: &TenantAssessment| Reason::codes(&row.reasons))),
        ("protocols_in_use", joined(rows, |row| names(&row.protocols_in_use))),
        ("protocols_clear", joined(rows, |row| names(&row.protocols_clear))),
        ("users", numbers(rows, |row| row.users)),
        ("first_day", days(rows, |row| row.first_day)),
        ("last_day", days(rows, |row| row.last_day)),
        ("decision_id", text(rows.iter().map(|_| Some(assessment.decision_id.as_str())))),
    ])
}

fn protocol_usage(assessment: &Assessment) -> Result<RecordBatch> {
    let rows: Vec<_> = assessment
        .tenants
        .iter()
        .flat_map(|tenant| tenant.protocols.iter().map(move |protocol| (tenant, protocol)))
        .collect();
    let last_seen: TimestampMicrosecondArray =
        rows.iter().map(|(_, row)| row.last_seen.map(|at| at.timestamp_micros())).collect();
    batch(vec![
        ("tenant_id", text(rows.iter().map(|(tenant, _)| Some(tenant.tenant_id.as_str())))),
        ("protocol", text(rows.iter().map(|(_, row)| Some(row.protocol.as_str())))),
        ("verdict", text(rows.iter().map(|(_, row)| Some(row.verdict.as_str())))),
        ("users", numbers(&rows, |(_, row)| row.users)),
        ("sign_ins", numbers(&rows, |(_, row)| row.sign_ins)),
        ("interrupted", numbers(&rows, |(_, row)| row.interrupted)),
        ("blocked", numbers(&rows, |(_, row)| row.blocked)),
        ("failures", numbers(&rows, |(_, row)| row.failures)),
        ("unknown", numbers(&rows, |(_, row)| row.unknown)),
        ("last_seen", Arc::new(last_seen.with_timezone("UTC"))),
    ])
}

/// One row per tenant, category and uncovered run of days in the window, those that are permitted too.
fn coverage_gaps(assessment: &Assessment) -> Result<RecordBatch> {
    let rows: Vec<_> = assessment
        .tenants
        .iter()
        .flat_map(|tenant| tenant.gaps.iter().map(move |gap| (tenant, gap)))
        .collect();
    let length_days = |gap: &CoverageGap| gap.length_days().unsigned_abs();
    let too_long: BooleanArray = rows.iter().map(|(_, gap)| Some(gap.is_too_long())).collect();
    let cures: StringArray =
        rows.iter().map(|(tenant, gap)| gap_cure(gap, tenant, assessment.window)).collect();
    batch(vec![
        ("tenant_id", text(rows.iter().map(|(tenant, _)| Some(tenant.tenant_id.as_str())))),
        ("category", text(rows.iter().map(|(_, gap)| Some(gap.category.as_str())))),
        ("first_day", days(&rows, |(_, gap)| Some(gap.days.first))),
        ("last_day", days(&rows, |(_, gap)| Some(gap.days.last))),
        ("days", numbers(&rows, |(_, gap)| length_days(gap))),
        ("permitted_days", numbers(&rows, |(_, gap)| gap.permitted_days.into())),
        ("too_long", Arc::new(too_long)),
        ("cure", Arc::new(cures)),
    ])
}
