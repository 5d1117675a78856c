//! The sources that rows are said to come from: their accounts and what they cover, as ingest keeps them.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::RecordBatch;
use chrono::{DateTime, NaiveDate, Utc};
use lightsout_ingest::{Coverage, Day};
use lightsout_lake::Result;
use lightsout_lake::schema::Table;
use lightsout_model::sign_in::Category;
use serde::Serialize;

use super::draw::{Draft, World};
use super::text::mix;
use super::{DAY_MICROS, Layout, Settings};

/// Bytes of a raw record.
const RECORD_BYTES: u64 = 4_000;

/// Numbers that are mixed enough for a table.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0 ^ number);
    }
}

type Table64<T> = HashMap<u64, T, BuildHasherDefault<Mixed>>;

/// What a source shows of a tenant, category and day.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    records: u64,
    latest_at: i64,
}

/// The sources of one part of a commit.
pub(super) struct Accounts {
    layout: Layout,
    batch_id: String,
    slice: u32,
    time: [i64; 2],
    /// By source, tenant, category and day.
    seen: Table64<Seen>,
    /// Storage: the number of the source of a tenant, category and day.
    numbers: Table64<u32>,
    records: Vec<u64>,
}

const fn key(tenant: u32, category: Category, day: i64) -> u64 {
    (tenant as u64) << 24 | (category as u64) << 20 | day.unsigned_abs()
}

impl Accounts {
    pub(super) fn new(settings: &Settings, batch_id: &str, slice: u32, time: [i64; 2]) -> Self {
        Self {
            layout: settings.layout,
            batch_id: batch_id.to_owned(),
            slice,
            time,
            seen: HashMap::default(),
            numbers: HashMap::default(),
            records: Vec::new(),
        }
    }

    /// Counts a row and says in which source it stands.
    pub(super) fn count(&mut self, draft: &mut Draft) {
        let key = key(draft.tenant, draft.category, draft.signed_in_at.div_euclid(DAY_MICROS));
        draft.source = match self.layout {
            Layout::Dump => 0,
            Layout::Storage => {
                let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
                *self.numbers.entry(key).or_insert(next)
            }
        };
        let source = draft.source as usize;
        if source >= self.records.len() {
            self.records.resize(source + 1, 0);
        }
        draft.source_offset = i64::try_from(self.records[source] * RECORD_BYTES).unwrap_or(i64::MAX);
        self.records[source] += 1;
        let seen = self.seen.entry(key).or_default();
        seen.records += 1;
        seen.latest_at = seen.latest_at.max(draft.emitted_at);
    }

    pub(super) fn source_id(&self, source: u32) -> String {
        let number = u64::from(self.slice) << 32 | u64::from(source);
        format!("{:016x}{:016x}", mix(number), mix(!number))
    }

    /// The rows of `sources`, with their number and that of their coverage entries.
    pub(super) fn rows(self, world: &World) -> (Result<RecordBatch>, (u64, u64)) {
        let mut of_source: BTreeMap<u32, BTreeMap<u64, Seen>> = BTreeMap::new();
        for (key, seen) in &self.seen {
            let source = self.numbers.get(key).copied().unwrap_or(0);
            of_source.entry(source).or_default().insert(*key, *seen);
        }
        let rows: Vec<Row> = of_source.iter().map(|(source, seen)| self.row(world, *source, seen)).collect();
        let entries = rows.iter().map(|row| row.coverage.len() as u64).sum();
        (lightsout_lake::rows::to_batch(Table::Sources, &rows), (rows.len() as u64, entries))
    }

    fn row(&self, world: &World, source: u32, seen: &BTreeMap<u64, Seen>) -> Row {
        let mut coverage: Vec<Coverage> = Vec::new();
        for (key, seen) in seen {
            let day = day(*key);
            let tenant_id = &world.tenant_ids[usize::try_from(key >> 24).unwrap_or(0)];
            let category = Category::ALL.get(usize::try_from(key >> 20 & 15).unwrap_or(0)).copied();
            let latest_at = DateTime::from_timestamp_micros(seen.latest_at);
            let day = Day { day, records: seen.records, hours: 0xff_ffff };
            match coverage.last_mut() {
                Some(last) if last.tenant_id == *tenant_id && last.category == category => {
                    last.latest_at = last.latest_at.max(latest_at);
                    last.records += seen.records;
                    last.days.push(day);
                }
                _ => coverage.push(Coverage {
                    tenant_id: tenant_id.clone(),
                    category,
                    latest_at,
                    records: seen.records,
                    days: vec![day],
                    ..Coverage::default()
                }),
            }
        }
        let records = self.records[source as usize];
        let path = match coverage.first() {
            Some(first) if self.layout == Layout::Storage => format!(
                "insights-logs/tenantId={}/{}/{}/{:05}/PT1H.json",
                first.tenant_id,
                first.category.map_or("", Category::as_str),
                first.days.first().map_or_else(String::new, |first| first.day.to_string()),
                self.slice
            ),
            _ => format!("dump-{:05}.ndjson", self.slice),
        };
        Row {
            source_id: self.source_id(source),
            batch_id: self.batch_id.clone(),
            path,
            shape: "diagnostic",
            framing: "lines",
            encoding: "utf-8",
            compression: "none",
            stored_bytes: records * RECORD_BYTES,
            content_bytes: records * RECORD_BYTES,
            records,
            rows: records,
            rejected: 0,
            not_sign_ins: 0,
            pruned: 0,
            first_signed_in_at: DateTime::from_timestamp_micros(self.time[0]),
            last_signed_in_at: DateTime::from_timestamp_micros(self.time[1]),
            ingested_at: DateTime::from_timestamp_micros((super::END_DAY + 1) * DAY_MICROS),
            program_version: env!("CARGO_PKG_VERSION"),
            coverage,
        }
    }
}

fn day(key: u64) -> NaiveDate {
    let day = i32::try_from(key & 0xf_ffff).unwrap_or(0);
    NaiveDate::from_epoch_days(day).unwrap_or_default()
}

/// A row of `sources`, by column name.
#[derive(Serialize)]
struct Row {
    source_id: String,
    batch_id: String,
    path: String,
    shape: &'static str,
    framing: &'static str,
    encoding: &'static str,
    compression: &'static str,
    stored_bytes: u64,
    content_bytes: u64,
    records: u64,
    rows: u64,
    rejected: u64,
    not_sign_ins: u64,
    pruned: u64,
    first_signed_in_at: Option<DateTime<Utc>>,
    last_signed_in_at: Option<DateTime<Utc>>,
    ingested_at: Option<DateTime<Utc>>,
    program_version: &'static str,
    coverage: Vec<Coverage>,
}
