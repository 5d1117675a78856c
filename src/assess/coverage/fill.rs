//! Silences of the interactive log. Few people sign in interactively every day, so a day without a record is
//! often just that. Where the non-interactive log came by the same channel on that day, the channel was there,
//! and the silence counts as seen if it is believable: not rare by chance, as the weeks around it went, and
//! not more of it in the window than a log with so many sign-ins a day would have.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::days::{Calendar, holds, weeks_before};
use super::habits::Habits;
use super::window_days;
use lightsout_model::campaign::EvidenceRules;
use lightsout_model::evidence::{DayRange, merge_days};

/// The days that are filled. A silence is a run of days without anything, also where it begins before the
/// window or ends after it.
pub(super) fn filled_days(
    rules: &EvidenceRules,
    habits: &Habits,
    calendar: &Calendar,
    sibling: &[DayRange],
    other: &Calendar,
) -> BTreeSet<NaiveDate> {
    let mut filled = BTreeSet::new();
    let Some(first_known) = calendar.first_known() else { return filled };
    let window = calendar.window();
    let after_newest = sibling.last().and_then(|days| days.last.succ_opt());
    let end = after_newest.unwrap_or(window.end).max(window.end);
    let too_many = !habits.permits_silent_days(
        window_days(window).filter(|day| habits.expects(*day) && !calendar.has_any(*day)).count(),
        window_days(window).filter(|day| habits.expects(*day)).count(),
    );
    let silent = first_known.iter_days().take_while(|day| *day < end).filter(|day| !calendar.has_any(*day));
    for run in merge_days(silent.map(|day| DayRange { first: day, last: day }).collect()) {
        if run.last >= window.first && is_believable(rules, habits, calendar, run) {
            let days = run.first.iter_days().take_while(|day| *day <= run.last);
            let was_there = |day: &NaiveDate| holds(sibling, *day) && other.is_seen(*day);
            filled.extend(days.filter(was_there).filter(|day| !(too_many && habits.expects(*day))));
        }
    }
    filled
}

/// Fewer days than these around a silence say nothing of it.
const DAYS_AROUND_MIN: usize = 5;

/// Whether enough days around the silence are known, and chance would not bring it about.
pub(super) fn is_improbable(
    rules: &EvidenceRules,
    habits: &Habits,
    calendar: &Calendar,
    run: DayRange,
) -> bool {
    let expected = days_around(rules, calendar, run).into_iter().filter(|day| habits.expects(*day));
    expected.count() >= DAYS_AROUND_MIN && !is_believable(rules, habits, calendar, run)
}

/// The days by which a silence is judged: the weeks before it, and the window's others.
fn days_around(rules: &EvidenceRules, calendar: &Calendar, run: DayRange) -> BTreeSet<NaiveDate> {
    let Some(first_seen) = calendar.first_seen() else { return BTreeSet::new() };
    let before = weeks_before(run.first, rules.history_weeks).max(first_seen);
    let before = before.iter_days().take_while(|day| *day < run.first);
    let outside = |day: &NaiveDate| *day >= first_seen && (*day < run.first || *day > run.last);
    before.chain(window_days(calendar.window()).filter(outside)).collect()
}

/// Whether chance would bring the silence about often enough.
fn is_believable(rules: &EvidenceRules, habits: &Habits, calendar: &Calendar, run: DayRange) -> bool {
    if calendar.first_seen().is_none() {
        return false;
    }
    let around = days_around(rules, calendar, run);
    // One chance for the days of the working week, one for the others.
    let chance_of_silence = |of_work: bool| {
        let days = || around.iter().filter(|day| habits.expects(**day) == of_work);
        let seen = days().filter(|day| calendar.has_any(**day)).count();
        // Neither is certain after a few weeks.
        let count = |days: usize| f64::from(u32::try_from(days).unwrap_or(u32::MAX));
        1.0 - (count(seen) + 0.5) / (count(days().count()) + 1.0)
    };
    let (of_work, of_others) = (chance_of_silence(true), chance_of_silence(false));
    let least = f64::from(rules.silence_chance_min_percent) / 100.0;
    let mut chance = 1.0;
    for day in run.first.iter_days().take_while(|day| *day <= run.last) {
        chance *= if habits.expects(day) { of_work } else { of_others };
        if chance < least {
            return false;
        }
    }
    true
}
