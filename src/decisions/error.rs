//! What can go wrong with kept decisions.

use crate::decision::KeepError;

/// An error of a decision.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("decision {id} is not in the lake; kept decisions: {known}")]
    Unknown { id: String, known: String },
    #[error(
        "no decision of campaign {campaign} is in the lake at {lake} yet; make one with: lightsout assess"
    )]
    NoneYet { campaign: String, lake: String },
    #[error("decision {id} can't be reproduced: {differs}")]
    Differs { id: String, differs: String },
    #[error(
        "decision {id} covers {expected} tenants, but decision_tenants holds {found} of them, so it can't be used; decide \
         again with: lightsout assess"
    )]
    TenantsLost { id: String, expected: u64, found: u64 },
    #[error(
        "the roster {roster_hash} of decision {id} is missing from the table rosters or has changed there, so it can't be used; decide \
         again with: lightsout assess"
    )]
    RosterLost { id: String, roster_hash: String },
    #[error(
        "the lake's roster {roster_hash} has changed in the table rosters or lacks tenants there, so it can't be used; \
         keep it again with: lightsout roster set FILE"
    )]
    KeptRosterLost { roster_hash: String },
    #[error("a kept decision: {source}")]
    Unreadable { source: serde_json::Error },
    #[error(transparent)]
    Keep(#[from] KeepError),
    #[error(transparent)]
    Lake(#[from] lightsout_lake::Error),
    #[error(transparent)]
    Query(#[from] lightsout_query::Error),
}

/// Results of decisions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
