//! Whether a tenant's log was seen well enough to conclude from its silence: which days of the
//! window are covered, the runs that are not, and how far the log is settled. What the sign-ins say
//! is not judged here.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use crate::campaign::Campaign;
use crate::evidence::{CategoryCoverage, DayRange, TenantEvidence, Window, merge_days, midnight};
use crate::sign_in::Category;
use crate::tenant::RosterTenant;
use crate::verdict::{CoverageGap, Reason};

/// What is concluded from a tenant's coverage.
pub(super) struct Coverage {
    /// Why the evidence does not suffice; empty if it does.
    pub(super) reasons: Vec<Reason>,
    /// First and last covered day in the window, over the required categories.
    pub(super) first_day: Option<NaiveDate>,
    pub(super) last_day: Option<NaiveDate>,
    /// Covered days in the window, per required category.
    pub(super) days_seen: BTreeMap<Category, u32>,
    /// See [`crate::verdict::TenantAssessment::gaps`].
    pub(super) gaps: Vec<CoverageGap>,
}

/// Reasons come in one order: no records, then category by category and day by day, then the end of
/// the window.
pub(super) fn judge(
    campaign: &Campaign,
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
    window: Window,
) -> Coverage {
    let declared = declared_range(settings, evidence);
    let seen: BTreeMap<Category, Seen> = evidence
        .coverage
        .iter()
        .map(|(category, coverage)| (*category, Seen::new(coverage, declared)))
        .collect();
    let mut reasons = Vec::new();
    let (mut first_day, mut last_day) = (None, None);
    let mut days_seen = BTreeMap::new();
    let mut gaps = Vec::new();
    let nothing = Seen::default();
    for (&category, &permitted_days) in &campaign.permitted_gap_days {
        let seen = seen.get(&category).unwrap_or(&nothing);
        reasons.extend(category_reasons(category, permitted_days, seen, window));
        gaps.extend(seen.gaps(window).into_iter().map(|days| CoverageGap { category, days, permitted_days }));
        let days = seen.within(window);
        days_seen.insert(category, seen.days_within(window));
        first_day = first_day.into_iter().chain(days.map(|days| days.first)).min();
        last_day = last_day.into_iter().chain(days.map(|days| days.last)).max();
    }
    if evidence.records == 0 && seen.values().all(Seen::is_nothing) {
        return Coverage { reasons: vec![Reason::NoRecords], first_day, last_day, days_seen, gaps };
    }
    let horizon = horizon(campaign, settings, evidence);
    if horizon.is_none_or(|horizon| window.end_at() > horizon) {
        // The day that the horizon falls on is not over; at midnight the day before has just ended.
        let last_provable_day = horizon.and_then(|horizon| horizon.date_naive().pred_opt());
        reasons.push(Reason::NotSettled { last_provable_day });
    }
    // Empty storage files can prove silence: no records is a reason only beside another.
    if evidence.records == 0 && !reasons.is_empty() {
        reasons.insert(0, Reason::NoRecords);
    }
    Coverage { reasons, first_day, last_day, days_seen, gaps }
}

/// See [`super::horizon`].
pub(super) fn horizon(
    campaign: &Campaign,
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
) -> Option<DateTime<Utc>> {
    let settle = TimeDelta::hours(i64::from(campaign.settle_hours));
    let settled = evidence.latest_at.and_then(|latest| latest.checked_sub_signed(settle));
    let roster_until = declared_range(settings, evidence).map(|range| range.last);
    let declared_until = evidence.declared_until.max(roster_until);
    let declared = declared_until.and_then(|last| last.succ_opt()).map(midnight);
    settled.max(declared)
}

/// The roster's range, if it applies: it speaks for the categories that the lake holds of the
/// tenant, so for a tenant that the lake does not know it says nothing.
fn declared_range(settings: Option<&RosterTenant>, evidence: &TenantEvidence) -> Option<DayRange> {
    settings.and_then(RosterTenant::logs).filter(|_| !evidence.coverage.is_empty())
}

/// The days of one category, at any time, with the roster's range applied. Ranges are merged.
#[derive(Default)]
struct Seen {
    covered: Vec<DayRange>,
    /// What would be covered if no file lacked a column.
    covered_if_complete: Vec<DayRange>,
    missing_columns: Vec<String>,
}

impl Seen {
    fn new(coverage: &CategoryCoverage, declared: Option<DayRange>) -> Self {
        let incomplete = merge_days(coverage.incomplete.clone());
        let mut covered = coverage.covered.clone();
        // A declaration says that nothing is missing from the log. It can't give files a column
        // that they lack, so it speaks neither for their days nor for a log of only such files.
        if let Some(declared) = declared
            && (incomplete.is_empty() || !coverage.covered.is_empty())
        {
            covered.extend(uncovered(declared, &incomplete));
        }
        let mut covered_if_complete = incomplete;
        covered_if_complete.extend(coverage.covered.iter().chain(&declared).copied());
        Self {
            covered: merge_days(covered),
            covered_if_complete: merge_days(covered_if_complete),
            missing_columns: coverage.missing_columns.clone(),
        }
    }

    fn is_nothing(&self) -> bool {
        self.covered_if_complete.is_empty()
    }

    /// Number of covered days in the window.
    fn days_within(&self, window: Window) -> u32 {
        let gaps: i64 = self.gaps(window).into_iter().map(DayRange::length_days).sum();
        u32::try_from(window.days() - gaps).unwrap_or(0)
    }

    /// The runs of uncovered days in the window.
    fn gaps(&self, window: Window) -> Vec<DayRange> {
        whole(window).map(|whole| uncovered(whole, &self.covered)).unwrap_or_default()
    }

    /// First and last covered day in the window.
    fn within(&self, window: Window) -> Option<DayRange> {
        outer_days(&self.covered, window)
    }
}

/// What is wrong with the coverage of one required category, in the order of days.
fn category_reasons(category: Category, permitted_days: u32, seen: &Seen, window: Window) -> Vec<Reason> {
    let column_missing = || Reason::ColumnMissing { category, columns: seen.missing_columns.clone() };
    let (Some(first_covered), Some(_), Some(whole)) =
        (seen.covered.first(), seen.within(window), whole(window))
    else {
        return match outer_days(&seen.covered_if_complete, window) {
            Some(_) => vec![column_missing()],
            None => vec![Reason::CategoryMissing { category }],
        };
    };
    let first_covered_day = first_covered.first;

    let too_long = |run: &DayRange| run.length_days() > i64::from(permitted_days);
    let mut reasons = Vec::new();
    for run in uncovered(whole, &seen.covered).into_iter().filter(too_long) {
        let reason = if !uncovered(run, &seen.covered_if_complete).iter().any(too_long) {
            column_missing()
        } else if run.last < first_covered_day {
            let possible_from = first_covered_day
                .checked_sub_days(Days::new(permitted_days.into()))
                .and_then(|first| first.checked_add_signed(TimeDelta::days(window.days())))
                .unwrap_or(NaiveDate::MAX);
            Reason::WindowLongerThanHistory { category, first_covered_day, possible_from }
        } else {
            Reason::Gap { category, days: run, permitted_days }
        };
        // Two runs that one column would fill are one reason.
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

/// The runs of days of `whole` that no range holds; `ranges` are sorted and do not overlap.
fn uncovered(whole: DayRange, ranges: &[DayRange]) -> Vec<DayRange> {
    let mut runs = Vec::new();
    let mut open = Some(whole.first);
    for range in ranges.iter().filter(|range| range.last >= whole.first) {
        if range.first > whole.last {
            break;
        }
        if let (Some(first), Some(last)) = (open, range.first.pred_opt())
            && first <= last
        {
            runs.push(DayRange { first, last });
        }
        open = range.last.succ_opt();
    }
    if let Some(first) = open.filter(|first| *first <= whole.last) {
        runs.push(DayRange { first, last: whole.last });
    }
    runs
}

/// The first and the last day of the window that a range holds.
fn outer_days(ranges: &[DayRange], window: Window) -> Option<DayRange> {
    let whole = whole(window)?;
    let mut inside = ranges
        .iter()
        .filter(|range| range.first <= whole.last && range.last >= whole.first)
        .map(|range| DayRange { first: range.first.max(whole.first), last: range.last.min(whole.last) });
    let first = inside.next()?;
    let last = inside.next_back().unwrap_or(first);
    Some(DayRange { first: first.first, last: last.last })
}

/// The window as a range of days; `None` if it holds none.
fn whole(window: Window) -> Option<DayRange> {
    let last = window.end.pred_opt()?;
    (window.first <= last).then_some(DayRange { first: window.first, last })
}
