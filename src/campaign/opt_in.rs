//! An opt-out is taken back: the protocols go off after all. If their day has come meanwhile, they get a new one.

use std::collections::{BTreeMap, BTreeSet};

use super::clock::Clock;
use super::event::{Event, EventKind, Explanation};
use super::opt_out::{announced, named};
use super::reschedule::{NewDate, reschedule};
use super::state::{AnnouncedTenant, Ledger};
use super::validate::{ValidatedRequests, take};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::{ProtocolChange, Request};
use lightsout_model::protocol::Protocol;

/// Takes or refuses each request. Protocols that are kept together are opted in together.
#[must_use]
pub fn opt_in(
    campaign: &Campaign,
    ledger: &Ledger,
    requests: &[Request],
    why: &str,
    clock: Clock,
) -> ValidatedRequests {
    let mut new_dates: BTreeMap<String, NewDateRequest> = BTreeMap::new();
    let mut taken = take(requests, clock.now, |request, at| {
        let id = &request.tenant_id;
        let opted_in = |protocols: &[Protocol]| {
            let event = Event::new(&campaign.name, id, EventKind::OptedIn, protocols, at);
            event.by(request.by_whom.as_deref()).told(&Explanation { why: why.to_owned() })
        };
        if let Some(withdrawn) = ledger.withdrawn.get(id) {
            // Nothing is announced: only the next announcement may name them again.
            let mut kept = withdrawn.change.opted_out();
            if let Some(asked) = &request.protocols {
                kept.retain(|protocol| {
                    asked.iter().any(|asked| campaign.group_of(*asked).contains(protocol))
                });
            }
            if !kept.is_empty() {
                return Ok(vec![opted_in(&kept)]);
            }
        }
        let tenant = announced(ledger, id, &campaign.name)?;
        let protocols = opted_out(campaign, tenant, request.protocols.as_deref())?;
        if protocols.is_empty() {
            return Ok(Vec::new());
        }
        let event = opted_in(&protocols);
        if tenant.needs_new_date(&protocols, clock.latest()) {
            let new_date = new_dates.entry(id.clone()).or_insert_with(|| NewDateRequest {
                tenant,
                protocols: Vec::new(),
                by_whom: None,
            });
            new_date.protocols.extend(protocols);
            new_date.by_whom.clone_from(&request.by_whom);
        }
        Ok(vec![event])
    });
    for NewDateRequest { tenant, protocols, by_whom } in new_dates.into_values() {
        let event = reschedule(campaign, tenant, &protocols, NewDate::OptedIn, clock);
        taken.events.push(event.by(by_whom.as_deref()));
    }
    taken
}

/// A tenant whose opt-outs are taken back by several requests gets one new date for all of them.
struct NewDateRequest<'a> {
    tenant: &'a AnnouncedTenant,
    protocols: Vec<Protocol>,
    by_whom: Option<String>,
}

/// What is opted out of the protocols that are asked for; none, if they were opted in before.
fn opted_out(
    campaign: &Campaign,
    tenant: &AnnouncedTenant,
    asked: Option<&[Protocol]>,
) -> Result<Vec<Protocol>, String> {
    let groups = named(tenant, asked)?;
    let groups = groups.iter().flat_map(|protocol| campaign.group_of(*protocol).iter().copied());
    let all: BTreeSet<Protocol> = groups.collect();
    let is_out = |protocol: &Protocol| {
        matches!(tenant.change.protocols.get(protocol), Some(ProtocolChange::OptedOut { .. }))
    };
    let out: Vec<Protocol> = all.iter().copied().filter(is_out).collect();
    if !out.is_empty() || all.iter().any(|protocol| tenant.opted_in.contains(protocol)) {
        return Ok(out);
    }
    let off = all.iter().find_map(|protocol| match tenant.change.protocols.get(protocol)? {
        ProtocolChange::Off { on } | ProtocolChange::UsedAfterChange { off_on: on, .. } => {
            Some(format!("{protocol} has been turned off on {on}; there is no opt-out to take back"))
        }
        ProtocolChange::Pending | ProtocolChange::OptedOut { .. } | ProtocolChange::OnHold { .. } => None,
    });
    let which = match asked {
        Some(asked) => asked.iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(", "),
        None => "anything".to_owned(),
    };
    Err(off.filter(|_| asked.is_some()).unwrap_or_else(|| {
        format!("it has not opted out of {which}; see: lightsout campaign status --tenant")
    }))
}
