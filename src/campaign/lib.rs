//! The policy of a campaign: what is announced to whom, and what becomes of it in the thirty days after. Events are
//! appended to the table `campaign_events`; where things stand follows from them: a [`Ledger`].
//!
//! Everything here is pure: a command's inputs and the ledger in, events or refusals out. Neither
//! clock nor lake is touched, so a command that is repeated gives no event twice: what the ledger
//! holds already is passed.

pub mod announce;
pub mod clock;
pub mod confirm;
pub mod correct;
mod dates;
pub mod diff;
pub mod event;
pub mod guards;
mod history;
pub mod objections;
pub mod opt_in;
pub mod opt_out;
pub mod plan;
pub mod recheck;
pub mod reschedule;
pub mod roster_guard;
pub mod runbook;
pub mod state;
pub mod status;
mod validate;
pub mod withdraw;
pub mod work_list;

pub use clock::{Clock, ClockStop, LakeTimes};
pub use event::{Event, EventKind};
pub use state::{AnnouncedTenant, Ledger, StateError, WithdrawnTenant};
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
