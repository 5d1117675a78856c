//! What speaks against turning protocols off, as a tenant looks now. `announce`, `recheck` and `apply` ask
//! this one function, so that none of them turns off what another would hold.

use super::event::Hold;
use super::state::AnnouncedTenant;
use lightsout_model::campaign::Campaign;
use lightsout_model::change::HoldCause;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantAssessment};

/// The gravest cause for which a protocol can't be turned off.
#[must_use]
pub fn cause(campaign: &Campaign, tenant: &TenantAssessment, protocol: Protocol) -> Option<HoldCause> {
    // One whose whole scope is off already is left out too, and nothing speaks against turning that off.
    if tenant.reasons.iter().any(|reason| matches!(reason, Reason::Excluded { .. })) {
        return Some(HoldCause::Excluded);
    }
    let raised: Vec<&Reason> =
        tenant.objections.iter().filter(|reason| concerns(campaign, reason, &[protocol])).collect();
    if raised.iter().any(|reason| reason.is_usage()) {
        Some(HoldCause::Usage)
    } else if (!raised.is_empty() || !tenant.evidence_reasons.is_empty()) && !tenant.is_already_off(protocol)
    {
        Some(HoldCause::Coverage)
    } else {
        None
    }
}

/// The reasons of a cause, as far as they are about these protocols.
#[must_use]
pub fn reasons(
    campaign: &Campaign,
    tenant: &TenantAssessment,
    cause: HoldCause,
    protocols: &[Protocol],
) -> Vec<Reason> {
    let raised = || tenant.objections.iter().filter(|reason| concerns(campaign, reason, protocols));
    match cause {
        HoldCause::Excluded => tenant.reasons.clone(),
        HoldCause::Usage => raised().filter(|reason| reason.is_usage()).cloned().collect(),
        HoldCause::Coverage => {
            let doubts = raised().filter(|reason| !reason.is_usage());
            tenant.evidence_reasons.iter().chain(doubts).cloned().collect()
        }
    }
}

/// Usage of one protocol of a group keeps the whole group.
fn concerns(campaign: &Campaign, reason: &Reason, protocols: &[Protocol]) -> bool {
    reason
        .protocol()
        .is_none_or(|of| protocols.iter().any(|protocol| campaign.group_of(*protocol).contains(&of)))
}

/// Why protocols are on hold for one cause: as it is now, else as it was when the hold was recorded.
#[must_use]
pub fn reasons_now(
    campaign: &Campaign,
    hold: &Hold,
    protocols: &[Protocol],
    judged: Option<&TenantAssessment>,
) -> Vec<Reason> {
    let now = judged.map(|tenant| reasons(campaign, tenant, hold.cause, protocols));
    now.filter(|reasons| !reasons.is_empty()).unwrap_or_else(|| hold.reasons.clone())
}

/// Why something of a tenant is on hold, over all causes.
#[must_use]
pub fn hold_reasons(
    campaign: &Campaign,
    tenant: &AnnouncedTenant,
    judged: Option<&TenantAssessment>,
) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for (protocol, (hold, _)) in &tenant.holds {
        let new = reasons_now(campaign, hold, &[*protocol], judged);
        reasons.extend(new.into_iter().filter(|reason| !reasons.contains(reason)).collect::<Vec<_>>());
    }
    reasons
}
