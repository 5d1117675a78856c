//! What a source says of the days of its log: those with records, the hour of a storage path, the ranges that
//! its name, its end or the operator state.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate};

use super::IngestSettings;
use super::account::{Account, Coverage, Direction, Stated};
use super::find::{Input, hour_end};
use lightsout_model::coverage::Basis;
use lightsout_model::evidence::DayRange;
use lightsout_model::sign_in::Category;

/// Numbers of rows at which exports end, whatever there is more.
const ROW_CAPS: [u64; 4] = [30_000, 100_000, 250_000, 500_000];

/// How the source ends before its data do.
pub(super) fn truncation(records: u64) -> Option<String> {
    let cap = ROW_CAPS.into_iter().find(|cap| *cap == records)?;
    Some(format!("cap {cap}"))
}

/// What a file covers that the lake does not know from the same content yet: its records, the hour of its
/// storage path, and the days that it is stated to be complete for; `named` are those of its name.
pub(super) fn coverage(
    input: &Input,
    account: &Account,
    (truncation, named): (Option<&String>, Option<DayRange>),
    known: &[Coverage],
    settings: &IngestSettings,
) -> Vec<Coverage> {
    let mut coverage = account.coverage();
    // Where the path names one log and the records are of another, the one that it names is not there.
    let is_of_other_log = |category: Category| {
        account.records > 0 && !coverage.iter().any(|entry| entry.category == Some(category))
    };
    let storage = input.says.storage().filter(|(_, category, _)| !is_of_other_log(*category));
    if let Some((tenant_id, category, hour)) = storage {
        let entry = entry_of(&mut coverage, tenant_id, Some(category));
        entry.storage_hour = Some(hour);
        entry.latest_at = entry.latest_at.max(Some(hour_end(hour)));
    }
    let by_source = if truncation.is_some() {
        let cut = CutOff::of(account, named);
        for entry in &mut coverage {
            entry.days.retain(|seen| cut.unfinished.as_ref().is_some_and(|days| !days.contains(&seen.day)));
        }
        cut.complete.and_then(|range| until_yesterday(range, Basis::CutOff, settings))
    } else {
        named.and_then(|range| until_yesterday(range, Basis::FileName, settings))
    };
    let covers = settings.covers.and_then(|range| until_yesterday(range, Basis::Covers, settings));
    for stated in [by_source, covers].into_iter().flatten() {
        for (tenant_id, category) in stated_for(&coverage, known, input, settings, stated.basis) {
            entry_of(&mut coverage, &tenant_id, category).stated.push(stated);
        }
    }
    coverage.retain(|entry| !entry.is_empty() && !known.iter().any(|known| known.says(entry)));
    coverage
}

/// A stated range as far as it can be true: nobody can know that a log is complete for a day that is not over.
pub(super) fn until_yesterday(range: DayRange, basis: Basis, settings: &IngestSettings) -> Option<Stated> {
    let yesterday = DateTime::from_timestamp_micros(settings.now).and_then(|now| now.date_naive().pred_opt());
    let last_day = yesterday.map_or(range.last, |yesterday| range.last.min(yesterday));
    (range.first <= last_day).then_some(Stated { first_day: range.first, last_day, basis })
}

pub(super) fn entry_of<'c>(
    coverage: &'c mut Vec<Coverage>,
    tenant_id: &str,
    category: Option<Category>,
) -> &'c mut Coverage {
    let fits = |entry: &Coverage| entry.tenant_id == tenant_id && entry.category == category;
    let at = coverage.iter().position(fits).unwrap_or_else(|| {
        coverage.push(Coverage::of(tenant_id, category));
        coverage.len() - 1
    });
    &mut coverage[at]
}

/// The tenants and categories that a stated range is of: those that occur; and where the path or the
/// operator names tenant and category, those, so that an export without rows states its range too.
fn stated_for(
    coverage: &[Coverage],
    known: &[Coverage],
    input: &Input,
    settings: &IngestSettings,
    basis: Basis,
) -> BTreeSet<(String, Option<Category>)> {
    let occurs = coverage.iter().chain(known).map(|entry| (entry.tenant_id.clone(), entry.category));
    let mut pairs: BTreeSet<(String, Option<Category>)> = occurs.collect();
    let named = match basis {
        Basis::Covers => settings.tenant_id.clone().or_else(|| input.tenant_id().map(str::to_owned)),
        Basis::FileName | Basis::CutOff => input.tenant_id().map(str::to_owned),
    };
    let category = match basis {
        Basis::Covers => settings.category.or(input.says.category),
        Basis::FileName | Basis::CutOff => input.says.category,
    };
    let tenants: BTreeSet<String> = pairs.iter().map(|(tenant, _)| tenant.clone()).chain(named).collect();
    if let Some(category) = category {
        pairs.extend(tenants.into_iter().map(|tenant| (tenant, Some(category))));
    }
    pairs
}

/// What is left of an export that ended at a limit.
#[derive(Debug, Default)]
struct CutOff {
    /// Days of its records that were not finished; `None`: any may be.
    unfinished: Option<Vec<NaiveDate>>,
    /// The days that it is complete for.
    complete: Option<DayRange>,
}

impl CutOff {
    /// Newest first, an export is complete for the days after its oldest row's; oldest first, for those before
    /// its newest row's; without order, for none, and any of its days may lack rows. `named` are the days that it
    /// was asked for.
    fn of(account: &Account, named: Option<DayRange>) -> Self {
        let day = |micros: Option<i64>| micros.map(super::days::day_of).map(super::days::date);
        let (Some(oldest), Some(newest)) = (day(account.first_at), day(account.last_at)) else {
            return Self::default();
        };
        let after_oldest = oldest.succ_opt().unwrap_or(oldest);
        let before_newest = newest.pred_opt().unwrap_or(newest);
        let (unfinished, first, last) = match account.order.told() {
            Some(Direction::NewestFirst) => {
                (Some(vec![oldest]), after_oldest, named.map_or(before_newest, |named| named.last))
            }
            Some(Direction::OldestFirst) => {
                (Some(vec![newest]), named.map_or(after_oldest, |named| named.first), before_newest)
            }
            None => return Self::default(),
        };
        Self { unfinished, complete: (first <= last).then_some(DayRange { first, last }) }
    }
}
