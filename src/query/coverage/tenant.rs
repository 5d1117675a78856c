//! What was seen of one tenant, added up. Files of one channel are parts of a log, so their records of a day
//! are added; several channels carry the same log, so of them the one with most counts. Of a path that was
//! read again, grown, the largest content counts.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};

use super::entries::{Entry, Source};
use super::filtered::{ByShape, Downloads, Only, RECORDS_MIN};
use super::pages::Chain;
use super::{Origin, latest};
use lightsout_model::coverage::Basis;
use lightsout_model::evidence::{CategoryCoverage, DailyCounts, DayRange, TenantEvidence, merge_days};
use lightsout_model::sign_in::Category;

#[derive(Debug)]
pub(super) struct Tenant {
    id: String,
    records: u64,
    categories: BTreeMap<Category, Seen>,
    /// The oldest day with records of the downloads of one folder and range of dates.
    pulls: HashMap<(String, NaiveDate), Option<NaiveDate>>,
}

/// What was seen of one category.
#[derive(Debug, Default)]
struct Seen {
    trusted: Channels,
    /// Downloads by hand that are not judged yet, by shape.
    downloads: ByShape<(Downloads, Channels)>,
    covers: Vec<DayRange>,
    incomplete: Vec<DayRange>,
    missing_columns: Vec<String>,
    incomplete_latest_at: Option<DateTime<Utc>>,
    unfinished: Vec<NaiveDate>,
}

impl Seen {
    /// Takes what the continuous sources have seen for files that lack the column of the client app.
    fn forget_as_incomplete(&mut self) {
        for channel in std::mem::take(&mut self.trusted).by_channel.into_values() {
            let days = channel.counts().into_keys().map(|day| DayRange { first: day, last: day });
            self.incomplete.extend(days.chain(channel.storage));
            self.incomplete_latest_at = latest(self.incomplete_latest_at, channel.latest_at);
        }
        if !self.missing_columns.iter().any(|known| known == CLIENT_APP) {
            self.missing_columns.push(CLIENT_APP.to_owned());
        }
    }
}

/// The column of the client app, as ingest names it among those that a source lacks.
const CLIENT_APP: &str = "client_app";

/// What channels have seen.
#[derive(Debug, Default)]
struct Channels {
    by_channel: HashMap<u32, Channel>,
    /// Ranges that the sources state themselves.
    stated: Vec<DayRange>,
    /// Those that are not to begin before the oldest record of their pull.
    by_name: Vec<((String, NaiveDate), DayRange)>,
    client_app: Only,
    records: u64,
}

#[derive(Debug, Default)]
struct Channel {
    days: BTreeMap<NaiveDate, u32>,
    /// Of paths that were read again, by path, day and content.
    reread: BTreeMap<(u32, NaiveDate, u32), u32>,
    storage: Vec<DayRange>,
    latest_at: Option<DateTime<Utc>>,
}

impl Channel {
    fn counts(&self) -> BTreeMap<NaiveDate, u32> {
        let mut days = self.days.clone();
        let mut largest: BTreeMap<(u32, NaiveDate), u32> = BTreeMap::new();
        for ((path, day, _), records) in &self.reread {
            let count = largest.entry((*path, *day)).or_default();
            *count = (*count).max(*records);
        }
        for ((_, day), records) in largest {
            let count = days.entry(day).or_default();
            *count = count.saturating_add(records);
        }
        days
    }
}

impl Channels {
    fn add(&mut self, entry: &Entry<'_>, origin: Origin) {
        let channel = self.by_channel.entry(origin.channel).or_default();
        for (day, records) in &entry.days {
            let count = match origin.reread {
                Some((path, content)) => channel.reread.entry((path, *day, content)).or_default(),
                None => channel.days.entry(*day).or_default(),
            };
            *count = count.saturating_add(*records);
        }
        if let Some(hour) = entry.storage_hour {
            let day = hour.date_naive();
            channel.storage.push(DayRange { first: day, last: day });
            // Thousands of hours are a few runs of days.
            if channel.storage.len() > 256 {
                channel.storage = merge_days(std::mem::take(&mut channel.storage));
            }
        }
        channel.latest_at = latest(channel.latest_at, entry.latest_at);
        self.client_app.see(entry.only_client_app);
        self.records += entry.records;
    }

    /// Whether no record of many names a client app: then the column is there and says nothing.
    fn lack_clients(&self) -> bool {
        self.client_app.is_blank() && self.records >= RECORDS_MIN
    }

    fn absorb(&mut self, other: Self) {
        for (number, channel) in other.by_channel {
            let mine = self.by_channel.entry(number).or_default();
            for (day, records) in channel.days {
                let count = mine.days.entry(day).or_default();
                *count = count.saturating_add(records);
            }
            mine.reread.extend(channel.reread);
            mine.storage.extend(channel.storage);
            mine.latest_at = latest(mine.latest_at, channel.latest_at);
        }
        self.stated.extend(other.stated);
        self.by_name.extend(other.by_name);
    }
}

impl Tenant {
    pub(super) fn new(tenant_id: &str) -> Self {
        Self { id: tenant_id.to_owned(), records: 0, categories: BTreeMap::new(), pulls: HashMap::new() }
    }

    pub(super) fn add(&mut self, source: &Source<'_>, entry: &Entry<'_>, origin: Origin) {
        self.records += entry.records;
        for (range, basis) in &entry.stated {
            if *basis == Basis::FileName {
                let oldest = entry.days.iter().map(|(day, _)| *day).min();
                let known = self.pulls.entry((source.folder().to_owned(), range.first)).or_default();
                *known = known.iter().copied().chain(oldest).min();
            }
        }
        let Some(category) = entry.category.filter(|category| category.is_user()) else { return };
        let seen = self.categories.entry(category).or_default();
        // What a person states of an input holds whatever the input is.
        let covers =
            entry.stated.iter().filter(|(_, basis)| *basis == Basis::Covers).map(|(range, _)| *range);
        if let Some(missing) = source.missing_columns {
            // A range stated for a file that lacks a column proves as little as the file.
            seen.incomplete.extend(covers);
            seen.incomplete.extend(entry.days.iter().map(|(day, _)| DayRange { first: *day, last: *day }));
            seen.incomplete = merge_days(std::mem::take(&mut seen.incomplete));
            seen.incomplete_latest_at = latest(seen.incomplete_latest_at, entry.latest_at);
            for column in missing.split(';') {
                if !seen.missing_columns.iter().any(|known| known == column) {
                    seen.missing_columns.push(column.to_owned());
                }
            }
            return;
        }
        seen.covers.extend(covers);
        if !origin.is_trusted {
            return;
        }
        let channels = if source.is_by_hand {
            let (downloads, channels) = seen.downloads.entry(source.shape.to_owned()).or_default();
            downloads.add(source, entry);
            channels
        } else {
            &mut seen.trusted
        };
        channels.add(entry, origin);
        for (range, basis) in &entry.stated {
            match basis {
                Basis::Covers => {}
                Basis::FileName => {
                    channels.by_name.push(((source.folder().to_owned(), range.first), *range));
                }
                Basis::CutOff => channels.stated.push(*range),
            }
        }
    }

    /// What the pages of a folder say together.
    pub(super) fn add_chain(&mut self, chain: &Chain) {
        for category in chain.categories.iter().filter(|category| category.is_user()) {
            let seen = self.categories.entry(*category).or_default();
            seen.trusted.stated.extend(chain.stated);
            seen.unfinished.extend(chain.unfinished);
        }
    }

    pub(super) fn finish(self) -> TenantEvidence {
        let mut evidence =
            TenantEvidence { tenant_id: self.id, records: self.records, ..TenantEvidence::default() };
        let mut channels: BTreeMap<Category, Channels> = BTreeMap::new();
        for (category, mut seen) in self.categories {
            let mut coverage = CategoryCoverage::default();
            if seen.trusted.lack_clients() {
                seen.forget_as_incomplete();
            }
            for (shape, (downloads, of_downloads)) in std::mem::take(&mut seen.downloads) {
                match downloads.suspected(&shape) {
                    Some(filtered) => coverage.filtered.push(filtered),
                    None => seen.trusted.absorb(of_downloads),
                }
            }
            // A download can't speak for days that the service no longer had: those before the oldest record.
            let by_name = seen.trusted.by_name.iter().filter_map(|(pull, range)| {
                let oldest = self.pulls.get(pull).copied().flatten()?;
                Some(DayRange { first: range.first.max(oldest), last: range.last })
            });
            let by_files = by_name.chain(seen.trusted.stated.iter().copied());
            coverage.stated_by_files = merge_days(by_files.collect());
            coverage.stated = merge_days(seen.covers);
            coverage.incomplete = merge_days(seen.incomplete);
            seen.missing_columns.sort_unstable();
            coverage.missing_columns = seen.missing_columns;
            coverage.incomplete_latest_at = seen.incomplete_latest_at;
            let counts = seen.trusted.by_channel.values().flat_map(Channel::counts);
            coverage.records = DailyCounts::of(counts.filter(|(day, _)| !seen.unfinished.contains(day)));
            let storage =
                seen.trusted.by_channel.values().flat_map(|channel| channel.storage.iter().copied());
            coverage.storage = merge_days(storage.collect());
            let first_record = coverage.records.days().next().map(|(day, _)| day);
            let first_storage = coverage.storage.first().map(|days| days.first);
            coverage.first_seen = first_record.into_iter().chain(first_storage).min();
            coverage.latest_at =
                seen.trusted.by_channel.values().map(|channel| channel.latest_at).max().flatten();
            evidence.coverage.insert(category, coverage);
            channels.insert(category, seen.trusted);
        }
        add_sibling(&mut evidence, &channels);
        evidence
    }
}

/// Where both logs come by one channel, the non-interactive one shows that the channel was there.
fn add_sibling(evidence: &mut TenantEvidence, channels: &BTreeMap<Category, Channels>) {
    let (Some(interactive), Some(other)) =
        (channels.get(&Category::Interactive), channels.get(&Category::NonInteractive))
    else {
        return;
    };
    let mut days = Vec::new();
    let mut latest_at = None;
    for (number, channel) in &other.by_channel {
        let carries_both = interactive.by_channel.get(number).is_some_and(|channel| {
            !channel.days.is_empty() || !channel.reread.is_empty() || !channel.storage.is_empty()
        });
        if carries_both {
            days.extend(channel.counts().keys().map(|day| DayRange { first: *day, last: *day }));
            days.extend(channel.storage.iter().copied());
            latest_at = latest(latest_at, channel.latest_at);
        }
    }
    if let Some(coverage) = evidence.coverage.get_mut(&Category::Interactive) {
        coverage.sibling = merge_days(days);
        coverage.sibling_latest_at = latest_at;
    }
}
