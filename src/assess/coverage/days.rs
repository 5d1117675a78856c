//! What is known of each day of one category: seen, filled by the sibling log, stated, or missing.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::habits::Habits;
use lightsout_model::campaign::EvidenceRules;
use lightsout_model::evidence::{CategoryCoverage, DailyCounts, DayRange, Window, merge_days, midnight};

/// What is known of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Records, or a storage file, of a source that is not suspected, and not suspiciously few.
    Seen,
    /// Interactive sign-ins are rare enough to believe their silence, and the other log of the same channel
    /// was seen.
    Filled,
    /// Somebody or something states the log to be complete.
    Stated,
    Missing,
}

/// An office may be closed for a week with both its weekends.
const CLOSED_DAYS: u32 = 10;

/// The days of one category.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    window: Window,
    records: DailyCounts,
    storage: Vec<DayRange>,
    /// What anybody or anything states.
    stated: Vec<DayRange>,
    stated_by_person: Vec<DayRange>,
    stated_by_files: Vec<DayRange>,
    incomplete: Vec<DayRange>,
    missing_columns: Vec<String>,
    first_seen: Option<NaiveDate>,
    latest_at: Option<DateTime<Utc>>,
    incomplete_latest_at: Option<DateTime<Utc>>,
    thin: BTreeSet<NaiveDate>,
    filled: BTreeSet<NaiveDate>,
}

impl Calendar {
    /// What was seen or stated; `roster` is what the roster states.
    pub(super) fn new(
        rules: &EvidenceRules,
        coverage: &CategoryCoverage,
        roster: Option<DayRange>,
        window: Window,
    ) -> Self {
        let mut stated: Vec<DayRange> = coverage.stated.clone();
        // What a file lacks, nobody can state away.
        stated.extend(roster.into_iter().flat_map(|range| outside(range, &coverage.incomplete)));
        let by_files = coverage.stated_by_files.clone();
        Self {
            window,
            records: coverage.records.clone(),
            storage: coverage.storage.clone(),
            stated: merge_days([stated.as_slice(), &by_files].concat()),
            stated_by_person: merge_days(stated),
            stated_by_files: by_files,
            incomplete: coverage.incomplete.clone(),
            missing_columns: coverage.missing_columns.clone(),
            first_seen: coverage.first_seen,
            latest_at: coverage.latest_at,
            incomplete_latest_at: coverage.incomplete_latest_at,
            thin: thin_days(rules, &coverage.records),
            filled: BTreeSet::new(),
        }
    }

    /// Fills silences that are believable from days on which `other`, the log of the same channel, was seen;
    /// `sibling` are the days of that channel.
    pub(super) fn fill(
        &mut self,
        rules: &EvidenceRules,
        habits: &Habits,
        sibling: &[DayRange],
        other: &Self,
    ) {
        self.filled = super::fill::filled_days(rules, habits, self, sibling, other);
    }

    /// Takes back what files state of silences that are longer than permitted, longer than a week off, and improbable: a
    /// part of the file, or one of several files, may have been lost. What a person states stands.
    pub(super) fn doubt_files(&mut self, rules: &EvidenceRules, habits: &Habits, permitted_days: u32) {
        if self.first_seen.is_none() || self.stated_by_files.is_empty() {
            return;
        }
        let stated = self
            .stated_by_files
            .iter()
            .flat_map(|range| range.first.iter_days().take_while(|day| *day <= range.last));
        let silent = stated.filter(|day| !self.has_any(*day));
        let silent = merge_days(silent.map(|day| DayRange { first: day, last: day }).collect());
        let is_doubted = |run: &DayRange| {
            run.length_days() > i64::from(permitted_days.max(CLOSED_DAYS))
                && super::fill::is_improbable(rules, habits, self, *run)
        };
        let doubted: Vec<DayRange> = silent.into_iter().filter(is_doubted).collect();
        let believed = self.stated_by_files.iter().flat_map(|range| outside(*range, &doubted));
        self.stated = merge_days(self.stated_by_person.iter().copied().chain(believed).collect());
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// Records, or a storage file, however few.
    pub(super) fn has_any(&self, day: NaiveDate) -> bool {
        self.records.on(day) > 0 || holds(&self.storage, day)
    }

    pub(super) fn records_on(&self, day: NaiveDate) -> u32 {
        self.records.on(day)
    }

    pub(super) fn is_seen(&self, day: NaiveDate) -> bool {
        self.has_any(day) && !self.thin.contains(&day)
    }

    pub(super) fn status(&self, day: NaiveDate) -> Status {
        if self.is_seen(day) {
            Status::Seen
        } else if self.filled.contains(&day) {
            Status::Filled
        } else if holds(&self.stated, day) {
            Status::Stated
        } else {
            Status::Missing
        }
    }

    pub(super) fn is_covered(&self, day: NaiveDate) -> bool {
        self.status(day) != Status::Missing
    }

    /// The first day that the counts begin with, and the first ever with records or a storage file.
    pub(super) fn first_known(&self) -> Option<NaiveDate> {
        let first_seen = self.first_seen?;
        Some(self.records.days().next().map_or(first_seen, |(day, _)| day).max(first_seen))
    }

    /// The first day ever with records or a storage file.
    pub(super) fn first_seen(&self) -> Option<NaiveDate> {
        self.first_seen
    }

    /// The first day ever that was seen or stated.
    pub(super) fn first_covered(&self) -> Option<NaiveDate> {
        let stated = self.stated.first().map(|days| days.first);
        self.first_seen.into_iter().chain(stated).min()
    }

    pub(super) fn first_covered_in_window(&self) -> Option<NaiveDate> {
        super::window_days(self.window).find(|day| self.is_covered(*day))
    }

    /// The newest instant that the log tells of.
    pub(super) fn latest_at(&self) -> Option<DateTime<Utc>> {
        self.latest_at
    }

    pub(super) fn last_stated(&self) -> Option<NaiveDate> {
        self.stated.last().map(|days| days.last)
    }

    /// Until when the sibling log, whose newest instant is `sibling_latest_at`, fills the silence after the newest
    /// record: to the last day that it fills, before an expected one that it does not.
    pub(super) fn filled_until(
        &self,
        habits: &Habits,
        sibling_latest_at: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        // A storage hour that ends at midnight is of the day before.
        let newest = self.latest_at?.checked_sub_signed(TimeDelta::microseconds(1))?.date_naive();
        let is_filled = |day: &NaiveDate| self.filled.contains(day);
        let after = newest.iter_days().skip(1).take_while(|day| *day <= sibling_latest_at.date_naive());
        let silent = after.take_while(|day| {
            // The day itself may have a record, of its midnight.
            is_filled(day) || self.has_any(*day) || !habits.expects(*day)
        });
        let last = silent.filter(is_filled).last()?;
        Some(sibling_latest_at.min(midnight(last.succ_opt()?)))
    }

    pub(super) fn has_incomplete(&self) -> bool {
        !self.incomplete.is_empty()
    }

    pub(super) fn missing_columns(&self) -> &[String] {
        &self.missing_columns
    }

    /// As it would be if no file lacked a column.
    pub(super) fn as_if_complete(&self) -> Self {
        let mut calendar = self.clone();
        calendar.storage = merge_days([self.storage.as_slice(), &self.incomplete].concat());
        // Their records are not counted.
        calendar.thin.retain(|day| !holds(&self.incomplete, *day));
        calendar.latest_at = self.latest_at.max(self.incomplete_latest_at);
        calendar.first_seen =
            self.first_seen.into_iter().chain(self.incomplete.first().map(|days| days.first)).min();
        calendar
    }

    /// The runs of days in the window that nothing covers.
    pub(super) fn runs_of_missing(&self) -> Vec<DayRange> {
        let missing = super::window_days(self.window).filter(|day| self.status(*day) == Status::Missing);
        merge_days(missing.map(|day| DayRange { first: day, last: day }).collect())
    }
}

/// The day so many weeks before.
pub(super) fn weeks_before(day: NaiveDate, weeks: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(u64::from(weeks) * 7)).unwrap_or(NaiveDate::MIN)
}

/// Days with far fewer records than the same weekday had in the weeks before.
fn thin_days(rules: &EvidenceRules, records: &DailyCounts) -> BTreeSet<NaiveDate> {
    let is_thin = |day: NaiveDate, count: u32| {
        let weeks = (1..=rules.history_weeks).map(|weeks| records.on(weeks_before(day, weeks)));
        let before: Vec<u32> = weeks.filter(|count| *count > 0).collect();
        if before.len() < rules.thin_weeks_min as usize {
            return false;
        }
        let median = twice_median(before);
        median >= 2 * u64::from(rules.thin_median_min)
            && u64::from(count) * 200 < median * u64::from(rules.thin_percent)
    };
    let Some((last, _)) = records.days().next_back() else { return BTreeSet::new() };
    // A day without records may have a storage file.
    let days = records.first.iter_days().take_while(|day| *day <= last);
    days.filter(|day| is_thin(*day, records.on(*day))).collect()
}

/// Twice the median, which is a whole number also where two lie in the middle; 0 for none.
pub(super) fn twice_median(mut counts: Vec<u32>) -> u64 {
    counts.sort_unstable();
    let middle = |at: usize| counts.get(at).copied().map_or(0, u64::from);
    match counts.len() {
        0 => 0,
        length if length % 2 == 1 => 2 * middle(length / 2),
        length => middle(length / 2 - 1) + middle(length / 2),
    }
}

/// Whether one of the sorted ranges holds the day.
pub(super) fn holds(ranges: &[DayRange], day: NaiveDate) -> bool {
    let at = ranges.partition_point(|range| range.last < day);
    ranges.get(at).is_some_and(|range| range.first <= day)
}

/// The parts of a range that none of the sorted ranges holds.
fn outside(range: DayRange, ranges: &[DayRange]) -> Vec<DayRange> {
    let mut parts = Vec::new();
    let mut open = Some(range.first);
    for other in ranges.iter().filter(|other| other.last >= range.first && other.first <= range.last) {
        if let (Some(first), Some(last)) = (open, other.first.pred_opt())
            && first <= last
        {
            parts.push(DayRange { first, last });
        }
        open = other.last.succ_opt();
    }
    if let Some(first) = open.filter(|first| *first <= range.last) {
        parts.push(DayRange { first, last: range.last });
    }
    parts
}
