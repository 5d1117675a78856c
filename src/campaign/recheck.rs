//! Whether what was announced is still true: new usage, or evidence that no longer suffices, puts protocols on
//! hold.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::event::{Event, EventKind, Hold};
use super::objections::{cause, reasons};
use super::state::{AnnouncedTenant, Ledger};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::HoldCause;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::TenantAssessment;

/// The events that follow, tenant by tenant. What is on hold already gives none. `now_judged` are the tenants
/// as they look now, from the first day of the decision's window on.
///
/// A protocol that was opted out or is off is not looked at. A hold for usage stays; one for coverage
/// or for the roster ends when its cause does. `roster_is_current`: it is the roster of now, and not that of
/// a decision, which can't end a hold that a later one has caused.
#[must_use]
pub fn recheck(
    campaign: &Campaign,
    ledger: &Ledger,
    now_judged: &BTreeMap<String, TenantAssessment>,
    roster_is_current: bool,
    now: DateTime<Utc>,
) -> Vec<Event> {
    let mut events = Vec::new();
    for (tenant_id, tenant) in &ledger.tenants {
        let Some(judged) = now_judged.get(tenant_id) else { continue };
        // By a clock that lags, or a command that is repeated: it was not announced yet.
        if tenant.announced_at > now {
            continue;
        }
        let mut held: BTreeMap<HoldCause, Vec<Protocol>> = BTreeMap::new();
        let mut held_at = now;
        let mut released = Vec::new();
        for protocol in looked_at(tenant) {
            let before = tenant.holds.get(&protocol).map(|(hold, since)| (hold.cause, *since));
            match (before, cause(campaign, judged, protocol)) {
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
            let detail = Hold { cause, reasons: reasons(campaign, judged, cause, &protocols) };
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
