//! Requests, one after the other: each becomes an event, was one before, or is refused with its reason.

use chrono::{DateTime, Utc};

use super::Refusal;
use super::event::{Event, EventKind};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::Request;
use lightsout_model::protocol::Protocol;

/// What became of requests.
#[derive(Debug, Default)]
pub struct ValidatedRequests {
    pub events: Vec<Event>,
    /// Tenants of which all of it was recorded before.
    pub already: Vec<String>,
    pub refused: Vec<Refusal>,
}

/// Takes each request for the protocols that `judge` lets it stand for at its time: none, if there is nothing new
/// in it. A time ahead of `now` is refused.
pub(super) fn validate(
    campaign: &Campaign,
    requests: &[Request],
    kind: EventKind,
    now: DateTime<Utc>,
    judge: impl Fn(&Request, DateTime<Utc>) -> Result<Vec<Protocol>, String>,
) -> ValidatedRequests {
    let mut taken = ValidatedRequests::default();
    for request in requests {
        let tenant_id = request.tenant_id.clone();
        let at = request.happened_at.unwrap_or(now);
        let judged = if at > now {
            Err(format!("{} lies ahead of {}; give the time that it was", at.to_rfc3339(), now.to_rfc3339()))
        } else {
            judge(request, at)
        };
        match judged {
            Ok(protocols) if protocols.is_empty() => taken.already.push(tenant_id),
            Ok(protocols) => {
                let event = Event::new(&campaign.name, &tenant_id, kind, &protocols, at)
                    .by(request.by_whom.as_deref());
                // The same row twice in one list.
                if !taken.events.contains(&event) {
                    taken.events.push(event);
                }
            }
            Err(why) => taken.refused.push(Refusal { tenant_id, line: request.line, why }),
        }
    }
    taken
}
