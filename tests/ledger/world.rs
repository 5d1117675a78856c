//! A few tenants, what happens in them day by day, and the events that the commands leave.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use lightsout_assess::assess;
use lightsout_campaign::announce::{OffElsewhere, Picked, Selection, pick};
use lightsout_campaign::confirm::confirm;
use lightsout_campaign::correct::correct;
use lightsout_campaign::opt_in::opt_in;
use lightsout_campaign::opt_out::opt_out;
use lightsout_campaign::plan::{Due, plan};
use lightsout_campaign::recheck::{LastUsed, Recheck, recheck};
use lightsout_campaign::withdraw::withdraw;
use lightsout_campaign::{Clock, Event, Ledger, ValidatedRequests};
use lightsout_decisions::decision::{Basis, decide};
use lightsout_lake::rows::to_batch;
use lightsout_lake::schema::Table;
use lightsout_model::campaign::Campaign;
use lightsout_model::change::Request;
use lightsout_model::evidence::{
    CategoryCoverage, DailyCounts, ProtocolEvidence, RejectedRecords, TenantEvidence, UserCount, Window,
    midnight,
};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_model::verdict::{Assessment, TenantAssessment};
use lightsout_query::Queries;

/// The decision is of this day; day 0 is the day of the announcement in most stories.
pub(crate) fn day(n: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 1).expect("a day") + TimeDelta::days(n)
}

/// Noon of a day.
pub(crate) fn noon(n: i64) -> DateTime<Utc> {
    midnight(day(n)) + TimeDelta::hours(12)
}

pub(crate) fn tenant(n: u32) -> String {
    format!("{n:08}-0000-4000-8000-000000000000")
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) campaign: Campaign,
    pub(crate) roster: Roster,
    /// Who uses what, from which day on.
    usage: BTreeMap<(String, Protocol), i64>,
    /// After which day a tenant's logs are missing.
    logs_until: BTreeMap<String, i64>,
    /// Records that could not be read, of each tenant.
    rejected: BTreeMap<String, u64>,
    /// Days without a record, every other one: from which day on, and how many.
    lacking: BTreeMap<String, (i64, i64)>,
    tenants: Vec<String>,
    pub(crate) events: Vec<Event>,
    /// The system's clock, where it is another than the time that commands are told.
    pub(crate) wall: Option<DateTime<Utc>>,
    /// What other campaigns have turned off.
    pub(crate) off_elsewhere: OffElsewhere,
    /// Whether events go through the shipped query. Without it thousands of cases take no longer than a few with it.
    pub(crate) reads_by_query: bool,
    /// The ledger of so many events: most commands that are repeated add none.
    known: Option<(usize, Ledger)>,
}

impl World {
    /// Tenants that use nothing, with logs that never stop.
    pub(crate) fn of(tenants: u32) -> Self {
        let tenants: Vec<String> = (1..=tenants).map(tenant).collect();
        let named = |id: &String| RosterTenant { tenant_id: id.clone(), ..RosterTenant::default() };
        Self {
            campaign: lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("built in"),
            roster: Roster { tenants: tenants.iter().map(|id| (id.clone(), named(id))).collect() },
            usage: BTreeMap::new(),
            logs_until: BTreeMap::new(),
            rejected: BTreeMap::new(),
            lacking: BTreeMap::new(),
            tenants,
            events: Vec::new(),
            wall: None,
            off_elsewhere: OffElsewhere::new(),
            reads_by_query: true,
            known: None,
        }
    }

    pub(crate) fn uses(&mut self, n: u32, protocol: Protocol, from_day: i64) {
        self.usage.insert((tenant(n), protocol), from_day);
    }

    pub(crate) fn logs_end(&mut self, n: u32, last_day: i64) {
        self.logs_until.insert(tenant(n), last_day);
    }

    pub(crate) fn rejects(&mut self, n: u32, records: u64) {
        self.rejected.insert(tenant(n), records);
    }

    /// So many days lack records, every other one from a day on.
    pub(crate) fn lacks_days(&mut self, n: u32, first_day: i64, days: i64) {
        self.lacking.insert(tenant(n), (first_day, days));
    }

    pub(crate) fn logs_are_back(&mut self, n: u32) {
        self.logs_until.remove(&tenant(n));
    }

    pub(crate) fn settings(&mut self, n: u32) -> &mut RosterTenant {
        self.roster.tenants.get_mut(&tenant(n)).expect("in the roster")
    }

    /// What the queries would find, until a time.
    fn evidence(&self, until: DateTime<Utc>) -> Vec<TenantEvidence> {
        const RECORDS: u32 = 20;
        let first = day(-100);
        let found = |id: &String| {
            let until_day = until.date_naive();
            let last = self.logs_until.get(id).map_or(until_day, |last| day(*last).min(until_day));
            let lacks = |of: &NaiveDate| {
                let (first, count) = self.lacking.get(id).copied().unwrap_or_default();
                (0..count).any(|n| day(first + 2 * n) == *of)
            };
            let days = first.iter_days().take_while(|day| *day <= last).filter(|day| !lacks(day));
            let covered = CategoryCoverage {
                records: DailyCounts::of(days.map(|day| (day, RECORDS))),
                first_seen: Some(first),
                latest_at: Some(midnight(last) + TimeDelta::days(2)),
                ..Default::default()
            };
            let used = |((of, protocol), from): (&(String, Protocol), &i64)| {
                let users = u64::from(of == id && noon(*from) < until);
                let usage = UserCount { users, sign_ins: users };
                (users > 0).then(|| (*protocol, ProtocolEvidence { usage, ..Default::default() }))
            };
            TenantEvidence {
                tenant_id: id.clone(),
                records: 1,
                rejected: RejectedRecords {
                    records: self.rejected.get(id).copied().unwrap_or(0),
                    paths: Vec::new(),
                },
                protocols: self.usage.iter().filter_map(used).collect(),
                coverage: [Category::Interactive, Category::NonInteractive]
                    .into_iter()
                    .map(|category| (category, covered.clone()))
                    .collect(),
                ..Default::default()
            }
        };
        self.tenants.iter().map(found).collect()
    }

    pub(crate) fn window(&self) -> Window {
        Window::before(day(0), self.campaign.window_days)
    }

    pub(crate) fn decision(&self) -> Assessment {
        let evidence = self.evidence(midnight(day(0)));
        let (campaign, roster, window) = (&self.campaign, &self.roster, self.window());
        let basis = Basis { campaign, roster, evidence: &evidence, window, queries: &[], seed: 0 };
        decide(&basis, noon(0), String::new()).expect("a decision").0
    }

    fn judge_now(&self, now: DateTime<Utc>) -> BTreeMap<String, TenantAssessment> {
        let evidence = self.evidence(now);
        let window = Window { first: self.window().first, end: now.date_naive().max(day(0)) };
        let judged = assess(&self.campaign, &self.roster, &evidence, window);
        judged.into_iter().map(|tenant| (tenant.tenant_id.clone(), tenant)).collect()
    }

    pub(crate) fn clock(&self, now: DateTime<Utc>) -> Clock {
        Clock { now, wall: self.wall.unwrap_or(now) }
    }

    /// Records events as the ledger does.
    async fn record(&mut self, events: &[Event], now: DateTime<Utc>) {
        let (next, wall) = (self.ledger().await.next_position, self.clock(now).wall);
        self.events.extend((next..).zip(events).map(|(place, event)| event.clone().recorded(place, wall)));
    }

    /// Where things stand, by the shipped query over the events in an order that says nothing.
    pub(crate) async fn ledger(&mut self) -> Ledger {
        if let Some((_, ledger)) = self.known.as_ref().filter(|(events, _)| *events == self.events.len()) {
            return ledger.clone();
        }
        let mut events = self.events.clone();
        events.sort_by(|a, b| a.event_id.cmp(&b.event_id));
        if self.reads_by_query {
            let batch = to_batch(Table::CampaignEvents, &events).expect("rows");
            let queries =
                Queries::over_rows(vec![(Table::CampaignEvents, batch)], 256 << 20).await.expect("tables");
            events = queries.of_campaign("campaign_history", &self.campaign.name).await.expect("rows");
        }
        let ledger = Ledger::of(events).expect("a ledger");
        self.known = Some((self.events.len(), ledger.clone()));
        ledger
    }

    pub(crate) async fn announce(
        &mut self,
        decision: &Assessment,
        wave: Option<u32>,
        seed: Option<u64>,
        now: DateTime<Utc>,
    ) -> Picked {
        let now_judged = self.judge_now(now);
        let ledger = self.ledger().await;
        let picked = pick(&Selection {
            campaign: &self.campaign,
            assessment: decision,
            roster: &self.roster,
            now_judged: &now_judged,
            ledger: &ledger,
            wave,
            seed,
            now,
            notice_date: None,
            by_whom: None,
            off_elsewhere: &self.off_elsewhere,
        });
        self.record(&picked.events, now).await;
        picked
    }

    pub(crate) async fn opt_out(
        &mut self,
        n: u32,
        protocols: Option<&[Protocol]>,
        now: DateTime<Utc>,
    ) -> ValidatedRequests {
        let ledger = self.ledger().await;
        let done = opt_out(&self.campaign, &ledger, &[request(n, protocols)], now);
        self.record(&done.events, now).await;
        done
    }

    pub(crate) async fn opt_in(
        &mut self,
        n: u32,
        protocols: Option<&[Protocol]>,
        now: DateTime<Utc>,
    ) -> ValidatedRequests {
        self.opt_in_all(&[request(n, protocols)], now).await
    }

    pub(crate) async fn opt_in_all(&mut self, requests: &[Request], now: DateTime<Utc>) -> ValidatedRequests {
        let ledger = self.ledger().await;
        let clock = self.clock(now);
        let done = opt_in(&self.campaign, &ledger, requests, "the wrong tenant", clock);
        self.record(&done.events, now).await;
        done
    }

    pub(crate) async fn withdraw(&mut self, n: u32, now: DateTime<Utc>) -> ValidatedRequests {
        let ledger = self.ledger().await;
        let done = withdraw(&self.campaign, &ledger, &[request(n, None)], "announced too early", now);
        self.record(&done.events, now).await;
        done
    }

    pub(crate) async fn correct(
        &mut self,
        n: u32,
        protocols: Option<&[Protocol]>,
        now: DateTime<Utc>,
    ) -> ValidatedRequests {
        let ledger = self.ledger().await;
        let done = correct(&self.campaign, &ledger, &[request(n, protocols)], "the wrong list", now);
        self.record(&done.events, now).await;
        done
    }

    /// What the query of the last usage would find: a user signs in at noon of each day.
    fn last_used(&self, now: DateTime<Utc>) -> LastUsed {
        let mut last_used = LastUsed::new();
        let latest = i64::from(now < noon((now.date_naive() - day(0)).num_days()));
        let latest = noon((now.date_naive() - day(0)).num_days() - latest);
        for ((tenant_id, protocol), from) in &self.usage {
            if noon(*from) <= latest {
                last_used.entry(tenant_id.clone()).or_default().insert(*protocol, latest);
            }
        }
        last_used
    }

    pub(crate) async fn recheck(&mut self, now: DateTime<Utc>) -> Vec<Event> {
        let ledger = self.ledger().await;
        let events = recheck(Recheck {
            campaign: &self.campaign,
            ledger: &ledger,
            now_judged: &self.judge_now(now),
            last_used: &self.last_used(now),
            roster_is_current: true,
            clock: self.clock(now),
        });
        self.record(&events, now).await;
        events
    }

    /// Rechecks first, as the command does.
    pub(crate) async fn apply(&mut self, now: DateTime<Utc>) -> Vec<Due> {
        self.recheck(now).await;
        let ledger = self.ledger().await;
        plan(&self.campaign, &self.roster, &ledger, self.clock(now))
    }

    pub(crate) async fn confirm(
        &mut self,
        n: u32,
        protocols: Option<&[Protocol]>,
        now: DateTime<Utc>,
    ) -> ValidatedRequests {
        let ledger = self.ledger().await;
        let done = confirm(&self.campaign, &ledger, &[request(n, protocols)], self.clock(now));
        self.record(&done.events, now).await;
        done
    }
}

pub(crate) fn request(n: u32, protocols: Option<&[Protocol]>) -> Request {
    Request {
        tenant_id: tenant(n),
        protocols: protocols.map(<[Protocol]>::to_vec),
        by_whom: Some("ada@example.com".to_owned()),
        happened_at: None,
        line: None,
    }
}

/// Tenants that something was announced to.
pub(crate) fn announced(ledger: &Ledger) -> BTreeSet<String> {
    ledger.tenants.keys().cloned().collect()
}

/// The last day of a change that was announced on a day.
pub(crate) fn notice_days(campaign: &Campaign) -> i64 {
    i64::from(campaign.notice_days)
}

#[test]
fn days_are_counted_from_the_decision() {
    assert_eq!(day(0) + Days::new(30), day(30));
}
