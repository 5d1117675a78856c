//! Whether a tenant's log was seen well enough to conclude from its silence. What the sign-ins say is not
//! judged here.
//!
//! `days` says of each day whether it was seen, filled by the sibling log, stated or is missing; `habits`
//! which weekdays have sign-ins as a rule, and how many; `fill` which silences of the interactive log are
//! believable; this file puts them together: how many days may be missing, how long a run, and until when the
//! log proves anything.

mod days;
mod fill;
mod habits;

use std::collections::BTreeMap;

use chrono::{DateTime, Days as CalendarDays, NaiveDate, TimeDelta, Utc};

use days::{Calendar, Status};
use habits::Habits;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{CategoryCoverage, DayRange, TenantEvidence, Window, midnight};
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::RosterTenant;
use lightsout_model::verdict::{CoverageGap, Reason};

/// What is concluded from a tenant's coverage.
pub(super) struct Coverage {
    /// Why the evidence does not suffice; empty if it does.
    pub(super) reasons: Vec<Reason>,
    /// First and last covered day in the window, over the required categories.
    pub(super) first_day: Option<NaiveDate>,
    pub(super) last_day: Option<NaiveDate>,
    /// Covered days in the window, per required category.
    pub(super) days_seen: BTreeMap<Category, u32>,
    /// The same of the campaign's lookback before the window.
    pub(super) lookback_days_seen: BTreeMap<Category, u32>,
    /// See [`lightsout_model::verdict::TenantAssessment::gaps`].
    pub(super) gaps: Vec<CoverageGap>,
    /// Days of the window and after it that each required category covers.
    calendars: Vec<Calendar>,
}

impl Coverage {
    /// Days after `last_usage_day` and before `end` that every required category covers.
    pub(super) fn silent_days(&self, last_usage_day: NaiveDate, end: NaiveDate) -> u32 {
        let days = last_usage_day.iter_days().skip(1).take_while(|day| *day < end);
        let covered = days.filter(|day| self.calendars.iter().all(|calendar| calendar.is_covered(*day)));
        u32::try_from(covered.count()).unwrap_or(u32::MAX)
    }
}

/// Reasons come in one order: no records, then category by category and day by day, then the end of what the
/// log proves.
pub(super) fn judge(
    campaign: &Campaign,
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
    window: Window,
) -> Coverage {
    let mut judged = Coverage {
        reasons: Vec::new(),
        first_day: None,
        last_day: None,
        days_seen: BTreeMap::new(),
        lookback_days_seen: BTreeMap::new(),
        gaps: Vec::new(),
        calendars: Vec::new(),
    };
    let is_nothing = evidence.records == 0 && evidence.coverage.is_empty();
    for (&category, &permitted_days) in &campaign.permitted_gap_days {
        let observed = observe(campaign, settings, evidence, category, window);
        let log = Log { campaign, category, permitted_days, evidence, observed: &observed };
        judged.reasons.extend(log.reasons());
        let calendar = observed.calendar;
        let runs = calendar.runs_of_missing();
        judged.gaps.extend(runs.into_iter().map(|days| CoverageGap { category, days, permitted_days }));
        let covered_in = |days: Window| window_days(days).filter(|day| calendar.is_covered(*day));
        let number = |days: Window| u32::try_from(covered_in(days).count()).unwrap_or(u32::MAX);
        let covered = || covered_in(window);
        let lookback = Window::before(window.first, campaign.lookback_days);
        judged.days_seen.insert(category, number(window));
        judged.lookback_days_seen.insert(category, number(lookback));
        judged.first_day = judged.first_day.into_iter().chain(covered().next()).min();
        judged.last_day = judged.last_day.into_iter().chain(covered().last()).max();
        judged.calendars.push(calendar);
    }
    if is_nothing {
        judged.reasons = vec![Reason::NoRecords];
    } else if evidence.records == 0 && !judged.reasons.is_empty() {
        // Empty storage files can prove silence: no records is a reason only beside another.
        judged.reasons.insert(0, Reason::NoRecords);
    }
    judged
}

fn window_days(window: Window) -> impl Iterator<Item = NaiveDate> {
    window.first.iter_days().take_while(move |day| *day < window.end)
}

/// The days of one category with what is usual in it.
struct Observed {
    calendar: Calendar,
    habits: Habits,
    /// What is usual in the log that comes by the same channel; of interactive alone.
    of_sibling: Option<Habits>,
}

fn observe(
    campaign: &Campaign,
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
    category: Category,
    window: Window,
) -> Observed {
    let rules = &campaign.evidence;
    let nothing = CategoryCoverage::default();
    let coverage = evidence.coverage.get(&category).unwrap_or(&nothing);
    let roster = stated_by_roster(settings, evidence, category);
    let mut calendar = Calendar::new(rules, coverage, roster, window);
    let habits = Habits::of(rules, &calendar, settings);
    let mut of_sibling = None;
    if category == Category::Interactive
        && !coverage.sibling.is_empty()
        && let Some(other) = evidence.coverage.get(&Category::NonInteractive)
    {
        let other = Calendar::new(rules, other, None, window);
        calendar.fill(rules, &habits, &coverage.sibling, &other);
        of_sibling = Some(Habits::of(rules, &other, settings));
    }
    if let Some(permitted_days) = campaign.permitted_gap_days.get(&category) {
        calendar.doubt_files(rules, &habits, *permitted_days);
    }
    Observed { calendar, habits, of_sibling }
}

/// The roster's range, if it applies: it speaks for the categories that the lake holds of the tenant, so for a
/// tenant that the lake does not know it says nothing. It can't give files a column that they lack, so it does
/// not speak for a log of only such files.
fn stated_by_roster(
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
    category: Category,
) -> Option<DayRange> {
    let coverage = evidence.coverage.get(&category)?;
    let only_incomplete = !coverage.incomplete.is_empty() && coverage.first_seen.is_none();
    settings.and_then(RosterTenant::logs).filter(|_| !only_incomplete)
}

/// One required category of a tenant.
struct Log<'a> {
    campaign: &'a Campaign,
    category: Category,
    permitted_days: u32,
    evidence: &'a TenantEvidence,
    observed: &'a Observed,
}

impl Log<'_> {
    fn reasons(&self) -> Vec<Reason> {
        let calendar = &self.observed.calendar;
        let without = self.reasons_of(calendar);
        if !calendar.has_incomplete() {
            return without;
        }
        // What the same files would prove if they had all columns.
        let complete = calendar.as_if_complete();
        let with = self.reasons_of(&complete);
        if with == without {
            return without;
        }
        let columns = calendar.missing_columns().to_vec();
        let mut reasons = vec![Reason::ColumnMissing { category: self.category, columns }];
        reasons.extend(with);
        reasons
    }

    fn reasons_of(&self, calendar: &Calendar) -> Vec<Reason> {
        let category = self.category;
        let Some(first_covered_day) = calendar.first_covered_in_window() else {
            // A log that begins after the window is not missing: it is too young.
            return match calendar.first_covered().filter(|day| *day >= calendar.window().end) {
                Some(begins) => vec![self.begins(begins, calendar.window())],
                None => vec![Reason::CategoryMissing { category }],
            };
        };
        let mut reasons = self.missing_days(calendar, first_covered_day);
        reasons.extend(self.not_settled(calendar));
        reasons
    }

    fn missing_days(&self, calendar: &Calendar, first_covered_in_window: NaiveDate) -> Vec<Reason> {
        let category = self.category;
        let window = calendar.window();
        let too_long = |run: &DayRange| run.length_days() > i64::from(self.permitted_days);
        let gaps: Vec<DayRange> = calendar.runs_of_missing().into_iter().filter(too_long).collect();
        let expected: Vec<NaiveDate> =
            window_days(window).filter(|day| self.observed.habits.expects(*day)).collect();
        let missing: Vec<NaiveDate> =
            expected.iter().copied().filter(|day| calendar.status(*day) == Status::Missing).collect();
        let allowed = self.observed.habits.missing_days_max(category, expected.len());
        let too_many = missing.len() > allowed;
        let near_idle = self.observed.habits.is_near_idle();
        // Where the other log of the channel is silent as a rule, this one may be.
        let of_sibling = self.observed.of_sibling.as_ref();
        let counts = |day: &NaiveDate| of_sibling.is_none_or(|habits| habits.expects(*day));
        let not_stated = near_idle
            && window_days(window).filter(counts).any(|day| calendar.status(day) == Status::Missing);
        if gaps.is_empty() && !too_many && !not_stated {
            return Vec::new();
        }
        let history_begins = calendar.first_covered().unwrap_or(first_covered_in_window);
        let precedes = |day: NaiveDate| day < history_begins;
        let all_missing = || window_days(window).filter(|day| calendar.status(*day) == Status::Missing);
        let only_before = gaps.iter().all(|run| precedes(run.last))
            && missing.iter().all(|day| precedes(*day))
            && (!near_idle || all_missing().all(precedes));
        if only_before {
            return vec![self.begins(history_begins, window)];
        }
        let count = |days: usize| u32::try_from(days).unwrap_or(u32::MAX);
        let mut reasons: Vec<Reason> = gaps
            .into_iter()
            .map(|days| Reason::Gap { category, days, permitted_days: self.permitted_days })
            .collect();
        if not_stated {
            let days_seen = window_days(window).filter(|day| calendar.status(*day) == Status::Seen).count();
            reasons.push(Reason::NearIdle {
                category,
                days_seen: count(days_seen),
                window_days: u32::try_from(window.days()).unwrap_or(0),
            });
        } else if let Some((&first, &last)) = missing.first().zip(missing.last()).filter(|_| too_many) {
            reasons.push(Reason::DaysMissing {
                category,
                weekdays: self.observed.habits.weekdays(),
                expected: count(expected.len()),
                seen: count(expected.len() - missing.len()),
                needed: count(expected.len() - allowed),
                missing: DayRange { first, last },
            });
        }
        reasons
    }

    /// The log begins on a day that is too late for the window.
    fn begins(&self, first_covered_day: NaiveDate, window: Window) -> Reason {
        let possible_from = first_covered_day.checked_add_signed(TimeDelta::days(window.days()));
        Reason::WindowLongerThanHistory {
            category: self.category,
            first_covered_day,
            possible_from: possible_from.unwrap_or(NaiveDate::MAX),
        }
    }

    /// At most one expected day may lie, wholly or partly, after what the log proves.
    fn not_settled(&self, calendar: &Calendar) -> Option<Reason> {
        let horizon = self.horizon(calendar);
        let after = |day: &NaiveDate| {
            let end = day.succ_opt().map(midnight);
            horizon.zip(end).is_none_or(|(horizon, end)| end > horizon)
        };
        let expected = || window_days(calendar.window()).filter(|day| self.observed.habits.expects(*day));
        let allowed = expected().count().saturating_sub(1).min(1);
        if expected().filter(after).count() <= allowed {
            return None;
        }
        // The day that the horizon falls on is not over; at midnight the day before has just ended.
        let last_provable_day = horizon.and_then(|horizon| horizon.date_naive().pred_opt());
        Some(Reason::NotSettled { category: self.category, last_provable_day })
    }

    fn horizon(&self, calendar: &Calendar) -> Option<DateTime<Utc>> {
        let coverage = self.evidence.coverage.get(&self.category);
        horizon_of(self.campaign, coverage, calendar, &self.observed.habits)
    }
}

/// The later of the newest instant that the log or its sibling in place of it tells of, less the hours to settle,
/// and the end of its last stated day.
fn horizon_of(
    campaign: &Campaign,
    coverage: Option<&CategoryCoverage>,
    calendar: &Calendar,
    habits: &Habits,
) -> Option<DateTime<Utc>> {
    let settle = TimeDelta::hours(i64::from(campaign.settle_hours));
    let sibling = coverage.and_then(|coverage| coverage.sibling_latest_at);
    let filled = sibling.and_then(|newest| calendar.filled_until(habits, newest));
    let newest = calendar.latest_at().max(filled);
    let settled = newest.and_then(|newest| newest.checked_sub_signed(settle));
    let stated = calendar.last_stated().and_then(|last| last.succ_opt()).map(midnight);
    settled.max(stated)
}

/// See [`super::covered_days`].
pub(super) fn covered_days(
    campaign: &Campaign,
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
    category: Category,
    window: Window,
) -> Vec<(NaiveDate, bool)> {
    let calendar = observe(campaign, settings, evidence, category, window).calendar;
    window_days(window).map(|day| (day, calendar.is_covered(day))).collect()
}

/// See [`super::horizon`].
pub(super) fn horizon(
    campaign: &Campaign,
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
) -> Option<DateTime<Utc>> {
    let newest = evidence.coverage.values().filter_map(newest_of).max()?;
    // The window that the newest record would end.
    let window = Window {
        first: newest.date_naive().checked_sub_days(CalendarDays::new(u64::from(campaign.window_days)))?,
        end: newest.date_naive(),
    };
    let of_category = |category: &Category| {
        let observed = observe(campaign, settings, evidence, *category, window);
        let coverage = evidence.coverage.get(category);
        horizon_of(campaign, coverage, &observed.calendar, &observed.habits)
    };
    let settle = TimeDelta::hours(i64::from(campaign.settle_hours));
    // A log of nothing but suspected files proves nothing, and still says which days it is about.
    let known = campaign.permitted_gap_days.keys().map(of_category).max().flatten();
    known.or_else(|| newest.checked_sub_signed(settle))
}

/// The newest instant that files of a category are about, suspected ones too.
fn newest_of(coverage: &CategoryCoverage) -> Option<DateTime<Utc>> {
    let suspected = coverage.filtered.iter().map(|export| export.last_day);
    let days = suspected.chain(coverage.incomplete.last().map(|days| days.last));
    let ends = days.filter_map(|day| day.succ_opt()).map(midnight);
    coverage.latest_at.into_iter().chain(ends).max()
}
