//! The commands of a campaign: each judges, records events and writes the files that follow from them. `state` is what
//! all of them work on; the policy is the crate `campaign`.

pub mod announce;
pub mod apply;
pub mod confirm;
pub mod diff;
pub mod notice_batch;
pub mod opt_out;
pub mod recheck;
mod rehearsal;
pub mod rehearse;
pub mod runbooks;
pub mod standing;
pub mod state;
pub mod take_back;

pub use state::{CampaignState, Decided};
