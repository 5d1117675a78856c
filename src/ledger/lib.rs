//! The ledger: the events of campaigns in the lake's table `campaign_events`. [`read`] gathers the state of a campaign
//! through `queries/campaign_state.sql`, [`append`] records events, and `campaign_status` is the view over both events
//! and decisions. Which events there are, and what they mean, is for the crate `campaign` to say.

pub mod campaign_status;

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
    Ok(Ledger::of(queries.of_campaign("campaign_state", campaign).await?)?)
}

/// Appends events in one commit of the time that is given, in milliseconds: all of them or none.
///
/// # Errors
/// Fails if the commit does.
pub async fn append(lake: &mut Lake, lock: &Locked, events: &[Event], now_ms: i64) -> Result<(), Error> {
    Ok(lake.append(lock, Table::CampaignEvents, events, now_ms).await?)
}
