//! What speaks against turning protocols off, as a tenant looks now. `announce`, `recheck` and `apply` ask
//! this one function, so that none of them turns off what another would hold.

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
