//! Deciding: (campaign, roster, evidence) in, one verdict per tenant out. Pure: no engine, no
//! clock, no I/O. Counting is done before, by `queries/*.sql`; what follows a verdict is `notify`'s.
//!
//! `coverage` says whether the evidence suffices, `protocols` judges one protocol, `tenant`
//! puts both together. In doubt a tenant is not told "no impact".

mod coverage;
mod protocols;
mod settings;
mod tenant;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_model::verdict::TenantAssessment;

/// One row per tenant of the evidence or the roster, sorted by tenant id.
///
/// Nothing of one tenant's evidence reaches another's row, and the order of `evidence` does not
/// matter. A roster tenant that the lake holds nothing of is judged on empty evidence. A change that was
/// announced is judged by the same rules, from the first day of the decision's window until now.
#[must_use]
pub fn assess(
    campaign: &Campaign,
    roster: &Roster,
    evidence: &[TenantEvidence],
    window: Window,
) -> Vec<TenantAssessment> {
    let scope = campaign.scope();
    let mut found: BTreeMap<&str, Option<&TenantEvidence>> =
        roster.tenants.keys().map(|tenant_id| (tenant_id.as_str(), None)).collect();
    found.extend(evidence.iter().map(|tenant| (tenant.tenant_id.as_str(), Some(tenant))));

    let judge = |(tenant_id, evidence): (&str, Option<&TenantEvidence>)| {
        let settings = roster.tenants.get(tenant_id);
        let nothing = || TenantEvidence { tenant_id: tenant_id.to_owned(), ..TenantEvidence::default() };
        let evidence = evidence.map_or_else(|| Cow::Owned(nothing()), Cow::Borrowed);
        tenant::assess(campaign, &scope, settings, &evidence, window)
    };
    found.into_iter().map(judge).collect()
}

/// Until when a tenant's log is known to be complete: a window must end at or before it.
///
/// The latest of its categories' horizons, each the later of the newest instant that the log tells of less the
/// campaign's `settle_hours`, and the end of its last stated day; `None` if there is neither.
#[must_use]
pub(crate) fn horizon(
    campaign: &Campaign,
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
) -> Option<DateTime<Utc>> {
    coverage::horizon(campaign, settings, evidence)
}

/// The days of a window, and whether each is covered for a category.
#[must_use]
pub fn covered_days(
    campaign: &Campaign,
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
    category: Category,
    window: Window,
) -> Vec<(NaiveDate, bool)> {
    coverage::covered_days(campaign, settings, evidence, category, window)
}

/// The `as_of` of a window for which nobody named one: the latest date that the horizons of at
/// least half of the lake's tenants reach.
///
/// A tenant whose horizon is not known counts as one that reaches no date. `None` for an empty
/// lake, and where more than half of the tenants reach no date.
#[must_use]
pub fn default_as_of(campaign: &Campaign, roster: &Roster, evidence: &[TenantEvidence]) -> Option<NaiveDate> {
    let mut reached: Vec<Option<NaiveDate>> = evidence
        .iter()
        .map(|tenant| {
            let settings = roster.tenants.get(&tenant.tenant_id);
            horizon(campaign, settings, tenant).map(|horizon| horizon.date_naive())
        })
        .collect();
    reached.sort_unstable_by(|earlier, later| later.cmp(earlier));
    let half = reached.len().div_ceil(2);
    reached.get(half.checked_sub(1)?).copied().flatten()
}
