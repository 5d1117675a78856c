//! Requests, one after the other: each becomes events, was recorded before, or is refused with its reason.

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
    take(requests, now, |request, at| {
        let protocols = judge(request, at)?;
        if protocols.is_empty() {
            return Ok(Vec::new());
        }
        let event = Event::new(&campaign.name, &request.tenant_id, kind, &protocols, at);
        Ok(vec![event.by(request.by_whom.as_deref())])
    })
}

/// Takes each request for the events that `judge` makes of it at its time: none, if there is nothing new in it.
pub(super) fn take(
    requests: &[Request],
    now: DateTime<Utc>,
    mut judge: impl FnMut(&Request, DateTime<Utc>) -> Result<Vec<Event>, String>,
) -> ValidatedRequests {
    let mut taken = ValidatedRequests::default();
    for request in requests {
        let tenant_id = request.tenant_id.clone();
        let at = request.happened_at.unwrap_or(now);
        let judged = if at > now {
            Err(format!(
                "{} is later than {}; give the time when it happened",
                at.to_rfc3339(),
                now.to_rfc3339()
            ))
        } else {
            judge(request, at)
        };
        match judged {
            Ok(events) if events.is_empty() => taken.already.push(tenant_id),
            Ok(events) => {
                for event in events {
                    // The same row twice in one list.
                    if !taken.events.contains(&event) {
                        taken.events.push(event);
                    }
                }
            }
            Err(why) => taken.refused.push(Refusal { tenant_id, line: request.line, why }),
        }
    }
    taken
}
