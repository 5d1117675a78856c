//! Opting out: tenants keep protocols, and the scripts that would turn them off go.

use std::path::Path;

use super::notice_batch::out_belongs_to;
use super::runbooks::remove_outdated;
use super::state::CampaignState;
use crate::error::{Error, Result};
use lightsout_campaign::ValidatedRequests;
use lightsout_campaign::opt_out::opt_out as taken;
use lightsout_model::change::Request;

/// Records the requests that the ledger takes, and removes from `out` what would turn off the protocols that are kept.
///
/// # Errors
/// Fails if `out` is another campaign's, the lake can't be written or a file can't be removed.
pub async fn opt_out(
    state: &mut CampaignState,
    requests: &[Request],
    out: &Path,
) -> Result<ValidatedRequests> {
    out_belongs_to(out, state)?;
    let lock = state.lock().await?;
    let done = taken(&state.campaign, &state.ledger, requests, state.now);
    state.record(&lock, &done.events).await?;
    drop(lock);
    // What lies there is of the real campaign.
    if !state.is_rehearsal {
        remove_outdated(state, out).map_err(Error::recorded)?;
    }
    Ok(done)
}
