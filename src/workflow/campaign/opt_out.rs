//! Opting out: tenants keep protocols.

use super::state::CampaignState;
use crate::error::Result;
use lightsout_campaign::ValidatedRequests;
use lightsout_campaign::opt_out::opt_out as taken;
use lightsout_model::change::Request;

/// Records the requests that the ledger takes.
///
/// # Errors
/// Fails if the lake can't be written.
pub async fn opt_out(state: &mut CampaignState, requests: &[Request]) -> Result<ValidatedRequests> {
    let lock = state.lock().await?;
    let done = taken(&state.campaign, &state.ledger, requests, state.now);
    state.record(&lock, &done.events).await?;
    Ok(done)
}
