//! The ledger: the events of campaigns in the lake's table `campaign_events`. [`read`] gathers the state of a campaign
//! from its events, [`append`] records new ones with their place and the system's clock. The view `campaign_changes`
//! shows that state, `campaign_status` joins it with decisions. Which events there are, and what they mean, is for the
//! crate `campaign` to say.

pub mod campaign_changes;
pub mod campaign_status;
mod session_events;

use arrow::array::AsArray;
use chrono::{DateTime, Utc};

use lightsout_campaign::announce::{OffElsewhere, add_off};
use lightsout_campaign::{Event, Ledger, StateError};
use lightsout_lake::Lake;
use lightsout_lake::commit::Locked;
use lightsout_lake::schema::Table;
use lightsout_query::Queries;

/// The ledger can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Query(#[from] lightsout_query::Error),
    #[error(transparent)]
    Lake(#[from] lightsout_lake::Error),
    #[error(transparent)]
    State(#[from] StateError),
}

/// Reads the ledger of a campaign.
///
/// # Errors
/// Fails if the events can't be read, or if one is not as this program writes it.
pub async fn read(queries: &Queries, campaign: &str) -> Result<Ledger, Error> {
    Ok(Ledger::of(queries.of_campaign("campaign_history", campaign).await?)?)
}

/// What all campaigns but one have turned off.
///
/// # Errors
/// As [`read`].
pub async fn off_elsewhere(queries: &Queries, campaign: &str) -> Result<OffElsewhere, Error> {
    let names = "SELECT DISTINCT campaign FROM campaign_events WHERE event = 'confirmed' ORDER BY campaign";
    let mut off = OffElsewhere::new();
    for batch in queries.run("campaigns", names, &[]).await? {
        for other in batch.column(0).as_string::<i32>().iter().flatten().filter(|name| *name != campaign) {
            add_off(&mut off, other, &read(queries, other).await?);
        }
    }
    Ok(off)
}

/// Appends events in one commit: all of them or none. They get the places from `next_position` on, and `wall`, the
/// system's clock.
///
/// # Errors
/// Fails if the commit does.
pub async fn append(
    lake: &mut Lake,
    lock: &Locked,
    events: &[Event],
    next_position: u64,
    wall: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let recorded: Vec<Event> = (next_position..)
        .zip(events)
        .map(|(position, event)| event.clone().recorded(position, wall))
        .collect();
    Ok(lake.append(lock, Table::CampaignEvents, &recorded, now.timestamp_millis()).await?)
}
