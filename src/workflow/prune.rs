//! `lake prune`: the personal data of a departed tenant, or of before a day, leaves the lake, its history too. Accounts of
//! files still add up, kept decisions and rosters stay whole without the tenant, and what was pruned can't make a verdict
//! better: days that were pruned are not covered any more, and no window is judged that looks back before them.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::{Array as _, ArrayRef, AsArray, BinaryArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::error::Result;
use lightsout_decisions::rosters;
use lightsout_lake::Lake;
use lightsout_lake::prune::{PurgedFiles, holds};
use lightsout_lake::remove::{Removal, RemovedRows};
use lightsout_lake::rows::{from_batch, to_batch};
use lightsout_lake::schema::Table;

/// What leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PruneScope {
    /// A tenant, by its id in lower case.
    Tenant(String),
    /// What happened before a day.
    Before(NaiveDate),
}

/// What left, or would.
#[derive(Debug, Default, Serialize)]
pub struct PruneReport {
    /// Of the large tables; those of `sources`, `decisions` and `rosters` apart.
    pub rows: Vec<RemovedRows>,
    /// Sources of which nothing is left, as they were named.
    pub sources_removed: Vec<String>,
    /// Sources whose account was changed.
    pub sources_changed: u64,
    /// Rejects of nobody known whose bytes named the tenant: they stay as doubts without their bytes.
    pub rejects_emptied: u64,
    pub decisions_changed: u64,
    pub rosters_changed: u64,
    pub history: PurgedFiles,
    /// Where the tenant is still named; empty where the prune is proven.
    pub still_named: Vec<String>,
}

/// Columns of other tenants' records that may name the tenant: whose guest somebody was.
const OF_OTHERS: [&str; 2] = ["home_tenant_id", "resource_tenant_id"];

#[derive(Default)]
struct Counts {
    rows_leaving: i64,
    rows_staying: i64,
    rejects_leaving: i64,
    rejects_staying: i64,
    /// Of rejects whose tenant or time is not known.
    rejects_open: i64,
    settings_leaving: i64,
}

/// Removes a tenant or a time from the lake, and proves it. A dry run only counts.
///
/// # Errors
/// Fails if the lake can't be read or written, or another process has it open.
pub async fn prune(
    lake: &mut Lake,
    scope: &PruneScope,
    dry_run: bool,
    now: DateTime<Utc>,
) -> Result<PruneReport> {
    let lock = if dry_run { None } else { Some(lake.lock().await?) };
    if !dry_run {
        lake.claim_for_prune()?;
    }
    let mut report = PruneReport::default();
    let plan = Plan::of(lake, scope, &mut report)?;
    let of_records = |rows: &RecordBatch| -> lightsout_lake::Result<BooleanArray> {
        Ok(each(rows, |row| scope.takes(rows, row, "signed_in_at") == Some(true)))
    };
    let of_rejects = |rows: &RecordBatch| -> lightsout_lake::Result<BooleanArray> {
        Ok(each(rows, |row| plan.takes_reject(scope, rows, row)))
    };
    let of_settings = |rows: &RecordBatch| -> lightsout_lake::Result<BooleanArray> {
        Ok(each(rows, |row| scope.takes(rows, row, "collected_at") == Some(true)))
    };
    let of_tenant = |rows: &RecordBatch| -> lightsout_lake::Result<BooleanArray> {
        Ok(each(rows, |row| scope.takes(rows, row, "") == Some(true)))
    };
    let mut removals = vec![
        Removal { table: Table::SignInRecords, columns: &["tenant_id", "signed_in_at"], leaves: &of_records },
        Removal {
            table: Table::Rejects,
            columns: &["source_id", "tenant_id", "signed_in_at", "raw"],
            leaves: &of_rejects,
        },
        Removal {
            table: Table::TenantSettings,
            columns: &["tenant_id", "collected_at"],
            leaves: &of_settings,
        },
    ];
    if let PruneScope::Tenant(_) = scope {
        for table in [Table::DecisionTenants, Table::CampaignEvents, Table::Dismissals] {
            removals.push(Removal { table, columns: &["tenant_id"], leaves: &of_tenant });
        }
    }
    let Some(lock) = &lock else {
        report.rows = lake.count_removed_rows(&removals)?;
        return Ok(report);
    };
    if let PruneScope::Before(day) = scope {
        lake.set_pruned_before(*day);
    }
    let now_ms = now.timestamp_millis();
    report.rows = lake.remove_and_replace(lock, &removals, &plan.added, &plan.contents, now_ms).await?;
    report.history = lake.purge_history(lock, now_ms).await?;
    if let PruneScope::Tenant(tenant_id) = scope {
        report.still_named = lake.mentions(tenant_id, &OF_OTHERS)?;
    }
    Ok(report)
}

fn each(rows: &RecordBatch, leaves: impl Fn(usize) -> bool) -> BooleanArray {
    (0..rows.num_rows()).map(|row| Some(leaves(row))).collect()
}

fn text<'a>(rows: &'a RecordBatch, column: &str, row: usize) -> Option<&'a str> {
    let texts = rows.column_by_name(column)?.as_string_opt::<i32>()?;
    texts.is_valid(row).then(|| texts.value(row))
}

impl PruneScope {
    /// Whether a row leaves; `None`: it does not say whose or of when it is.
    fn takes(&self, rows: &RecordBatch, row: usize, time: &str) -> Option<bool> {
        match self {
            Self::Tenant(id) => text(rows, "tenant_id", row).map(|found| found.eq_ignore_ascii_case(id)),
            Self::Before(day) => {
                let times = rows.column_by_name(time)?.as_primitive_opt::<TimestampMicrosecondType>()?;
                let midnight = day.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
                times.is_valid(row).then(|| times.value(row) < midnight)
            }
        }
    }

    fn is_named_in(&self, text: &str) -> bool {
        matches!(self, Self::Tenant(id) if holds(text.as_bytes(), id.as_bytes()))
    }
}

/// What becomes of the small tables, and which sources go.
#[derive(Default)]
struct Plan {
    gone: HashSet<String>,
    added: Vec<(Table, RecordBatch)>,
    contents: Vec<(Table, RecordBatch)>,
}

impl Plan {
    fn of(lake: &Lake, scope: &PruneScope, report: &mut PruneReport) -> Result<Self> {
        let mut plan = Self::default();
        let counts = counts(lake, scope)?;
        plan.sources(lake, scope, &counts, report)?;
        if let PruneScope::Tenant(id) = scope {
            plan.emptied_rejects(lake, scope, report)?;
            plan.decisions(lake, id, report)?;
        }
        Ok(plan)
    }

    fn takes_reject(&self, scope: &PruneScope, rows: &RecordBatch, row: usize) -> bool {
        match scope.takes(rows, row, "signed_in_at") {
            Some(takes) => takes,
            None => {
                text(rows, "source_id", row).is_some_and(|id| self.gone.contains(id))
                    || is_emptied(scope, rows, row)
            }
        }
    }

    /// Rejects of nobody known that name the tenant may be somebody else's usage: as doubts they stay.
    fn emptied_rejects(&mut self, lake: &Lake, scope: &PruneScope, report: &mut PruneReport) -> Result<()> {
        for batch in lake.read(Table::Rejects, None)? {
            let rows = batch?;
            let stays = each(&rows, |row| {
                is_emptied(scope, &rows, row)
                    && !text(&rows, "source_id", row).is_some_and(|id| self.gone.contains(id))
            });
            if stays.true_count() == 0 {
                continue;
            }
            let arrow = |source| lightsout_lake::Error::Arrow { what: "emptying rejects", source };
            let kept = filter_record_batch(&rows, &stays).map_err(arrow)?;
            report.rejects_emptied += kept.num_rows() as u64;
            let schema = kept.schema();
            let columns = schema.fields().iter().zip(kept.columns()).map(|(field, column)| -> ArrayRef {
                match field.name().as_str() {
                    "raw" => std::sync::Arc::new(BinaryArray::from(vec![b"".as_slice(); kept.num_rows()])),
                    _ => column.clone(),
                }
            });
            let kept = RecordBatch::try_new(kept.schema(), columns.collect()).map_err(arrow)?;
            self.added.push((Table::Rejects, kept));
        }
        Ok(())
    }

    fn sources(
        &mut self,
        lake: &Lake,
        scope: &PruneScope,
        counts: &HashMap<String, Counts>,
        report: &mut PruneReport,
    ) -> Result<()> {
        let rows = values(lake, Table::Sources)?;
        let mut by_id: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for row in rows {
            by_id.entry(member(&row, "source_id").to_owned()).or_default().push(row);
        }
        let mut kept = Vec::new();
        let mut is_changed = false;
        let none = Counts::default();
        for (id, mut rows) in by_id {
            let count = counts.get(&id).unwrap_or(&none);
            let stays = count.rows_staying > 0
                || count.rejects_staying > 0
                || rows.iter().any(|row| scope.keeps(row));
            if !stays
                && (count.settings_leaving > 0
                    || count.rows_leaving > 0
                    || rows.iter().any(|row| scope.concerns(row)))
            {
                report.sources_removed.extend(rows.iter().map(|row| member(row, "path").to_owned()));
                self.gone.insert(id);
                is_changed = true;
                continue;
            }
            let before = rows.clone();
            for row in &mut rows {
                scope.trim(row);
            }
            let (taken, rejected) = (count.rows_leaving, count.rejects_leaving);
            let first = rows.iter().position(|row| number(row, "records") > 0).unwrap_or(0);
            if let Some(row) = rows.get_mut(first) {
                for (name, by) in [("rows", -taken), ("rejected", -rejected), ("pruned", taken + rejected)] {
                    row[name] = (number(row, name) + by).into();
                }
            }
            if rows != before {
                report.sources_changed += 1;
                is_changed = true;
            }
            kept.append(&mut rows);
        }
        report.sources_removed.sort();
        report.sources_removed.dedup();
        if is_changed {
            self.contents.push((Table::Sources, to_batch(Table::Sources, &kept)?));
        }
        Ok(())
    }

    /// Decisions stay whole for the other tenants: their number of tenants and the hash of their roster follow.
    fn decisions(&mut self, lake: &Lake, tenant_id: &str, report: &mut PruneReport) -> Result<()> {
        let is_tenant = |row: &Value| member(row, "tenant_id").eq_ignore_ascii_case(tenant_id);
        let mut rosters: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for row in values(lake, Table::Rosters)? {
            rosters.entry(member(&row, "roster_hash").to_owned()).or_default().push(row);
        }
        let mut new_hashes: HashMap<String, String> = HashMap::new();
        let mut roster_rows = Vec::new();
        for (hash, mut rows) in rosters {
            if rows.iter().any(is_tenant) {
                rows.retain(|row| !is_tenant(row));
                let texts = rows
                    .iter()
                    .map(|row| (member(row, "tenant_id").to_owned(), member(row, "roster_row").to_owned()));
                let new = rosters::hash_of_rows(texts)?;
                for row in &mut rows {
                    row["roster_hash"] = new.clone().into();
                }
                new_hashes.insert(hash, new);
            }
            roster_rows.append(&mut rows);
        }
        report.rosters_changed = new_hashes.len() as u64;
        if !new_hashes.is_empty() {
            self.contents.push((Table::Rosters, to_batch(Table::Rosters, &roster_rows)?));
        }
        let mut decided: HashMap<String, i64> = HashMap::new();
        for batch in lake.read(Table::DecisionTenants, Some(&["decision_id", "tenant_id"]))? {
            for row in from_batch::<Value>(&batch?)?.iter().filter(|row| is_tenant(row)) {
                *decided.entry(member(row, "decision_id").to_owned()).or_default() += 1;
            }
        }
        let mut decisions = values(lake, Table::Decisions)?;
        let before = decisions.clone();
        // An earlier program kept all tenants in texts of the decision.
        let in_text = |row: &Value| {
            ["roster", "evidence"]
                .iter()
                .any(|name| holds(member(row, name).as_bytes(), tenant_id.as_bytes()))
        };
        decisions.retain(|row| !in_text(row));
        for row in &mut decisions {
            if let Some(count) = decided.get(member(row, "decision_id")) {
                row["tenants"] = (number(row, "tenants") - count).into();
            }
            if let Some(hash) = new_hashes.get(member(row, "roster_hash")) {
                row["roster_hash"] = hash.clone().into();
            }
        }
        report.decisions_changed = before.iter().filter(|row| !decisions.contains(row)).count() as u64;
        if report.decisions_changed > 0 {
            self.contents.push((Table::Decisions, to_batch(Table::Decisions, &decisions)?));
        }
        Ok(())
    }
}

/// A reject that says no tenant, and whose bytes name the one that leaves.
fn is_emptied(scope: &PruneScope, rows: &RecordBatch, row: usize) -> bool {
    let PruneScope::Tenant(id) = scope else { return false };
    let raw = rows.column_by_name("raw").and_then(|column| column.as_binary_opt::<i32>());
    text(rows, "tenant_id", row).is_none()
        && raw.is_some_and(|raw| raw.is_valid(row) && holds(raw.value(row), id.as_bytes()))
}

fn counts(lake: &Lake, scope: &PruneScope) -> Result<HashMap<String, Counts>> {
    let mut counts: HashMap<String, Counts> = HashMap::new();
    let tables = [
        (Table::SignInRecords, "signed_in_at"),
        (Table::Rejects, "signed_in_at"),
        (Table::TenantSettings, "collected_at"),
    ];
    for (table, time) in tables {
        for batch in lake.read(table, Some(&["source_id", "tenant_id", time]))? {
            let rows = batch?;
            for row in 0..rows.num_rows() {
                let Some(id) = text(&rows, "source_id", row) else { continue };
                let count = match counts.get_mut(id) {
                    Some(count) => count,
                    None => counts.entry(id.to_owned()).or_default(),
                };
                *match (table, scope.takes(&rows, row, time)) {
                    (Table::SignInRecords, Some(true)) => &mut count.rows_leaving,
                    (Table::Rejects, Some(true)) => &mut count.rejects_leaving,
                    (Table::Rejects, Some(false)) => &mut count.rejects_staying,
                    (Table::Rejects, None) => &mut count.rejects_open,
                    (Table::TenantSettings, Some(true)) => &mut count.settings_leaving,
                    _ => &mut count.rows_staying,
                } += 1;
            }
        }
    }
    Ok(counts)
}

fn values(lake: &Lake, table: Table) -> Result<Vec<Value>> {
    let mut values = Vec::new();
    for batch in lake.read(table, None)? {
        values.extend(from_batch::<Value>(&batch?)?);
    }
    Ok(values)
}

fn member<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(row: &Value, name: &str) -> i64 {
    row.get(name).and_then(Value::as_i64).unwrap_or(0)
}

/// The day of a time or a day as rows write it.
fn day(value: &Value, name: &str) -> Option<NaiveDate> {
    member(value, name).get(..10)?.parse().ok()
}

fn list<'a>(row: &'a Value, name: &str) -> &'a [Value] {
    row.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl PruneScope {
    /// Whether a row of `sources` says something that must stay.
    fn keeps(&self, row: &Value) -> bool {
        match self {
            Self::Tenant(id) => {
                list(row, "coverage").iter().any(|entry| !member(entry, "tenant_id").eq_ignore_ascii_case(id))
            }
            Self::Before(before) => {
                let entries = list(row, "coverage");
                let days = entries.iter().flat_map(|entry| list(entry, "days")).map(|seen| day(seen, "day"));
                let stated = entries
                    .iter()
                    .flat_map(|entry| list(entry, "stated"))
                    .map(|range| day(range, "last_day"));
                let hours = entries.iter().map(|entry| day(entry, "storage_hour"));
                let newest =
                    days.chain(stated).chain(hours).chain([day(row, "last_signed_in_at")]).flatten().max();
                newest.or_else(|| day(row, "ingested_at")).is_none_or(|newest| newest >= *before)
            }
        }
    }

    /// Whether a row of `sources` is the tenant's, or of the time.
    fn concerns(&self, row: &Value) -> bool {
        match self {
            Self::Tenant(id) => {
                member(row, "assigned_tenant_id").eq_ignore_ascii_case(id)
                    || !list(row, "coverage").is_empty()
                    || self.is_named_in(&row.to_string())
            }
            Self::Before(_) => true,
        }
    }

    /// Takes out of a row of `sources` what leaves.
    fn trim(&self, row: &mut Value) {
        if let Self::Tenant(_) = self {
            for name in ["path", "detail", "header", "page_filter", "channel"] {
                if self.is_named_in(member(row, name)) {
                    row[name] = "(pruned)".into();
                }
            }
        }
        let Some(entries) = row.get_mut("coverage").and_then(Value::as_array_mut) else { return };
        match self {
            Self::Tenant(id) => entries.retain(|entry| !member(entry, "tenant_id").eq_ignore_ascii_case(id)),
            Self::Before(before) => {
                entries.retain_mut(|entry| {
                    trim_days(entry, *before);
                    !list(entry, "days").is_empty()
                        || !list(entry, "stated").is_empty()
                        || day(entry, "storage_hour").is_some_and(|hour| hour >= *before)
                });
                if day(row, "first_signed_in_at").is_some_and(|first| first < *before) {
                    row["first_signed_in_at"] = Value::Null;
                }
            }
        }
    }
}

fn trim_days(entry: &mut Value, before: NaiveDate) {
    let mut pruned = 0;
    if let Some(days) = entry.get_mut("days").and_then(Value::as_array_mut) {
        days.retain(|seen| {
            let stays = day(seen, "day").is_some_and(|seen| seen >= before);
            if !stays {
                pruned += number(seen, "records");
            }
            stays
        });
    }
    entry["records"] = (number(entry, "records") - pruned).max(0).into();
    if let Some(ranges) = entry.get_mut("stated").and_then(Value::as_array_mut) {
        ranges.retain_mut(|range| {
            if day(range, "first_day").is_some_and(|first| first < before) {
                range["first_day"] = before.to_string().into();
            }
            day(range, "last_day").is_some_and(|last| last >= before)
        });
    }
}
