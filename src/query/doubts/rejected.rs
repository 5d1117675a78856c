//! Rejected records that may be usage. Where a record does not say when it was, it may be of any time that its
//! file is of, and of a month before and after; where it does not say whose it is, it is of the file's only tenant, else of any that came with
//! it. What a later ingest has whole is no doubt: the same sign-in by its id, or a longer copy of a cut file.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use arrow::array::{Array, StringArray};
use arrow::datatypes::Int64Type;
use chrono::{DateTime, Utc};

use super::super::Queries;
use super::super::typed_columns::TypedColumns;
use super::dismissals::{Dismissals, REJECTED_RECORDS};
use super::owners::{Owners, OwnersRequest, folders};
use super::{Counted, Span, Tenants};
use crate::Result;

const NAME: &str = "rejected_doubts";
/// Rejects of before the column was there may be anything; and what is lost behind the last record of a cut file,
/// that record does not tell.
const REJECTS: &str = "SELECT source_id, path, batch_id, tenant_id, sign_in_id, min(signed_in_at) AS first_at, \
                       max(signed_in_at) AS last_at, min(byte_offset) AS byte_offset, count(*) AS records, \
                       bool_and(reason IN ('broken_off', 'broken_compression')) AS is_end \
                       FROM rejects WHERE coalesce(reads_as, 'unclear') = 'unclear' \
                       OR reads_as = 'modern_client' \
                       AND source_id IN (SELECT source_id FROM sources WHERE truncation IN ('torn', 'incomplete')) \
                       GROUP BY source_id, path, batch_id, tenant_id, sign_in_id, \
                       date_trunc('day', signed_in_at) \
                       ORDER BY source_id, path, batch_id, tenant_id, sign_in_id, first_at";
const SPANS: &str = "SELECT source_id, min(first_signed_in_at) AS first_at, max(last_signed_in_at) AS last_at, \
                     min(ingested_at) AS ingested_at, bool_or(coalesce(truncation, '') IN ('torn', 'incomplete')) AS is_torn \
                     FROM sources GROUP BY source_id";

/// More ids than this are not looked up at once, and are doubts.
const IDS_MAX: usize = 2000;

/// Records of one export hardly lie further apart: Entra ID keeps sign-ins for 30 days.
const EXPORT_DAYS_MAX: i64 = 31;

#[derive(Debug)]
struct Reject {
    source_id: String,
    path: String,
    batch_id: String,
    tenant_id: Option<String>,
    sign_in_id: Option<String>,
    time: Option<(DateTime<Utc>, DateTime<Utc>)>,
    byte_offset: i64,
    records: u64,
    /// It is the place where a file breaks off, and nothing of a record.
    is_end: bool,
}

/// What is known of the source of a reject.
#[derive(Debug, Default, Clone, Copy)]
struct Facts {
    time: Option<(DateTime<Utc>, DateTime<Utc>)>,
    ingested_at: Option<DateTime<Utc>>,
    is_torn: bool,
}

/// By tenant and id, the times of sign-ins.
type Whole = HashMap<(String, String), Vec<DateTime<Utc>>>;

/// A record's place in its file.
#[derive(Debug, Clone)]
struct Place {
    source_id: String,
    sign_in_id: String,
    offset: i64,
    at: Option<DateTime<Utc>>,
}

const PLACE: &str = "source_id, sign_in_id, source_offset, signed_in_at";

/// What longer copies of a cut file have where it was cut.
#[derive(Debug)]
struct Copies {
    /// The place of the last record that the cut file has whole.
    until: i64,
    /// The records of the copies, by place: id and time.
    records: HashMap<i64, Vec<(String, DateTime<Utc>)>>,
}

impl Copies {
    /// Whether a copy has what the reject is a part of.
    fn hold(&self, reject: &Reject) -> bool {
        // What the reject does not tell can't differ; that nothing is at its place does. Of a place where a file
        // breaks off there is nothing to compare: the copy goes on.
        let is_it = |(id, at): &(String, DateTime<Utc>)| match &reject.sign_in_id {
            Some(of) => of == id && reject.is_of(*at),
            None => reject.may_tell_of(*at),
        };
        reject.byte_offset > self.until
            && (reject.is_end
                || self.records.get(&reject.byte_offset).is_some_and(|there| there.iter().any(is_it)))
    }
}

impl Reject {
    /// Whether a reject that was cut before its id may be a sign-in of then: a log names the time at which it wrote the
    /// record first, which may be some hours later.
    fn may_tell_of(&self, at: DateTime<Utc>) -> bool {
        let (delay, near) = (chrono::TimeDelta::days(1), chrono::TimeDelta::seconds(1));
        self.time.is_none_or(|(first, last)| at >= first - delay && at <= last + near)
    }

    /// Whether the reject may be the sign-in of its id that happened then.
    fn is_of(&self, at: DateTime<Utc>) -> bool {
        let near = chrono::TimeDelta::seconds(1);
        self.time.is_none_or(|(first, last)| at >= first - near && at <= last + near)
    }
}

impl Span {
    fn meets(self, (first, last): (DateTime<Utc>, DateTime<Utc>)) -> bool {
        first < self.end && last >= self.start
    }
}

impl Queries {
    pub(super) async fn add_rejected(
        &self,
        tenants: &mut Tenants,
        span: Span,
        dismissals: &Dismissals,
    ) -> Result<()> {
        let mut rejects = self.rejects().await?;
        if rejects.is_empty() {
            return Ok(());
        }
        let facts = self.facts_of(&rejects).await?;
        let of = |reject: &Reject| facts.get(&reject.source_id).copied().unwrap_or_default();
        rejects.retain(|reject| match (reject.time, of(reject).time) {
            (Some(time), _) => span.meets(time),
            (None, Some(of_file)) => span.meets(widened(of_file)),
            // A source without a row has no time at all.
            (None, None) => true,
        });
        let request = OwnersRequest {
            sources: rejects.iter().map(|reject| reject.source_id.clone()).collect(),
            batches: rejects.iter().map(|reject| reject.batch_id.clone()).collect(),
            folders: rejects.iter().flat_map(|reject| folders(&reject.path)).map(str::to_owned).collect(),
        };
        let owners = self.owners(&request).await?;
        let whole = self.whole_sign_ins(&rejects).await?;
        let longer = self.longer_copies(&rejects, &facts).await?;
        let mut found: BTreeMap<&str, Counted> = BTreeMap::new();
        for reject in &rejects {
            if longer.get(&reject.source_id).is_some_and(|copies| copies.hold(reject)) {
                continue;
            }
            for tenant_id in tenants_of(reject, &owners) {
                let is_whole = reject
                    .sign_in_id
                    .as_deref()
                    .and_then(|id| whole.get(&(tenant_id.to_owned(), id.to_owned())))
                    .is_some_and(|times| times.iter().any(|at| reject.is_of(*at)));
                let ingested_at = of(reject).ingested_at;
                if !is_whole && !dismissals.cover(tenant_id, REJECTED_RECORDS, &reject.path, ingested_at) {
                    found.entry(tenant_id).or_default().add(reject.records, &reject.path);
                }
            }
        }
        for (tenant_id, counted) in found {
            if let Some(tenant) = tenants.get_mut(tenant_id) {
                tenant.rejected.records = counted.count;
                tenant.rejected.paths = counted.into_paths();
            }
        }
        Ok(())
    }

    async fn rejects(&self) -> Result<Vec<Reject>> {
        let mut rejects = Vec::new();
        self.each(NAME, REJECTS, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let (ids, paths, batches) =
                (columns.text("source_id")?, columns.text("path")?, columns.text("batch_id")?);
            let (tenants, sign_ins) = (columns.text("tenant_id")?, columns.text("sign_in_id")?);
            let (first, last) = (columns.times("first_at")?, columns.times("last_at")?);
            let (offsets, records) =
                (columns.primitive::<Int64Type>("byte_offset")?, columns.counts("records")?);
            let ends = batch.column_by_name("is_end").and_then(arrow::array::AsArray::as_boolean_opt);
            let text =
                |column: &StringArray, at: usize| column.is_valid(at).then(|| column.value(at).to_owned());
            for at in 0..batch.num_rows() {
                rejects.push(Reject {
                    source_id: ids.value(at).to_owned(),
                    path: paths.value(at).to_owned(),
                    batch_id: batches.value(at).to_owned(),
                    tenant_id: text(tenants, at),
                    sign_in_id: text(sign_ins, at),
                    time: first(at).zip(last(at)),
                    byte_offset: offsets.value(at),
                    records: records(at),
                    is_end: ends.is_some_and(|ends: &arrow::array::BooleanArray| ends.value(at)),
                });
            }
            Ok(())
        })
        .await?;
        Ok(rejects)
    }

    async fn facts_of(&self, rejects: &[Reject]) -> Result<HashMap<String, Facts>> {
        let wanted: HashSet<&str> = rejects.iter().map(|reject| reject.source_id.as_str()).collect();
        let mut facts = HashMap::new();
        self.each(NAME, SPANS, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let ids = columns.text("source_id")?;
            let (first, last) = (columns.times("first_at")?, columns.times("last_at")?);
            let ingested_at = columns.times("ingested_at")?;
            let torn = batch.column_by_name("is_torn").and_then(arrow::array::AsArray::as_boolean_opt);
            for at in (0..batch.num_rows()).filter(|at| wanted.contains(ids.value(*at))) {
                let known = Facts {
                    time: first(at).zip(last(at)),
                    ingested_at: ingested_at(at),
                    is_torn: torn.is_some_and(|torn: &arrow::array::BooleanArray| torn.value(at)),
                };
                facts.insert(ids.value(at).to_owned(), known);
            }
            Ok(())
        })
        .await?;
        Ok(facts)
    }

    /// Of the sign-ins that rejects name, those that the lake has whole, by tenant and id, with their times.
    async fn whole_sign_ins(&self, rejects: &[Reject]) -> Result<Whole> {
        let named: Vec<&Reject> = rejects.iter().filter(|reject| reject.sign_in_id.is_some()).collect();
        let ids: HashSet<&str> = named.iter().filter_map(|reject| reject.sign_in_id.as_deref()).collect();
        let Some(list) = list_of(&ids) else { return Ok(Whole::new()) };
        let sql = format!(
            "SELECT DISTINCT tenant_id, sign_in_id, signed_in_at FROM sign_in_records WHERE sign_in_id IN ({list})"
        );
        let mut whole = Whole::new();
        self.each(NAME, &sql, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let (tenants, ids) = (columns.text("tenant_id")?, columns.text("sign_in_id")?);
            let times = columns.times("signed_in_at")?;
            for at in 0..batch.num_rows() {
                let key = (tenants.value(at).to_owned(), ids.value(at).to_owned());
                whole.entry(key).or_default().extend(times(at));
            }
            Ok(())
        })
        .await?;
        Ok(whole)
    }

    /// Of cut files of which the lake has a longer copy: the place of their last record. The copy has the
    /// same sign-in at that place, and goes on.
    async fn longer_copies(
        &self,
        rejects: &[Reject],
        facts: &HashMap<String, Facts>,
    ) -> Result<HashMap<String, Copies>> {
        let torn = |reject: &&Reject| facts.get(&reject.source_id).is_some_and(|facts| facts.is_torn);
        let torn: HashSet<&str> =
            rejects.iter().filter(torn).map(|reject| reject.source_id.as_str()).collect();
        let Some(list) = list_of(&torn) else { return Ok(HashMap::new()) };
        let last_records = format!(
            "SELECT {PLACE} FROM (SELECT {PLACE}, \
             row_number() OVER (PARTITION BY source_id ORDER BY source_offset DESC) AS place \
             FROM sign_in_records WHERE source_id IN ({list})) AS ranked WHERE place = 1"
        );
        let anchors = self.places(&last_records).await?;
        let ids: HashSet<&str> = anchors.iter().map(|anchor| anchor.sign_in_id.as_str()).collect();
        let Some(list) = list_of(&ids) else { return Ok(HashMap::new()) };
        let same_records = format!("SELECT {PLACE} FROM sign_in_records WHERE sign_in_id IN ({list})");
        let same = self.places(&same_records).await?;
        let copies = |anchor: &Place| {
            let anchor = anchor.clone();
            same.iter()
                .filter(move |place| {
                    place.source_id != anchor.source_id
                        && place.sign_in_id == anchor.sign_in_id
                        && place.offset == anchor.offset
                })
                .map(|place| place.source_id.as_str())
        };
        let candidates: HashSet<&str> = anchors.iter().flat_map(copies).collect();
        let Some(list) = list_of(&candidates) else { return Ok(HashMap::new()) };
        let ends = format!(
            "SELECT source_id, '' AS sign_in_id, max(source_offset) AS source_offset, \
             max(signed_in_at) AS signed_in_at FROM sign_in_records \
             WHERE source_id IN ({list}) GROUP BY source_id"
        );
        let ends: HashMap<String, i64> =
            self.places(&ends).await?.into_iter().map(|place| (place.source_id, place.offset)).collect();
        let offsets: BTreeSet<i64> = rejects
            .iter()
            .filter(|reject| torn.contains(reject.source_id.as_str()))
            .map(|reject| reject.byte_offset)
            .collect();
        let offsets: Vec<String> = offsets.into_iter().map(|offset| offset.to_string()).collect();
        let same_places = format!(
            "SELECT {PLACE} FROM sign_in_records WHERE source_id IN ({list}) AND source_offset IN ({})",
            offsets.join(", ")
        );
        let same_places = self.places(&same_places).await?;
        let mut found = HashMap::new();
        for anchor in &anchors {
            let goes_on = |copy: &&str| ends.get(*copy).is_some_and(|end| *end > anchor.offset);
            let of: HashSet<&str> = copies(anchor).filter(goes_on).collect();
            if !of.is_empty() {
                let mut records: HashMap<i64, Vec<(String, DateTime<Utc>)>> = HashMap::new();
                for place in same_places.iter().filter(|place| of.contains(place.source_id.as_str())) {
                    let record = place.at.map(|at| (place.sign_in_id.clone(), at));
                    records.entry(place.offset).or_default().extend(record);
                }
                found.insert(anchor.source_id.clone(), Copies { until: anchor.offset, records });
            }
        }
        Ok(found)
    }

    async fn places(&self, sql: &str) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        self.each(NAME, sql, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let (sources, ids) = (columns.text("source_id")?, columns.text("sign_in_id")?);
            let offsets = columns.primitive::<Int64Type>("source_offset")?;
            let times = columns.times("signed_in_at")?;
            for row in 0..batch.num_rows() {
                places.push(Place {
                    source_id: sources.value(row).to_owned(),
                    sign_in_id: ids.value(row).to_owned(),
                    offset: offsets.value(row),
                    at: times(row),
                });
            }
            Ok(())
        })
        .await?;
        Ok(places)
    }
}

/// The time of which a record may be that does not say it itself, by the other records of its file. They are only
/// those that were read: what else was exported with it may be lost.
fn widened((first, last): (DateTime<Utc>, DateTime<Utc>)) -> (DateTime<Utc>, DateTime<Utc>) {
    let days = chrono::TimeDelta::days(EXPORT_DAYS_MAX);
    (first.checked_sub_signed(days).unwrap_or(first), last.checked_add_signed(days).unwrap_or(last))
}

/// The tenants that a reject may be of.
fn tenants_of<'a>(reject: &'a Reject, owners: &'a Owners) -> Vec<&'a str> {
    if let Some(tenant_id) = reject.tenant_id.as_ref().or_else(|| owners.of_source(&reject.source_id)) {
        return vec![tenant_id];
    }
    let mut of: Vec<&str> = owners.of_batch(&reject.batch_id).map(String::as_str).collect();
    for folder in folders(&reject.path) {
        if of.is_empty() {
            of.extend(owners.of_folder(folder).map(String::as_str));
        }
    }
    of
}

/// Ids as SQL has them in a list; `None` if there are none, or too many. Those that could be anything else
/// than an id are left out: they come from logs. So are those that stand for any id.
fn list_of(ids: &HashSet<&str>) -> Option<String> {
    const FOR_ANY: [&str; 7] = ["anonymized", "null", "none", "n/a", "unknown", "undefined", "redacted"];
    let is_plain = |id: &str| {
        id.bytes().any(|byte| !matches!(byte, b'0' | b'-' | b'_' | b'.'))
            && !FOR_ANY.iter().any(|word| id.eq_ignore_ascii_case(word))
            && (1..=100).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.'))
    };
    let mut plain: Vec<&str> = ids.iter().copied().filter(|id| is_plain(id)).collect();
    plain.sort_unstable();
    if plain.is_empty() || plain.len() > IDS_MAX {
        return None;
    }
    let mut list = String::new();
    for (at, id) in plain.into_iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        // Writing to text does not fail.
        let _ = write!(list, "{comma}'{id}'");
    }
    Some(list)
}
