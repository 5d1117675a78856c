//! An announcement is taken back: what is still on is not turned off, and the tenant can be announced again, with all
//! its days of notice. What has been turned off stays off.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::event::{Event, EventKind, Explanation};
use super::opt_out::announced;
use super::state::Ledger;
use super::validate::{ValidatedRequests, take};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::Request;

/// Takes back the announcement of each tenant, or refuses with the reason.
#[must_use]
pub fn withdraw(
    campaign: &Campaign,
    ledger: &Ledger,
    requests: &[Request],
    why: &str,
    now: DateTime<Utc>,
) -> ValidatedRequests {
    take(requests, now, |request, at| {
        let id = &request.tenant_id;
        if ledger.withdrawn.contains_key(id) {
            return Ok(Vec::new());
        }
        let tenant = announced(ledger, id, &campaign.name)?;
        if request.protocols.is_some() {
            return Err("an announcement is withdrawn as a whole; for single protocols record an opt-out: \
                        lightsout campaign opt-out"
                .to_owned());
        }
        let protocols = tenant.withdrawable();
        if protocols.is_empty() {
            return Err(
                "all that was announced to it has been turned off; undo it with its undo.ps1, or, if it \
                        was confirmed by mistake: lightsout campaign correct"
                    .to_owned(),
            );
        }
        let event = Event::new(&campaign.name, id, EventKind::Withdrawn, &protocols, at);
        let event = event.on_decision(&tenant.change.decision_id).by(request.by_whom.as_deref());
        Ok(vec![event.told(&Explanation { why: why.to_owned() })])
    })
}

/// An announcement that was named and is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found '{found}'")]
pub struct UnknownAnnouncement {
    pub found: String,
    pub expected: String,
}

/// The tenants of an announcement, also those that it was withdrawn from.
///
/// # Errors
/// Fails if there is none of that id.
pub fn tenants_of_announcement(
    ledger: &Ledger,
    announcement_id: &str,
) -> Result<BTreeSet<String>, UnknownAnnouncement> {
    if !ledger.announcements.iter().any(|known| known == announcement_id) {
        let found = announcement_id.to_owned();
        return Err(UnknownAnnouncement { found, expected: known(ledger) });
    }
    let open = ledger.tenants.iter().map(|(id, tenant)| (id, &tenant.announcement));
    let withdrawn = ledger.withdrawn.iter().map(|(id, tenant)| (id, &tenant.announcement));
    let of_it = open.chain(withdrawn).filter(|(_, of)| of.announcement_id == announcement_id);
    Ok(of_it.map(|(id, _)| id.clone()).collect())
}

/// The id of the campaign's n-th announcement, from 1 on.
///
/// # Errors
/// Fails if there are fewer.
pub fn announcement_of_wave(ledger: &Ledger, number: u32) -> Result<&str, UnknownAnnouncement> {
    let at = (number as usize).checked_sub(1);
    let id = at.and_then(|at| ledger.announcements.get(at)).map(String::as_str);
    id.ok_or_else(|| UnknownAnnouncement { found: number.to_string(), expected: known(ledger) })
}

fn known(ledger: &Ledger) -> String {
    if ledger.announcements.is_empty() {
        return "an announcement of this campaign, which has none".to_owned();
    }
    let named: Vec<String> =
        ledger.announcements.iter().enumerate().map(|(at, id)| format!("{} ({id})", at + 1)).collect();
    format!("one of this campaign's announcements: {}", named.join(", "))
}
