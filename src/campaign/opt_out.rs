//! A tenant keeps protocols: taken until the day of the change, refused with the reason after it.

use chrono::{DateTime, Utc};

use super::event::EventKind;
use super::state::{AnnouncedTenant, Ledger};
use super::validate::{ValidatedRequests, validate};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::ProtocolChange;
use lightsout_model::change::Request;
use lightsout_model::protocol::Protocol;

/// Takes or refuses each request.
///
/// Protocols that are kept together are opted out together. The day of the change itself still
/// counts, unless the change has been made.
#[must_use]
pub fn opt_out(
    campaign: &Campaign,
    ledger: &Ledger,
    requests: &[Request],
    now: DateTime<Utc>,
) -> ValidatedRequests {
    validate(campaign, requests, EventKind::OptedOut, now, |request, at| {
        protocols_of(campaign, ledger, request, at)
    })
}

/// What is opted out by a request and was not before.
fn protocols_of(
    campaign: &Campaign,
    ledger: &Ledger,
    request: &Request,
    at: DateTime<Utc>,
) -> Result<Vec<Protocol>, String> {
    let tenant = announced(ledger, &request.tenant_id, &campaign.name)?;
    let change = &tenant.change;
    if at < tenant.announced_at && at.date_naive() < change.announced_on {
        return Err(format!(
            "{} was before the announcement of {}; record what is kept from the start in the roster",
            at.date_naive(),
            change.announced_on
        ));
    }
    // Until the last day on which nothing may have been turned off yet.
    let last = tenant.due_on();
    if at.date_naive() > last {
        return Err(format!(
            "opting out was possible until {last}, but this is dated {}; {}",
            at.date_naive(),
            if tenant.withdrawable().is_empty() {
                "ask the tenant's administrator to switch it on again"
            } else {
                "take back what has not been turned off with: lightsout campaign withdraw"
            }
        ));
    }
    let asked = named(tenant, request.protocols.as_deref())?;
    let mut protocols = Vec::new();
    for protocol in asked.iter().flat_map(|protocol| campaign.group_of(*protocol).iter().copied()) {
        match change.protocols.get(&protocol) {
            Some(ProtocolChange::Off { on } | ProtocolChange::UsedAfterChange { off_on: on, .. })
                if request.protocols.is_some() =>
            {
                return Err(format!(
                    "{protocol} has been turned off on {on}; switch it on again in the tenant"
                ));
            }
            Some(ProtocolChange::Pending | ProtocolChange::OnHold { .. }) => protocols.push(protocol),
            Some(
                ProtocolChange::Off { .. }
                | ProtocolChange::UsedAfterChange { .. }
                | ProtocolChange::OptedOut { .. },
            )
            | None => {}
        }
    }
    if protocols.is_empty() && change.opted_out().is_empty() {
        return Err(format!("everything that was announced has been turned off, {}", told_off(tenant)));
    }
    Ok(protocols)
}

/// The tenant's announcement.
pub(super) fn announced<'a>(
    ledger: &'a Ledger,
    tenant_id: &str,
    campaign: &str,
) -> Result<&'a AnnouncedTenant, String> {
    ledger.tenants.get(tenant_id).ok_or_else(|| match ledger.withdrawn.get(tenant_id) {
        Some(withdrawn) => format!(
            "its announcement was withdrawn on {}, and nothing of it is turned off; see: lightsout campaign status",
            withdrawn.withdrawn_at.date_naive()
        ),
        None => format!("nothing was announced to it in campaign {campaign}; see: lightsout campaign status"),
    })
}

/// The protocols that are asked for, each of them announced; `None` is all.
pub(super) fn named(tenant: &AnnouncedTenant, asked: Option<&[Protocol]>) -> Result<Vec<Protocol>, String> {
    let announced = tenant.change.announced();
    let Some(asked) = asked else { return Ok(announced) };
    match asked.iter().find(|protocol| !announced.contains(protocol)) {
        None => Ok(asked.to_vec()),
        Some(other) => {
            let names: Vec<&str> = announced.iter().map(|protocol| protocol.as_str()).collect();
            Err(format!("{other} was not announced to it; announced were {}", names.join(", ")))
        }
    }
}

fn told_off(tenant: &AnnouncedTenant) -> String {
    let days = tenant.change.protocols.values().filter_map(|state| match state {
        ProtocolChange::Off { on } | ProtocolChange::UsedAfterChange { off_on: on, .. } => Some(*on),
        _ => None,
    });
    days.max().map_or_else(String::new, |day| format!("on {day}; switch it on again in the tenant"))
}
