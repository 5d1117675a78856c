//! A snapshot added up: tenants by verdict and by protocol, usage and coverage day by day.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::data::Snapshot;
use lightsout_model::evidence::{UserCount, Window};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{ProtocolAssessment, ProtocolVerdict, TenantAssessment, TenantVerdict};

/// Everything that the page says, as numbers.
pub(super) struct Model<'a> {
    pub(super) window: Window,
    /// Those that something has to be done about first.
    pub(super) tenants: Vec<&'a TenantAssessment>,
    /// Every protocol in scope and every other seen, in report order.
    pub(super) protocols: Vec<ProtocolTotal>,
    /// The days of the window.
    pub(super) days: Vec<NaiveDate>,
    /// The protocols with usage, in report order.
    pub(super) trends: Vec<Trend>,
    /// Of each day, the tenants whose required logs all cover it.
    pub(super) covered: Vec<u64>,
}

/// The rows of `protocol_usage` of one protocol, added.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProtocolTotal {
    pub(super) protocol: Protocol,
    pub(super) in_scope: bool,
    /// Tenants where it is so.
    pub(super) in_use: u64,
    pub(super) unproven: u64,
    pub(super) attempted: u64,
    pub(super) unused: u64,
    /// Distinct in each tenant, added.
    pub(super) users: u64,
    pub(super) sign_ins: u64,
    /// Interrupted, blocked and failed.
    pub(super) refused: u64,
    pub(super) unknown: u64,
    pub(super) last_seen: Option<DateTime<Utc>>,
}

/// Usage of one protocol on each day of the window.
pub(super) struct Trend {
    pub(super) protocol: Protocol,
    pub(super) in_scope: bool,
    /// Over the window: a user of many days is one.
    pub(super) total: UserCount,
    pub(super) days: Vec<UserCount>,
}

impl<'a> Model<'a> {
    pub(super) fn of(snapshot: &Snapshot<'a>) -> Self {
        let assessment = snapshot.assessment;
        let window = assessment.window;
        let days: Vec<NaiveDate> = window.first.iter_days().take_while(|day| *day < window.end).collect();
        let protocols = protocols(&assessment.tenants);
        let trends = protocols
            .iter()
            .filter(|total| total.sign_ins > 0)
            .map(|total| {
                let found = snapshot.usage.days.get(&total.protocol);
                let on = |day| found.and_then(|found| found.get(day)).copied().unwrap_or_default();
                Trend {
                    protocol: total.protocol,
                    in_scope: total.in_scope,
                    total: UserCount { users: total.users, sign_ins: total.sign_ins },
                    days: days.iter().map(on).collect(),
                }
            })
            .collect();
        let mut tenants: Vec<&TenantAssessment> = assessment.tenants.iter().collect();
        tenants.sort_by_cached_key(|tenant| {
            let name = tenant.display_name.as_ref().map(|name| name.to_lowercase());
            (urgency(tenant.verdict), Reverse(tenant.users), name.is_none(), name, &tenant.tenant_id)
        });
        Self { window, covered: covered(&assessment.tenants, &days), tenants, protocols, days, trends }
    }

    pub(super) fn tenants_with(&self, verdict: TenantVerdict) -> u64 {
        self.tenants.iter().filter(|tenant| tenant.verdict == verdict).count() as u64
    }
}

/// Where a verdict stands in the page's order.
const fn urgency(verdict: TenantVerdict) -> u8 {
    match verdict {
        TenantVerdict::Warning => 0,
        TenantVerdict::InsufficientEvidence => 1,
        TenantVerdict::NoImpact => 2,
        TenantVerdict::Excluded => 3,
    }
}

impl ProtocolTotal {
    const fn none(row: &ProtocolAssessment) -> Self {
        Self {
            protocol: row.protocol,
            in_scope: row.in_scope,
            in_use: 0,
            unproven: 0,
            attempted: 0,
            unused: 0,
            users: 0,
            sign_ins: 0,
            refused: 0,
            unknown: 0,
            last_seen: None,
        }
    }

    fn add(&mut self, row: &ProtocolAssessment) {
        let tenants = match row.verdict {
            ProtocolVerdict::InUse => &mut self.in_use,
            ProtocolVerdict::Unproven => &mut self.unproven,
            ProtocolVerdict::Attempted => &mut self.attempted,
            // Nothing is left to be switched off.
            ProtocolVerdict::AlreadyOff | ProtocolVerdict::Unused => &mut self.unused,
        };
        *tenants += 1;
        self.users += row.users;
        self.sign_ins += row.sign_ins;
        self.refused += row.interrupted + row.blocked + row.failures;
        self.unknown += row.unknown;
        self.last_seen = self.last_seen.max(row.last_seen);
    }
}

fn protocols(tenants: &[TenantAssessment]) -> Vec<ProtocolTotal> {
    let mut totals: BTreeMap<Protocol, ProtocolTotal> = BTreeMap::new();
    for row in tenants.iter().flat_map(|tenant| &tenant.protocols) {
        totals.entry(row.protocol).or_insert(ProtocolTotal::none(row)).add(row);
    }
    totals.into_values().collect()
}

/// Of each day, the tenants without a gap in any required log.
fn covered(tenants: &[TenantAssessment], days: &[NaiveDate]) -> Vec<u64> {
    let mut covered = vec![0; days.len()];
    for tenant in tenants {
        for (count, day) in covered.iter_mut().zip(days) {
            let in_gap =
                |gap: &lightsout_model::verdict::CoverageGap| gap.days.first <= *day && *day <= gap.days.last;
            *count += u64::from(!tenant.gaps.iter().any(in_gap));
        }
    }
    covered
}
