//! Pages of Graph downloads. Pages whose links to the next one repeat the same filter, with exactly one page
//! that has no such link, are the whole answer to that filter: it states the days that it names. Without that
//! last page the answer was cut.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::entries::Source;
use lightsout_model::evidence::DayRange;
use lightsout_model::sign_in::Category;

/// The pages of all folders.
#[derive(Debug, Default)]
pub(super) struct Pages {
    of_folders: BTreeMap<String, Folder>,
}

#[derive(Debug, Default)]
struct Folder {
    filters: BTreeSet<Option<String>>,
    linked: u64,
    last: u64,
    tenants: BTreeSet<usize>,
    categories: BTreeSet<Category>,
    oldest: Option<NaiveDate>,
    newest: Option<NaiveDate>,
    /// When the first of the pages was ingested.
    ingested_at: Option<DateTime<Utc>>,
    is_trusted: Option<bool>,
}

/// What the pages of a folder say of their tenant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) categories: BTreeSet<Category>,
    /// The days that it is complete for.
    pub(super) stated: Option<DayRange>,
    /// The day at which it was cut.
    pub(super) unfinished: Option<NaiveDate>,
}

impl Pages {
    pub(super) fn add(&mut self, source: &Source<'_>, places: &[usize], is_trusted: bool) {
        let folder = self.of_folders.entry(source.folder().to_owned()).or_default();
        let linked = source.pages.saturating_sub(source.last_pages);
        folder.linked += linked;
        folder.last += source.last_pages;
        if linked > 0 {
            folder.filters.insert(source.page_filter.map(str::to_owned));
        }
        folder.tenants.extend(places);
        folder.categories.extend(source.entries.iter().filter_map(|entry| entry.category));
        let days = || source.entries.iter().flat_map(|entry| entry.days.iter().map(|(day, _)| *day));
        folder.oldest = folder.oldest.into_iter().chain(days()).min();
        folder.newest = folder.newest.into_iter().chain(days()).max();
        folder.ingested_at = folder.ingested_at.into_iter().chain(source.ingested_at).min();
        folder.is_trusted = Some(folder.is_trusted.unwrap_or(true) && is_trusted);
    }

    /// By the place of the tenant.
    pub(super) fn chains(&mut self) -> Vec<(usize, Chain)> {
        std::mem::take(&mut self.of_folders).into_values().filter_map(Folder::chain).collect()
    }
}

impl Folder {
    fn chain(self) -> Option<(usize, Chain)> {
        // A page without links may be the answer to anything.
        if self.linked == 0 || self.is_trusted != Some(true) {
            return None;
        }
        let mut tenants = self.tenants.iter();
        let (Some(tenant), None) = (tenants.next(), tenants.next()) else { return None };
        if self.last == 0 {
            // Graph answers newest first.
            let categories = self.categories;
            return Some((*tenant, Chain { categories, stated: None, unfinished: self.oldest }));
        }
        let mut filters = self.filters.into_iter();
        let (Some(Some(filter)), None, 1) = (filters.next(), filters.next(), self.last) else { return None };
        let filter = DateFilter::parse(&filter)?;
        // A filter without an end ends with the newest row, whose day was not over.
        let last = match filter.last {
            Some(last) => last.pred_opt()?,
            None => self.newest?.pred_opt()?,
        };
        // Nobody can have asked for a day that was not over when the answer came.
        let yesterday = self.ingested_at.and_then(|at| at.date_naive().pred_opt())?;
        let last = last.min(yesterday);
        let first = filter.first?.succ_opt()?.max(self.oldest?);
        let categories = if filter.categories.is_empty() { self.categories } else { filter.categories };
        let stated = (first <= last).then_some(DayRange { first, last });
        Some((*tenant, Chain { categories, stated, unfinished: None }))
    }
}

/// A filter that names dates and event types alone.
#[derive(Debug, Default, PartialEq, Eq)]
struct DateFilter {
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
    categories: BTreeSet<Category>,
}

/// Whether a filter leaves out nothing by what a sign-in is, but by when it was and of which log.
pub(super) fn is_of_dates(filter: &str) -> bool {
    DateFilter::parse(filter).is_some()
}

impl DateFilter {
    /// `None` if it names anything else, or in a way that is not known.
    fn parse(filter: &str) -> Option<Self> {
        let mut parsed = Self::default();
        let text = filter.replace(['(', ')'], " ").to_ascii_lowercase();
        let lower = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if lower.contains(" or ") && !lower.contains("signineventtypes") {
            return None;
        }
        for part in split_and(&lower) {
            let words: Vec<&str> = part.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                ["createddatetime", comparison, time] => {
                    let day = day_of(time)?;
                    match *comparison {
                        "ge" | "gt" => parsed.first = Some(parsed.first.map_or(day, |first| first.max(day))),
                        "le" | "lt" => parsed.last = Some(parsed.last.map_or(day, |last| last.min(day))),
                        _ => return None,
                    }
                }
                words if words[0].starts_with("signineventtypes/any") => {
                    // Nothing but `t: t eq 'interactiveUser' or t eq '…'`: of a negation it is the other log.
                    for term in words.join(" ").split(" or ") {
                        parsed.categories.insert(event_type(term)?);
                    }
                }
                _ => return None,
            }
        }
        Some(parsed)
    }
}

/// The log of `signineventtypes/any t: t eq 'interactiveuser'`, or of the comparison alone. Nothing else: of a
/// negation it is the other log.
fn event_type(term: &str) -> Option<Category> {
    let comparison = match term.trim().strip_prefix("signineventtypes/any") {
        Some(named) => {
            let (variable, comparison) = named.split_once(':')?;
            let of = comparison.split_whitespace().next();
            Some(comparison).filter(|_| of == Some(variable.trim()))?
        }
        None => term,
    };
    let [_, "eq", name] = comparison.split_whitespace().collect::<Vec<_>>()[..] else { return None };
    Category::from_event_type(name.strip_prefix('\'')?.strip_suffix('\'')?)
}

fn split_and(text: &str) -> impl Iterator<Item = &str> {
    text.split(" and ").map(str::trim)
}

/// The day of `2026-10-01` or `2026-10-01T00:00:00Z`. Of the instant at midnight that a range ends with, the
/// day before is the last whole one, which costs nothing here, as the named days are not included.
fn day_of(time: &str) -> Option<NaiveDate> {
    let time = time.trim_matches('\'').to_ascii_uppercase();
    let at = DateTime::parse_from_rfc3339(&time).map(|time| time.naive_utc().date()).ok();
    at.or_else(|| time.parse().ok()).filter(|day: &NaiveDate| day.checked_add_days(Days::new(1)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(filter: &str) -> Option<String> {
        let filter = DateFilter::parse(filter)?;
        let day = |day: Option<NaiveDate>| day.map_or("-".to_owned(), |day| day.to_string());
        let categories: Vec<&str> = filter.categories.iter().map(|category| category.as_str()).collect();
        Some(
            format!("{} {} {}", day(filter.first), day(filter.last), categories.join(","))
                .trim_end()
                .to_owned(),
        )
    }

    #[test]
    fn a_filter_of_dates_and_event_types_is_understood_and_any_other_is_not() {
        for (filter, expected) in [
            (
                "createdDateTime ge 2026-10-01T00:00:00Z and createdDateTime le 2026-10-31T23:59:59Z",
                Some("2026-10-01 2026-10-31"),
            ),
            (
                "(createdDateTime ge 2026-10-01) and (createdDateTime lt 2026-11-01)",
                Some("2026-10-01 2026-11-01"),
            ),
            (
                "createdDateTime ge 2026-10-01T00:00:00Z and signInEventTypes/any(t: t eq 'nonInteractiveUser')",
                Some("2026-10-01 - non_interactive"),
            ),
            (
                "signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')",
                Some("- - interactive,non_interactive"),
            ),
            ("createdDateTime ge 2026-10-01T00:00:00Z and clientAppUsed eq 'Browser'", None),
            ("userPrincipalName eq 'a@example.com'", None),
            ("createdDateTime ge 2026-10-01\nand\tclientAppUsed eq 'Browser'", None),
            ("signInEventTypes/any(x:x eq 'interactiveUser')", Some("- - interactive")),
            (
                "(signInEventTypes/any(t: t eq 'interactiveUser') or signInEventTypes/any(t: t eq 'nonInteractiveUser'))",
                Some("- - interactive,non_interactive"),
            ),
            ("signInEventTypes/any(t: t ne 'interactiveUser')", None),
            ("signInEventTypes/any(t: not(t eq 'interactiveUser'))", None),
            ("signInEventTypes/any(t: t eq 'somethingNew')", None),
            ("createdDateTime ge 2026-10-01 or createdDateTime le 2026-09-01", None),
        ] {
            assert_eq!(parsed(filter).as_deref(), expected, "{filter}");
        }
    }
}
