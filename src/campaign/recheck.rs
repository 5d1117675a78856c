//! Whether what was announced is still true: new usage, or evidence that no longer suffices, puts protocols on
//! hold; and whether what was turned off is still used.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::clock::Clock;
use super::event::{Event, EventKind, Hold, UsageAfterChange};
use super::objections::{cause, reasons};
use super::reschedule::{NewDate, reschedule};
use super::state::{AnnouncedTenant, Ledger};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::{HoldCause, ProtocolChange};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::TenantAssessment;

/// The latest usage of each protocol, by tenant id.
pub type LastUsed = BTreeMap<String, BTreeMap<Protocol, DateTime<Utc>>>;

/// What a recheck looks at.
#[derive(Debug, Clone, Copy)]
pub struct Recheck<'a> {
    pub campaign: &'a Campaign,
    pub ledger: &'a Ledger,
    /// By tenant id: how each looks now, from the first day of the decision's window on.
    pub now_judged: &'a BTreeMap<String, TenantAssessment>,
    pub last_used: &'a LastUsed,
    /// It is the roster of now, and not that of a decision, which can't end a hold that a later one has caused.
    pub roster_is_current: bool,
    pub clock: Clock,
}

/// The events that follow, tenant by tenant. What is recorded already gives none.
///
/// A protocol that was opted out is not looked at. A hold for usage stays; one for coverage or for the roster ends when
/// its cause does. If the day of the change has come by then, or has become another while they were held, the change
/// gets a new one: nothing goes off on a day that the tenant was not told of. A protocol that is off and was used on a later day is told.
#[must_use]
pub fn recheck(look: Recheck<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    for (tenant_id, tenant) in &look.ledger.tenants {
        // By a clock that lags, or a command that is repeated: it was not announced yet.
        if tenant.announced_at > look.clock.now {
            continue;
        }
        if let Some(judged) = look.now_judged.get(tenant_id) {
            events.extend(holds_and_releases(look, tenant, judged));
        }
        if let Some(last_used) = look.last_used.get(tenant_id) {
            events.extend(used_after_change(look, tenant, last_used));
        }
    }
    events
}

fn holds_and_releases(look: Recheck<'_>, tenant: &AnnouncedTenant, judged: &TenantAssessment) -> Vec<Event> {
    let (campaign, tenant_id, now) = (look.campaign, &tenant.change.tenant_id, look.clock.now);
    let mut held: BTreeMap<HoldCause, Vec<Protocol>> = BTreeMap::new();
    let mut released = Vec::new();
    for protocol in looked_at(tenant) {
        let before = tenant.holds.get(&protocol).map(|(hold, _)| hold.cause);
        match (before, cause(campaign, judged, protocol)) {
            (Some(HoldCause::Usage), _) | (None, None) => {}
            (Some(HoldCause::Excluded), None | Some(HoldCause::Coverage)) if !look.roster_is_current => {}
            (Some(before), Some(cause)) if before == cause => {}
            (_, Some(cause)) => held.entry(cause).or_default().push(protocol),
            // A clock that lags does not end a hold.
            (Some(_), None) if tenant.holds.get(&protocol).is_some_and(|(_, since)| now > *since) => {
                released.push(protocol);
            }
            (Some(_), None) => {}
        }
    }
    let decision_id = &tenant.change.decision_id;
    let mut events = Vec::new();
    for (cause, protocols) in held {
        let detail = Hold { cause, reasons: reasons(campaign, judged, cause, &protocols) };
        let event = Event::new(&campaign.name, tenant_id, EventKind::Held, &protocols, now);
        events.push(event.on_decision(decision_id).told(&detail));
    }
    if !released.is_empty() {
        let event = Event::new(&campaign.name, tenant_id, EventKind::Released, &released, now);
        events.push(event.on_decision(decision_id));
        if tenant.needs_new_date(&released, look.clock.latest()) {
            events.push(reschedule(campaign, tenant, &released, NewDate::HoldEnded, look.clock));
        }
    }
    events
}

/// A day counts once it is over: a switch takes hours to take effect everywhere.
fn used_after_change(
    look: Recheck<'_>,
    tenant: &AnnouncedTenant,
    last_used: &BTreeMap<Protocol, DateTime<Utc>>,
) -> Option<Event> {
    let later = |(protocol, state): (&Protocol, &ProtocolChange)| match state {
        ProtocolChange::Off { on } => {
            let used = last_used.get(protocol)?;
            (used.date_naive() > *on).then_some((*protocol, *used))
        }
        ProtocolChange::Pending
        | ProtocolChange::OptedOut { .. }
        | ProtocolChange::OnHold { .. }
        | ProtocolChange::UsedAfterChange { .. } => None,
    };
    let last_used: BTreeMap<Protocol, DateTime<Utc>> =
        tenant.change.protocols.iter().filter_map(later).collect();
    if last_used.is_empty() {
        return None;
    }
    let protocols: Vec<Protocol> = last_used.keys().copied().collect();
    let (campaign, tenant_id) = (&look.campaign.name, &tenant.change.tenant_id);
    let event = Event::new(campaign, tenant_id, EventKind::UsedAfterChange, &protocols, look.clock.now);
    let detail = UsageAfterChange { why: "used_after_change".to_owned(), last_used };
    Some(event.on_decision(&tenant.change.decision_id).told(&detail))
}

fn looked_at(tenant: &AnnouncedTenant) -> BTreeSet<Protocol> {
    tenant.change.pending().into_iter().chain(tenant.change.on_hold()).collect()
}
