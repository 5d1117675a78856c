//! One case: a line of prose, a tenant's evidence in numbers, and what must come of it.
//!
//! A case begins as a tenant with a hundred records a day in both logs, which come by one channel, settled to
//! the hour and without legacy sign-ins, in the 30 days of the default campaign before 2026-10-31 and the 60
//! days before them; each method changes one thing. 2026-10-01 is a Thursday.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc, Weekday};

use super::shown::shown;
use crate::assess;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{
    CategoryCoverage, DailyCounts, DayRange, Filter, FilteredExport, PastUsage, ProtocolEvidence,
    RefusedFiles, RejectedRecords, TenantEvidence, UserCount, Window, merge_days, midnight,
};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_model::verdict::TenantAssessment;

pub(super) const TENANT: &str = "11111111-aaaa-4bbb-8ccc-000000000001";

#[derive(Clone)]
pub(super) struct Case {
    pub(super) prose: &'static str,
    campaign: Campaign,
    window: Window,
    evidence: Option<TenantEvidence>,
    settings: Option<RosterTenant>,
    wanted: Vec<(&'static str, String)>,
}

pub(super) fn case(prose: &'static str) -> Case {
    case_at(prose, "2026-10-31", 30)
}

/// A case of another window.
pub(super) fn case_at(prose: &'static str, as_of: &str, days: u32) -> Case {
    let campaign = lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("it is embedded");
    let window = Window::before(day(as_of), days);
    let evidence = Some(seen_every_day(window));
    Case { prose, campaign, window, evidence, settings: None, wanted: Vec::new() }
}

/// Seen from 60 days before the window to its end, and settled exactly then.
pub(super) fn seen_every_day(window: Window) -> TenantEvidence {
    let mut evidence =
        TenantEvidence { tenant_id: TENANT.to_owned(), records: 1000, ..TenantEvidence::default() };
    for category in [Category::Interactive, Category::NonInteractive] {
        let days = history(window).map(|day| (day, 100)).collect();
        set(&mut evidence, category, days, Some(window.end_at() + TimeDelta::hours(24)));
    }
    evidence
}

/// The days of the window and the 60 before it.
fn history(window: Window) -> impl Iterator<Item = NaiveDate> {
    (window.first - Days::new(60)).iter_days().take_while(move |day| *day < window.end)
}

/// Gives a category these records; of non-interactive the channel that interactive comes by too.
fn set(
    evidence: &mut TenantEvidence,
    category: Category,
    days: Vec<(NaiveDate, u32)>,
    latest_at: Option<DateTime<Utc>>,
) {
    let coverage = evidence.coverage.entry(category).or_default();
    coverage.records = DailyCounts::of(days);
    coverage.first_seen = coverage.records.days().next().map(|(day, _)| day);
    coverage.latest_at = latest_at;
    if category == Category::NonInteractive {
        let days = coverage.records.days().map(|(day, _)| DayRange { first: day, last: day });
        let (days, latest_at) = (merge_days(days.collect()), coverage.latest_at);
        if let Some(interactive) = evidence.coverage.get_mut(&Category::Interactive) {
            interactive.sibling = days;
            interactive.sibling_latest_at = latest_at;
        }
    }
}

/// What the tenant has.
impl Case {
    pub(super) fn scope_of(mut self, campaign: &str) -> Self {
        self.campaign = lightsout_config::campaign_file::load(campaign).expect("it is embedded");
        self
    }

    pub(super) fn in_scope(mut self, protocol: Protocol) -> Self {
        self.campaign.protocols = vec![protocol];
        self
    }

    pub(super) fn together(mut self, protocols: &[Protocol]) -> Self {
        self.campaign.groups.insert("together".to_owned(), protocols.to_vec());
        self
    }

    pub(super) fn requires_only(mut self, category: Category, permitted_days: u32) -> Self {
        self.campaign.permitted_gap_days = [(category, permitted_days)].into();
        self
    }

    /// Usage in the window: users, sign-ins. Of `other_legacy` it is to Exchange Online.
    pub(super) fn used(mut self, protocol: Protocol, users: u64, sign_ins: u64) -> Self {
        let count = UserCount { users, sign_ins };
        let counts = self.counts(protocol);
        counts.usage = count;
        counts.exchange_or_unnamed.usage = count;
        self.evidence().users_in_scope += users;
        self
    }

    /// Usage in the lookback days.
    pub(super) fn used_before(mut self, protocol: Protocol, users: u64, sign_ins: u64) -> Self {
        let count = UserCount { users, sign_ins };
        let counts = self.counts(protocol);
        counts.usage_before_window = count;
        counts.exchange_or_unnamed.usage_before_window = count;
        self
    }

    /// Usage after the window, on the 26th.
    pub(super) fn used_after(mut self, protocol: Protocol, users: u64, sign_ins: u64) -> Self {
        let count = UserCount { users, sign_ins };
        let counts = self.counts(protocol);
        counts.usage_after_window = count;
        counts.exchange_or_unnamed.usage_after_window = count;
        counts.last_after_window = "2026-11-26T08:00:00Z".parse().ok();
        self
    }

    /// Sign-ins without a status.
    pub(super) fn unknown(mut self, protocol: Protocol, sign_ins: u64) -> Self {
        let counts = self.counts(protocol);
        counts.unknown = sign_ins;
        counts.exchange_or_unnamed.unknown = sign_ins;
        self
    }

    /// `other_legacy` at services other than Exchange Online: in the window, unknown, before it.
    pub(super) fn elsewhere(mut self, sign_ins: u64, unknown: u64, before: u64) -> Self {
        let counts = self.counts(Protocol::OtherLegacy);
        counts.usage = UserCount { users: sign_ins.min(1), sign_ins };
        counts.unknown = unknown;
        counts.usage_before_window = UserCount { users: before.min(1), sign_ins: before };
        self
    }

    pub(super) fn interrupted(mut self, protocol: Protocol, sign_ins: u64) -> Self {
        self.counts(protocol).interrupted = sign_ins;
        self
    }

    pub(super) fn blocked(mut self, protocol: Protocol, sign_ins: u64) -> Self {
        self.counts(protocol).blocked = sign_ins;
        self
    }

    pub(super) fn failed(mut self, protocol: Protocol, sign_ins: u64) -> Self {
        self.counts(protocol).failures = sign_ins;
        self
    }

    pub(super) fn unrecognised(mut self, sign_ins: u64) -> Self {
        self.evidence().unrecognised_doubts = sign_ins;
        self
    }

    pub(super) fn not_stated(mut self, sign_ins: u64) -> Self {
        self.evidence().not_stated_doubts = sign_ins;
        self
    }

    /// Records on these days and on no others: `"2026-10-01..2026-10-07, 2026-10-09"`, a hundred each.
    pub(super) fn seen(self, category: Category, days: &str) -> Self {
        let days = each_day(days).into_iter().map(|day| (day, 100)).collect();
        self.with(category, days)
    }

    /// So many records each Monday to Friday, and none at weekends.
    pub(super) fn office(self, category: Category, records: u32) -> Self {
        self.by_weekday(category, [records, records, records, records, records, 0, 0])
    }

    /// So many records each Monday, Tuesday, and so on.
    pub(super) fn by_weekday(self, category: Category, records: [u32; 7]) -> Self {
        let count = |day: NaiveDate| records[day.weekday().num_days_from_monday() as usize];
        let days = history(self.window).map(|day| (day, count(day))).collect();
        self.with(category, days)
    }

    /// Other numbers of records on these days.
    pub(super) fn only(self, category: Category, days: &str, records: u32) -> Self {
        let changed = each_day(days);
        let mut all = self.days_of(category);
        all.retain(|(day, _)| !changed.contains(day));
        all.extend(changed.into_iter().map(|day| (day, records)));
        self.with(category, all)
    }

    /// Days that never reached the lake.
    pub(super) fn lost(self, category: Category, days: &str) -> Self {
        self.only(category, days, 0)
    }

    /// No history before the window.
    pub(super) fn window_alone(mut self) -> Self {
        let first = self.window.first;
        for category in [Category::Interactive, Category::NonInteractive] {
            let mut days = self.days_of(category);
            days.retain(|(day, _)| *day >= first);
            self = self.with(category, days);
        }
        self
    }

    /// The logs come by different ways, so that one says nothing of the other.
    pub(super) fn by_two_channels(mut self) -> Self {
        let interactive = self.evidence().coverage.entry(Category::Interactive).or_default();
        interactive.sibling.clear();
        interactive.sibling_latest_at = None;
        self
    }

    fn days_of(&self, category: Category) -> Vec<(NaiveDate, u32)> {
        let coverage = self.evidence.as_ref().and_then(|evidence| evidence.coverage.get(&category));
        coverage.map(|coverage| coverage.records.days().collect()).unwrap_or_default()
    }

    fn with(mut self, category: Category, days: Vec<(NaiveDate, u32)>) -> Self {
        let latest_at = self.evidence().coverage.get(&category).and_then(|coverage| coverage.latest_at);
        set(self.evidence(), category, days, latest_at);
        self
    }

    /// Days of storage-export files, with records or without.
    pub(super) fn storage(mut self, category: Category, days: &str) -> Self {
        let coverage = self.evidence().coverage.entry(category).or_default();
        coverage.storage = ranges(days);
        let first = coverage.storage.first().map(|days| days.first);
        coverage.first_seen = coverage.first_seen.into_iter().chain(first).min();
        self
    }

    /// Days that somebody or something states.
    pub(super) fn stated(mut self, category: Category, days: &str) -> Self {
        self.evidence().coverage.entry(category).or_default().stated = ranges(days);
        self
    }

    /// Days that files state: by their name, or a filter in their links.
    pub(super) fn stated_by_files(mut self, category: Category, days: &str) -> Self {
        self.evidence().coverage.entry(category).or_default().stated_by_files = ranges(days);
        self
    }

    /// Downloads that show one client app alone.
    pub(super) fn filtered(mut self, category: Category) -> Self {
        let filter = Filter::ClientApp("Browser".to_owned());
        let (first_day, last_day) = (day("2026-10-01"), day("2026-10-30"));
        let export = FilteredExport {
            shape: "portal_csv".to_owned(),
            filter,
            sources: 1,
            records: 400,
            first_day,
            last_day,
        };
        self.evidence().coverage.entry(category).or_default().filtered = vec![export];
        self
    }

    pub(super) fn mismatched(mut self, sign_ins: u64) -> Self {
        self.evidence().tenant_mismatches = sign_ins;
        self
    }

    pub(super) fn legacy_agent_elsewhere(mut self, sign_ins: u64) -> Self {
        self.evidence().legacy_agent_doubts = sign_ins;
        self
    }

    pub(super) fn rejected(mut self, records: u64) -> Self {
        self.evidence().rejected = RejectedRecords { records, paths: vec!["a.json".to_owned()] };
        self
    }

    pub(super) fn refused(mut self, files: u64) -> Self {
        self.evidence().refused = RefusedFiles { files, paths: vec!["a.csv".to_owned()] };
        self
    }

    /// Usage before the window by users who were last seen on a day, with the silence that ends it.
    pub(super) fn last_used(
        mut self,
        protocol: Protocol,
        last_day: &str,
        silence_needed_days: Option<u32>,
    ) -> Self {
        let counts = self.counts(protocol);
        counts.usage_before_window = UserCount { users: 1, sign_ins: 9 };
        counts.past_usage.push(PastUsage {
            last_day: day(last_day),
            silence_needed_days,
            users: 1,
            sign_ins: 9,
            exchange_users: 1,
            exchange_sign_ins: 9,
        });
        self
    }

    pub(super) fn works(mut self, weekdays: &[Weekday]) -> Self {
        self.settings().workdays = Some(weekdays.to_vec());
        self
    }

    /// Days that only files without `clientAppUsed` speak for.
    pub(super) fn columnless(mut self, category: Category, days: &str) -> Self {
        let coverage = self.evidence().coverage.entry(category).or_default();
        coverage.incomplete = ranges(days);
        coverage.missing_columns = vec!["clientAppUsed".to_owned()];
        self
    }

    pub(super) fn never_seen(mut self, category: Category) -> Self {
        self.evidence().coverage.remove(&category);
        self
    }

    /// The newest record of a category, `None`: no record and no storage file.
    pub(super) fn latest(mut self, category: Category, time: Option<&str>) -> Self {
        let latest_at = time.map(at);
        self.evidence().coverage.entry(category).or_default().latest_at = latest_at;
        if category == Category::NonInteractive {
            self.evidence().coverage.entry(Category::Interactive).or_default().sibling_latest_at = latest_at;
        }
        self
    }

    /// Nothing but empty storage files on these days.
    pub(super) fn only_empty_files(mut self, days: &str) -> Self {
        self.evidence().records = 0;
        for category in [Category::Interactive, Category::NonInteractive] {
            self.evidence().coverage.insert(category, CategoryCoverage::default());
            self = self.latest(category, Some("2026-11-01"));
        }
        self.storage(Category::Interactive, days).storage(Category::NonInteractive, days)
    }

    pub(super) fn nothing_in_the_lake(mut self) -> Self {
        let tenant_id = TENANT.to_owned();
        self.evidence = Some(TenantEvidence { tenant_id, ..TenantEvidence::default() });
        self
    }

    pub(super) fn only_in_the_roster(mut self) -> Self {
        self.settings();
        self.evidence = None;
        self
    }

    pub(super) fn roster_logs(mut self, from: Option<&str>, to: Option<&str>) -> Self {
        let settings = self.settings();
        settings.logs_from = from.map(day);
        settings.logs_to = to.map(day);
        self
    }

    /// `protocols_enabled` of the roster.
    pub(super) fn roster_enables(mut self, protocols: &[Protocol]) -> Self {
        self.settings().protocols_enabled = Some(protocols.to_vec());
        self
    }

    pub(super) fn excluded(mut self, reason: &str) -> Self {
        self.settings().exclude = Some(reason.to_owned());
        self
    }

    fn evidence(&mut self) -> &mut TenantEvidence {
        self.evidence.as_mut().expect("the case has evidence")
    }

    fn counts(&mut self, protocol: Protocol) -> &mut ProtocolEvidence {
        self.evidence().protocols.entry(protocol).or_default()
    }

    fn settings(&mut self) -> &mut RosterTenant {
        let nothing = RosterTenant { tenant_id: TENANT.to_owned(), ..RosterTenant::default() };
        self.settings.get_or_insert(nothing)
    }
}

/// What must come of it.
impl Case {
    pub(super) fn no_impact(self, reasons: &str) -> Self {
        self.want("verdict", "no_impact").want("reasons", reasons)
    }

    pub(super) fn warning(self, reasons: &str) -> Self {
        self.want("verdict", "warning").want("reasons", reasons)
    }

    pub(super) fn insufficient(self, reasons: &str) -> Self {
        self.want("verdict", "insufficient_evidence").want("reasons", reasons)
    }

    pub(super) fn left_out(self, reasons: &str) -> Self {
        self.want("verdict", "excluded").want("reasons", reasons)
    }

    /// One of: `evidence_reasons`, `in_use`, `clear`, `users`, `days`, or a protocol for its row's
    /// verdict.
    pub(super) fn want(mut self, what: &'static str, value: &str) -> Self {
        self.wanted.push((what, value.to_owned()));
        self
    }

    /// Where the verdict is not what the case wants: what, and what it is.
    pub(super) fn wrong(&self) -> Option<String> {
        let row = self.assess();
        assert!(self.wanted.len() >= 2, "the case wants nothing: {}", self.prose);
        let found = self.wanted.iter().map(|(what, _)| (*what, shown(&row, what)));
        let found: Vec<(&str, String)> = found.collect();
        (found != self.wanted)
            .then(|| format!("{}:\n  wanted {:?}\n  found  {found:?}", self.prose, self.wanted))
    }

    pub(super) fn assess(&self) -> TenantAssessment {
        let mut roster = Roster::default();
        if let Some(settings) = &self.settings {
            roster.tenants.insert(TENANT.to_owned(), settings.clone());
        }
        let evidence: Vec<TenantEvidence> = self.evidence.iter().cloned().collect();
        let mut rows = assess(&self.campaign, &roster, &evidence, self.window);
        assert_eq!(rows.len(), 1, "{}", self.prose);
        rows.remove(0)
    }
}

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day of a case")
}

pub(super) fn at(text: &str) -> DateTime<Utc> {
    if text.len() == "2026-10-31".len() { midnight(day(text)) } else { text.parse().expect("a time") }
}

fn each_day(text: &str) -> Vec<NaiveDate> {
    let days = |range: DayRange| range.first.iter_days().take_while(move |day| *day <= range.last);
    ranges(text).into_iter().flat_map(days).collect()
}

pub(super) fn ranges(text: &str) -> Vec<DayRange> {
    let range = |text: &str| {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        DayRange { first: day(first), last: day(last) }
    };
    text.split(", ").filter(|text| !text.is_empty()).map(range).collect()
}
