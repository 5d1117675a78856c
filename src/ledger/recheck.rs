//! Whether what was announced is still true: new usage or lost coverage puts protocols on hold.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::event::{Event, EventKind, Hold};
use super::state::{AnnouncedTenant, Ledger};
use crate::campaign::Campaign;
use crate::change::HoldCause;
use crate::protocol::Protocol;
use crate::verdict::{Reason, TenantAssessment};

/// One tenant as it looks now, from the first day of the decision's window on.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// By [`crate::assess::recheck`]: what the logs cover counts.
    pub covered: TenantAssessment,
    /// By [`crate::assess::overtaken`]: only what was seen counts.
    pub seen: TenantAssessment,
}

/// The events that follow, tenant by tenant. What is on hold already gives none.
///
/// A protocol that was opted out or is off is not looked at. A hold for usage stays; one for coverage
/// or for the roster ends when its cause does. `roster_is_current`: it is the roster of now, and not that of
/// a decision, which can't end a hold that a later one has caused.
#[must_use]
pub fn recheck(
    campaign: &Campaign,
    ledger: &Ledger,
    fresh: &BTreeMap<String, Fresh>,
    roster_is_current: bool,
    now: DateTime<Utc>,
) -> Vec<Event> {
    let mut events = Vec::new();
    for (tenant_id, tenant) in &ledger.tenants {
        let Some(fresh) = fresh.get(tenant_id) else { continue };
        // By a clock that lags, or a command that is repeated: it was not announced yet.
        if tenant.announced_at > now {
            continue;
        }
        let mut held: BTreeMap<HoldCause, Vec<Protocol>> = BTreeMap::new();
        let mut held_at = now;
        let mut released = Vec::new();
        for protocol in looked_at(tenant) {
            let before = tenant.holds.get(&protocol).map(|(hold, since)| (hold.cause, *since));
            match (before, cause(fresh, protocol)) {
                (Some((HoldCause::Usage, _)), _) | (None, None) => {}
                (Some((HoldCause::Excluded, _)), None | Some(HoldCause::Coverage)) if !roster_is_current => {}
                (Some((before, _)), Some(cause)) if before == cause => {}
                (before, Some(cause)) => {
                    held.entry(cause).or_default().push(protocol);
                    // It comes after the hold whose place it takes, also by a clock that lags.
                    held_at =
                        held_at.max(before.map_or(now, |(_, since)| since + TimeDelta::microseconds(1)));
                }
                (Some((_, since)), None) if now > since => released.push(protocol),
                (Some(_), None) => {}
            }
        }
        for (cause, protocols) in held {
            let detail = Hold { cause, reasons: reasons(campaign, fresh, cause, &protocols) };
            let event = Event::new(&campaign.name, tenant_id, EventKind::Held, &protocols, held_at);
            events.push(event.on_decision(&tenant.change.decision_id).told(&detail));
        }
        if !released.is_empty() {
            let event = Event::new(&campaign.name, tenant_id, EventKind::Released, &released, now);
            events.push(event.on_decision(&tenant.change.decision_id));
        }
    }
    events
}

fn looked_at(tenant: &AnnouncedTenant) -> BTreeSet<Protocol> {
    tenant.change.pending().into_iter().chain(tenant.change.on_hold()).collect()
}

/// Why a protocol can't be turned off as announced.
fn cause(fresh: &Fresh, protocol: Protocol) -> Option<HoldCause> {
    if fresh.covered.reasons.iter().any(|reason| matches!(reason, Reason::Excluded { .. })) {
        Some(HoldCause::Excluded)
    } else if fresh.seen.is_already_off(protocol) {
        // Somebody turned it off since, as announced.
        None
    } else if !fresh.seen.protocols_clear.contains(&protocol) {
        Some(HoldCause::Usage)
    } else if !fresh.covered.evidence_reasons.is_empty() {
        Some(HoldCause::Coverage)
    } else {
        None
    }
}

fn reasons(campaign: &Campaign, fresh: &Fresh, cause: HoldCause, protocols: &[Protocol]) -> Vec<Reason> {
    let reasons = match cause {
        HoldCause::Excluded => return fresh.covered.reasons.clone(),
        HoldCause::Coverage => return fresh.covered.evidence_reasons.clone(),
        HoldCause::Usage => &fresh.seen.reasons,
    };
    let concerned: BTreeSet<Protocol> =
        protocols.iter().flat_map(|protocol| campaign.group_of(*protocol).iter().copied()).collect();
    let of_others = |reason: &&Reason| match reason {
        Reason::InUse { protocol, .. }
        | Reason::UnknownOutcome { protocol, .. }
        | Reason::UsedBeforeWindow { protocol, .. } => {
            *protocol == Protocol::OtherLegacy || concerned.contains(protocol)
        }
        Reason::InUseByReport { .. } | Reason::SmtpReport { .. } => concerned.contains(&Protocol::SmtpAuth),
        _ => true,
    };
    let told: Vec<Reason> = reasons.iter().filter(of_others).cloned().collect();
    // A doubt stands behind another protocol's use where the rule that decided tells only of that.
    if told.is_empty() { reasons.clone() } else { told }
}
