//! What the lake has seen of each tenant, gathered from what its sources know: records by day, storage
//! files, stated days. A source that can't be trusted gives no day: one that is torn or mostly rejected, a
//! download through a filter, a content that came as two logs, the day at which an export was cut.
//!
//! `entries` reads rows of `sources`, `tenant` adds them up, `filtered` judges downloads together, `pages`
//! puts the pages of Graph downloads together. Whether what was seen suffices is for `assess` to say.

mod entries;
mod filtered;
mod pages;
mod tenant;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::{Array as _, BooleanArray};
use chrono::{DateTime, Days, NaiveDate, Utc};

use super::Queries;
use super::typed_columns::TypedColumns;
use crate::Result;
use lightsout_model::evidence::TenantEvidence;
use lightsout_model::sign_in::Category;
use pages::Pages;
use tenant::Tenant;

/// The query that gives the sources with what each has seen.
pub(super) const NAME: &str = "source_coverage";

/// A refused file states nothing, and is no log that the lake holds.
pub(super) const SQL: &str = "SELECT source_id, batch_id, path, shape, framing, channel, missing_columns, \
                              page_filter, pages, last_pages, ingested_at, coverage FROM sources \
                              WHERE coalesce(fate, 'ingested') NOT IN ('refused', 'skipped')";

/// Sources whose days prove nothing: torn and incomplete ones, and those of which most records were rejected.
const UNTRUSTED: &str = "SELECT source_id FROM sources GROUP BY source_id \
                         HAVING sum(rejected) * 2 > sum(records) \
                         OR bool_or(coalesce(truncation, '') IN ('torn', 'incomplete'))";

/// Contents that were read as several sources, as only few are.
const COPIES: &str = "SELECT content_id FROM sources WHERE records > 0 \
                      GROUP BY content_id HAVING count(DISTINCT source_id) > 1";

/// Those sources. What differs is the tenant or the category that was given for them.
const COPIED: &str = "SELECT source_id, content_id, batch_id, s.path, shape, framing, channel, missing_columns, \
                      page_filter, pages, last_pages, ingested_at, coverage, \
                      ingested_at < newest_at AS is_replaced FROM sources AS s \
                      JOIN (SELECT path, max(ingested_at) AS newest_at FROM sources WHERE records > 0 \
                      GROUP BY path) AS newest ON s.path = newest.path WHERE records > 0 \
                      AND content_id IN (SELECT content_id FROM sources WHERE records > 0 \
                      GROUP BY content_id HAVING count(DISTINCT source_id) > 1)";

/// Paths that several contents were read from: what grows may be read again from its start.
const REREAD: &str = "SELECT path FROM sources WHERE records > 0 AND prefix_source_id IS NULL GROUP BY path \
                      HAVING count(DISTINCT source_id) > 1";

/// Sources that are only what was appended to another one: the two are one content.
const CONTINUED: &str = "SELECT DISTINCT path, source_id, prefix_source_id FROM sources \
                         WHERE prefix_source_id IS NOT NULL";

/// Days before the window that its rules look back to: habits are counted on eight weeks, and the run of a
/// silence may begin before them.
const HISTORY_DAYS: u64 = 180;

impl Queries {
    /// Coverage alone, one entry per tenant of the lake, sorted by tenant id: what `default_as_of` needs,
    /// and what the evidence of any window starts with.
    pub async fn coverage(&self) -> Result<Vec<TenantEvidence>> {
        let reread = self.texts(REREAD).await?;
        let continued = self.continued(&reread).await?;
        let mut untrusted = self.texts(UNTRUSTED).await?;
        untrusted.extend(self.of_two_logs().await?);
        let mut gathered = Gathered { untrusted, reread, continued, ..Gathered::default() };
        self.each(NAME, SQL, &[], |batch| gathered.add(&TypedColumns { batch, query: NAME })).await?;
        Ok(gathered.finish())
    }

    /// Sources whose content came as another log of the same tenant too: no file is both, and which it is nobody says,
    /// unless something else was read at the path of one since.
    async fn of_two_logs(&self) -> Result<HashSet<String>> {
        type Logs = BTreeSet<(String, Option<Category>)>;
        /// What a source is of, and whether its path holds something else by now.
        type Copied = (Logs, bool);
        if self.texts(COPIES).await?.is_empty() {
            return Ok(HashSet::new());
        }
        let mut contents: HashMap<String, BTreeMap<String, Copied>> = HashMap::new();
        self.each(NAME, COPIED, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let ids = columns.text("content_id")?;
            let replaced =
                batch.column_by_name("is_replaced").and_then(arrow::array::AsArray::as_boolean_opt);
            let is_replaced = |at: usize| {
                replaced.is_some_and(|replaced: &BooleanArray| replaced.is_valid(at) && replaced.value(at))
            };
            for (at, source) in entries::sources(&columns)?.iter().enumerate() {
                let of_content = contents.entry(ids.value(at).to_owned()).or_default();
                let (logs, replaced) = of_content.entry(source.id.to_owned()).or_insert((Logs::new(), true));
                *replaced &= is_replaced(at);
                let with_records = source.entries.iter().filter(|entry| entry.records > 0);
                logs.extend(with_records.map(|entry| (entry.tenant_id.to_owned(), entry.category)));
            }
            Ok(())
        })
        .await?;
        let is_other_log = |one: &Logs, other: &Logs| {
            one.iter().any(|(tenant_id, category)| {
                category.is_some()
                    && !other.contains(&(tenant_id.clone(), *category))
                    && other.iter().any(|(of, as_log)| of == tenant_id && as_log.is_some())
            })
        };
        let mut found = HashSet::new();
        for of_content in contents.values() {
            for (id, (logs, is_replaced)) in of_content {
                let others =
                    of_content.values().filter(|(_, other_is_replaced)| *is_replaced || !other_is_replaced);
                let mut others = others.map(|(other, _)| other);
                if others.any(|other| is_other_log(logs, other) || is_other_log(other, logs)) {
                    found.insert(id.clone());
                }
            }
        }
        Ok(found)
    }

    /// Of sources at some paths, the one that each continues.
    async fn continued(&self, paths: &HashSet<String>) -> Result<HashMap<String, String>> {
        let mut continued = HashMap::new();
        if paths.is_empty() {
            return Ok(continued);
        }
        self.each(NAME, CONTINUED, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let (of, ids, before) =
                (columns.text("path")?, columns.text("source_id")?, columns.text("prefix_source_id")?);
            for row in (0..batch.num_rows()).filter(|row| paths.contains(of.value(*row))) {
                continued.insert(ids.value(row).to_owned(), before.value(row).to_owned());
            }
            Ok(())
        })
        .await?;
        Ok(continued)
    }

    /// The texts of a query's only column.
    async fn texts(&self, sql: &str) -> Result<HashSet<String>> {
        let mut texts = HashSet::new();
        self.each(NAME, sql, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let name = batch.schema().field(0).name().clone();
            texts.extend(columns.text(&name)?.iter().flatten().map(str::to_owned));
            Ok(())
        })
        .await?;
        Ok(texts)
    }
}

/// Leaves out days that no rule of a window looks at.
pub(super) fn trim(tenants: &mut [TenantEvidence], window_first: NaiveDate) {
    let Some(first) = window_first.checked_sub_days(Days::new(HISTORY_DAYS)) else { return };
    for coverage in tenants.iter_mut().flat_map(|tenant| tenant.coverage.values_mut()) {
        coverage.records.start_at(first);
    }
}

/// Numbers for texts that repeat.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    fn of(&mut self, text: &str) -> u32 {
        if let Some(number) = self.0.get(text) {
            return *number;
        }
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(text.to_owned(), number);
        number
    }
}

#[derive(Default)]
struct Gathered {
    untrusted: HashSet<String>,
    reread: HashSet<String>,
    continued: HashMap<String, String>,
    channels: Numbers,
    paths: Numbers,
    contents: Numbers,
    places: HashMap<String, usize>,
    tenants: Vec<Tenant>,
    pages: Pages,
}

impl Gathered {
    /// Where a tenant is kept.
    fn place(&mut self, tenant_id: &str) -> usize {
        if let Some(place) = self.places.get(tenant_id) {
            return *place;
        }
        let place = self.tenants.len();
        self.places.insert(tenant_id.to_owned(), place);
        self.tenants.push(Tenant::new(tenant_id));
        place
    }

    /// The number of the content that a source is a part of.
    fn content(&mut self, source_id: &str) -> u32 {
        let mut first = source_id;
        // Each continues a shorter one; were it not so, it would still end.
        for _ in 0..self.continued.len() {
            match self.continued.get(first) {
                Some(before) => first = before,
                None => break,
            }
        }
        self.contents.of(first)
    }

    fn add(&mut self, columns: &TypedColumns<'_>) -> Result<()> {
        for source in entries::sources(columns)? {
            let is_trusted = !self.untrusted.contains(source.id);
            let channel = self.channels.of(source.channel);
            let reread = self
                .reread
                .contains(source.path)
                .then(|| (self.paths.of(source.path), self.content(source.id)));
            let places: Vec<usize> = source.entries.iter().map(|entry| self.place(entry.tenant_id)).collect();
            if source.pages > 0 {
                self.pages.add(&source, &places, is_trusted);
            }
            for (entry, place) in source.entries.iter().zip(places) {
                self.tenants[place].add(&source, entry, Origin { channel, reread, is_trusted });
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<TenantEvidence> {
        for (place, chain) in self.pages.chains() {
            self.tenants[place].add_chain(&chain);
        }
        let mut tenants: Vec<TenantEvidence> = self.tenants.into_iter().map(Tenant::finish).collect();
        tenants.sort_unstable_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
        tenants
    }
}

/// Where an entry comes from.
#[derive(Debug, Clone, Copy)]
struct Origin {
    channel: u32,
    /// Path and content, where several contents were read from the path.
    reread: Option<(u32, u32)>,
    is_trusted: bool,
}

/// Whether the filter of a download names dates and kinds of events alone, so that nothing else is left out.
pub(super) fn is_date_filter(filter: &str) -> bool {
    pages::is_of_dates(filter)
}

/// The latest of two times.
fn latest(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.max(other)
}
