//! What must hold whatever the evidence is.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate, TimeDelta};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::case::{TENANT, day};
use crate::assess;
use lightsout_config::campaign_file::EMBEDDED;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{
    CategoryCoverage, DailyCounts, DayRange, ExchangeOrUnnamed, ProtocolEvidence, RefusedFiles,
    RejectedRecords, TenantEvidence, UserCount, Window, merge_days, midnight,
};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_model::verdict::{TenantAssessment, TenantVerdict};

fn window() -> Window {
    Window::before(day("2026-10-31"), 30)
}

/// The days that evidence is generated for: from well before the window to a little after it.
fn all_days() -> impl Iterator<Item = NaiveDate> {
    day("2026-07-20").iter_days().take_while(|d| *d < day("2026-11-05"))
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0..100_u64).prop_map(|days| day("2026-07-28") + Days::new(days))
}

/// Records of each day: a weekday's usual number, more or less, and some days lost.
fn any_records() -> impl Strategy<Value = DailyCounts> {
    let usual = prop_oneof![
        2 => Just([100, 100, 100, 100, 100, 20, 10]),
        2 => Just([6, 5, 7, 6, 5, 0, 0]),
        1 => Just([2, 1, 1, 0, 2, 0, 0]),
        1 => [0..40_u32, 0..40_u32, 0..40_u32, 0..40_u32, 0..40_u32, 0..40_u32, 0..40_u32],
    ];
    let lost = prop_oneof![
        3 => Just(Vec::new()),
        2 => vec((any_day(), 1..3_u64), 0..4),
        1 => vec((any_day(), 1..12_u64), 0..4),
    ];
    let first = prop_oneof![2 => Just(day("2026-07-20")), 1 => Just(window().first), 1 => any_day()];
    (usual, lost, first).prop_map(|(usual, lost, first): ([u32; 7], Vec<(NaiveDate, u64)>, NaiveDate)| {
        let is_lost =
            |d: NaiveDate| lost.iter().any(|(from, days)| *from <= d && d < *from + Days::new(*days));
        let count = |d: NaiveDate| usual[d.weekday().num_days_from_monday() as usize];
        DailyCounts::of(all_days().filter(|d| *d >= first && !is_lost(*d)).map(|d| (d, count(d))))
    })
}

fn any_ranges() -> impl Strategy<Value = Vec<DayRange>> {
    vec((any_day(), 0..30_u64), 0..3).prop_map(|runs| {
        let run = |(first, days)| DayRange { first, last: first + Days::new(days) };
        merge_days(runs.into_iter().map(run).collect())
    })
}

fn any_coverage() -> impl Strategy<Value = CategoryCoverage> {
    let rarely = |ranges| prop_oneof![4 => Just(Vec::new()), 1 => ranges];
    let last = prop_oneof![3 => Just(day("2026-11-04")), 1 => any_day()];
    (
        any_records(),
        rarely(any_ranges().boxed()),
        rarely(any_ranges().boxed()),
        rarely(any_ranges().boxed()),
        last,
    )
        .prop_map(|(mut records, storage, stated, incomplete, last)| {
            records = DailyCounts::of(records.days().filter(|(d, _)| *d <= last).collect::<Vec<_>>());
            let missing_columns = incomplete.iter().map(|_| "clientAppUsed".to_owned()).take(1).collect();
            let mut coverage = CategoryCoverage {
                records,
                storage,
                stated,
                incomplete,
                missing_columns,
                ..CategoryCoverage::default()
            };
            seen_first_and_last(&mut coverage);
            coverage
        })
}

fn seen_first_and_last(coverage: &mut CategoryCoverage) {
    let last = coverage.records.days().next_back().map(|(d, _)| d);
    let last = last.into_iter().chain(coverage.storage.last().map(|days| days.last)).max();
    coverage.latest_at = last.map(|d| midnight(d) + TimeDelta::hours(20));
    let storage = coverage.storage.first().map(|days| days.first);
    coverage.first_seen = coverage.records.days().next().map(|(d, _)| d).into_iter().chain(storage).min();
}

/// Both logs by one channel.
fn share_channel(coverage: &mut BTreeMap<Category, CategoryCoverage>) {
    let Some(other) = coverage.get(&Category::NonInteractive) else { return };
    let days = other.records.days().map(|(d, _)| DayRange { first: d, last: d });
    let (sibling, latest_at) =
        (merge_days(days.chain(other.storage.iter().copied()).collect()), other.latest_at);
    if let Some(interactive) = coverage.get_mut(&Category::Interactive) {
        (interactive.sibling, interactive.sibling_latest_at) = (sibling, latest_at);
    }
}

fn any_count() -> impl Strategy<Value = u64> {
    prop_oneof![6 => Just(0), 1 => 1..50_u64]
}

fn any_users() -> impl Strategy<Value = UserCount> {
    any_count().prop_map(|sign_ins| UserCount { users: sign_ins.min(3), sign_ins })
}

fn any_protocol() -> impl Strategy<Value = ProtocolEvidence> {
    let attempts = (any_count(), any_count(), any_count());
    (any_users(), attempts, any_count(), [any_users(), any_users()], any::<bool>()).prop_map(
        |(usage, (interrupted, blocked, failures), unknown, [before, after], to_exchange)| {
            let part =
                ExchangeOrUnnamed { usage, unknown, usage_before_window: before, usage_after_window: after };
            ProtocolEvidence {
                usage,
                interrupted,
                blocked,
                failures,
                unknown,
                last_seen: None,
                usage_before_window: before,
                usage_after_window: after,
                last_after_window: None,
                past_usage: Vec::new(),
                is_unknown_dismissed: false,
                is_past_dismissed: false,
                exchange_or_unnamed: if to_exchange { part } else { ExchangeOrUnnamed::default() },
            }
        },
    )
}

fn any_evidence() -> impl Strategy<Value = TenantEvidence> {
    let doubt = || prop_oneof![19 => Just(0), 1 => 1..9_u64];
    let coverage = btree_map(
        select(vec![Category::Interactive, Category::NonInteractive, Category::Adfs]),
        any_coverage(),
        0..4,
    );
    (
        prop_oneof![1 => Just(0), 9 => Just(9_u64)],
        btree_map(select(Protocol::ALL.to_vec()), any_protocol(), 0..3),
        [doubt(), doubt(), doubt(), doubt(), doubt(), doubt()],
        coverage,
        any::<bool>(),
    )
        .prop_map(|(records, protocols, doubts, mut coverage, one_channel)| {
            if one_channel {
                share_channel(&mut coverage);
            }
            let [
                unrecognised_doubts,
                not_stated_doubts,
                legacy_agent_doubts,
                tenant_mismatches,
                rejected,
                refused,
            ] = doubts;
            TenantEvidence {
                tenant_id: TENANT.to_owned(),
                records,
                protocols,
                unrecognised_doubts,
                not_stated_doubts,
                legacy_agent_doubts,
                tenant_mismatches,
                rejected: RejectedRecords { records: rejected, paths: Vec::new() },
                refused: RefusedFiles { files: refused, paths: Vec::new() },
                coverage,
                ..TenantEvidence::default()
            }
        })
}

fn any_settings() -> impl Strategy<Value = RosterTenant> {
    let day = || prop_oneof![1 => Just(None), 1 => any_day().prop_map(Some)];
    let exclude = prop_oneof![9 => Just(None), 1 => Just(Some("left us".to_owned()))];
    (day(), day(), exclude).prop_map(|(logs_from, logs_to, exclude)| RosterTenant {
        tenant_id: TENANT.to_owned(),
        logs_from,
        logs_to,
        exclude,
        ..RosterTenant::default()
    })
}

fn any_campaign() -> impl Strategy<Value = Campaign> {
    select(EMBEDDED.map(|(name, _)| name).to_vec())
        .prop_map(|name| lightsout_config::campaign_file::load(name).expect("it is embedded"))
}

fn roster(settings: RosterTenant) -> Roster {
    Roster { tenants: [(settings.tenant_id.clone(), settings)].into() }
}

fn verdict(campaign: &Campaign, roster: &Roster, evidence: &TenantEvidence) -> TenantAssessment {
    assess(campaign, roster, std::slice::from_ref(evidence), window()).remove(0)
}

fn numbered(mut evidence: TenantEvidence, number: usize) -> TenantEvidence {
    evidence.tenant_id = format!("{number:08}-aaaa-4bbb-8ccc-000000000001");
    evidence
}

/// The evidence with these days of the window not seen in one category after all.
fn without(mut evidence: TenantEvidence, category: Category, lost: DayRange) -> TenantEvidence {
    let is_lost = |d: NaiveDate| d >= window().first && d < window().end && lost.first <= d && d <= lost.last;
    if let Some(coverage) = evidence.coverage.get_mut(&category) {
        let shares = !coverage.sibling.is_empty();
        coverage.records =
            DailyCounts::of(coverage.records.days().filter(|(d, _)| !is_lost(*d)).collect::<Vec<_>>());
        for ranges in [&mut coverage.storage, &mut coverage.sibling] {
            let days = ranges.iter().flat_map(|range| {
                range.first.iter_days().take_while(|d| *d <= range.last).filter(|d| !is_lost(*d))
            });
            *ranges = merge_days(days.map(|d| DayRange { first: d, last: d }).collect());
        }
        seen_first_and_last(coverage);
        if shares {
            share_channel(&mut evidence.coverage);
        }
    }
    evidence
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn more_usage_never_turns_a_warning_into_no_impact(
        evidence in any_evidence(),
        settings in any_settings(),
        campaign in any_campaign(),
        protocol in select(Protocol::ALL.to_vec()),
        more in 1..9_u64,
        to_exchange: bool,
    ) {
        let roster = roster(settings);
        let before = verdict(&campaign, &roster, &evidence);
        let mut used = evidence;
        let counts = used.protocols.entry(protocol).or_default();
        counts.usage.sign_ins += more;
        if to_exchange {
            counts.exchange_or_unnamed.usage.sign_ins += more;
        }
        let after = verdict(&campaign, &roster, &used);
        if before.verdict == TenantVerdict::Warning {
            prop_assert_eq!(after.verdict, TenantVerdict::Warning);
        }
        if after.verdict == TenantVerdict::NoImpact {
            prop_assert_eq!(before.verdict, TenantVerdict::NoImpact);
        }
        prop_assert!(after.protocols_clear.iter().all(|clear| before.protocols_clear.contains(clear)));
    }

    #[test]
    fn less_coverage_never_turns_insufficient_evidence_into_no_impact(
        evidence in any_evidence(),
        settings in any_settings(),
        campaign in any_campaign(),
        category in select(vec![Category::Interactive, Category::NonInteractive]),
        (first, days) in (any_day(), 0..12_u64),
        (forget_category, forget_stated) in (any::<bool>(), any::<bool>()),
    ) {
        let roster = roster(settings);
        let before = verdict(&campaign, &roster, &evidence);
        let lost = DayRange { first, last: first + Days::new(days) };
        let mut less = without(evidence, category, lost);
        if forget_stated && let Some(coverage) = less.coverage.get_mut(&category) {
            coverage.stated.clear();
        }
        if forget_category && days == 0 {
            less.coverage.remove(&category);
        }
        let after = verdict(&campaign, &roster, &less);
        if after.verdict == TenantVerdict::NoImpact {
            prop_assert_eq!(before.verdict, TenantVerdict::NoImpact);
        }
        prop_assert!(after.protocols_clear.iter().all(|clear| before.protocols_clear.contains(clear)));
    }

    #[test]
    fn one_tenants_evidence_never_changes_anothers_verdict(
        one in any_evidence(),
        others in vec(any_evidence(), 0..4),
        settings in any_settings(),
        campaign in any_campaign(),
    ) {
        let roster = roster(settings);
        let alone = verdict(&campaign, &roster, &one);
        let mut all = vec![one];
        all.extend(others.into_iter().enumerate().map(|(number, other)| numbered(other, number)));
        let rows = assess(&campaign, &roster, &all, window());
        prop_assert_eq!(rows.len(), all.len());
        prop_assert_eq!(rows.iter().find(|row| row.tenant_id == TENANT), Some(&alone));
    }

    #[test]
    fn the_order_of_the_evidence_does_not_matter_and_rows_come_sorted(
        tenants in vec(any_evidence(), 1..6),
        settings in any_settings(),
        campaign in any_campaign(),
        turn in 0..6_usize,
    ) {
        let roster = roster(settings);
        let mut tenants: Vec<TenantEvidence> =
            tenants.into_iter().enumerate().map(|(number, tenant)| numbered(tenant, number)).collect();
        let rows = assess(&campaign, &roster, &tenants, window());
        tenants.reverse();
        let turn = turn % tenants.len();
        tenants.rotate_left(turn);
        prop_assert_eq!(&assess(&campaign, &roster, &tenants, window()), &rows);
        prop_assert!(rows.is_sorted_by(|one, next| one.tenant_id < next.tenant_id));
    }

    #[test]
    fn no_impact_is_only_said_on_evidence_without_a_reason_against_it(
        evidence in any_evidence(),
        settings in any_settings(),
        campaign in any_campaign(),
    ) {
        let row = verdict(&campaign, &roster(settings), &evidence);
        prop_assert!(!row.reasons.is_empty());
        if row.verdict == TenantVerdict::NoImpact {
            prop_assert!(row.evidence_reasons.is_empty() && row.protocols_in_use.is_empty());
            prop_assert_eq!(row.protocols_clear, campaign.scope());
        }
    }
}
