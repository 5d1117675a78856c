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
use crate::settings::SettingsEvidence;
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

impl UserCount {
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.users == 0 && self.sign_ins == 0
    }
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
    /// Usage from the end of the window on: the newest days of the logs, as a rule.
    #[serde(skip_serializing_if = "UserCount::is_none")]
    pub usage_after_window: UserCount,
    /// The newest of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_after_window: Option<DateTime<Utc>>,
    /// Usage before the window, by the users' last usage day.
    pub past_usage: Vec<PastUsage>,
    /// Somebody has looked into all the unknown ones, or into all usage before the window.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_unknown_dismissed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_past_dismissed: bool,
    /// Of `usage`, `unknown`, `usage_before_window` and `usage_after_window`: the part to Exchange Online or to no named
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
    #[serde(skip_serializing_if = "UserCount::is_none")]
    pub usage_after_window: UserCount,
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

/// Records per UTC day: `counts[n]` of the n-th day from `first` on. Days outside have none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DailyCounts {
    pub first: NaiveDate,
    pub counts: Vec<u32>,
}

impl DailyCounts {
    /// From days and their counts, in any order; a day that comes twice has the larger count.
    #[must_use]
    pub fn of(days: impl IntoIterator<Item = (NaiveDate, u32)>) -> Self {
        let days: BTreeMap<NaiveDate, u32> = days.into_iter().filter(|(_, count)| *count > 0).fold(
            BTreeMap::new(),
            |mut days, (day, count)| {
                let known = days.entry(day).or_default();
                *known = count.max(*known);
                days
            },
        );
        let (Some((first, _)), Some((last, _))) = (days.first_key_value(), days.last_key_value()) else {
            return Self::default();
        };
        let (first, length) = (*first, (*last - *first).num_days() + 1);
        let mut counts = vec![0; usize::try_from(length).unwrap_or(0)];
        for (day, count) in days {
            if let Some(slot) =
                usize::try_from((day - first).num_days()).ok().and_then(|at| counts.get_mut(at))
            {
                *slot = count;
            }
        }
        Self { first, counts }
    }

    /// The records of a day.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> u32 {
        let at = usize::try_from((day - self.first).num_days()).ok();
        at.and_then(|at| self.counts.get(at)).copied().unwrap_or(0)
    }

    /// The days with records and their counts, in order.
    pub fn days(&self) -> impl DoubleEndedIterator<Item = (NaiveDate, u32)> + '_ {
        let day = |at: usize| self.first.checked_add_days(Days::new(at as u64));
        (self.counts.iter().enumerate())
            .filter(|(_, count)| **count > 0)
            .filter_map(move |(at, count)| Some((day(at)?, *count)))
    }

    /// Without the days before `first`.
    pub fn start_at(&mut self, first: NaiveDate) {
        if self.first < first {
            *self = Self::of(self.days().filter(|(day, _)| *day >= first).collect::<Vec<_>>());
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

/// What the lake has seen of one category of a tenant, inside and outside the window. Ranges are sorted and
/// neither overlap nor touch (see [`merge_days`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CategoryCoverage {
    /// Accepted records by day, of sources that are not suspected: of the files of one channel the sum, of
    /// several channels the largest. Begins some weeks before the window.
    pub records: DailyCounts,
    /// The first day ever that `records` or `storage` would have.
    pub first_seen: Option<NaiveDate>,
    /// Days of storage-export files that are neither cut nor mostly rejected, with records or without.
    pub storage: Vec<DayRange>,
    /// Days that a person states the log to be complete for.
    pub stated: Vec<DayRange>,
    /// Days that files state it for: by their name, by a filter in their links, or up to where they were cut off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stated_by_files: Vec<DayRange>,
    /// Of interactive: days on which non-interactive records, or storage files, were seen in a channel that
    /// carries interactive records too.
    pub sibling: Vec<DayRange>,
    /// The newest record or storage hour of that channel's non-interactive log.
    pub sibling_latest_at: Option<DateTime<Utc>>,
    /// Days that only files with a missing column speak for: they would have been seen.
    pub incomplete: Vec<DayRange>,
    /// The columns those files lack, sorted.
    pub missing_columns: Vec<String>,
    /// Their newest record, as `latest_at`.
    pub incomplete_latest_at: Option<DateTime<Utc>>,
    /// Downloads that look as if a filter was set; their days are not in `records`.
    pub filtered: Vec<FilteredExport>,
    /// The newest record that is not after the ingest's clock, or the end of the newest storage file's hour.
    pub latest_at: Option<DateTime<Utc>>,
}

/// Downloads of one shape that together show no more than a filter would have let through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FilteredExport {
    /// The shape, as `sources` names it.
    pub shape: String,
    pub filter: Filter,
    pub sources: u64,
    pub records: u64,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
}

/// What a filter seems to have let through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Filter {
    /// One client app alone.
    ClientApp(String),
    /// No successful sign-in.
    NoSuccess,
    /// One user alone.
    User,
    /// One application alone.
    Application(String),
    /// The export says itself that it was filtered.
    Stated(String),
}

/// Usage in the lookback days, of users who were last seen on one day and owe one silence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PastUsage {
    /// The last usage day of these users.
    pub last_day: NaiveDate,
    /// Days of silence, seen or stated, after which the usage counts as ended; `None`: it never does,
    /// because the users were not seen often enough to tell.
    pub silence_needed_days: Option<u32>,
    pub users: u64,
    pub sign_ins: u64,
    /// The part to Exchange Online or to no named resource.
    pub exchange_users: u64,
    pub exchange_sign_ins: u64,
}

/// Rejected records that may be usage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RejectedRecords {
    pub records: u64,
    /// Some of the files they are in, sorted.
    pub paths: Vec<String>,
}

/// Refused files that may hold the tenant's sign-ins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RefusedFiles {
    pub files: u64,
    /// Some of them, sorted.
    pub paths: Vec<String>,
}

/// A doubt that a person has looked into and dismissed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dismissal {
    /// The reason code of the doubt.
    pub doubt: String,
    /// Paths of the sources it is dismissed for; empty: all that the lake held then.
    pub paths: Vec<String>,
    pub by_whom: String,
    pub why: String,
    pub dismissed_at: DateTime<Utc>,
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
    /// Sign-ins in the window, of outcome success or unknown, in a user category or none, to Exchange
    /// Online or to no named resource, not outbound, whose client app is not recognised.
    pub unrecognised_doubts: u64,
    /// The same for a client app that is empty or "Unknown".
    pub not_stated_doubts: u64,
    /// Successful or unknown sign-ins by Exchange's rewrite agents at another resource.
    pub legacy_agent_doubts: u64,
    /// Sign-ins of outcome success or unknown, not provably modern, whose home and resource tenants are both
    /// others.
    pub tenant_mismatches: u64,
    pub rejected: RejectedRecords,
    pub refused: RefusedFiles,
    /// What is covered, for each user category that the lake holds of the tenant or that a range
    /// was stated for.
    pub coverage: BTreeMap<Category, CategoryCoverage>,
    /// Settings and reports that were ingested; `None` if there are none.
    pub settings: Option<SettingsEvidence>,
    pub dismissals: Vec<Dismissal>,
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

/// One row of who uses a protocol: a user with one app, client app and user agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhoRow {
    pub protocol: Protocol,
    /// As logged; empty if the log names nobody.
    pub user: String,
    pub app: Option<String>,
    pub client_app: Option<String>,
    pub user_agent: Option<String>,
    /// Distinct addresses.
    pub ip_addresses: u64,
    pub sign_ins: u64,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
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
