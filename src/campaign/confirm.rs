//! What has been turned off, as the operator says: taken for what was due, refused for the rest.

use chrono::{DateTime, Utc};

use super::clock::Clock;
use super::event::EventKind;
use super::opt_out::{announced, named};
use super::state::{AnnouncedTenant, Ledger};
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
    clock: Clock,
) -> ValidatedRequests {
    validate(campaign, requests, EventKind::Confirmed, clock.now, |request, at| {
        turned_off(campaign, ledger, request, at, clock)
    })
}

fn turned_off(
    campaign: &Campaign,
    ledger: &Ledger,
    request: &Request,
    at: DateTime<Utc>,
    clock: Clock,
) -> Result<Vec<Protocol>, String> {
    let tenant = announced(ledger, &request.tenant_id, &campaign.name)?;
    let change = &tenant.change;
    in_time(tenant, at, clock)?;
    let asked = named(tenant, request.protocols.as_deref())?;
    let mut protocols = Vec::new();
    for protocol in asked {
        match change.protocols.get(&protocol) {
            Some(ProtocolChange::Pending) => protocols.push(protocol),
            // Turned off once more, and for good.
            Some(ProtocolChange::UsedAfterChange { last_used, .. }) if at.date_naive() > *last_used => {
                protocols.push(protocol);
            }
            Some(ProtocolChange::UsedAfterChange { last_used, .. }) if request.protocols.is_some() => {
                return Err(format!(
                    "{protocol} was used on {last_used}, after it had been turned off; confirm it again with a time \
                     after that"
                ));
            }
            Some(ProtocolChange::OptedOut { on, .. }) if request.protocols.is_some() => {
                return Err(format!(
                    "the tenant opted out of {protocol} on {on}; if it has been turned off, undo it"
                ));
            }
            Some(ProtocolChange::OnHold { since, .. }) if request.protocols.is_some() => {
                return Err(format!(
                    "{protocol} has been on hold since {since}; if it has been turned off, undo it"
                ));
            }
            _ => {}
        }
    }
    if protocols.is_empty() && tenant.off_at.is_empty() {
        return Err("nothing was due to be turned off: everything is opted out or on hold".to_owned());
    }
    Ok(protocols)
}

/// What was turned off before its day, or before its days of notice had passed, is not taken.
fn in_time(tenant: &AnnouncedTenant, at: DateTime<Utc>, clock: Clock) -> Result<(), String> {
    let change = &tenant.change;
    let at = at.min(clock.wall).date_naive();
    // It was turned off on its day, and got another one before anybody said so.
    let before = tenant.due_before.zip(tenant.rescheduled_at);
    if before.is_some_and(|(day, until)| day <= at && at < until.date_naive()) {
        return Ok(());
    }
    if at < change.effective_date {
        return Err(format!(
            "it was announced for {}, but this is dated {at}; if it has been turned off, undo it",
            change.effective_date
        ));
    }
    if at < tenant.not_before {
        return Err(format!(
            "its days of notice end on {} by the system clock, but this is dated {at}; if it has been turned off, undo it",
            tenant.not_before
        ));
    }
    Ok(())
}
