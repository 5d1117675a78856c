//! The policy of a campaign: what is announced to whom, and what becomes of it in the thirty days after. Events are
//! appended to the table `campaign_events`; where things stand is a query over them (`queries/campaign_state.sql`),
//! read into a [`Ledger`].
//!
//! Everything here is pure: a command's inputs and the ledger in, events or refusals out. Neither
//! clock nor lake is touched, so a command that is repeated gives no event twice: what the ledger
//! holds already is passed.

pub mod announce;
pub mod confirm;
pub mod diff;
pub mod event;
pub mod guards;
pub mod objections;
pub mod opt_out;
pub mod plan;
pub mod recheck;
pub mod roster_guard;
pub mod runbook;
pub mod state;
pub mod status;
mod validate;
pub mod work_list;

pub use event::{Event, EventKind};
pub use state::{AnnouncedTenant, Ledger, StateError};
pub use validate::ValidatedRequests;

/// A request that the ledger does not take, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub tenant_id: String,
    /// Line of the list that it stood in.
    pub line: Option<u64>,
    /// A sentence, with the way out where there is one.
    pub why: String,
}
