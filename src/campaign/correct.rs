//! A confirmation is taken back: the protocols were not turned off. They stand as before it, with the date that was
//! announced.

use chrono::{DateTime, Utc};

use super::event::{Event, EventKind, Explanation};
use super::opt_out::{announced, named};
use super::state::Ledger;
use super::validate::{ValidatedRequests, take};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::{ProtocolChange, Request};
use lightsout_model::protocol::Protocol;

/// Takes or refuses each request. A row without protocols stands for everything that was confirmed.
#[must_use]
pub fn correct(
    campaign: &Campaign,
    ledger: &Ledger,
    requests: &[Request],
    why: &str,
    now: DateTime<Utc>,
) -> ValidatedRequests {
    take(requests, now, |request, at| {
        let tenant = announced(ledger, &request.tenant_id, &campaign.name)?;
        let asked = named(tenant, request.protocols.as_deref())?;
        let is_off = |protocol: &Protocol| match tenant.change.protocols.get(protocol) {
            Some(ProtocolChange::Off { .. } | ProtocolChange::UsedAfterChange { .. }) => true,
            Some(
                ProtocolChange::Pending | ProtocolChange::OptedOut { .. } | ProtocolChange::OnHold { .. },
            )
            | None => false,
        };
        let off: Vec<Protocol> = asked.iter().copied().filter(is_off).collect();
        if off.is_empty() {
            if asked.iter().any(|protocol| tenant.corrected.contains(protocol)) {
                return Ok(Vec::new());
            }
            return Err(
                "none of these protocols was confirmed as turned off; see: lightsout campaign status --tenant".to_owned()
            );
        }
        let event = Event::new(&campaign.name, &request.tenant_id, EventKind::Corrected, &off, at);
        Ok(vec![event.by(request.by_whom.as_deref()).told(&Explanation { why: why.to_owned() })])
    })
}
