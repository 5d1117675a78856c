//! Downloads that people make by hand, where a filter may have been set. All of one tenant, category and
//! shape are judged together: if they show one client app alone, no success, one user or one application,
//! over two days and twenty rows or more, their days prove nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::entries::{Entry, Source};
use lightsout_model::coverage::SEVERAL;
use lightsout_model::evidence::{Filter, FilteredExport};

pub(super) const RECORDS_MIN: u64 = 20;
const DAYS_MIN: usize = 2;
const TEXT_CHARACTERS_MAX: usize = 100;

/// The one value of a column, or that there are several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Only {
    #[default]
    Nothing,
    One(String),
    Several,
}

impl Only {
    pub(super) fn see(&mut self, value: Option<&str>) {
        match (value, &*self) {
            (None, _) | (_, Self::Several) => {}
            (Some(SEVERAL), _) => *self = Self::Several,
            (Some(value), Self::Nothing) => *self = Self::One(value.to_owned()),
            (Some(value), Self::One(known)) => {
                if known != value {
                    *self = Self::Several;
                }
            }
        }
    }

    /// Whether there was a value, and every one was empty.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self, Self::One(value) if value.is_empty())
    }

    fn one(&self) -> Option<String> {
        // Cut to what a message can bear; the whole is in the records.
        if let Self::One(value) = self {
            Some(value.chars().take(TEXT_CHARACTERS_MAX).collect())
        } else {
            None
        }
    }
}

/// The downloads of one tenant, category and shape.
#[derive(Debug, Default)]
pub(super) struct Downloads {
    sources: BTreeSet<String>,
    records: u64,
    days: BTreeSet<NaiveDate>,
    client_app: Only,
    user: Only,
    app: Only,
    successes: u64,
    /// Of a page whose links name a filter of more than dates and event types.
    stated: Option<String>,
}

impl Downloads {
    pub(super) fn add(&mut self, source: &Source<'_>, entry: &Entry<'_>) {
        self.sources.insert(source.id.to_owned());
        self.records += entry.records;
        self.days.extend(entry.days.iter().map(|(day, _)| *day));
        self.client_app.see(entry.only_client_app);
        self.user.see(entry.only_user);
        self.app.see(entry.only_app);
        self.successes += entry.successes;
        if let Some(filter) = source.page_filter.filter(|filter| !super::pages::is_of_dates(filter)) {
            self.stated = Some(filter.chars().take(TEXT_CHARACTERS_MAX).collect());
        }
    }

    /// What filter they seem to have gone through, if any.
    pub(super) fn suspected(&self, shape: &str) -> Option<FilteredExport> {
        let filter = self.filter()?;
        let (first_day, last_day) = (*self.days.first()?, *self.days.last()?);
        let sources = self.sources.len() as u64;
        Some(FilteredExport {
            shape: shape.to_owned(),
            filter,
            sources,
            records: self.records,
            first_day,
            last_day,
        })
    }

    fn filter(&self) -> Option<Filter> {
        if let Some(stated) = &self.stated {
            return Some(Filter::Stated(stated.clone()));
        }
        if self.records < RECORDS_MIN || self.days.len() < DAYS_MIN {
            return None;
        }
        let client_app = self.client_app.one().map(Filter::ClientApp);
        let no_success = (self.successes == 0).then_some(Filter::NoSuccess);
        let user = self.user.one().map(|_| Filter::User);
        client_app.or(no_success).or(user).or_else(|| self.app.one().map(Filter::Application))
    }
}

/// By shape.
pub(super) type ByShape<T> = BTreeMap<String, T>;
