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

/// Columns of the lists that these commands write: handed in again, they are passed.
pub const LIST_COLUMNS: &[&str] = &[
    "display_name",
    "domains",
    "contacts",
    "language",
    "notice_language",
    "cloud",
    "verdict",
    "reasons",
    "exclude_reason",
    "users",
    "effective_date",
    "decision_id",
    "kind",
    "announced_on",
    "announcement_id",
    "causes",
    "hold_reasons",
    "on_hold_since",
    "new",
    "why",
    "effective_date_before",
    "last_used_on",
    "smtp_client_authentication",
    "outlook_modern_auth",
];
