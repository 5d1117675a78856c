//! What must hold whatever the evidence is.

use chrono::{Days, NaiveDate, TimeDelta};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::case::{TENANT, day};
use crate::assess::assess;
use crate::campaign::{Campaign, EMBEDDED};
use crate::evidence::{
    CategoryCoverage, DayRange, ExchangeOrUnnamed, ProtocolEvidence, TenantEvidence, UserCount, Window,
    merge_days,
};
use crate::protocol::Protocol;
use crate::sign_in::Category;
use crate::tenant::{Roster, RosterTenant};
use crate::verdict::{TenantAssessment, TenantVerdict};

fn window() -> Window {
    Window::before(day("2026-10-31"), 30)
}

/// Days from well before the window to a little after it.
fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0..80_u64).prop_map(|days| day("2026-08-20") + Days::new(days))
}

/// Often the whole time, so that sufficient evidence is not rare.
fn any_days() -> impl Strategy<Value = Vec<DayRange>> {
    let whole = DayRange { first: day("2026-08-20"), last: day("2026-11-05") };
    let some = vec((any_day(), 0..30_u64), 0..4).prop_map(|runs| {
        let run = |(first, days)| DayRange { first, last: first + Days::new(days) };
        merge_days(runs.into_iter().map(run).collect())
    });
    prop_oneof![3 => Just(vec![whole]), 2 => some]
}

fn any_coverage() -> impl Strategy<Value = CategoryCoverage> {
    let incomplete = prop_oneof![3 => Just(Vec::new()), 1 => any_days()];
    (any_days(), incomplete).prop_map(|(covered, incomplete)| {
        let missing_columns = incomplete.iter().map(|_| "clientAppUsed".to_owned()).take(1).collect();
        CategoryCoverage { covered, incomplete, missing_columns }
    })
}

fn any_count() -> impl Strategy<Value = u64> {
    prop_oneof![6 => Just(0), 1 => 1..50_u64]
}

fn any_users() -> impl Strategy<Value = UserCount> {
    any_count().prop_map(|sign_ins| UserCount { users: sign_ins.min(3), sign_ins })
}

fn any_protocol() -> impl Strategy<Value = ProtocolEvidence> {
    let attempts = (any_count(), any_count(), any_count());
    (any_users(), attempts, any_count(), any_users(), any::<bool>()).prop_map(
        |(usage, (interrupted, blocked, failures), unknown, before, to_exchange)| {
            let part = ExchangeOrUnnamed { usage, unknown, usage_before_window: before };
            ProtocolEvidence {
                usage,
                interrupted,
                blocked,
                failures,
                unknown,
                last_seen: None,
                usage_before_window: before,
                exchange_or_unnamed: if to_exchange { part } else { ExchangeOrUnnamed::default() },
            }
        },
    )
}

fn any_evidence() -> impl Strategy<Value = TenantEvidence> {
    let categories = select(vec![Category::Interactive, Category::NonInteractive, Category::Adfs]);
    let doubt = prop_oneof![9 => Just(0), 1 => 1..9_u64];
    (
        0..3_u64,
        btree_map(select(Protocol::ALL.to_vec()), any_protocol(), 0..3),
        (doubt.clone(), doubt),
        btree_map(categories, any_coverage(), 0..4),
        prop_oneof![3 => Just(None), 1 => any_day().prop_map(Some)],
        prop_oneof![1 => 0..1000_i64, 2 => Just(900)],
    )
        .prop_map(|(records, protocols, doubts, coverage, declared_until, hours)| TenantEvidence {
            tenant_id: TENANT.to_owned(),
            records,
            protocols,
            users_in_scope: 0,
            unrecognised_doubts: doubts.0,
            not_stated_doubts: doubts.1,
            coverage,
            latest_at: Some(window().start_at() + TimeDelta::hours(hours)),
            declared_until,
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
        .prop_map(|name| Campaign::load(name).expect("it is embedded"))
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

/// The evidence with these days of one category not seen after all.
fn without(
    mut evidence: TenantEvidence,
    category: Category,
    first: NaiveDate,
    last: NaiveDate,
) -> TenantEvidence {
    if let Some(coverage) = evidence.coverage.get_mut(&category) {
        let split = |range: DayRange| {
            let before = DayRange { last: range.last.min(first - Days::new(1)), ..range };
            let after = DayRange { first: range.first.max(last + Days::new(1)), ..range };
            [before, after]
        };
        coverage.covered = merge_days(coverage.covered.drain(..).flat_map(split).collect());
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
        (first, days) in (any_day(), 0..60_u64),
        earlier_hours in 0..200_i64,
        (forget_category, forget_declared) in (any::<bool>(), any::<bool>()),
    ) {
        let roster = roster(settings);
        let before = verdict(&campaign, &roster, &evidence);
        let mut less = without(evidence, category, first, first + Days::new(days));
        less.latest_at = less.latest_at.map(|latest| latest - TimeDelta::hours(earlier_hours));
        if forget_category {
            less.coverage.remove(&category);
        }
        if forget_declared {
            less.declared_until = None;
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
