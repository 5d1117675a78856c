//! What has been turned off, as the operator says: taken for what was due, refused for the rest.

use chrono::{DateTime, Utc};

use super::event::EventKind;
use super::opt_out::{announced, named};
use super::state::Ledger;
use super::validate::{ValidatedRequests, validate};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::ProtocolChange;
use lightsout_model::change::Request;
use lightsout_model::protocol::Protocol;

/// Takes or refuses each row. A row without protocols stands for everything that was pending.
#[must_use]
pub fn confirm(
    campaign: &Campaign,
    ledger: &Ledger,
    requests: &[Request],
    now: DateTime<Utc>,
) -> ValidatedRequests {
    validate(campaign, requests, EventKind::Confirmed, now, |request, at| {
        turned_off(campaign, ledger, request, at)
    })
}

fn turned_off(
    campaign: &Campaign,
    ledger: &Ledger,
    request: &Request,
    at: DateTime<Utc>,
) -> Result<Vec<Protocol>, String> {
    let tenant = announced(ledger, &request.tenant_id, &campaign.name)?;
    let change = &tenant.change;
    if at.date_naive() < change.effective_date {
        return Err(format!(
            "it was announced for {}, and this is of {}; if it has been turned off, undo it",
            change.effective_date,
            at.date_naive()
        ));
    }
    let asked = named(tenant, request.protocols.as_deref())?;
    let mut protocols = Vec::new();
    for protocol in asked {
        match change.protocols.get(&protocol) {
            Some(ProtocolChange::Pending) => protocols.push(protocol),
            Some(ProtocolChange::OptedOut { on, .. }) if request.protocols.is_some() => {
                return Err(format!(
                    "the tenant opted out of {protocol} on {on}; if it has been turned off, undo it"
                ));
            }
            Some(ProtocolChange::OnHold { since, .. }) if request.protocols.is_some() => {
                return Err(format!(
                    "{protocol} is on hold since {since}; if it has been turned off, undo it"
                ));
            }
            _ => {}
        }
    }
    if protocols.is_empty() && change.off().is_empty() {
        return Err("nothing of it was to be turned off: all is opted out or on hold".to_owned());
    }
    Ok(protocols)
}
