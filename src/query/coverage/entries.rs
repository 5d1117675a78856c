//! Rows of `sources`, with the nested lists of what each has seen.

use arrow::array::{Array, AsArray, ListArray, StringArray, StructArray};
use arrow::datatypes::{ArrowPrimitiveType, Date32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate, Utc};

use super::super::typed_columns::TypedColumns;
use crate::{Error, Result};
use lightsout_model::coverage::Basis;
use lightsout_model::evidence::DayRange;
use lightsout_model::sign_in::Category;

/// One row of `sources`.
pub(super) struct Source<'a> {
    pub(super) id: &'a str,
    pub(super) path: &'a str,
    pub(super) shape: &'a str,
    pub(super) channel: &'a str,
    /// Joined with semicolons.
    pub(super) missing_columns: Option<&'a str>,
    /// It may have been downloaded through a filter.
    pub(super) is_by_hand: bool,
    pub(super) page_filter: Option<&'a str>,
    pub(super) pages: u64,
    pub(super) last_pages: u64,
    pub(super) ingested_at: Option<DateTime<Utc>>,
    pub(super) entries: Vec<Entry<'a>>,
}

impl Source<'_> {
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder)
    }
}

/// What a source shows of one tenant and category.
pub(super) struct Entry<'a> {
    pub(super) tenant_id: &'a str,
    /// `None` where it is not known.
    pub(super) category: Option<Category>,
    pub(super) records: u64,
    pub(super) latest_at: Option<DateTime<Utc>>,
    pub(super) storage_hour: Option<DateTime<Utc>>,
    pub(super) days: Vec<(NaiveDate, u32)>,
    pub(super) stated: Vec<(DayRange, Basis)>,
    pub(super) only_client_app: Option<&'a str>,
    pub(super) only_user: Option<&'a str>,
    pub(super) only_app: Option<&'a str>,
    pub(super) successes: u64,
}

fn wrong(what: &str) -> Error {
    let text = format!("sources: {what} is not as ingest writes it");
    Error::Arrow { what: "reading evidence", source: ArrowError::SchemaError(text) }
}

/// The members of a nested list's structs.
struct Members<'a> {
    list: &'a ListArray,
    structs: &'a StructArray,
}

impl<'a> Members<'a> {
    fn of(list: &'a dyn Array, name: &str) -> Result<Self> {
        let list = list.as_list_opt::<i32>().ok_or_else(|| wrong(name))?;
        let structs = list.values().as_struct_opt().ok_or_else(|| wrong(name))?;
        Ok(Self { list, structs })
    }

    fn column(&self, name: &str) -> Result<&'a dyn Array> {
        self.structs.column_by_name(name).map(AsRef::as_ref).ok_or_else(|| wrong(name))
    }

    fn text(&self, name: &str) -> Result<&'a StringArray> {
        self.column(name)?.as_string_opt().ok_or_else(|| wrong(name))
    }

    fn values<T: ArrowPrimitiveType>(
        &self,
        name: &str,
    ) -> Result<impl Fn(usize) -> Option<T::Native> + use<'a, T>> {
        let column = self.column(name)?.as_primitive_opt::<T>().ok_or_else(|| wrong(name))?;
        Ok(move |at| column.is_valid(at).then(|| column.value(at)))
    }

    /// The places of the members of one list.
    fn range(&self, at: usize) -> std::ops::Range<usize> {
        if self.list.is_null(at) {
            return 0..0;
        }
        let offsets = self.list.value_offsets();
        let place = |offset: i32| usize::try_from(offset).unwrap_or(0);
        place(offsets[at])..place(offsets[at + 1])
    }
}

fn some(column: &StringArray, at: usize) -> Option<&str> {
    column.is_valid(at).then(|| column.value(at))
}

fn count(number: Option<i64>) -> u64 {
    number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}

fn word<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(|_| wrong(what))
}

/// The rows of a batch.
pub(super) fn sources<'a>(columns: &TypedColumns<'a>) -> Result<Vec<Source<'a>>> {
    let text = |name| columns.text(name);
    let (ids, paths, shapes, framings) =
        (text("source_id")?, text("path")?, text("shape")?, text("framing")?);
    let (channels, missing, filters) = (text("channel")?, text("missing_columns")?, text("page_filter")?);
    let (pages, last_pages) = (columns.counts("pages")?, columns.counts("last_pages")?);
    let ingested_at = columns.times("ingested_at")?;
    let coverage = columns.batch.column_by_name("coverage").ok_or_else(|| wrong("coverage"))?;
    let coverage = Coverage::of(coverage)?;
    (0..columns.batch.num_rows())
        .map(|at| {
            let shape = some(shapes, at).unwrap_or_default();
            Ok(Source {
                id: ids.value(at),
                path: some(paths, at).unwrap_or_default(),
                shape,
                channel: some(channels, at).unwrap_or_default(),
                missing_columns: some(missing, at),
                is_by_hand: lightsout_formats::is_downloaded_by_hand(shape, some(framings, at)),
                page_filter: some(filters, at),
                pages: pages(at),
                last_pages: last_pages(at),
                ingested_at: ingested_at(at),
                entries: coverage.entries(at)?,
            })
        })
        .collect()
}

/// The nested columns of `sources.coverage`.
struct Coverage<'a> {
    entries: Members<'a>,
    days: Members<'a>,
    stated: Members<'a>,
}

impl<'a> Coverage<'a> {
    fn of(column: &'a dyn Array) -> Result<Self> {
        let entries = Members::of(column, "coverage")?;
        let days = Members::of(entries.column("days")?, "days")?;
        let stated = Members::of(entries.column("stated")?, "stated")?;
        Ok(Self { entries, days, stated })
    }

    fn entries(&self, row: usize) -> Result<Vec<Entry<'a>>> {
        let time = |micros: Option<i64>| micros.and_then(DateTime::from_timestamp_micros);
        let (tenants, categories) = (self.entries.text("tenant_id")?, self.entries.text("category")?);
        let records = self.entries.values::<Int64Type>("records")?;
        let successes = self.entries.values::<Int64Type>("successes")?;
        let latest_at = self.entries.values::<TimestampMicrosecondType>("latest_at")?;
        let storage_hour = self.entries.values::<TimestampMicrosecondType>("storage_hour")?;
        let client_apps = self.entries.text("only_client_app")?;
        let (users, apps) = (self.entries.text("only_user")?, self.entries.text("only_app")?);
        self.entries
            .range(row)
            .map(|at| {
                Ok(Entry {
                    tenant_id: tenants.value(at),
                    category: some(categories, at).map(|text| word(text, "category")).transpose()?,
                    records: count(records(at)),
                    latest_at: time(latest_at(at)),
                    storage_hour: time(storage_hour(at)),
                    days: self.days_of(at)?,
                    stated: self.stated_of(at)?,
                    only_client_app: some(client_apps, at),
                    only_user: some(users, at),
                    only_app: some(apps, at),
                    successes: count(successes(at)),
                })
            })
            .collect()
    }

    fn days_of(&self, entry: usize) -> Result<Vec<(NaiveDate, u32)>> {
        let days = self.days.values::<Date32Type>("day")?;
        let records = self.days.values::<Int64Type>("records")?;
        let counted = |at| {
            let day = NaiveDate::from_epoch_days(days(at)?)?;
            Some((day, u32::try_from(count(records(at))).unwrap_or(u32::MAX)))
        };
        Ok(self.days.range(entry).filter_map(counted).collect())
    }

    fn stated_of(&self, entry: usize) -> Result<Vec<(DayRange, Basis)>> {
        let (first, last) =
            (self.stated.values::<Date32Type>("first_day")?, self.stated.values::<Date32Type>("last_day")?);
        let bases = self.stated.text("basis")?;
        let date =
            |days: Option<i32>| days.and_then(NaiveDate::from_epoch_days).ok_or_else(|| wrong("stated"));
        self.stated
            .range(entry)
            .map(|at| {
                let range = DayRange { first: date(first(at))?, last: date(last(at))? };
                Ok((range, word(bases.value(at), "basis")?))
            })
            .collect()
    }
}
