//! Evidence: what the queries found of one tenant, with its numbers. Counts and days, no persons.
//!
//! `query::evidence` fills it from `queries/*.sql`; `assess` decides from it alone, so deciding
//! needs no engine and no clock. A decision keeps these values as JSON, so field names are a format.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::sign_in::Category;

/// Whole UTC days `[first, end)`: `end` is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub first: NaiveDate,
    pub end: NaiveDate,
}

impl Window {
    /// The `days` days before `as_of`.
    #[must_use]
    pub fn before(as_of: NaiveDate, days: u32) -> Self {
        let first = as_of.checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN);
        Self { first, end: as_of }
    }

    /// Start of the first day.
    #[must_use]
    pub fn start_at(self) -> DateTime<Utc> {
        midnight(self.first)
    }

    /// The instant after the last day.
    #[must_use]
    pub fn end_at(self) -> DateTime<Utc> {
        midnight(self.end)
    }

    /// Number of days.
    #[must_use]
    pub fn days(self) -> i64 {
        (self.end - self.first).num_days()
    }
}

/// A calendar month in UTC, written `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    first: NaiveDate,
}

impl Month {
    /// The month that a window is; `None` if it is longer, shorter or lies otherwise.
    #[must_use]
    pub fn of(window: Window) -> Option<Self> {
        let month = Self { first: window.first };
        (window.first.day() == 1 && month.window() == window).then_some(month)
    }

    /// Its days, from the first to the last.
    #[must_use]
    pub fn window(self) -> Window {
        let end = self.first.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX);
        Window { first: self.first, end }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first.format("%Y-%m"))
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let written = |byte: (usize, u8)| match byte {
            (4, byte) => byte == b'-',
            (_, byte) => byte.is_ascii_digit(),
        };
        let first = (text.len() == 7 && text.bytes().enumerate().all(written))
            .then(|| format!("{text}-01").parse().ok())
            .flatten();
        first.map(|first| Self { first }).ok_or_else(|| "expected a month as in 2026-10".to_owned())
    }
}

/// The first instant of a UTC day.
#[must_use]
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Distinct users and sign-ins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCount {
    pub users: u64,
    pub sign_ins: u64,
}

/// What is known of one protocol in one tenant. All counts are of sign-ins that are not provably
/// modern; `usage` is success in the tenant itself, the others are the other outcomes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProtocolEvidence {
    /// Usage in the window.
    pub usage: UserCount,
    pub interrupted: u64,
    pub blocked: u64,
    pub failures: u64,
    /// Sign-ins in the window without a status.
    pub unknown: u64,
    /// Latest sign-in in the window that one of the counts above holds.
    pub last_seen: Option<DateTime<Utc>>,
    /// Usage in the lookback days before the window.
    pub usage_before_window: UserCount,
    /// Of `usage`, `unknown` and `usage_before_window`: the part to Exchange Online or to no named
    /// resource. Decides for `other_legacy` alone, zero for the others is harmless.
    pub exchange_or_unnamed: ExchangeOrUnnamed,
}

/// See [`ProtocolEvidence::exchange_or_unnamed`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExchangeOrUnnamed {
    pub usage: UserCount,
    pub unknown: u64,
    pub usage_before_window: UserCount,
}

/// A run of covered days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DayRange {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

impl DayRange {
    /// Number of days.
    #[must_use]
    pub fn length_days(self) -> i64 {
        (self.last - self.first).num_days() + 1
    }
}

/// The days of one category that the lake has seen of a tenant, inside and outside the window.
/// Ranges are sorted and neither overlap nor touch (see [`merge_days`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CategoryCoverage {
    /// Days covered by records, storage files and ranges declared at ingest.
    pub covered: Vec<DayRange>,
    /// Days that only files with a missing column speak for: they would have been covered.
    pub incomplete: Vec<DayRange>,
    /// The columns those files lack, sorted.
    pub missing_columns: Vec<String>,
}

/// Everything the rules of a verdict need to know of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantEvidence {
    pub tenant_id: String,
    /// Records in the lake, of any time and category.
    pub records: u64,
    /// Every protocol that was seen in the window or in the lookback days before it.
    pub protocols: BTreeMap<Protocol, ProtocolEvidence>,
    /// Distinct users with usage of a protocol in scope, or of `other_legacy` to Exchange Online or
    /// to no named resource.
    pub users_in_scope: u64,
    /// Sign-ins in the window, of outcome success or unknown, in a user category, to Exchange
    /// Online or to no named resource, in the tenant itself, whose client app is not recognised.
    pub unrecognised_doubts: u64,
    /// The same for a client app that is empty or "Unknown", from files that have the column.
    pub not_stated_doubts: u64,
    /// What is covered, for each user category that the lake holds of the tenant or that a range
    /// was declared for.
    pub coverage: BTreeMap<Category, CategoryCoverage>,
    /// The latest `signed_in_at` or `emitted_at` of its records, or the end of the hour of its
    /// newest storage file if that is later. Before `settle_hours` are taken off.
    pub latest_at: Option<DateTime<Utc>>,
    /// The last day of a range declared at ingest.
    pub declared_until: Option<NaiveDate>,
}

/// Sorts ranges and merges those that overlap or touch.
#[must_use]
pub fn merge_days(mut ranges: Vec<DayRange>) -> Vec<DayRange> {
    ranges.retain(|range| range.first <= range.last);
    ranges.sort_unstable();
    let mut merged: Vec<DayRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.last.succ_opt().is_none_or(|next| range.first <= next) => {
                last.last = last.last.max(range.last);
            }
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 10, d).expect("a day of October")
    }

    #[test]
    fn ranges_that_touch_or_overlap_become_one_and_a_gap_keeps_them_apart() {
        let range = |first, last| DayRange { first: day(first), last: day(last) };
        let merged = merge_days(vec![range(9, 10), range(1, 2), range(3, 5), range(4, 4), range(7, 6)]);
        assert_eq!(merged, [range(1, 5), range(9, 10)]);
    }

    #[test]
    fn a_month_is_written_as_it_is_read_and_has_all_its_days() {
        let month: Month = "2026-12".parse().expect("a month");
        assert_eq!(month.to_string(), "2026-12");
        assert_eq!((month.window().days(), month.window().end.to_string().as_str()), (31, "2027-01-01"));
        assert_eq!(Month::of(month.window()), Some(month));
        for no_month in ["2026-13", "2026-1", "2026-10-01", " 2026-1", "+026-10", "2026/10", ""] {
            assert!(no_month.parse::<Month>().is_err(), "{no_month:?}");
        }
    }

    #[test]
    fn only_a_window_from_the_first_day_to_the_last_is_a_month() {
        let october = Window { first: day(1), end: day(1) + Months::new(1) };
        assert_eq!(Month::of(october).map(|month| month.to_string()).as_deref(), Some("2026-10"));
        assert_eq!(Month::of(Window { first: day(2), ..october }), None);
        assert_eq!(Month::of(Window { end: day(31), ..october }), None);
        assert_eq!(Month::of(Window { end: october.end + Months::new(1), ..october }), None);
    }
}
