//! The account of one source: how many records became what, which days it covers for whom, and
//! which columns it lacks. Chunks are counted apart and merged, so the order of parsing is nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::classify::is_known_code;
use super::rows::Dictionary;
use crate::sign_in::{Category, RawSignIn};

/// Counts of one source, or of one chunk of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    pub content_bytes: u64,
    pub records: u64,
    pub rows: u64,
    pub not_sign_ins: u64,
    pub rejected: BTreeMap<&'static str, u64>,
    pub first_at: Option<i64>,
    pub last_at: Option<i64>,
    /// Of user sign-ins only: the service's own records never have the members.
    pub user_rows: u64,
    pub with_client_app: u64,
    pub with_result: u64,
    /// Result codes that the table of outcomes does not have.
    pub unknown_codes: BTreeMap<i64, u64>,
    pub days: HashMap<(String, Option<Category>), Seen>,
}

/// Who was seen when in the part of a source that one thread reads: tenants by number.
pub(super) type Days = HashMap<(u32, Option<Category>), Seen, foldhash::fast::RandomState>;

/// What a tenant and category show in a source.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Days since 1970, with their records.
    days: BTreeMap<i32, u64>,
    /// The day of the last record, and how many in a row were of it, not in `days` yet.
    last: (i32, u64),
    /// Latest time that is not after the ingest's clock.
    pub latest_at: Option<i64>,
}

impl Seen {
    /// Counts a record. Logs are roughly in order, so most are of the day that the last one was of.
    fn count(&mut self, day: i32) {
        if self.last.0 != day {
            self.settle();
            self.last.0 = day;
        }
        self.last.1 += 1;
    }

    fn settle(&mut self) {
        let (day, records) = std::mem::take(&mut self.last);
        if records > 0 {
            *self.days.entry(day).or_default() += records;
        }
    }

    fn merge(&mut self, mut other: Self) {
        other.settle();
        for (day, records) in other.days {
            *self.days.entry(day).or_default() += records;
        }
        self.latest_at = self.latest_at.max(other.latest_at);
    }
}

impl Account {
    pub(super) fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Counts a row.
    pub(super) fn count_row(
        &mut self,
        raw: &RawSignIn<'_>,
        tenant: u32,
        signed_in_at: i64,
        now: i64,
        days: &mut Days,
    ) {
        self.rows += 1;
        self.first_at = Some(self.first_at.map_or(signed_in_at, |first| first.min(signed_in_at)));
        self.last_at = Some(self.last_at.map_or(signed_in_at, |last| last.max(signed_in_at)));
        if raw.category.is_none_or(Category::is_user) {
            self.user_rows += 1;
            self.with_client_app += u64::from(raw.has_client_app);
            self.with_result += u64::from(raw.has_result);
        }
        if let Some(code) = raw.error_code.filter(|code| !is_known_code(*code)) {
            *self.unknown_codes.entry(code).or_default() += 1;
        }
        let latest = [Some(signed_in_at), raw.emitted_at].into_iter().flatten().filter(|at| *at <= now).max();
        let seen = days.entry((tenant, raw.category)).or_default();
        seen.count(super::rows::day_of(signed_in_at));
        seen.latest_at = seen.latest_at.max(latest);
    }

    /// Takes in who was seen when.
    pub(super) fn see(&mut self, days: &mut Days, tenants: &Dictionary) {
        for ((tenant, category), seen) in days.drain() {
            let tenant = String::from_utf8_lossy(tenants.text(tenant)).into_owned();
            self.days.entry((tenant, category)).or_default().merge(seen);
        }
    }

    /// Adds the counts of another part of the same source.
    pub(super) fn merge(&mut self, other: Self) {
        self.content_bytes += other.content_bytes;
        self.records += other.records;
        self.rows += other.rows;
        self.not_sign_ins += other.not_sign_ins;
        for (reason, count) in other.rejected {
            *self.rejected.entry(reason).or_default() += count;
        }
        self.first_at = [self.first_at, other.first_at].into_iter().flatten().min();
        self.last_at = self.last_at.max(other.last_at);
        self.user_rows += other.user_rows;
        self.with_client_app += other.with_client_app;
        self.with_result += other.with_result;
        for (code, count) in other.unknown_codes {
            *self.unknown_codes.entry(code).or_default() += count;
        }
        for (key, seen) in other.days {
            self.days.entry(key).or_default().merge(seen);
        }
    }

    /// The columns that a verdict needs and no user sign-in of the source has.
    pub(super) fn missing_columns(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if self.user_rows > 0 {
            if self.with_client_app == 0 {
                missing.push("client_app");
            }
            if self.with_result == 0 {
                missing.push("result");
            }
        }
        missing
    }

    /// What the records cover, as the `sources` table keeps it.
    pub(super) fn coverage(&self) -> Vec<Coverage> {
        let sorted: BTreeMap<_, _> = self.days.iter().collect();
        let mut coverage = Vec::new();
        for ((tenant_id, category), seen) in sorted {
            let mut runs: Vec<(i32, i32, u64)> = Vec::new();
            for (day, records) in &seen.days {
                match runs.last_mut() {
                    Some((_, last, count)) if *last + 1 == *day => {
                        *last = *day;
                        *count += records;
                    }
                    _ => runs.push((*day, *day, *records)),
                }
            }
            for (first, last, records) in runs {
                coverage.push(Coverage {
                    tenant_id: tenant_id.clone(),
                    category: *category,
                    kind: CoverageKind::Records,
                    first_day: date(first),
                    last_day: date(last),
                    latest_at: seen.latest_at.and_then(DateTime::from_timestamp_micros),
                    records,
                });
            }
        }
        coverage
    }

    /// The tenants and categories that occur.
    pub(super) fn occurring(&self) -> BTreeSet<(String, Option<Category>)> {
        self.days.keys().cloned().collect()
    }
}

fn date(day: i32) -> NaiveDate {
    NaiveDate::from_epoch_days(day).unwrap_or_default()
}

/// One entry of `sources.coverage`: days of one tenant and category, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Coverage {
    pub tenant_id: String,
    pub category: Option<Category>,
    pub kind: CoverageKind,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    /// Records: the latest time seen. Storage: the end of the file's hour.
    pub latest_at: Option<DateTime<Utc>>,
    pub records: u64,
}

/// What makes days covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageKind {
    Records,
    Storage,
    Declared,
}
