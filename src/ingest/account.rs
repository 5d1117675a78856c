//! The account of one source: how many records became what, which days it covers for whom, and
//! which columns it lacks. Chunks are counted apart and merged, so the order of parsing is nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::accept::Accepted;
use super::days::{date, day_of, hour_of};
use super::dictionary::Dictionary;
use lightsout_formats::classify::{is_known_code, outcome_of};
use lightsout_model::coverage::{Basis, SEVERAL};
use lightsout_model::sign_in::{Category, Outcome, RawSignIn};

/// Counts of one source, or of one chunk of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    pub content_bytes: u64,
    pub records: u64,
    /// Sign-ins that were read; of `counted` no row is kept.
    pub sign_ins: u64,
    pub counted: u64,
    pub not_sign_ins: u64,
    pub rejected: BTreeMap<&'static str, u64>,
    pub first_at: Option<i64>,
    pub last_at: Option<i64>,
    pub order: Order,
    /// The time of the row before, within one chunk.
    pub previous_at: Option<i64>,
    /// Of user sign-ins only: the service's own records never have the members.
    pub user_rows: u64,
    pub with_client_app: u64,
    pub with_result: u64,
    /// Rows of which nobody says the category.
    pub uncategorised: u64,
    /// Rows whose status a program has written as "[object Object]".
    pub object_cells: u64,
    /// Result codes that the table of outcomes does not have.
    pub unknown_codes: BTreeMap<i64, u64>,
    pub days: HashMap<(String, Option<Category>), Seen>,
}

/// Who was seen when in the part of a source that one thread reads: tenants by number.
pub(super) type Days = HashMap<(u32, Option<Category>), Seen, foldhash::fast::RandomState>;

/// Records of a day, and the hours that they are of, as bits.
#[derive(Debug, Clone, Copy, Default)]
struct DayCount {
    records: u64,
    hours: u32,
}

/// What a tenant and category show in a source.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// By days since 1970.
    days: BTreeMap<i32, DayCount>,
    /// The day of the last record, and those in a row that were of it, not in `days` yet.
    last: (i32, DayCount),
    /// Latest time that is not after the ingest's clock.
    latest_at: Option<i64>,
    shown: Shown,
}

/// Whether sign-ins show one value of a column or several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Only<T> {
    #[default]
    Nothing,
    One(T),
    Several,
}

impl<T: PartialEq> Only<T> {
    fn see(&mut self, is_same: impl FnOnce(&T) -> bool, value: impl FnOnce() -> T) {
        match self {
            Self::Several => {}
            Self::Nothing => *self = Self::One(value()),
            Self::One(known) => {
                if !is_same(known) {
                    *self = Self::Several;
                }
            }
        }
    }

    fn merge(&mut self, other: Self) {
        match other {
            Self::Nothing => {}
            Self::Several => *self = Self::Several,
            Self::One(value) => match self {
                Self::Nothing => *self = Self::One(value),
                Self::One(known) if *known == value => {}
                _ => *self = Self::Several,
            },
        }
    }

    fn told(&self, text: impl FnOnce(&T) -> String) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::One(value) => Some(text(value)),
            Self::Several => Some(SEVERAL.to_owned()),
        }
    }
}

/// What user sign-ins have in common: an export through a filter shows one client app, one user, or no success.
#[derive(Debug, Clone, Default)]
struct Shown {
    client_app: Only<String>,
    outcome: Only<Outcome>,
    /// By hash: `sources` holds no persons.
    user: Only<u64>,
    app: Only<String>,
    successes: u64,
}

impl Shown {
    fn see(&mut self, raw: &RawSignIn<'_>) {
        let outcome = outcome_of(raw);
        self.successes += u64::from(outcome == Outcome::Success);
        self.outcome.see(|known| *known == outcome, || outcome);
        let client_app = raw.client_app.as_deref().unwrap_or_default();
        self.client_app.see(|known| known == client_app, || client_app.to_owned());
        if self.user != Only::Several {
            let user = raw.user_id.as_deref().or(raw.user_principal_name.as_deref()).unwrap_or_default();
            let hash = user_hash(user);
            self.user.see(|known| *known == hash, || hash);
        }
        let app = raw.app_id.as_deref().or(raw.app_name.as_deref()).unwrap_or_default();
        self.app.see(|known| known == app, || app.to_owned());
    }

    fn see_stored(&mut self, row: &StoredRow<'_>) {
        self.successes += u64::from(row.outcome == Outcome::Success);
        self.outcome.see(|known| *known == row.outcome, || row.outcome);
        self.client_app.see(|known| known == row.client_app, || row.client_app.to_owned());
        let hash = user_hash(row.user);
        self.user.see(|known| *known == hash, || hash);
        self.app.see(|known| known == row.app, || row.app.to_owned());
    }

    fn merge(&mut self, other: Self) {
        self.client_app.merge(other.client_app);
        self.outcome.merge(other.outcome);
        self.user.merge(other.user);
        self.app.merge(other.app);
        self.successes += other.successes;
    }
}

/// What a row of `sign_in_records` shows; text that it lacks is empty.
#[derive(Debug)]
pub(super) struct StoredRow<'a> {
    pub(super) tenant_id: &'a str,
    pub(super) category: Option<Category>,
    pub(super) signed_in_at: i64,
    pub(super) outcome: Outcome,
    pub(super) client_app: &'a str,
    pub(super) user: &'a str,
    pub(super) app: &'a str,
    pub(super) home_tenant_id: Option<&'a str>,
    pub(super) resource_tenant_id: Option<&'a str>,
}

/// The same for the same user in every run.
fn user_hash(user: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(user.to_ascii_lowercase().as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

impl Seen {
    /// Counts a record. Logs are roughly in order, so most are of the day that the last one was of.
    fn count(&mut self, day: i32, hour: u32) {
        if self.last.0 != day {
            self.settle();
            self.last.0 = day;
        }
        self.last.1.records += 1;
        self.last.1.hours |= 1 << hour;
    }

    fn settle(&mut self) {
        let (day, count) = std::mem::take(&mut self.last);
        if count.records > 0 {
            self.add(day, count);
        }
    }

    fn add(&mut self, day: i32, count: DayCount) {
        let known = self.days.entry(day).or_default();
        known.records += count.records;
        known.hours |= count.hours;
    }

    fn merge(&mut self, mut other: Self) {
        other.settle();
        for (day, count) in other.days {
            self.add(day, count);
        }
        self.latest_at = self.latest_at.max(other.latest_at);
        self.shown.merge(other.shown);
    }
}

/// In which order the records of a source come, counted from one to the next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Order {
    later: u64,
    earlier: u64,
}

/// See [`Order::told`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    OldestFirst,
    NewestFirst,
}

impl Order {
    /// The order, if nearly all steps agree on it.
    pub(super) fn told(self) -> Option<Direction> {
        const EXCEPTIONS: u64 = 50;
        if self.earlier > self.later * EXCEPTIONS {
            Some(Direction::NewestFirst)
        } else if self.later > self.earlier * EXCEPTIONS {
            Some(Direction::OldestFirst)
        } else {
            None
        }
    }
}

impl Account {
    pub(super) fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Sign-ins that are kept as rows.
    pub(super) fn rows(&self) -> u64 {
        self.sign_ins - self.counted
    }

    /// Counts a sign-in.
    pub(super) fn count_sign_in(
        &mut self,
        Accepted { raw, tenant_id, signed_in_at }: &Accepted<'_>,
        tenant: u32,
        now: i64,
        days: &mut Days,
    ) {
        let signed_in_at = *signed_in_at;
        let is_mismatched = is_mismatched(tenant_id, raw);
        self.sign_ins += 1;
        self.first_at = Some(self.first_at.map_or(signed_in_at, |first| first.min(signed_in_at)));
        self.last_at = Some(self.last_at.map_or(signed_in_at, |last| last.max(signed_in_at)));
        if let Some(previous) = self.previous_at.replace(signed_in_at) {
            self.order.later += u64::from(signed_in_at > previous);
            self.order.earlier += u64::from(signed_in_at < previous);
        }
        if raw.category.is_none_or(Category::is_user) {
            self.user_rows += 1;
            self.with_client_app += u64::from(raw.has_client_app);
            self.with_result += u64::from(raw.has_result);
            self.uncategorised += u64::from(raw.category.is_none());
            self.object_cells +=
                u64::from(!raw.has_result && raw.failure_reason.as_deref() == Some("[object Object]"));
        }
        if let Some(code) = raw.error_code.filter(|code| !is_known_code(*code)) {
            *self.unknown_codes.entry(code).or_default() += 1;
        }
        let seen = days.entry((tenant, raw.category)).or_default();
        // A sign-in of other tenants shows nothing of this one's log.
        if !is_mismatched {
            seen.count(day_of(signed_in_at), hour_of(signed_in_at));
            seen.latest_at = seen.latest_at.max(Some(signed_in_at).filter(|at| *at <= now));
        }
        if raw.category.is_none_or(Category::is_user) {
            seen.shown.see(raw);
        }
    }

    /// Counts a row as the lake keeps it. `until`: the clock of its ingest.
    pub(super) fn count_stored(&mut self, row: &StoredRow<'_>, until: i64) {
        let at = row.signed_in_at;
        self.sign_ins += 1;
        self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
        self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
        let seen = self.days.entry((row.tenant_id.to_owned(), row.category)).or_default();
        let is_other = |id: Option<&str>| id.is_some_and(|id| id != row.tenant_id && id != NO_TENANT_ID);
        if !(is_other(row.home_tenant_id) && is_other(row.resource_tenant_id)) {
            seen.count(day_of(at), hour_of(at));
            seen.latest_at = seen.latest_at.max(Some(at).filter(|at| *at <= until));
        }
        if row.category.is_none_or(Category::is_user) {
            seen.shown.see_stored(row);
        }
    }

    /// Ends the counting of stored rows.
    pub(super) fn settle(&mut self) {
        self.days.values_mut().for_each(Seen::settle);
    }

    /// Takes in who was seen when.
    pub(super) fn see(&mut self, days: &mut Days, tenants: &Dictionary) {
        for ((tenant, category), seen) in days.drain() {
            let tenant = String::from_utf8_lossy(tenants.text(tenant)).into_owned();
            self.days.entry((tenant, category)).or_default().merge(seen);
        }
    }

    /// Adds the counts of another part of the same source.
    pub(super) fn merge(&mut self, other: Self) {
        self.content_bytes += other.content_bytes;
        self.records += other.records;
        self.sign_ins += other.sign_ins;
        self.counted += other.counted;
        self.not_sign_ins += other.not_sign_ins;
        for (reason, count) in other.rejected {
            *self.rejected.entry(reason).or_default() += count;
        }
        self.first_at = [self.first_at, other.first_at].into_iter().flatten().min();
        self.last_at = self.last_at.max(other.last_at);
        self.order.later += other.order.later;
        self.order.earlier += other.order.earlier;
        self.user_rows += other.user_rows;
        self.with_client_app += other.with_client_app;
        self.with_result += other.with_result;
        self.uncategorised += other.uncategorised;
        self.object_cells += other.object_cells;
        for (code, count) in other.unknown_codes {
            *self.unknown_codes.entry(code).or_default() += count;
        }
        for (key, seen) in other.days {
            self.days.entry(key).or_default().merge(seen);
        }
    }

    /// The columns that a verdict needs and no user sign-in of the source has.
    pub(super) fn missing_columns(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if self.user_rows > 0 {
            if self.with_client_app == 0 {
                missing.push("client_app");
            }
            if self.with_result == 0 {
                missing.push("result");
            }
        }
        missing
    }

    /// What the records cover, as the `sources` table keeps it.
    pub(super) fn coverage(&self) -> Vec<Coverage> {
        let sorted: BTreeMap<_, _> = self.days.iter().collect();
        sorted.into_iter().map(|((tenant_id, category), seen)| seen.entry(tenant_id, *category)).collect()
    }

    /// The tenants and categories that occur.
    pub(super) fn occurring(&self) -> BTreeSet<(String, Option<Category>)> {
        self.days.keys().cloned().collect()
    }
}

impl Seen {
    fn entry(&self, tenant_id: &str, category: Option<Category>) -> Coverage {
        let days = self.days.iter().map(|(day, count)| Day {
            day: date(*day),
            records: count.records,
            hours: count.hours,
        });
        Coverage {
            records: self.days.values().map(|count| count.records).sum(),
            latest_at: self.latest_at.and_then(DateTime::from_timestamp_micros),
            days: days.collect(),
            only_client_app: self.shown.client_app.told(Clone::clone),
            only_outcome: self.shown.outcome.told(|outcome| outcome.as_str().to_owned()),
            only_user: self.shown.user.told(|hash| format!("{hash:016x}")),
            only_app: self.shown.app.told(Clone::clone),
            successes: self.shown.successes,
            ..Coverage::of(tenant_id, category)
        }
    }
}

/// Whether home and resource tenant are both known, and neither is the log's.
fn is_mismatched(tenant_id: &str, raw: &RawSignIn<'_>) -> bool {
    let is_other = |id: Option<&str>| id.is_some_and(|id| id != tenant_id && id != NO_TENANT_ID);
    is_other(raw.home_tenant_id.as_deref()) && is_other(raw.resource_tenant_id.as_deref())
}

/// Stands for a tenant that is not known.
const NO_TENANT_ID: &str = "00000000-0000-0000-0000-000000000000";

/// One entry of `sources.coverage`: what the source shows of one tenant and category.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Coverage {
    pub tenant_id: String,
    pub category: Option<Category>,
    pub records: u64,
    /// The latest time seen that is not after the ingest's clock; of a storage file at least its hour's end.
    pub latest_at: Option<DateTime<Utc>>,
    /// Start of the hour that a storage-export file is of.
    pub storage_hour: Option<DateTime<Utc>>,
    pub days: Vec<Day>,
    pub stated: Vec<Stated>,
    /// The client app that all user sign-ins show, `*` for several; absent where there is none. The same of
    /// outcome, user (by hash) and application (id, else name).
    pub only_client_app: Option<String>,
    pub only_outcome: Option<String>,
    pub only_user: Option<String>,
    pub only_app: Option<String>,
    pub successes: u64,
}

impl Coverage {
    /// An entry that shows nothing yet.
    pub(super) fn of(tenant_id: &str, category: Option<Category>) -> Self {
        Self { tenant_id: tenant_id.to_owned(), category, ..Self::default() }
    }

    /// Whether it says all that another entry says, which is of the same content.
    pub(super) fn says(&self, other: &Self) -> bool {
        (&self.tenant_id, self.category) == (&other.tenant_id, other.category)
            && other.days.iter().all(|day| self.days.contains(day))
            && other.storage_hour.is_none_or(|hour| self.storage_hour == Some(hour))
            && other.stated.iter().all(|stated| self.stated.contains(stated))
    }

    /// Whether it says anything.
    pub(super) fn is_empty(&self) -> bool {
        self.records == 0 && self.storage_hour.is_none() && self.stated.is_empty()
    }
}

/// Records of one UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    pub day: NaiveDate,
    pub records: u64,
    /// Bit n: a record of the hour that begins at n o'clock.
    pub hours: u32,
}

/// Days that a source is stated to be complete for, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stated {
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    pub basis: Basis,
}
