//! The one place that puts stages together: open a lake and bring it up to date (`open`), assess and keep (`assess`),
//! open a session with all views (`session`), write drafts and lists (`drafts`), and the commands of a campaign over one view of its ledger (`campaign`).
//! Commands and servers call these; nothing here knows flags, streams or exit codes. What a person should hear
//! beside the result goes through [`Tell`].

pub mod assess;
pub mod campaign;
pub mod drafts;
mod error;
pub mod export;
pub mod known_tenants;
pub mod open;
pub mod prune;
pub mod roster;
pub mod session;

pub use error::{Error, Result};

/// Memory of queries that have no limit of their own.
pub const MEMORY_LIMIT_BYTES: usize = 1 << 30;

/// Hears sentences that belong to no result: what was done on the way, and what to know about it.
pub type Tell = fn(&str);
