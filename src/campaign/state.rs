//! Where things stand: the rows of `queries/campaign_state.sql`, gathered per tenant.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::event::{Announcement, Hold};
use lightsout_model::change::{Change, ProtocolChange, StateRow};
use lightsout_model::protocol::Protocol;

/// One tenant that something was announced to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedTenant {
    pub change: Change,
    pub announcement: Announcement,
    pub announced_at: DateTime<Utc>,
    /// Why, of the protocols that are on hold, and since when.
    pub holds: BTreeMap<Protocol, (Hold, DateTime<Utc>)>,
}

/// Every tenant of a campaign that something was announced to, by tenant id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    pub tenants: BTreeMap<String, AnnouncedTenant>,
}

fn announced(row: &StateRow) -> Result<AnnouncedTenant, StateError> {
    let announcement = row.announcement.as_deref().unwrap_or_default();
    let announcement: Announcement = serde_json::from_str(announcement)?;
    Ok(AnnouncedTenant {
        change: Change {
            tenant_id: row.tenant_id.clone(),
            decision_id: row.decision_id.clone().unwrap_or_default(),
            announced_on: announcement.notice_date.unwrap_or(row.announced_at.date_naive()),
            effective_date: row.effective_date.unwrap_or(NaiveDate::MAX),
            effective_date_before: None,
            why: None,
            protocols: BTreeMap::new(),
        },
        announcement,
        announced_at: row.announced_at,
        holds: BTreeMap::new(),
    })
}

/// An event whose detail is not what this program writes.
#[derive(Debug, thiserror::Error)]
#[error("an event of the campaign: {source}")]
pub struct StateError {
    #[from]
    source: serde_json::Error,
}

impl Ledger {
    /// Gathers rows, in any order.
    ///
    /// # Errors
    /// Fails if an event's detail is not what this program writes.
    pub fn of(rows: Vec<StateRow>) -> Result<Self, StateError> {
        let mut ledger = Self::default();
        for row in rows {
            let tenant = match ledger.tenants.entry(row.tenant_id.clone()) {
                std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => place.insert(announced(&row)?),
            };
            let state = if let Some(off_at) = row.off_at {
                ProtocolChange::Off { on: off_at.date_naive() }
            } else if let Some(opted_out_at) = row.opted_out_at {
                ProtocolChange::OptedOut { on: opted_out_at.date_naive(), by: row.opted_out_by.clone() }
            } else if let Some(held_at) = row.held_at {
                let because = row.held_because.as_deref().unwrap_or_default();
                let hold: Hold = serde_json::from_str(because)?;
                let cause = hold.cause;
                tenant.holds.insert(row.protocol, (hold, held_at));
                ProtocolChange::OnHold { since: held_at.date_naive(), cause }
            } else {
                ProtocolChange::Pending
            };
            tenant.change.protocols.insert(row.protocol, state);
        }
        Ok(ledger)
    }

    /// The changes alone, as notices take them.
    #[must_use]
    pub fn changes(&self) -> BTreeMap<String, Change> {
        self.tenants.iter().map(|(id, tenant)| (id.clone(), tenant.change.clone())).collect()
    }
}
